import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doWithin } from '../../../test/support/own-time.ts';
import { PATIENCE } from '../../../test/support/patience.ts';
import { freshPrefix, redisUrl, startRedis } from '../../../test/support/redis.ts';
import { newArrival } from '../../../test/support/store.ts';
import {
  type Arrival,
  BEYOND_LIMIT,
  CALLS_QUEUE,
  type CallJob,
  openIntake,
  openStore,
  packSettled,
  revisionOf,
  type Store,
} from '../src/index.ts';

const prefix = freshPrefix();
const MB = 1024 ** 2;
const onError = () => {};
let store: Store;

beforeAll(async () => {
  store = openStore({ url: redisUrl(), prefix, role: 'worker', onError });
  await store.connected(PATIENCE);
});
afterAll(() => store.close());

async function withIntake<T>(
  use: (intake: ReturnType<typeof openIntake>) => Promise<T>,
  options: Pick<Parameters<typeof openIntake>[0], 'ledgerDays'> = {},
): Promise<T> {
  const intake = openIntake({ url: redisUrl(), prefix, onError, ...options });
  await expect.poll(async () => (await intake.ready()).ok).toBe(true);
  try {
    return await use(intake);
  } finally {
    await intake.close();
  }
}

it('keeps the ledger entry of a call as long as its source says', async () => {
  const [mine, others] = [newArrival({ source: 'acme.main' }), newArrival()];
  await withIntake((intake) => Promise.all([intake.accept(mine), intake.accept(others)]), {
    ledgerDays: (source) => (source === 'acme.main' ? 3 : 90),
  });
  const days = async ({ source, call_id }: Arrival) =>
    Math.ceil((await store.redis.ttl(store.keys.ledger(source, call_id))) / 86_400);
  expect([await days(mine), await days(others)]).toEqual([3, 90]);
});

it('a call whose packed entry cannot be read is refused alone: those that came with it are kept', async () => {
  // Of a span that has come to its end, so that few are enough for a bucket.
  const [bad, good] = [newArrival({ received_at: Date.now() - 24 * 3600_000 }), newArrival()];
  await withIntake(async (intake) => {
    await intake.accept(bad);
    const call = { source: 'main', call_id: bad.call_id };
    await store.ledger.route(
      { ...call, revision: revisionOf(bad.body) },
      { effect: 'applied', facts: { notes: [] }, wanted: [] },
    );
    await store.ledger.close('main', bad.call_id);
    await store.redis.hset(store.keys.packed, 'since', '0');
    expect(await packSettled(store, { before: Date.now() })).toBeGreaterThan(0);
    const [bucket = ''] = await store.redis.zrange(`${store.keys.packed}-index`, '0', '0');
    await store.redis.set(`${store.keys.packed}:${bucket.split(':')[0]}`, 'of a later version');
    const again = { ...bad, body: Buffer.from('{"more":1}') };
    const [refused, kept] = await Promise.allSettled([intake.accept(again), intake.accept(good)]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('a later one') } });
    expect(kept).toEqual({ status: 'fulfilled', value: 'accepted' });
  });
});

describe('intake', () => {
  it('keeps bytes, ledger entry and job before it resolves', () =>
    withIntake(async (intake) => {
      const one = newArrival();
      expect(await intake.accept(one)).toBe('accepted');
      const revision = revisionOf(one.body);
      expect(await store.payloads.read('main', one.call_id, revision)).toEqual(one.body);
      const entry = await store.ledger.read('main', one.call_id);
      expect(entry).toMatchObject({ received: 'webhook', verified: 'signature', routed: false });
      expect(entry?.revisions.map(({ hash }) => hash)).toEqual([revision]);
      const jobs = await store.queues.get(CALLS_QUEUE).getWaiting();
      expect(jobs.map(({ data }) => data)).toContainEqual({ source: 'main', call_id: one.call_id, revision });
    }));

  it('takes fifty parallel deliveries of one call once', () =>
    withIntake(async (intake) => {
      const one = newArrival();
      const answers = await Promise.all(Array.from({ length: 50 }, () => intake.accept(one)));
      expect(answers.filter((answer) => answer === 'accepted')).toHaveLength(1);
      expect(answers.filter((answer) => answer === 'duplicate')).toHaveLength(49);
      const jobs = await store.queues.get<{ call_id: string }>(CALLS_QUEUE).getWaiting();
      expect(jobs.filter(({ data }) => data.call_id === one.call_id)).toHaveLength(1);
    }));

  it('takes other bytes under the same id as a revision', () =>
    withIntake(async (intake) => {
      const one = newArrival();
      await intake.accept(one);
      expect(await intake.accept({ ...one, body: Buffer.from('{"call":{"call_id":"x","duration":1}}') })).toBe(
        'accepted',
      );
      expect((await store.ledger.read('main', one.call_id))?.revisions).toHaveLength(2);
    }));

  it('adds the job when the process that kept the bytes died before adding it', () =>
    withIntake(async (intake) => {
      const one = newArrival();
      await intake.accept(one);
      const queue = store.queues.get<{ call_id: string }>(CALLS_QUEUE);
      const [job] = (await queue.getWaiting()).filter(({ data }) => data.call_id === one.call_id);
      await job?.remove();
      expect(await intake.accept(one)).toBe('duplicate');
      expect((await queue.getWaiting()).some(({ data }) => data.call_id === one.call_id)).toBe(true);
    }));

  it('adds no job for what was handled before, also when its job is gone', () =>
    withIntake(async (intake) => {
      const one = newArrival();
      await intake.accept(one);
      const ref = { source: 'main', call_id: one.call_id, revision: revisionOf(one.body) };
      await store.ledger.route(ref, { effect: 'applied', facts: { notes: [] }, wanted: [] });
      const queue = store.queues.get<{ call_id: string }>(CALLS_QUEUE);
      const jobs = async () => (await queue.getWaiting()).filter(({ data }) => data.call_id === one.call_id);
      for (const job of await jobs()) await job.remove();
      expect(await intake.accept(one)).toBe('duplicate');
      expect(await jobs()).toEqual([]);
    }));

  it('keeps ids that look like BullMQ keys apart from them', () =>
    withIntake(async (intake) => {
      for (const call_id of ['meta', 'wait', '123', 'a:b:c', 'ключ', '{x}', 'id']) {
        expect(await intake.accept(newArrival({ call_id }))).toBe('accepted');
        expect((await store.ledger.read('main', call_id))?.call_id).toBe(call_id);
      }
    }));

  it('rejects within a second while Redis is frozen, and works again by itself', async () => {
    const redis = await startRedis();
    const intake = openIntake({ url: redis.url, prefix, onError });
    await expect.poll(async () => (await intake.ready()).ok).toBe(true);
    await intake.accept(newArrival());
    redis.pause();
    await doWithin(1_000, () => expect(intake.accept(newArrival())).rejects.toThrow());
    redis.resume();
    await expect.poll(() => intake.accept(newArrival()).catch(() => 'no')).toBe('accepted');
    await intake.close();
    await redis.stop();
  });

  it('does not send a large body that is known, or beyond what is kept of one call', async () => {
    const redis = await startRedis();
    const intake = openIntake({ url: redis.url, prefix, onError });
    const own = openStore({ url: redis.url, prefix, role: 'worker', onError });
    await expect.poll(async () => (await intake.ready()).ok).toBe(true);
    const received = async () =>
      Number(/total_net_input_bytes:(\d+)/.exec(await (own.redis as Redis).info('stats'))?.[1]);
    const body = (letter: string) => Buffer.alloc(12 * MB, letter);
    const call = newArrival({ terminal: true });
    // A busy machine may need more than the time that Redis is given: what was kept then is a duplicate.
    const accept = async (one: Arrival) => {
      let answer: string | undefined;
      await expect
        .poll(() =>
          intake.accept(one).then(
            (said) => (answer = said),
            () => undefined,
          ),
        )
        .toBeDefined();
      return answer;
    };
    for (const letter of 'ab') await accept({ ...call, body: body(letter) });

    const before = await received();
    for (let sent = 0; sent < 4; sent += 1) expect(await accept({ ...call, body: body('a') })).toBe('duplicate');
    for (let sent = 0; sent < 4; sent += 1) expect(await accept({ ...call, body: body('c') })).toBe('ignored');
    expect((await received()) - before).toBeLessThan(MB);
    const entry = await own.ledger.read('main', call.call_id);
    expect(entry?.revisions).toHaveLength(2);
    expect(entry?.ignored?.count).toBe(4);
    const jobs = await own.queues.get<CallJob>(CALLS_QUEUE).getJobs(['waiting']);
    expect(jobs.map(({ data }) => data.revision).sort()).toEqual(
      [BEYOND_LIMIT, revisionOf(body('a')), revisionOf(body('b'))].sort(),
    );

    // Bytes that are gone are needed again.
    await own.payloads.remove('main', call.call_id, [revisionOf(body('a'))]);
    expect(await accept({ ...call, body: body('a') })).toBe('duplicate');
    expect(await own.payloads.has('main', call.call_id, revisionOf(body('a')))).toBe(true);
    await Promise.all([intake.close(), own.close()]);
    await redis.stop();
  });

  it('adds the job of a large body that is known but has none', () =>
    withIntake(async (intake) => {
      const one = newArrival({ body: Buffer.alloc(300_000, 'x') });
      await expect.poll(() => intake.accept(one).catch(() => 'no')).not.toBe('no');
      const queue = store.queues.get<CallJob>(CALLS_QUEUE);
      const ours = async () =>
        (await queue.getJobs(['waiting', 'prioritized'])).filter(({ data }) => data.call_id === one.call_id);
      for (const job of await ours()) await job.remove();
      await expect.poll(() => intake.accept(one).catch(() => 'no')).toBe('duplicate');
      expect(await ours()).toHaveLength(1);
    }));
});
