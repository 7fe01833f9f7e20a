import { randomUUID } from 'node:crypto';
import type { Omission, ReceiptNote } from '@wrapup/destination';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { startRedis } from '../../../test/support/redis.ts';
import { beginAttempt, makeArrival, openTestStore } from '../../../test/support/store.ts';
import {
  forgetCall,
  omissionId,
  openStore,
  removeClient,
  replayOmitted,
  revisionOf,
  type Store,
} from '../src/index.ts';

const body = Buffer.from('{}');
const revision = revisionOf(body);
const DAY_MS = 24 * 3600_000;
let store: Store;

beforeEach(async () => {
  store = await openTestStore();
});
afterEach(() => store.close());

const omission = (field: string, change: Partial<Omission> = {}): Omission => ({
  ...{ code: 'unknown_option', record: 'person', field, reason: 'the account has no such option' },
  at: { file: 'mappings/hubspot.yaml', line: 7, column: 3 },
  ...change,
});

interface Given {
  call_id?: string;
  source?: string;
  route?: string;
  connection?: string;
  counters?: string[];
}

/** A call that was written with these notes; one that was written before is replayed. */
async function settle(notes: ReceiptNote[], given: Given = {}): Promise<string> {
  const { call_id = randomUUID(), source = 'main', route = 'sales-calls', connection = 'sales', counters = [] } = given;
  const entry = await store.ledger.read(source, call_id);
  if (!entry) {
    await store.accept(makeArrival(call_id, body, { source }), 90);
    const wanted = [{ route, connection }];
    await store.ledger.route({ source, call_id, revision }, { effect: 'applied', facts: { notes: [] }, wanted });
  } else await store.ledger.requeue(source, call_id, route, ['written']);
  const delivery = (await store.ledger.read(source, call_id))?.deliveries.find((one) => one.route === route);
  const ref = { source, call_id, route, revision, replays: delivery?.replays ?? 0 };
  await beginAttempt(store, ref);
  const change = { state: 'written' as const, records: [], notes };
  expect(await store.ledger.recordOutcome(ref, change, { keptMs: 90 * DAY_MS })).toBe(true);
  store.counters.add({ connection, route }, counters);
  await store.counters.flush();
  return call_id;
}

it('counts a field that was left out by its line and reason, with the last calls, and keeps the note', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 4; n += 1) {
    const budget = omission('budget', { code: 'unreadable_number', reason: 'number: it is no number' });
    ids.push(await settle(['kept as it is', omission('stage'), ...(n === 3 ? [budget] : [])]));
  }
  const [stage, budget, ...rest] = await store.omissions.list({ connections: ['sales', 'other'] });
  expect(rest).toEqual([]);
  expect(stage).toMatchObject({
    ...omission('stage'),
    ...{ id: omissionId('sales', omission('stage')), connection: 'sales', calls: 4, open: 4, more: false },
    latest: ids
      .slice(1)
      .toReversed()
      .map((call_id) => ({ route: 'sales-calls', source: 'main', call_id })),
  });
  expect(budget).toMatchObject({ code: 'unreadable_number', calls: 1, open: 1 });
  expect(stage?.last).toBeGreaterThan(Date.now() - 60_000);
  expect((await store.ledger.read('main', ids[0] ?? ''))?.deliveries[0]?.notes).toEqual([
    'kept as it is',
    omission('stage'),
  ]);
});

it('a line keeps its id when the mapping moves it to another line, and is another one for another reason', async () => {
  await settle([omission('stage')]);
  await settle([omission('stage', { at: { file: 'mappings/hubspot.yaml', line: 12, column: 3 } })]);
  await settle([omission('stage', { code: 'too_long' })]);
  const lines = await store.omissions.list({ connections: ['sales'] });
  expect(lines.map(({ calls, at, code }) => [calls, at.line, code])).toEqual([
    [2, 12, 'unknown_option'],
    [1, 7, 'too_long'],
  ]);
});

it('a call counts once however often it is replayed, and is no longer listed once it is whole', async () => {
  const call_id = await settle([omission('stage'), omission('budget')]);
  await settle([omission('stage'), omission('budget')], { call_id });
  await settle([omission('budget')], { call_id });
  const lines = await store.omissions.list({ connections: ['sales'] });
  const byField = Object.fromEntries(lines.map((line) => [line.field, line]));
  expect(byField.stage).toMatchObject({ calls: 1, open: 0, latest: [] });
  expect(byField.budget).toMatchObject({ calls: 1, open: 1, latest: [{ call_id }] });
  const line = await store.omissions.find(byField.budget?.id ?? '', ['other', 'sales']);
  expect(line && (await store.omissions.calls(line))).toEqual([{ route: 'sales-calls', source: 'main', call_id }]);
  expect(await store.omissions.find(byField.budget?.id ?? '', ['other'])).toBeUndefined();
});

it('lines of a time are counted by the hour for two days, and by the day before that', async () => {
  await settle([omission('stage')]);
  const now = Date.now();
  const base = `${store.keys.omissions}sales`;
  const id = omissionId('sales', omission('stage'));
  await store.redis.hset(`${base}:hour:${Math.floor(now / 3600_000) - 5}`, id, 10);
  await store.redis.hset(`${base}:day:${Math.floor(now / DAY_MS) - 5}`, id, 100);
  const since = async (ms: number) =>
    (await store.omissions.list({ connections: ['sales'], since: now - ms }))[0]?.calls;
  expect(await since(60_000)).toBe(1);
  expect(await since(6 * 3600_000)).toBe(11);
  expect(await since(6 * DAY_MS)).toBe(101);
  for (const name of ['lines', `line:${id}`, `calls:${id}`, `day:${Math.floor(now / DAY_MS)}`])
    expect([name, Math.round((await store.redis.pttl(`${base}:${name}`)) / DAY_MS)]).toEqual([name, 90]);
  expect(await store.redis.pttl(`${base}:hour:${Math.floor(now / 3600_000)}`)).toBeLessThanOrEqual(2 * DAY_MS);
});

it('the share of the last sixty minutes is counted by parts of ten', async () => {
  await settle([omission('stage')]);
  await settle([]);
  const now = Date.now();
  const id = omissionId('sales', omission('stage'));
  expect(await store.omissions.share('sales', now)).toEqual({ calls: 2, lost: 1, lines: [id] });
  expect(await store.omissions.share('sales', now + 40 * 60_000)).toMatchObject({ calls: 2, lost: 1 });
  expect(await store.omissions.share('sales', now + 70 * 60_000)).toMatchObject({ calls: 0, lost: 0 });
  expect(await store.omissions.share('other', now)).toEqual({ calls: 0, lost: 0, lines: [] });
});

it('lines and the calls of a line are bounded; that there were more is noted', async () => {
  const call_id = await settle([omission('stage')]);
  const id = omissionId('sales', omission('stage'));
  const base = `${store.keys.omissions}sales`;
  const calls = Array.from({ length: 1_000 }, (_, n) => [Date.now() + n + 1, `sales-calls:main:c${n}`]).flat();
  await store.redis.zadd(`${base}:calls:${id}`, ...calls);
  await settle([omission('stage')]);
  const line = await store.omissions.find(id, ['sales']);
  expect(line).toMatchObject({ open: 1_000, more: true });
  expect((await store.omissions.calls(line as never)).some((one) => one.call_id === call_id)).toBe(false);

  const others = Array.from({ length: 500 }, (_, n) => [n + Date.now() - DAY_MS, `other${n}`]).flat();
  await store.redis.zadd(`${base}:lines`, ...others);
  await store.redis.hset(`${base}:line:other0`, 'note', '{}');
  await settle([omission('stage')]);
  expect(await store.redis.zcard(`${base}:lines`)).toBe(500);
  expect(await store.redis.exists(`${base}:line:other0`)).toBe(0);
});

it('counters of fields are summed over days, and only known ones grow once a day has too many', async () => {
  await settle([], { counters: ['f:person.budget', 'm:vars.budgett'] });
  await settle([], { counters: ['f:person.budget', 'p:vars.budgett'] });
  expect(Object.fromEntries(await store.counters.sums({ connection: 'sales', route: 'sales-calls' }))).toEqual({
    ...{ 'f:person.budget': 2, 'm:vars.budgett': 1, 'p:vars.budgett': 1 },
  });
  expect((await store.counters.sums({ connection: 'sales', route: 'other' })).size).toBe(0);
  await settle([], { counters: Array.from({ length: 996 }, (_, n) => `n:vars.v${n}`) });
  await settle([], { counters: ['f:person.budget', 'n:vars.new'] });
  const sums = await store.counters.sums({ connection: 'sales', route: 'sales-calls' });
  expect([sums.get('f:person.budget'), sums.get('n:vars.v995'), sums.size]).toEqual([3, 1, 1_000]);
});

it('forgetting a call takes it out of its lines; removing a client leaves nothing of them', async () => {
  const acme = { source: 'acme.main', connection: 'acme.sales', route: 'acme.calls', counters: ['f:person.budget'] };
  const call_id = await settle([omission('stage')], acme);
  await forgetCall(store, { source: 'acme.main', call_id });
  expect(await store.omissions.list({ connections: ['acme.sales'] })).toMatchObject([
    { calls: 1, open: 0, latest: [] },
  ]);
  await settle([omission('stage')]);
  await removeClient(store, 'acme');
  expect(await store.redis.keys(`${store.keys.omissions}acme*`)).toEqual([]);
  expect(await store.omissions.list({ connections: ['sales'] })).toHaveLength(1);
});

it('what a call says is in none of it, and an entry of an earlier version keeps its notes', async () => {
  const call_id = await settle(['budget was left out: no such property'], { counters: ['f:person.budget'] });
  expect((await store.ledger.read('main', call_id))?.deliveries[0]?.notes).toEqual([
    'budget was left out: no such property',
  ]);
  expect(await store.omissions.list({ connections: ['sales'] })).toEqual([]);
});

it('a delivery that was dropped stays so when the calls of its line are replayed', async () => {
  const call_id = await settle([omission('stage')]);
  await store.ledger.requeue('main', call_id, 'sales-calls', ['written']);
  await store.ledger.drop('main', call_id, 'sales-calls', { reason: 'a test call' });
  const line = { connection: 'sales', id: omissionId('sales', omission('stage')) };
  expect(await replayOmitted(store, line, { attempts: () => 3, by: { name: 'ada' } })).toMatchObject({
    of: 1,
    replayed: 0,
    moved: 1,
  });
  expect((await store.ledger.read('main', call_id))?.deliveries).toMatchObject([{ state: 'dropped' }]);
});

it('what has been added up keeps no process from closing while Redis is away', async () => {
  const redis = await startRedis({ appendonly: false });
  const other = openStore({ url: redis.url, role: 'worker', onError() {} });
  await other.connected(PATIENCE);
  other.counters.add({ connection: 'sales', route: 'sales-calls' }, ['f:person.budget']);
  await redis.stop();
  // A command would wait for Redis for good.
  await other.close();
});
