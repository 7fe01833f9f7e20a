import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestStore } from '../../../test/support/store.ts';
import { type Store, takeRead } from '../src/index.ts';

let store: Store;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());

const take = (source: string, repeated = false) =>
  takeRead(store.redis, store.keys, { source, per_minute: 60, repeated });

it('no more calls of a source are read than it allows, however many ask at once', async () => {
  const waits = await Promise.all(Array.from({ length: 200 }, () => take('one')));
  expect(waits.filter((wait) => wait === 0)).toHaveLength(10);
  for (const wait of waits.filter(Boolean)) {
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(10_000);
  }
});

it('what was asked for before leaves a part to what was not, and sources share nothing', async () => {
  const again = await Promise.all(Array.from({ length: 50 }, () => take('two', true)));
  expect(again.filter((wait) => wait === 0)).toHaveLength(9);
  expect(await take('two')).toBe(0);
  expect(await take('three')).toBe(0);
});

it('one a minute is still one', async () => {
  const wait = () => takeRead(store.redis, store.keys, { source: 'four', per_minute: 1, repeated: true });
  expect(await wait()).toBe(0);
  expect(await wait()).toBeGreaterThan(0);
});
