import { personKeysOf, recordOf } from '@wrapup/queue';
import { expect, it, onTestFinished } from 'vitest';
import { sweep } from '../src/upkeep/sweep.ts';
import { openWorkerSystem, until } from './support/worker-system.ts';

const PHONE = '+14155550142';
const HOUR = 3_600_000;

it('calls of a version without an index are in it an hour after an upgrade, those without a payload by their records', async () => {
  const system = await openWorkerSystem();
  onTestFinished(() => system.close());
  const { store } = system;
  // Calls were there before the first process of this version came.
  const first = await system.arrive({ phone: PHONE });
  const worker = await system.startWorker();
  const second = await system.arrive({ phone: PHONE });
  for (const { call_id } of [first, second]) {
    await until(async () => (await system.delivery(call_id))?.state === 'written');
  }
  await worker.close();
  const records = (await system.delivery(second.call_id))?.records ?? [];
  const person = records.find(({ name }) => name === 'person');
  const { redis, keys, marks } = store;
  expect(await marks.at('calls_indexed')).toBeUndefined();
  for (const { call_id } of [first, second]) await redis.hdel(keys.ledger('main', call_id), 'people');
  if (!('scan' in redis)) throw new Error('one server is expected');
  await redis.del(await redis.keys(keys.person('*')));
  await redis.del(keys.payload('main', second.call_id, second.revision), keys.unread);
  const old = keys.oldMemory('sales', 'watermark:17');
  await redis.set(old, '2026-01-01T00:00:00.000Z', 'PX', HOUR);

  const byNumber = personKeysOf({ numbers: new Set(['14155550142']), emails: new Set(), complete: true });
  const now = Date.now();
  await sweep(store, system.config, now);
  // A process of the earlier version may still be running.
  expect(await redis.exists(old)).toBe(1);
  expect(await store.people.calls(byNumber)).toEqual([]);
  await sweep(store, system.config, now + 2 * HOUR);
  expect(await redis.exists(old)).toBe(0);
  expect(await store.people.calls(byNumber)).toEqual([{ source: 'main', call_id: first.call_id }]);
  const byRecord = [recordOf('sales', person?.object ?? '', person?.id ?? '')];
  expect((await store.people.calls(byRecord)).map(({ call_id }) => call_id)).toContain(second.call_id);
  expect(await marks.at('calls_indexed')).toBeGreaterThan(0);
  expect(await marks.at('names_moved')).toBeGreaterThan(0);
});
