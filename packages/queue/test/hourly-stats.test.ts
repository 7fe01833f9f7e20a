import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { beginAttempt, makeArrival, openTestStore } from '../../../test/support/store.ts';
import {
  copyCall,
  type DeliveryChange,
  forgetCall,
  type HourlyStats,
  moveCall,
  quantileOf,
  readHourlyStats,
  readJudgements,
  removeClient,
  revisionOf,
  type Store,
} from '../src/index.ts';
import { bucketOf, MAX_NAMES } from '../src/stats/hourly-counts.ts';

const HOUR_MS = 3_600_000;
const NOW = Math.floor(Date.now() / HOUR_MS) * HOUR_MS + 60_000;
let store: Store;

beforeEach(async () => {
  store = await openTestStore();
});
afterEach(() => store.close());

interface Given {
  call_id?: string;
  source?: string;
  said?: string;
  facts?: Record<string, string | number>;
  received?: 'webhook' | 'backfill';
  routes?: string[];
}

/** A call that came and was routed, or came again and was routed anew. */
async function route({ call_id = randomUUID(), source = 'main', said = '', facts = {}, ...given }: Given = {}) {
  const body = Buffer.from(JSON.stringify({ call_id, said }));
  const revision = revisionOf(body);
  const received = given.received ?? 'webhook';
  await store.accept(makeArrival(call_id, body, { source, received, received_at: NOW }), 90);
  const wanted = (given.routes ?? ['calls']).map((name) => ({ route: name, connection: 'sales' }));
  const known = { outcome: 'connected', direction: 'outbound', agent_id: 'agent-1', notes: [], ...facts };
  await store.ledger.route({ source, call_id, revision }, { effect: 'applied', facts: known, wanted });
  return { source, call_id, revision };
}

async function end(call: Awaited<ReturnType<typeof route>>, change: DeliveryChange, took?: number, name = 'calls') {
  const delivery = (await store.ledger.read(call.source, call.call_id))?.deliveries.find((one) => one.route === name);
  const ref = { ...call, route: name, replays: delivery?.replays ?? 0 };
  await beginAttempt(store, ref);
  expect(await store.ledger.recordOutcome(ref, change, took === undefined ? {} : { took })).toBe(true);
}

const read = (client?: string): Promise<HourlyStats> =>
  readHourlyStats(store.redis, store.keys, { clients: [client], from: NOW - 72 * HOUR_MS, until: NOW + HOUR_MS });
const sorted = <One extends object>(list: One[]) => list.map((one) => JSON.stringify(one)).sort();

describe('what is counted by the hour', () => {
  it('is each call by what it was, and each delivery by what became of it, at the hour in which the call ended', async () => {
    const ended_at = NOW - 2 * HOUR_MS;
    await end(await route({ facts: { ended_at } }), { state: 'written', result: 'booked' }, 1200);
    await end(await route(), { state: 'written', result: 'booked' }, 80);
    await end(await route({ facts: { outcome: 'voicemail' } }), { state: 'skipped' }, 80);
    await end(await route(), { state: 'parked', code: 'ambiguous_person' });
    await route({ routes: [], received: 'backfill', facts: { agent_id: 'name with spaces' } });
    const stats = await read();
    const hour = NOW - 60_000;
    const call = { hour, source: 'main', agent_id: 'agent-1', direction: 'outbound', outcome: 'connected' };
    expect(sorted(stats.calls)).toEqual(
      sorted([
        { ...call, hour: hour - 2 * HOUR_MS, received: 'webhook', count: 1 },
        { ...call, received: 'webhook', count: 2 },
        { ...call, outcome: 'voicemail', received: 'webhook', count: 1 },
        { ...call, agent_id: 'other', received: 'backfill', count: 1 },
      ]),
    );
    const delivery = { hour, source: 'main', connection: 'sales', agent_id: 'agent-1' };
    expect(sorted(stats.deliveries)).toEqual(
      sorted([
        { ...delivery, hour: hour - 2 * HOUR_MS, result: 'booked', state: 'written', code: '', count: 1 },
        { ...delivery, result: 'booked', state: 'written', code: '', count: 1 },
        { ...delivery, result: '', state: 'skipped', code: '', count: 1 },
        { ...delivery, result: '', state: 'parked', code: 'ambiguous_person', count: 1 },
      ]),
    );
    expect(stats.times.map(({ bucket, count }) => [bucket, count]).sort()).toEqual([
      [bucketOf(80), 2],
      [bucketOf(1200), 1],
    ]);
  });

  it('counts nothing twice: what settles again, is dropped or comes again moves', async () => {
    const call = await route();
    await end(call, { state: 'parked', code: 'ambiguous_person' });
    await store.ledger.requeue(call.source, call.call_id, 'calls', ['parked']);
    await end(call, { state: 'written', result: 'booked' }, 500);
    await store.ledger.requeue(call.source, call.call_id, 'calls', ['written']);
    await end(call, { state: 'written', result: 'interested' }, 700);
    const dead = await route();
    await end(dead, { state: 'dead', code: 'internal' });
    await store.ledger.drop(dead.source, dead.call_id, 'calls', { reason: 'test' });
    // The call comes again with another outcome, and an earlier end.
    await route({ call_id: call.call_id, said: 'more', facts: { outcome: 'voicemail', ended_at: NOW - HOUR_MS } });
    const stats = await read();
    expect(stats.calls.map(({ hour, outcome, count }) => [NOW - hour, outcome, count]).sort()).toEqual([
      [60_000 + HOUR_MS, 'voicemail', 1],
      [60_000, 'connected', 1],
    ]);
    expect(stats.deliveries.map(({ state, result, code, count }) => [state, result, code, count]).sort()).toEqual([
      ['dropped', '', '', 1],
      ['written', 'interested', '', 1],
    ]);
    // A replay is no time from a webhook.
    expect(stats.times).toEqual([]);
  });

  it('is the same after a rerun of the routing, and keeps of a forgotten call what it was', async () => {
    const call = await route();
    await route({ call_id: call.call_id });
    await end(call, { state: 'parked', code: 'refused' });
    await forgetCall(store, call, { wait: 0 });
    const stats = await read();
    expect(stats.calls).toHaveLength(1);
    expect(stats.calls[0]?.count).toBe(1);
    expect(stats.deliveries.map(({ state, count }) => [state, count])).toEqual([['dropped', 1]]);
  });

  it('is each client’s own, is taken along, and goes with the client', async () => {
    const call = await route();
    await end(call, { state: 'written', result: 'booked' });
    const acme = (name: string) => `acme.${name}`;
    const renaming = { source: acme, route: acme, connection: acme };
    expect((await copyCall(store, call))?.fields.counted).toBeDefined();
    expect(await moveCall(store, call, { renaming, sameKey: true }, 0)).toBe(true);
    expect(await read()).toEqual({ calls: [], deliveries: [], times: [] });
    const moved = await read('acme');
    expect(moved.calls).toMatchObject([{ source: 'acme.main', outcome: 'connected', count: 1 }]);
    expect(moved.deliveries).toMatchObject([
      { connection: 'acme.sales', result: 'booked', state: 'written', count: 1 },
    ]);
    await removeClient(store, 'acme');
    expect(await read('acme')).toEqual({ calls: [], deliveries: [], times: [] });
  });

  it('is taken along to a client at whom the call has come already', async () => {
    const call = await route();
    await end(call, { state: 'written', result: 'booked' });
    await end(await route({ ...call, source: 'acme.main', routes: ['notes'] }), { state: 'skipped' }, 80, 'notes');
    const acme = (name: string) => `acme.${name}`;
    await moveCall(store, call, { renaming: { source: acme, route: acme, connection: acme }, sameKey: true }, 0);
    expect((await read()).deliveries).toEqual([]);
    const { calls, deliveries } = await read('acme');
    expect(calls).toMatchObject([{ source: 'acme.main', count: 1 }]);
    expect(deliveries.map(({ state, count }) => [state, count]).sort()).toEqual([
      ['skipped', 1],
      ['written', 1],
    ]);
  });

  it('has a bounded number of names, and what is beyond is still counted', async () => {
    const calls = MAX_NAMES + 20;
    for (let n = 0; n < calls; n += 1) await route({ facts: { agent_id: `agent-${n}` }, routes: [] });
    const stats = await read();
    expect(stats.calls.length).toBeLessThanOrEqual(MAX_NAMES + 1);
    expect(stats.calls.find(({ agent_id }) => agent_id === 'other')?.count).toBeGreaterThanOrEqual(20);
    expect(stats.calls.reduce((sum, { count }) => sum + count, 0)).toBe(calls);
  });

  it('is a result as the mapping writes it', async () => {
    await end(await route(), { state: 'parked', code: 'invalid_field', result: 'sold|with extras' });
    const { deliveries } = await read();
    expect(deliveries).toMatchObject([
      { result: 'sold|with extras', state: 'parked', code: 'invalid_field', count: 1 },
    ]);
  });

  it('is counted once, too, where the payload gives a time before 1970', async () => {
    const { call_id } = await route({ facts: { ended_at: -1 } });
    await route({ call_id, said: 'more', facts: { ended_at: -1, outcome: 'no_answer' } });
    const range = { clients: [undefined], from: -HOUR_MS, until: HOUR_MS };
    const { calls } = await readHourlyStats(store.redis, store.keys, range);
    expect(calls).toMatchObject([{ hour: 0, outcome: 'no_answer', count: 1 }]);
  });

  it('is kept as long as the ledger keeps its calls', async () => {
    await end(await route(), { state: 'written' });
    const [key = ''] = await store.redis.keys(`${store.keys.counts}*`);
    const days = (await store.redis.pttl(key)) / (24 * HOUR_MS);
    expect(days).toBeGreaterThan(90);
    expect(days).toBeLessThan(90.1);
  });
});

describe('a share of times', () => {
  it.each([
    ['nothing', [], 0.5, undefined],
    ['one', [{ bucket: 5, count: 1 }], 0.5, 625],
    [
      'between two buckets',
      [
        { bucket: 0, count: 50 },
        { bucket: 5, count: 50 },
      ],
      0.95,
      725,
    ],
    ['above all buckets', [{ bucket: bucketOf(1e9), count: 1 }], 0.95, 3_600_000],
  ])('of %s', (_, times, share, expected) => {
    expect(quantileOf(times, share)).toBe(expected);
  });
});

describe('what Synthflow judged', () => {
  it('is counted by agent and criterion, known values of known criteria only, and kept as long as the ledger', async () => {
    const call = { source: 'main', agent_id: 'agent-1', ended_at: NOW - 3 * HOUR_MS };
    const remarks = { goal_feedback: 'Rob wants a call on Monday', mood: 'true', style: 'Rob said so' };
    store.counters.addJudgements(call, { goal: 'true', persona: 'partial', ...remarks }, 90);
    store.counters.addJudgements(call, { goal: 'true' }, 90);
    store.counters.addJudgements({ source: 'acme.main', agent_id: 'a b', ended_at: NOW }, { goal: 'false' }, 90);
    await store.counters.flush();
    const range = { from: NOW - 72 * HOUR_MS, until: NOW + HOUR_MS };
    const own = await readJudgements(store.redis, store.keys, { clients: [undefined], ...range });
    const judged = { source: 'main', agent_id: 'agent-1' };
    expect(sorted(own)).toEqual(
      sorted([
        { ...judged, criterion: 'goal', value: 'true', count: 2 },
        { ...judged, criterion: 'persona', value: 'partial', count: 1 },
      ]),
    );
    const all = await readJudgements(store.redis, store.keys, { clients: [undefined, 'acme'], ...range });
    expect(all).toContainEqual({ source: 'acme.main', agent_id: 'other', criterion: 'goal', value: 'false', count: 1 });
    const [key = ''] = await store.redis.keys(`${store.keys.counts}:judged:*`);
    expect((await store.redis.pttl(key)) / (24 * HOUR_MS)).toBeGreaterThan(89.9);
  });

  it('keeps a bounded number of agents apart in an hour, and counts the others together', async () => {
    const ended_at = NOW - 5 * HOUR_MS;
    const analysis = { goal: 'true', persona: 'partial' } as const;
    for (let agent = 0; agent < 600; agent++)
      store.counters.addJudgements({ source: 'main', agent_id: `agent-${agent}`, ended_at }, analysis, 90);
    await store.counters.flush();
    const range = { clients: [undefined], from: ended_at, until: ended_at + 1 };
    const counts = await readJudgements(store.redis, store.keys, range);
    expect(new Set(counts.map(({ agent_id }) => agent_id)).size).toBe(501);
    expect(counts.filter(({ agent_id }) => agent_id === 'other').map(({ count }) => count)).toEqual([100, 100]);
    expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(1_200);
  });
});
