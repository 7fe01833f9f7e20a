import { queryObjects } from 'node:v8';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { openTestStore } from '../../../test/support/store.ts';
import { Bell } from '../src/bullmq/bell.ts';

let store: Awaited<ReturnType<typeof openTestStore>>;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());

const countPromises = () => queryObjects(Promise, { format: 'count' });

it('names each queue that is rung for, keeps nothing of those that were, and ends when it is stopped', async () => {
  const bell = new Bell(store);
  const rung: string[] = [];
  const listening = bell.listen(async (queue) => void rung.push(queue));
  const ring = async (count: number) => {
    const before = rung.length;
    for (let n = 0; n < count; n += 1) {
      await store.redis.zadd(store.keys.bell, n, `calls.${n}`);
      // Not `expect.poll`, of each of which the test keeps a promise.
      await vi.waitFor(() => expect(rung.length).toBe(before + n + 1), { timeout: PATIENCE, interval: 1 });
    }
    expect(rung.slice(before)).toEqual(Array.from({ length: count }, (_, n) => `calls.${n}`));
  };
  await ring(10);
  const before = countPromises();
  await ring(100);
  expect(countPromises() - before).toBeLessThan(50);
  bell.stop();
  await listening;
});
