/** What a worker keeps of the way of a delivery: when it was queued, taken and sent, and each request of its batch. */
import { beforeEach, expect, it } from 'vitest';
import { openWorkerSystem, until, type WorkerSystem } from './support/worker-system.ts';

let system: WorkerSystem;
beforeEach(async () => {
  system = await openWorkerSystem();
  return () => system.close();
});

async function timingOf(call_id: string) {
  const entry = await system.store.ledger.read('main', call_id);
  if (!entry) throw new Error('the ledger does not know the call');
  const timing = (await system.store.timings.read(entry, ['sales-calls'])).get('sales-calls');
  return { entry, timing };
}

it('is there for a call that was written, in the order of what happened', async () => {
  await system.startWorker();
  const { call_id } = await system.arrive();
  await until(async () => (await system.delivery(call_id))?.state === 'written');
  await until(async () => (await timingOf(call_id)).timing !== undefined);
  const { entry, timing } = await timingOf(call_id);
  const { queued = 0, taken = 0, planned = 0, batch } = timing ?? {};
  const times = [entry.received_at, queued, taken, planned, batch?.sent ?? 0];
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(batch).toMatchObject({ size: 1, more: 0 });
  const requests = batch?.requests ?? [];
  expect(requests.map(({ name }) => name)).toEqual(
    expect.arrayContaining([expect.stringMatching(/contacts/), expect.stringMatching(/calls/)]),
  );
  expect(requests.every(({ status, took }) => status !== undefined && status < 300 && took !== undefined)).toBe(true);
  expect(JSON.stringify(batch)).not.toMatch(/Dana|\+1415/);
  expect((await system.delivery(call_id))?.requests).toBe(requests.length);
});

it('says which request failed, and then what the attempt asked that succeeded', async () => {
  system.sandbox.control.fault({ kind: 'status', status: 503, times: 100 });
  await system.startWorker();
  const { call_id } = await system.arrive();
  await until(async () => (await timingOf(call_id)).timing !== undefined);
  const { timing } = await timingOf(call_id);
  expect(timing?.batch.requests.at(-1)).toMatchObject({ status: 503, result: 'unavailable' });
  system.sandbox.control.clearFaults();
  await until(async () => (await system.delivery(call_id))?.state === 'written');
  await until(async () => (await timingOf(call_id)).timing?.batch.requests.at(-1)?.result === 'ok');
});
