import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { COMPILE_CACHE } from '../../../test/support/process.ts';
import { freshPrefix, redisUrl } from '../../../test/support/redis.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
interface RunInProgress {
  output(): string;
  exited: Promise<(number | null)[]>;
  /** `host` and `port` that it listens on. */
  listening(): Promise<{ host: string; port: number }>;
  end(signal: NodeJS.Signals): Promise<number | null>;
}
const running: RunInProgress[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.end('SIGKILL');
});

/** The process as `npm run dashboard` starts it. */
function start(env: Record<string, string>): RunInProgress {
  const child = spawn(process.execPath, ['apps/dashboard/src/main.ts'], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH ?? '',
      ...COMPILE_CACHE,
      DASHBOARD_PORT: '0',
      REDIS_URL: redisUrl(),
      WRAPUP_PREFIX: freshPrefix(),
      SYNTHFLOW_WEBHOOK_SECRET: 'a-webhook-secret-for-tests',
      HUBSPOT_ACCESS_TOKEN: 'pat-na1-test',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit') as Promise<(number | null)[]>;
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const dashboard: RunInProgress = {
    output: () => output,
    exited,
    async listening() {
      await vi.waitUntil(() => /"msg":"dashboard listens"/.test(output), { timeout: PATIENCE, interval: 50 });
      const line = output.split('\n').find((one) => one.includes('dashboard listens')) ?? '';
      return JSON.parse(line);
    },
    async end(signal: NodeJS.Signals) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return (await exited)[0] ?? null;
    },
  };
  running.push(dashboard);
  return dashboard;
}

it('without a password it listens on loopback, says so, serves, and stops cleanly', async () => {
  const dashboard = start({ DASHBOARD_HOST: '0.0.0.0' });
  const { host, port } = await dashboard.listening();
  expect(host).toBe('127.0.0.1');
  expect(dashboard.output()).toContain('the dashboard binds to loopback only');
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  expect(await dashboard.end('SIGTERM')).toBe(0);
});

it('in a container it makes a password up, says it once, and takes no other', async () => {
  const dashboard = start({ WRAPUP_CONTAINER: '1' });
  const { host, port } = await dashboard.listening();
  expect(host).toBe('all interfaces');
  const [, password = ''] = /password (\S+)/.exec(dashboard.output()) ?? [];
  const get = async (given: string) => {
    const authorization = `Basic ${Buffer.from(`admin:${given}`).toString('base64')}`;
    return (await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization } })).status;
  };
  expect(await get(password)).toBe(200);
  expect(await get('')).toBe(401);
  expect(await get('admin')).toBe(401);
  expect(dashboard.output().split(password)).toHaveLength(2);
});

it('with a password from the environment it asks for it and never prints it', async () => {
  const dashboard = start({ DASHBOARD_PASSWORD: 'do-not-print-me' });
  const { port } = await dashboard.listening();
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(401);
  expect(dashboard.output()).not.toContain('do-not-print-me');
});

it('with a variable that it cannot understand it says which, in one line, and ends with 1', async () => {
  const dashboard = start({ DASHBOARD_ALLOWED_HOSTS: 'https://wrapup.example.com' });
  expect((await dashboard.exited)[0]).toBe(1);
  expect(dashboard.output()).toContain('DASHBOARD_ALLOWED_HOSTS');
  expect(dashboard.output().trim().split('\n')).toHaveLength(1);
});
