/** Jobs that BullMQ fails because workers died or hung at them. */
import { jobId } from '@wrapup/queue';
import { type ConnectionOptions, UnrecoverableError, Worker } from 'bullmq';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { workerOptions } from '../src/bullmq/installation-workers.ts';
import { processCall } from '../src/calls/process-call.ts';
import { moveFailedCalls, moveFailedDeliveries } from '../src/upkeep/failed-jobs.ts';
import { sweep } from '../src/upkeep/sweep.ts';
import { configWith, connectedPayload, openCallStore } from './support/call-store.ts';

const ATTEMPTS = 3;

let own: Awaited<ReturnType<typeof openCallStore>>;
beforeAll(async () => {
  own = await openCallStore();
});
afterAll(() => own.close());

const configWithAttempts = (attempts: number) =>
  configWith(({ routes }) => {
    for (const route of routes) route.retries = { ...route.retries, attempts };
  });
const config = configWithAttempts(ATTEMPTS);

/** Has a worker hang at every job of a queue until BullMQ fails them. */
async function hangAt(queue: string, jobs: number): Promise<void> {
  const options = workerOptions(own.store, () => config);
  const worker = new Worker(queue, () => new Promise(() => {}), {
    ...options,
    ...{
      concurrency: 10 * jobs,

      lockDuration: 200,
      lockRenewTime: 3_600_000,
      stalledInterval: 100,
    },
  });
  await expect.poll(() => own.store.queues.get(queue).getFailedCount()).toBe(jobs);
  await worker.close(true);
}

/** As several workers and the sweep would at once. */
async function moveAtOnce(): Promise<{ dead: number; again: number }> {
  const passes = Array.from({ length: 8 }, () => moveFailedDeliveries(own.store, config, 'sales'));
  const moved = await Promise.all(passes);
  return { dead: Math.max(...moved.map(({ dead }) => dead)), again: moved.reduce((sum, { again }) => sum + again, 0) };
}

it('a delivery at which workers hang comes back after a wait until its attempts are used up', async () => {
  const { store } = own;
  const calls = [await own.arrive(connectedPayload()), await own.arrive(connectedPayload())];
  for (const call of calls) await processCall(call, { store, config });
  const queue = store.queues.deliveries('sales');
  for (let attempt = 1; attempt < ATTEMPTS; attempt += 1) {
    await hangAt('deliveries.sales', 2);
    expect(await moveAtOnce()).toEqual({ dead: 0, again: 2 });
    for (const { source, call_id } of calls) {
      const delivery = (await store.ledger.read(source, call_id))?.deliveries[0];
      expect(delivery).toMatchObject({ state: 'queued', code: 'internal', attempts: attempt });
      expect(delivery?.hint).toContain('tried again');
    }
    const jobs = await queue.getJobs();
    expect(jobs.map(({ opts, stalledCounter }) => [opts.attempts, stalledCounter])).toEqual([
      [ATTEMPTS - attempt, 0],
      [ATTEMPTS - attempt, 0],
    ]);
    for (const job of jobs) if (await job.isDelayed()) await job.promote();
  }
  await hangAt('deliveries.sales', 2);
  expect(await moveAtOnce()).toEqual({ dead: 2, again: 0 });
  const dead = await store.operations.list('dead');
  expect(dead.map(({ call_id }) => call_id).sort()).toEqual(calls.map(({ call_id }) => call_id).sort());
  expect(dead[0]).toMatchObject({ attempts: ATTEMPTS, hint: expect.stringContaining('replay') });
  expect(await queue.getJobs()).toEqual([]);
});

it('is left alone while a process that hung is still at it', async () => {
  const { store } = own;
  const call = await own.arrive(connectedPayload());
  await processCall(call, { store, config });
  await hangAt('deliveries.sales', 1);
  const taken = await store.ledger.take({ ...call, route: 'sales-calls', replays: 0 }, undefined, {
    ...{ ttl: 3_600_000, withEntry: false },
  });
  if (!taken || taken === 'busy') throw new Error('the lease is not free');
  expect(await moveFailedDeliveries(store, config, 'sales')).toEqual({ dead: 0, again: 0 });
  expect(await store.queues.deliveries('sales').getFailedCount()).toBe(1);
  await taken.lease.release();
  expect(await moveFailedDeliveries(store, config, 'sales')).toEqual({ dead: 0, again: 1 });
});

it('gives its lease back where Redis fails in between', async () => {
  const { store } = own;
  const queue = store.queues.deliveries('sales');
  await queue.obliterate({ force: true });
  await processCall(await own.arrive(connectedPayload()), { store, config });
  await hangAt('deliveries.sales', 1);
  const failing = vi.spyOn(store.ledger, 'recordOutcome').mockRejectedValueOnce(new Error('Redis is away'));
  await expect(moveFailedDeliveries(store, config, 'sales')).rejects.toThrow('Redis is away');
  failing.mockRestore();
  expect(await moveFailedDeliveries(store, config, 'sales')).toEqual({ dead: 0, again: 1 });
});

it('a call at which workers hang comes back, too, and each time that it stalled was an attempt', async () => {
  const { store } = own;
  const queue = store.queues.calls('main');
  await queue.drain();
  const call = await own.arrive(connectedPayload());
  const left: number[] = [];
  for (;;) {
    await hangAt('calls', 1);
    const moved = await moveFailedCalls(store, queue);
    const [job] = await queue.getJobs(['waiting', 'prioritized', 'delayed']);
    if (!job) {
      expect(moved).toEqual({ dead: 1, again: 0 });
      break;
    }
    left.push(job.opts.attempts ?? 0);
    if (await job.isDelayed()) await job.promote();
  }
  expect(left).toEqual([7, 4, 1]);
  expect((await store.ledger.read('main', call.call_id))?.stopped).toMatchObject({ code: 'internal' });
});

it('files what failed in `dead`, also where the worker died of it, each once and none among the parked', async () => {
  const fresh = await openCallStore();
  const { store } = fresh;
  const fail = async (queue: string) => {
    const worker = new Worker(
      queue,
      async () => {
        throw new UnrecoverableError('job stalled more than allowable limit, said +14155550142');
      },
      { connection: store.redis as ConnectionOptions, prefix: store.keys.prefix },
    );
    await expect.poll(() => store.queues.get(queue).getFailedCount()).toBe(1);
    await worker.close();
  };
  const delivered = await fresh.arrive(connectedPayload());
  const unread = await fresh.arrive(connectedPayload());
  await processCall(delivered, { store, config: configWithAttempts(1) });
  await store.queues.get('calls').remove(jobId('c', 'main', delivered.call_id, delivered.revision));
  await fail('deliveries.sales');
  await fail('calls');

  const config = configWithAttempts(1);
  // As two workers would that start at once.
  await Promise.all([sweep(store, config), sweep(store, config)]);
  const dead = await store.operations.list('dead');
  expect(dead.map(({ call_id }) => call_id).sort()).toEqual([delivered.call_id, unread.call_id].sort());
  for (const { code, reason, hint } of dead) {
    expect({ code, reason, hint }).toEqual({
      ...{ code: 'internal', hint: expect.stringContaining('replay') },
      reason: 'job stalled more than allowable limit, said [number]',
    });
  }
  expect(await store.operations.list('parked')).toEqual([]);
  expect(
    await Promise.all(['calls', 'deliveries.sales'].map((name) => store.queues.get(name).getFailedCount())),
  ).toEqual([0, 0]);
  expect((await store.ledger.read('main', delivered.call_id))?.deliveries[0]?.state).toBe('dead');
  expect((await store.ledger.read('main', unread.call_id))?.stopped).toMatchObject({ code: 'internal' });
  await fresh.close();
});
