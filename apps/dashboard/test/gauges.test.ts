import type { Config, Source } from '@wrapup/config';
import { RunStore } from '@wrapup/recovery';
import { Worker } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { redisUrl } from '../../../test/support/redis.ts';
import { configOf, type Harness, parked, startDashboard } from './support/harness.ts';

let dashboard: Harness;
const config: Config = configOf();
beforeAll(async () => {
  dashboard = await startDashboard({ config: () => config });
});
afterAll(() => dashboard.close());

async function scrape() {
  const text = await (await dashboard.get('/metrics')).text();
  const lines = text.split('\n');
  const value = (name: string) => Number(lines.find((line) => line.startsWith(`${name} `))?.split(' ')[1]);
  return { text, value };
}

it('metrics tell depths, the oldest waiting job, parked and dead, without ids', async () => {
  const id = await dashboard.seed(parked());
  await dashboard.seed(parked({ state: 'dead' }));
  await dashboard.seed(parked({ state: 'dead' }));
  await dashboard.store.queues.deliveries('sales').add(
    'delivery',
    { source: 'main', call_id: 'old', revision: 'r', route: 'sales-calls', replays: 0 },
    {
      timestamp: Date.now() - 90_000,
    },
  );
  const { text, value } = await scrape();
  expect(value('wrapup_redis_up')).toBe(1);
  expect(value('wrapup_queue_jobs{queue="calls",connection="",state="waiting"}')).toBe(3);
  expect(value('wrapup_queue_jobs{queue="deliveries.sales",connection="sales",state="waiting"}')).toBe(1);
  expect(value('wrapup_queue_jobs{queue="deliveries.alerts",connection="alerts",state="waiting"}')).toBe(0);
  expect(value('wrapup_parked{source="main",connection="sales",code="ambiguous_person"}')).toBe(1);
  expect(value('wrapup_dead{source="main",connection="sales",code="ambiguous_person"}')).toBe(2);
  // What waits for a person is no queue that stands still.
  expect(text).not.toContain('queue="parked"');
  expect(value('wrapup_redis_memory_used_bytes')).toBeGreaterThan(1_000_000);
  expect(text).toMatch(/^wrapup_redis_durable [01]$/m);
  expect(
    value('wrapup_queue_oldest_waiting_seconds{queue="deliveries.sales",connection="sales",state="waiting"}'),
  ).toBeGreaterThanOrEqual(90);
  for (const other of [
    'queue="deliveries.sales",connection="sales",state="prioritized"',
    'queue="deliveries.alerts",connection="alerts",state="waiting"',
  ])
    expect(value(`wrapup_queue_oldest_waiting_seconds{${other}}`)).toBe(0);
  // Nothing that waits is a 0, so that it differs from what is not known.
  expect(value('wrapup_parked{source="",connection="alerts",code=""}')).toBe(0);
  expect(value('wrapup_dead{source="",connection="",code=""}')).toBe(0);
  expect(text).not.toContain(id);
});

it('a job that comes again has waited since it was last tried, and one of a backfill is none of the live ones', async () => {
  const { store } = dashboard;
  const queue = store.queues.deliveries('alerts');
  const job = { source: 'main', call_id: 'old', revision: 'r', route: 'alerts', replays: 0 };
  const age = async (state: string) =>
    (await scrape()).value(
      `wrapup_queue_oldest_waiting_seconds{queue="deliveries.alerts",connection="alerts",state="${state}"}`,
    );
  const added = await queue.add('delivery', job, { timestamp: Date.now() - 600_000 });
  expect(await age('waiting')).toBeGreaterThanOrEqual(600);
  const worker = new Worker(queue.name, undefined, {
    ...{ connection: { url: redisUrl(), maxRetriesPerRequest: null }, prefix: store.keys.prefix },
  });
  const taken = await worker.getNextJob('token', { block: false });
  await taken?.moveToDelayed(Date.now() + 60_000, 'token');
  expect(await age('waiting')).toBe(0);
  await added.promote();
  const again = await age('waiting');
  expect(again).toBeGreaterThan(0);
  expect(again).toBeLessThan(300);
  await queue.add('delivery', { ...job, replays: 1 }, { timestamp: Date.now() - 900_000, priority: 10 });
  expect(await age('prioritized')).toBeGreaterThanOrEqual(900);
  expect(await age('waiting')).toBeLessThan(300);
  await worker.close();
});

it('a source is late by its own interval, from the first run that began, until it is no source any more', async () => {
  const named = (name: string) => `wrapup_reconcile_${name}{source="main"}`;
  const at = async () => (await scrape()).value(named('last_complete_timestamp_seconds'));
  expect((await scrape()).text).not.toContain('wrapup_reconcile_interval_seconds{');
  const main = config.sources.main as Source;
  main.reconcile = { every: 7_200_000, look_back: 21_600_000, grace: 1_500_000 };
  expect((await scrape()).value(named('interval_seconds'))).toBe(7200);
  expect(await at()).toBeNaN();
  const runs = new RunStore(dashboard.store, 'main');
  await runs.begin({ began: 1_000_000, by: 'schedule' });
  expect(await at()).toBe(1000);
  const counts = { listed: 0, known: 0, missing: 0, enqueued: 0, young: 0, unfinished: 0, unreadable: 0 };
  const run = {
    source: 'main',
    by: 'schedule',
    began: 1_000_000,
    agents: 1,
    counts,
    troubles: [],
    resumed: false,
  } as const;
  await runs.end({ ...run, ended: 2_000_000, result: 'complete', troubles: [] });
  await runs.end({ ...run, ended: 3_000_000, result: 'failed', troubles: [] });
  expect(await at()).toBe(2000);
  config.sources = { other: config.sources.other as Source };
  expect((await scrape()).text).not.toContain('wrapup_reconcile_last_complete_timestamp_seconds{');
});
