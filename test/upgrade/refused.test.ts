/** Data that this release does not read: no process starts on it, no command works on it, and each says why and what to do. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { wrapup } from '../../apps/cli/test/support/run.ts';
import { samplePayload } from '../../packages/synthflow/src/index.ts';
import { makeConfig } from '../support/config.ts';
import { startProcess } from '../support/process.ts';
import { type PrivateRedis, startRedis } from '../support/redis.ts';
import { openSystem, type TestSystem } from '../support/system.ts';

const INSTALLATION = '{wrapup}:installation';
const APPS = ['ingress', 'worker', 'dashboard'] as const;

let server: PrivateRedis;
let system: TestSystem;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  const config = makeConfig({ source: ['api_key: any-key', 'base_url: "${SYNTHFLOW_BASE_URL}"'] });
  system = await openSystem({ redis: server.url, prefix: 'wrapup', config });
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis?.disconnect();
  await system?.close();
  await server?.stop();
});
beforeEach(() => redis.del(INSTALLATION));

const start = (app: (typeof APPS)[number]) =>
  ({ ingress: system.startIngress, worker: system.startWorker, dashboard: system.startDashboard })[app]();

describe.each([
  [
    'newer than this release reads',
    { data_oldest: '2', data_needs: '9', data_needs_release: '0.9.0' },
    /The data under \{wrapup\} in Redis at 127\.0\.0\.1:\d+ needs a release that reads version 9, as 0\.9\.0 does\. This is release \d+\.\d+\.\d+, which reads data of versions 1 to 2\./,
    /Start release 0\.9\.0 or a later one again\..*docs\/upgrading\.md/,
  ],
  [
    'older than this release reads',
    { data_oldest: '0', data_needs: '1', data_needs_release: '0.0.9' },
    /The data under \{wrapup\} in Redis at 127\.0\.0\.1:\d+ is of version 0 in part\./,
    /Run release 0\.1\.0 first, until `wrapup doctor` says that the data is of version 1, then this one: docs\/upgrading\.md/,
  ],
])('data that is %s', (_, noted, message, hint) => {
  test.each(APPS)('ends %s at its start', async (app) => {
    await redis.hset(INSTALLATION, noted);
    const refused = start(app);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toThrow(hint);
    // Nothing was written by the process that was refused.
    expect(await redis.hgetall(INSTALLATION)).toEqual(noted);
  });

  test('ends commands, and doctor says it', async () => {
    await redis.hset(INSTALLATION, noted);
    for (const args of [['calls', 'list'], ['parked', 'replay', '--all'], ['forget', '+14155550142'], ['reconcile']]) {
      const run = await wrapup(args, system.env);
      expect([args, run.code, run.stdout]).toEqual([args, 1, '']);
      expect(run.stderr).toMatch(message);
      expect(run.stderr).toMatch(hint);
    }
    const doctor = await wrapup(['doctor'], system.env);
    expect(doctor.code).not.toBe(0);
    expect(doctor.stdout).toMatch(message);
    expect(doctor.stdout).toMatch(hint);
    expect(await redis.hgetall(INSTALLATION)).toEqual(noted);
  });
});

test('a process that starts before Redis does finds out when Redis answers', async () => {
  const own = await startRedis();
  onTestFinished(() => own.stop());
  const admin = new Redis(own.url);
  await admin.hset(INSTALLATION, { data_oldest: '2', data_needs: '9', data_needs_release: '0.9.0' });
  admin.disconnect();
  await own.kill();
  const env = { ...system.env, REDIS_URL: own.url };
  // A worker listens once it has Redis, and takes no job before it knows the data.
  const worker = startProcess('worker', env).then(
    async (started) => {
      await started.kill();
      return 'it started';
    },
    (error: Error) => error.message,
  );
  const [ingress, dashboard] = await Promise.all([startProcess('ingress', env), startProcess('dashboard', env)]);
  onTestFinished(async () => void (await Promise.all([ingress.kill(), dashboard.kill()])));
  await own.restart();
  expect(await worker).toContain('needs a release that reads version 9');
  // The dashboard ends, too; ingress keeps nothing and says why, as it may have calls of before in hand.
  await expect
    .poll(() => dashboard.lines.find(({ level }) => level === 'fatal'))
    .toMatchObject({ msg: expect.stringContaining('needs a release that reads version 9') });
  expect(await dashboard.stop()).toBe(1);
  const readyz = async () => (await fetch(`http://127.0.0.1:${ingress.port}/readyz`)).text();
  await expect.poll(readyz).toContain('needs a release that reads version 9');
  system.ingress = ingress;
  const payload = samplePayload('connected', { call_id: 'too-new' }) as { call: { call_id: string } };
  expect((await system.post(payload)).status).toBe(503);
});
