import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeArrival, openTestStore } from '../../../test/support/store.ts';
import { type Arrival, BEYOND_LIMIT, CALLS_QUEUE, type CallJob, MAX_REVISION_BYTES, revisionOf } from '../src/index.ts';

const MB = 1024 * 1024;
let store: Awaited<ReturnType<typeof openTestStore>>;
let call_id: string;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(() => {
  call_id = randomUUID();
});

let counter = 0;
const send = (otherwise: Partial<Arrival> = {}) => {
  counter += 1;
  return store.accept(makeArrival(call_id, Buffer.from(`{"n":${counter}}`), otherwise), 90);
};
const entry = async () => (await store.ledger.read('main', call_id)) as NonNullable<Awaited<ReturnType<typeof read>>>;
const read = () => store.ledger.read('main', call_id);
const jobs = async () =>
  (await store.queues.get<CallJob>(CALLS_QUEUE).getJobs(['waiting', 'prioritized'])).filter(
    ({ data }) => data.call_id === call_id,
  );

describe('of one call', () => {
  it('eight revisions are kept; the rest is ignored, counted, and has one job', async () => {
    for (let sent = 0; sent < 8; sent += 1) expect(await send({ terminal: true })).toBe('accepted');
    for (let sent = 0; sent < 5; sent += 1) expect(await send({ terminal: true })).toBe('ignored');
    expect((await entry()).revisions).toHaveLength(8);
    expect((await entry()).ignored).toMatchObject({ count: 5, handled: false });
    const revisions = (await jobs()).map(({ data }) => data.revision);
    expect(revisions).toHaveLength(9);
    expect(revisions.filter((revision) => revision === BEYOND_LIMIT)).toHaveLength(1);
  });

  it('the first terminal revision has a place of its own, also when many came at once before it', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => send()));
    expect(answers.filter((answer) => answer === 'accepted')).toHaveLength(8);
    expect(await send({ terminal: true })).toBe('accepted');
    expect(await send({ terminal: true })).toBe('ignored');
    expect((await entry()).revisions).toHaveLength(9);
  });

  it('32 MB are kept as they are stored, and compressing one makes room', async () => {
    const big = Buffer.alloc(24 * MB, 'a');
    expect(await send({ body: big, terminal: true })).toBe('accepted');
    expect(await send({ body: Buffer.concat([big, Buffer.from('b')]) })).toBe('ignored');
    await store.payloads.compress('main', call_id, revisionOf(big));
    expect(await send({ body: Buffer.concat([big, Buffer.from('b')]) })).toBe('accepted');
    const [first] = (await entry()).revisions;
    expect(first).toMatchObject({ bytes: 24 * MB });
    expect(first?.stored).toBeLessThan(MB);
  });

  it('fifteen bodies of 24 MB leave no more than 32 MB', async () => {
    const body = randomBytes(24 * MB);
    for (let sent = 0; sent < 15; sent += 1) {
      body.writeUInt8(sent);
      await send({ body, terminal: true });
    }
    const sizes = (await entry()).revisions.map(({ hash }) =>
      store.redis.strlen(store.keys.payload('main', call_id, hash)),
    );
    const kept = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    expect(kept).toBeLessThanOrEqual(MAX_REVISION_BYTES);
    expect((await entry()).ignored?.count).toBe(14);
  });

  it('bytes that are known stay known, and what the API says has a place', async () => {
    const body = Buffer.from('{"first":true}');
    await send({ body });
    for (let sent = 0; sent < 9; sent += 1) await send();
    expect(await send({ body })).toBe('duplicate');
    expect(await send({ verified: 'api' })).toBe('accepted');
  });

  it('the job is there again after a crash, by the sweep’s list of open calls', async () => {
    for (let sent = 0; sent < 9; sent += 1) await send();
    const open = await store.ledger.openSince(Date.now() + 1, 100_000);
    expect(open).toContainEqual({ source: 'main', call_id });
  });
});
