import { afterEach, expect, it, vi } from 'vitest';
import { doWithin } from '../../../test/support/own-time.ts';
import { PATIENCE } from '../../../test/support/patience.ts';
import { type PrivateRedis, startRedis } from '../../../test/support/redis.ts';
import { type Harness, parked, startDashboard } from './support/harness.ts';

let redis: PrivateRedis;
let dashboard: Harness;
afterEach(async () => {
  redis.resume();
  await dashboard.close();
  await redis.stop();
});

const PAGES = ['/', '/calls/x?source=main', '/parked', '/dead', '/queues/api/queues', '/queues/api/redis/stats'];

/** Ms. */
const READER_WAITS = 2_000;

/** Every page says so, with 503, before a reader would wonder. */
async function expectUnavailable(): Promise<void> {
  for (const path of PAGES) {
    await doWithin(READER_WAITS, async () => {
      const answer = await dashboard.get(path);
      expect([path, answer.status]).toEqual([path, 503]);
      expect(await answer.text()).toContain('Redis does not answer');
      expect(answer.headers.get('retry-after') ?? '2').toBe('2');
    });
  }
  expect((await dashboard.get('/healthz')).status).toBe(200);
  expect(await (await dashboard.get('/metrics')).text()).toMatch(/^wrapup_redis_up 0$/m);
}

async function expectAvailable(): Promise<void> {
  for (const path of PAGES) {
    await vi.waitUntil(async () => (await dashboard.get(path)).status !== 503, { timeout: PATIENCE, interval: 100 });
  }
  expect((await dashboard.get('/')).status).toBe(200);
  await vi.waitUntil(async () => /^wrapup_redis_up 1$/m.test(await (await dashboard.get('/metrics')).text()), {
    timeout: PATIENCE,
    interval: 200,
  });
}

it.each(['killed', 'frozen'] as const)('pages answer 503 while Redis is %s, and recover by themselves', async (how) => {
  redis = await startRedis();
  dashboard = await startDashboard({ redis: redis.url });
  const callId = await dashboard.seed(parked());
  await expectAvailable();
  if (how === 'killed') await redis.kill();
  else redis.pause();
  await expectUnavailable();
  const target = { source: 'main', route: 'sales-calls' };
  expect((await dashboard.post(`/calls/${callId}/replay`, target)).status).toBe(503);
  if (how === 'killed') await redis.restart();
  else redis.resume();
  await expectAvailable();
  const text = await (await dashboard.get(`/calls/${callId}?source=main`)).text();
  expect(text).toContain(callId);
});

it('starts without Redis and works when it comes', async () => {
  redis = await startRedis();
  await redis.kill();
  dashboard = await startDashboard({ redis: redis.url, atOnce: true });
  await expectUnavailable();
  await redis.restart();
  await expectAvailable();
});

it('over its memory limit pages of a fresh installation are read, and what would write says that Redis is full', async () => {
  redis = await startRedis({ appendonly: false });
  dashboard = await startDashboard({ redis: redis.url });
  await dashboard.store.redis.config('SET', 'maxmemory', '1mb');
  for (const path of ['/', '/calls', '/connections', '/setup', '/parked'])
    expect([path, (await dashboard.get(path)).status]).toEqual([path, 200]);
  expect(await (await dashboard.get('/')).text()).toContain('Redis is full');
  const paused = await dashboard.post('/connections/sales/pause', { reason: 'x' });
  expect(paused.status).toBe(503);
  expect(await paused.text()).toContain('<h1>Redis is full</h1>');
  await dashboard.store.redis.config('SET', 'maxmemory', '0');
  expect((await dashboard.post('/connections/sales/pause', { reason: 'x' })).status).toBe(303);
});
