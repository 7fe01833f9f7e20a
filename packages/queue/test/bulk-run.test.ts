import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { beginAttempt, makeArrival, openTestStore, stopDelivery } from '../../../test/support/store.ts';
import {
  type BulkResult,
  type BulkRun,
  filterAlike,
  listBulk,
  RunIsTaken,
  readBulk,
  revisionOf,
  runBulk,
  type Store,
  startAlike,
  startBulk,
} from '../src/index.ts';

const body = Buffer.from('{}');
const revision = revisionOf(body);
const attempts = () => 3;
let store: Store;

beforeEach(async () => {
  store = await openTestStore();
});
afterEach(() => store.close());

async function park(call_id: string = randomUUID(), { replays = 0, code = 'invalid_field', reason = 'r' } = {}) {
  const ref = { source: 'main', call_id, route: 'sales-calls', revision, replays };
  if (replays === 0) await stopDelivery(store, { call_id, code, reason });
  else {
    await beginAttempt(store, ref);
    await store.ledger.recordOutcome(ref, { state: 'parked', code, reason });
  }
  const delivery = await deliveryOf(call_id);
  if (delivery) await store.operations.addUnresolved(ref, delivery);
  return call_id;
}

async function parkMany(number: number, given?: Parameters<typeof park>[1]): Promise<string[]> {
  return Promise.all(Array.from({ length: number }, () => park(undefined, given)));
}

const deliveryOf = async (id: string) => (await store.ledger.read('main', id))?.deliveries[0];
const statesOf = (ids: string[]) => Promise.all(ids.map(async (id) => (await deliveryOf(id))?.state));
const tick = () => new Promise((resolve) => setTimeout(resolve, 2));

describe('a run over many', () => {
  it('replays what the filter names, with progress, and nothing else', async () => {
    const ids = await parkMany(430);
    const others = await parkMany(5, { code: 'refused' });
    const run = await startBulk(store, { state: 'parked', action: 'replay', filter: { codes: ['invalid_field'] } });
    const steps: number[] = [];
    const done = await runBulk(store, run.id, { attempts, config: 'c0ffee', onProgress: (_, at) => steps.push(at) });
    expect(done).toMatchObject({ of: 430, done: 430, expired: 0, moved: 0, ended: expect.any(Number) });
    expect(steps).toEqual([0, 200, 400, 430]);
    expect(new Set(await statesOf(ids))).toEqual(new Set(['queued']));
    expect(new Set(await statesOf(others))).toEqual(new Set(['parked']));
    expect(await store.unresolved.count('parked')).toBe(5);
    expect(await store.operations.list('parked')).toHaveLength(5);
    const jobs = await store.queues.deliveries('sales').getJobs(['waiting', 'prioritized']);
    expect(jobs).toHaveLength(430);
    expect(jobs[0]).toMatchObject({ opts: { attempts: 3 }, data: { replays: 1, config: 'c0ffee' } });
    // Asked for once more it only says what it did.
    expect(await runBulk(store, run.id, { attempts })).toEqual(done);
  });

  it('goes on where it was killed: each item once, and the sums are right', async () => {
    const ids = await parkMany(500);
    const run = await startBulk(store, { state: 'parked', action: 'replay', filter: {} });
    let seen = 0;
    const killed = runBulk(store, run.id, {
      attempts,
      onItem() {
        seen += 1;
        // In the middle of the second step, after what it did and before it was noted.
        if (seen === 275) throw new Error('killed');
      },
    });
    await expect(killed).rejects.toThrow('killed');
    expect(await readBulk(store, run.id)).toMatchObject({ done: 200 });
    // Some of what was replayed is parked once more, and something new stops: neither is meant.
    await tick();
    const replayed = (await Promise.all(ids.map(async (id) => ({ id, delivery: await deliveryOf(id) })))).filter(
      ({ delivery }) => delivery?.state === 'queued',
    );
    for (const { id } of replayed.slice(0, 3)) await park(id, { replays: 1 });
    const late = await park();
    const [begun] = await listBulk(store);
    expect(begun).toMatchObject({ id: run.id, action: 'replay' });
    expect(begun?.ended).toBeUndefined();

    const results: BulkResult[] = [];
    const done = await runBulk(store, run.id, { attempts, onItem: (_, result) => results.push(result) });
    expect(done).toMatchObject({ of: 500, done: 500, expired: 0, moved: 0 });
    expect(results).toHaveLength(500 - replayed.length);
    expect(new Set(results)).toEqual(new Set(['replayed']));
    const deliveries = await Promise.all(ids.map(deliveryOf));
    expect(new Set(deliveries.map((delivery) => delivery?.replays))).toEqual(new Set([1]));
    expect(await store.unresolved.count('parked')).toBe(4);
    expect((await deliveryOf(late))?.state).toBe('parked');
  });

  it('stops at a signal after its step, and leaves what cannot be replayed', async () => {
    const ids = await parkMany(450);
    const [gone] = ids as [string];
    await store.payloads.remove('main', gone, [revision]);
    const run = await startBulk(store, { state: 'parked', action: 'replay', filter: {} });
    const stop = new AbortController();
    const options = {
      attempts,
      signal: stop.signal,
      onProgress: (_: Readonly<BulkRun>, at: number) => at > 0 && stop.abort(),
    };
    const half = await runBulk(store, run.id, options);
    expect(half.ended).toBeUndefined();
    expect(half.done + half.expired).toBe(200);
    const whole = await runBulk(store, run.id, { attempts });
    expect(whole).toMatchObject({ of: 450, done: 449, expired: 1, moved: 0 });
    expect((await store.unresolved.page('parked')).items.map(({ call_id }) => call_id)).toEqual([gone]);
  });

  it('drops with the reason, also calls without a route and by what a reason says', async () => {
    const ids = await parkMany(3, { reason: 'a certain Needle' });
    const kept = await park();
    const routeless = randomUUID();
    await store.accept(makeArrival(routeless, body), 90);
    await store.ledger.stop('main', routeless, { code: 'unverified', reason: 'needle too', state: 'parked' });
    const filter = { text: 'needle' };
    const run = await startBulk(store, {
      state: 'parked',
      action: 'drop',
      filter,
      why: 'test calls',
      by: { name: 'ada' },
    });
    expect(await runBulk(store, run.id, { attempts })).toMatchObject({ of: 5, matched: 4, done: 4 });
    const dropped = { reason: 'test calls', by: 'ada' };
    for (const id of ids) expect(await deliveryOf(id)).toMatchObject({ state: 'dropped', dropped });
    expect((await store.ledger.read('main', routeless))?.stopped).toMatchObject({
      state: 'dropped',
      reason: 'needle too',
      dropped,
    });
    expect((await deliveryOf(kept))?.state).toBe('parked');
  });

  it('decides ambiguous calls of one number for one person, says which it left, and keeps no digest', async () => {
    const twins = (digest: string, more: Partial<Parameters<typeof stopDelivery>[1] & object> = {}) =>
      stopDelivery(store, {
        ...{ code: 'ambiguous_person', reason: 'Two contacts have the number.', candidates: ['101', '102'] },
        ...{ ambiguous: { by: 'phone' as const, digest }, ...more },
      });
    const [first, second, gone, other] = [
      await twins('d-1'),
      await twins('d-1'),
      await twins('d-1'),
      await twins('d-2'),
    ];
    const merged = await twins('d-1', { candidates: ['101', '103'] });
    await store.payloads.remove('main', gone.call_id, [revision]);
    const { filter = {} } = (await filterAlike(store, first)) ?? {};
    expect(await store.unresolved.countMatches('parked', filter, 1_000)).toEqual({ count: 4, exact: true });
    const ada = { name: 'ada', via: 'API' as const };
    const asked = { by: ada, remember: true };
    expect(await startAlike(store, first, { person: '999', ...asked })).toBe('no_candidate');
    const said = await stopDelivery(store, { code: 'ambiguous_person', reason: 'r', candidates: ['101', '102'] });
    expect(await startAlike(store, said, { person: '102', ...asked })).toBe('moved');
    const run = (await startAlike(store, first, { person: '102', ...asked })) as BulkRun;
    const done = await runBulk(store, run.id, { attempts, by: ada });
    expect(done).toMatchObject({ matched: 4, done: 2, expired: 1, refused: 1, moved: 0 });
    expect(done.left).toEqual(
      expect.arrayContaining([
        { source: 'main', call_id: gone.call_id, route: 'sales-calls', why: 'expired' },
        { source: 'main', call_id: merged.call_id, route: 'sales-calls', why: 'no_candidate' },
      ]),
    );
    for (const { call_id } of [first, second])
      expect(await deliveryOf(call_id)).toMatchObject({ state: 'queued', chosen: { person: '102', by: 'ada' } });
    for (const { call_id } of [gone, merged, other]) expect((await deliveryOf(call_id))?.state).toBe('parked');
    const { entries } = await store.audit.page({});
    const named = {
      action: 'choose many',
      run: run.id,
      call_id: first.call_id,
      record: '102',
      lasting: true,
      by: 'ada',
    };
    expect(entries).toMatchObject([
      { ...named, step: 'ended', of: 4, done: 2, expired: 1 },
      { ...named, step: 'begun' },
    ]);
    const kept = [JSON.stringify(entries), await store.redis.hget(store.keys.bulkRuns, run.id)];
    for (const text of kept) expect(text).not.toContain('d-1');
    // It holds for later calls, and is kept once: for the call that it was made on.
    expect(await store.choices.list()).toMatchObject([{ digest: 'd-1', person: '102', call_id: first.call_id }]);
    expect(await startAlike(store, first, { person: '102', ...asked })).toBe('moved');
  });

  it('counts what another process resolved meanwhile', async () => {
    const ids = await parkMany(3);
    const run = await startBulk(store, { state: 'parked', action: 'replay', filter: {} });
    await store.operations.drop('main', ids[0] as string, 'sales-calls', { reason: 'why' });
    expect(await runBulk(store, run.id, { attempts })).toMatchObject({ of: 3, done: 2, moved: 1 });
  });

  it('reads again what Redis did not take, and counts it once', async () => {
    const ids = await parkMany(60);
    const run = await startBulk(store, { state: 'parked', action: 'replay', filter: {} });
    const { redis, keys } = store;
    // Deliveries of this connection cannot be queued for a moment.
    const wait = `${keys.prefix}:deliveries.sales:prioritized`;
    await redis.set(wait, 'no sorted set');
    const working = runBulk(store, run.id, { attempts });
    await expect.poll(async () => new Set(await statesOf(ids)).has('queued')).toBe(true);
    await redis.del(wait);
    expect(await working).toMatchObject({ of: 60, done: 60, moved: 0, expired: 0 });
    expect(new Set(await statesOf(ids))).toEqual(new Set(['queued']));
  });

  it('is carried on by one process at a time', async () => {
    await parkMany(3);
    const run = await startBulk(store, { state: 'parked', action: 'replay', filter: {} });
    const both = await Promise.allSettled([runBulk(store, run.id, { attempts }), runBulk(store, run.id, { attempts })]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = both.find((one) => one.status === 'rejected');
    expect(refused?.reason).toBeInstanceOf(RunIsTaken);
  });

  it('is remembered for a week, with the twenty latest', async () => {
    for (let index = 0; index < 22; index += 1) {
      await startBulk(store, { state: 'dead', action: 'replay', filter: {} });
      await tick();
    }
    const runs = await listBulk(store);
    expect(runs).toHaveLength(20);
    expect(await store.redis.ttl(store.keys.bulkRuns)).toBeGreaterThan(6 * 24 * 3600);
    expect(runs.map(({ started }) => started)).toEqual(runs.map(({ started }) => started).sort((a, b) => b - a));
  });
});
