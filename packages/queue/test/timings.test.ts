import { afterEach, beforeEach, expect, it } from 'vitest';
import { openTestStore } from '../../../test/support/store.ts';
import { removeClient, type SentDelivery, type Store, type TimedRequest } from '../src/index.ts';

const CAME = Date.UTC(2026, 10, 30, 23, 58, 12, 345);
let store: Store;
beforeEach(async () => {
  store = await openTestStore();
});
afterEach(() => store.close());

const sent = (call_id: string, more: Partial<SentDelivery> = {}): SentDelivery => ({
  ...{ source: 'main', call_id, route: 'sales-calls', received_at: CAME },
  // It is queued in the next hour: what is kept goes by the hour in which the call came.
  ...{ queued: CAME + 200_000, taken: CAME + 200_042, planned: CAME + 200_045 },
  ...more,
});
const REQUESTS: TimedRequest[] = [
  { name: 'search 2 people', at: CAME + 200_300, waited: 12.4, took: 84.2, status: 200, result: 'ok' },
  {
    name: 'create 2 calls',
    at: CAME + 200_400,
    waited: 0,
    took: 30,
    status: 429,
    result: 'throttled',
    retry_after: 2_000,
  },
  { name: 'update 2 contacts', at: CAME + 200_401, waited: 900, result: 'throttled' },
];
const batch = { sent: CAME + 200_290, requests: REQUESTS };
const entryOf = (call_id: string, source = 'main') => ({ source, call_id, received_at: CAME });

it('gives back for each delivery when it was queued, taken, planned and sent, and what its batch asked', async () => {
  await store.timings.note([sent('c-1'), sent('c-2', { taken: CAME + 200_100 })], batch, () => 7);
  const found = await store.timings.read(entryOf('c-1'), ['sales-calls', 'other']);
  expect([...found]).toEqual([
    [
      'sales-calls',
      {
        ...{ queued: CAME + 200_000, taken: CAME + 200_042, planned: CAME + 200_045 },
        batch: {
          ...{ sent: CAME + 200_290, size: 2, more: 0 },
          requests: [{ ...REQUESTS[0], waited: 12, took: 84 }, REQUESTS[1], REQUESTS[2]],
        },
      },
    ],
  ]);
  expect((await store.timings.read(entryOf('c-2'), ['sales-calls'])).get('sales-calls')?.taken).toBe(CAME + 200_100);
  expect((await store.timings.read(entryOf('c-1', 'other'), ['sales-calls'])).size).toBe(0);
});

it('keeps the last attempt of a delivery, so many requests of a batch, and all of it for so many days', async () => {
  await store.timings.note([sent('c-1')], batch, () => 7);
  const many = Array.from(
    { length: 60 },
    (_, n): TimedRequest => ({ ...(REQUESTS[0] as TimedRequest), name: `read ${n}` }),
  );
  await store.timings.note([sent('c-1', { taken: CAME + 300_000 })], { ...batch, requests: many }, () => 7);
  const { taken, batch: kept } = (await store.timings.read(entryOf('c-1'), ['sales-calls'])).get('sales-calls') ?? {};
  expect([taken, kept?.requests.length, kept?.more]).toEqual([CAME + 300_000, 40, 20]);
  const names = await store.redis.keys(`${store.keys.timings}*`);
  expect(names).toHaveLength(2);
  for (const name of names) expect(await store.redis.ttl(name)).toBeGreaterThan(7 * 24 * 3600 - 60);
});

it('is kept for days that are no whole number of seconds as floating point has it', async () => {
  // `retention.delivered: 66m`.
  await store.timings.note([sent('c-1')], batch, () => 66 / (24 * 60));
  const names = await store.redis.keys(`${store.keys.timings}*`);
  const ends = await Promise.all(names.map((name) => store.redis.ttl(name)));
  for (const seconds of ends) expect([3_959, 3_960]).toContain(seconds);
  expect(ends).toHaveLength(2);
});

it('names no call, and goes with its client', async () => {
  await store.timings.note([sent('secret-id', { source: 'acme.main' }), sent('c-1')], batch, () => 7);
  for (const name of await store.redis.keys(`${store.keys.timings}*`))
    expect(JSON.stringify(await store.redis.hgetall(name))).not.toContain('secret-id');
  await removeClient(store, 'acme');
  expect((await store.timings.read(entryOf('secret-id', 'acme.main'), ['sales-calls'])).size).toBe(0);
  expect((await store.timings.read(entryOf('c-1'), ['sales-calls'])).size).toBe(1);
});
