import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Harness, parked, startDashboard } from './support/harness.ts';

let dashboard: Harness;
beforeAll(async () => {
  dashboard = await startDashboard();
});
afterAll(() => dashboard.close());

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
  const text = await (await dashboard.get('/metrics')).text();
  const value = (name: string) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.split(' ')[1],
    );
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
    value('wrapup_queue_oldest_waiting_seconds{queue="deliveries.sales",connection="sales"}'),
  ).toBeGreaterThanOrEqual(90);
  expect(value('wrapup_queue_oldest_waiting_seconds{queue="deliveries.alerts",connection="alerts"}')).toBe(0);
  expect(text).not.toContain(id);
});
