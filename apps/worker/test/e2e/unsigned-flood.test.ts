/** `trust: api` under a flood of webhooks that name calls which do not exist: each makes the worker ask Synthflow. */
import { randomUUID } from 'node:crypto';
import type { Config } from '@wrapup/config';
import { CALLS_QUEUE, type CallJob } from '@wrapup/queue';
import { type RunningSandbox, startSandbox } from '@wrapup/sandbox';
import { createMetrics } from '@wrapup/telemetry';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startWorker } from '../../src/worker.ts';
import { configWith, openCallStore } from '../support/call-store.ts';

const PER_MINUTE = 60;
const WINDOW_MS = 10_000;
const FORGED = 2_000;

let callStore: Awaited<ReturnType<typeof openCallStore>>;
let sandbox: RunningSandbox;
beforeAll(async () => {
  callStore = await openCallStore();
  sandbox = await startSandbox({ settings: { synthflow: { api_key: 'right-key', region: 'us' } } });
});
afterAll(async () => {
  await callStore.close();
  await sandbox.close();
});

it('two thousand of them cost no more requests than the budget, and no attempt is counted', async () => {
  const config = configWith(({ sources }) => {
    Object.assign(sources.main as Config['sources'][string], {
      ...{ trust: 'api', api_key: 'right-key', base_url: `${sandbox.synthflowUrl}/us`, reads_per_minute: PER_MINUTE },
    });
  });
  config.connections = {};
  config.routes = [];
  const arrive = (call_id: string, payload: object) =>
    callStore.store.accept(
      {
        ...{ source: 'main', call_id, body: Buffer.from(JSON.stringify(payload)), received: 'webhook' as const },
        ...{ verified: 'none' as const, received_at: Date.now() },
      },
      90,
    );
  for (let sent = 0; sent < FORGED; sent += 100) {
    const ids = Array.from({ length: 100 }, () => randomUUID());
    await Promise.all(ids.map((call_id) => arrive(call_id, { call: { call_id, status: 'completed' } })));
  }
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const started = Date.now();
  const before = sandbox.control.requests().total;
  const parts = { store: callStore.store, config: () => config, log: silent, onError() {} };
  const worker = await startWorker({ ...parts, metrics: createMetrics() });
  const queue = callStore.store.queues.get<CallJob>(CALLS_QUEUE);
  // All of them have been looked at once, and wait.
  await expect.poll(async () => (await queue.getJobCounts('waiting')).waiting).toBe(0);
  await worker.close();
  const spent = sandbox.control.requests().total - before;
  const windows = Math.ceil((Date.now() - started) / WINDOW_MS) + 1;
  // A call that is not there is found out by one request.
  expect(spent).toBeLessThanOrEqual((windows * PER_MINUTE * WINDOW_MS) / 60_000);
  expect(spent).toBeGreaterThan(0);
  const delayed = await queue.getDelayed(0, 200);
  expect(delayed.length).toBeGreaterThan(100);
  expect(new Set(delayed.map(({ attemptsMade }) => attemptsMade))).toEqual(new Set([0]));
  expect(await queue.getFailedCount()).toBe(0);
  const waiting = await Promise.all(
    delayed.map(async ({ data }) => (await callStore.store.ledger.read('main', data.call_id))?.waiting?.code),
  );
  expect(new Set(waiting)).toContain('reads_budget');
});
