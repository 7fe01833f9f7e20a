import { type ChildProcess, execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ping, startRedisServer } from '../scripts/local-redis.mjs';
import { PATIENCE } from './support/patience.ts';
import { childOf, type Run, runScript } from './support/terminal.ts';

const ROOT = resolve(import.meta.dirname, '..');
const ANY_PORTS = { INGRESS_PORT: '0', DASHBOARD_PORT: '0', WORKER_PORT: '0', SANDBOX_PORT: '0' };

let folder: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wrapup-start-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGTERM');
    await new Promise((done) => child.once('close', done));
  }
  rmSync(folder, { recursive: true, force: true });
});

/** A machine without accounts, settings or a running Wrapup. */
function bareEnvironment(more: Record<string, string> = {}): Record<string, string> {
  const { PATH = '', HOME = '', LD_LIBRARY_PATH } = process.env;
  return {
    PATH,
    HOME,
    ...(LD_LIBRARY_PATH && { LD_LIBRARY_PATH }),
    WRAPUP_STATE: join(folder, 'state'),
    WRAPUP_ENV_FILE: join(folder, '.env'),
    ...more,
  };
}

function run(args: string[], env: Record<string, string>): Run {
  const started = runScript(args, env);
  children.push(started.child);
  return started;
}

/** Runs `npm start`'s script and waits for what it prints when everything is there. */
async function start(more: Record<string, string> = ANY_PORTS) {
  const started = run(['scripts/start.mjs'], bareEnvironment(more));
  await expect
    .poll(() => started.output() + (started.child.exitCode ?? ''), { timeout: 2 * PATIENCE, interval: 100 })
    .toMatch(/Wrapup is ready/);
  const find = (pattern: RegExp) => pattern.exec(started.output())?.[1] ?? '';
  return {
    ...started,
    sandbox: find(/Sandbox +(\S+)/),
    ingress: find(/Webhook +(http:\/\/[^/]+)/),
    redisPort: Number(find(/redis:\/\/127\.0\.0\.1:(\d+)/)),
  };
}

/** What `npm run wrapup -- …` runs, in another terminal. */
async function wrapup(
  args: string[],
  more: Record<string, string> = {},
): Promise<{ code: number | string; output: string }> {
  const { ended, output } = run(['scripts/run.mjs', 'apps/cli/src/main.ts', ...args], bareEnvironment(more));
  return { code: await ended, output: output() };
}

async function written(sandbox: string, which = ''): Promise<Record<string, unknown[]>> {
  return (await (await fetch(`${sandbox}/_sandbox/state${which}`)).json()) as Record<string, unknown[]>;
}

test('without any setting, sample calls land in the sandbox, a second start is refused, and everything ends in order', async () => {
  const system = await start();
  const second = run(['scripts/start.mjs'], bareEnvironment(ANY_PORTS));
  expect(await second.ended).toBe(1);
  expect(second.output()).toMatch(/^npm start runs here already \(process \d+\)\. Stop it .+\n$/);
  for (const sample of ['connected', 'voicemail', 'unknown-caller']) {
    expect(await wrapup(['send', `samples/${sample}.json`])).toMatchObject({ code: 0 });
  }
  await expect.poll(async () => (await written(system.sandbox)).calls?.length).toBe(3);
  expect(system.child.exitCode).toBe(null);
  const { contacts, tasks } = await written(system.sandbox);
  expect(contacts?.length).toBeGreaterThan(0);
  expect(tasks?.length).toBeGreaterThan(0);

  system.child.kill('SIGTERM');
  expect(await system.ended).toBe(0);
  expect(await ping(system.redisPort)).toBe(false);
  const stopped = [...system.output().matchAll(/^(\w+) .*\bstopped\b/gm)].map((match) => match[1]);
  expect(stopped).toEqual(['ingress', 'worker', 'dashboard', 'sandbox']);
});

/** Permissions of everything below a folder, by path; folders end with a slash. */
function modes(below: string, path = ''): Record<string, string> {
  return Object.fromEntries(
    readdirSync(join(below, path), { withFileTypes: true }).flatMap((entry) => {
      const name = join(path, entry.name);
      const mode = (statSync(join(below, name)).mode & 0o777).toString(8);
      if (!entry.isDirectory()) return [[name, mode]];
      return [[`${name}/`, mode], ...Object.entries(modes(below, name))];
    }),
  );
}

const secret = (name: string) => readFileSync(join(folder, 'state/secrets', name), 'utf8');

test('an installation makes its own secrets, keeps them for its owner, and works with the same ones again', async () => {
  const system = await start();
  const names = [
    'DASHBOARD_PASSWORD',
    'REDIS_PASSWORD',
    'SYNTHFLOW_WEBHOOK_SECRET',
    'WEBHOOK_PATH_TOKEN',
    'WRAPUP_ENCRYPTION_KEY',
    'WRAPUP_INDEX_KEY',
  ];
  const made = Object.fromEntries(names.map((name) => [name, secret(name)]));
  expect(new Set(Object.values(made)).size).toBe(names.length);
  for (const [name, value] of Object.entries(made))
    expect(value, name).toMatch(name.startsWith('WRAPUP_') ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{32,64}$/);

  const all = modes(join(folder, 'state'));
  for (const [path, mode] of Object.entries(all))
    if (/^(secrets|redis)\//.test(path)) expect([path, mode]).toEqual([path, path.endsWith('/') ? '700' : '600']);
  expect(Object.keys(all).filter((path) => path.startsWith('redis/appendonlydir/')).length).toBeGreaterThan(1);
  expect(all['started.json']).toBe('600');

  // What is printed says where they are; the address of the webhook is one to be given to Synthflow.
  expect(system.output()).toContain(`/webhooks/main/${made.WEBHOOK_PATH_TOKEN}/post-call`);
  expect(system.output()).toMatch(/kept in \S*state\/secrets, which belongs into the backup/);
  for (const name of names.filter((one) => one !== 'WEBHOOK_PATH_TOKEN'))
    expect(system.output(), name).not.toContain(made[name]);

  const post = (path: string) =>
    fetch(`${system.ingress}/webhooks/main/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'synthflow-signature': 'x' },
      body: 'no JSON',
    });
  expect((await post('post-call')).status).toBe(404);
  expect((await post(`${made.WEBHOOK_PATH_TOKEN}/post-call`)).status).toBe(400);
  const dashboard = /Dashboard +(\S+)/.exec(system.output())?.[1] as string;
  const open = (password: string) =>
    fetch(dashboard, { headers: { authorization: `Basic ${btoa(`admin:${password}`)}` }, redirect: 'manual' });
  expect((await open('wrong')).status).toBe(401);
  expect((await open(made.DASHBOARD_PASSWORD as string)).status).toBe(200);

  // Another user of the machine gets nothing out of Redis, and its command line shows no password.
  const stranger = new Redis(system.redisPort, {
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
  });
  stranger.on('error', () => {});
  await expect(stranger.call('KEYS', '*')).rejects.toThrow(/NOAUTH/);
  stranger.disconnect();
  expect(execFileSync('ps', ['-A', '-o', 'command='], { encoding: 'utf8' })).not.toContain(made.REDIS_PASSWORD);

  expect(await wrapup(['send', 'samples/connected.json'])).toMatchObject({ code: 0 });
  await expect.poll(async () => (await written(system.sandbox)).calls?.length).toBe(1);
  system.child.kill('SIGTERM');
  expect(await system.ended).toBe(0);
  const kept = readdirSync(join(folder, 'state/redis/appendonlydir')).map((name) =>
    readFileSync(join(folder, 'state/redis/appendonlydir', name), 'latin1'),
  );
  // Encrypted: neither name nor number of the caller stands anywhere in it.
  for (const text of kept) expect(text).not.toMatch(/Dana Example|14155550142/);

  const again = await start();
  expect(Object.fromEntries(names.map((name) => [name, secret(name)]))).toEqual(made);
  const { output } = await wrapup(['calls', 'list', '--json']);
  expect(JSON.parse(output)).toHaveLength(1);
  expect(again.output()).toContain(`/webhooks/main/${made.WEBHOOK_PATH_TOKEN}/post-call`);
  again.child.kill('SIGTERM');
  await again.ended;
  // A check finds what guards the door also while nothing runs.
  const sandbox = { HUBSPOT_ACCESS_TOKEN: 'pat-sandbox', HUBSPOT_BASE_URL: 'http://sandbox:8090/hubspot' };
  expect(await wrapup(['check', '--show'], sandbox)).toMatchObject({
    code: 0,
    output: expect.stringContaining('"path_token":"(1 set)"'),
  });
});

test('beside a webhook secret of one’s own no path token is made, and what was made before is not used', async () => {
  mkdirSync(join(folder, 'state/secrets'), { recursive: true });
  writeFileSync(join(folder, 'state/secrets/WEBHOOK_PATH_TOKEN'), '0'.repeat(32));
  const own = { SYNTHFLOW_WEBHOOK_SECRET: '7e4d1b0c9a3f4e6f8a5b2c1d0e9f8a7b' };
  const system = await start({ ...ANY_PORTS, ...own });
  expect(system.output()).toMatch(/Webhook +http:\S+\/webhooks\/main\/post-call$/m);
  expect(system.output()).toMatch(/Source main has no path token \(WEBHOOK_PATH_TOKEN\)/);
  expect(existsSync(join(folder, 'state/secrets/SYNTHFLOW_WEBHOOK_SECRET'))).toBe(false);
  expect(await wrapup(['send', 'samples/connected.json'], own)).toMatchObject({ code: 0 });
});

test('an installation from before goes on: its calls, its secret against the sandbox, files that others could read', async () => {
  const data = join(folder, 'state/redis');
  const before = await startRedisServer({ dir: data, appendonly: true, timeout: PATIENCE });
  const redis = new Redis(before.url);
  await redis.set('{wrapup}:left', 'behind');
  await redis.quit();
  await before.stop();
  execFileSync('chmod', ['-R', 'a+rX', data]);
  writeFileSync(
    join(folder, '.env'),
    'SYNTHFLOW_WEBHOOK_SECRET=demo-webhook-secret\nHUBSPOT_BASE_URL=http://sandbox:8090/hubspot\nHUBSPOT_ACCESS_TOKEN=pat-sandbox\n',
  );

  const system = await start();
  expect(system.output()).toMatch(/WARN .*webhook secret 1 came with an earlier version/);
  const kept = new Redis(system.redisPort, { password: secret('REDIS_PASSWORD') });
  expect(await kept.get('{wrapup}:left')).toBe('behind');
  await kept.quit();
  expect(new Set(Object.values(modes(data)))).toEqual(new Set(['700', '600']));
  expect(await wrapup(['send', 'samples/connected.json'])).toMatchObject({ code: 0 });
  system.child.kill('SIGTERM');
  await system.ended;

  // Beside an account the same secret is an error, and nothing is started.
  const account = ['SYNTHFLOW_WEBHOOK_SECRET=demo-webhook-secret', 'HUBSPOT_ACCESS_TOKEN=pat-na1-account'];
  writeFileSync(join(folder, '.env'), account.join('\n'));
  const refused = run(['scripts/start.mjs'], bareEnvironment(ANY_PORTS));
  expect(await refused.ended).toBe(1);
  expect(refused.output()).toMatch(
    /wrapup\.yaml:\d+:\d+: error: .*webhook secret 1 is an example.*connection sales \(https:\/\/api\.hubapi\.com\)/,
  );
  expect(refused.output()).toMatch(/openssl rand -hex 32 and put it into SYNTHFLOW_WEBHOOK_SECRET/);
  expect(refused.output()).toMatch(/The configuration has errors; nothing was started\.\n$/);
  expect(refused.output()).not.toMatch(/listens/);
});

test('the lines of the example for Salesforce lead to the sandbox, too', async () => {
  const example = readFileSync(join(ROOT, 'config/wrapup.yaml'), 'utf8');
  // As by a user who takes the comment signs away.
  const config = example.replace(
    /^( {2})# (service:| {2}(?:kind: sales|login_url|client_)|- \{ name: service-)/gm,
    '$1$2',
  );
  cpSync(join(ROOT, 'config/mappings'), join(folder, 'mappings'), { recursive: true });
  writeFileSync(join(folder, 'wrapup.yaml'), config);
  const system = await start({ ...ANY_PORTS, WRAPUP_CONFIG: join(folder, 'wrapup.yaml') });
  expect(await wrapup(['send', 'samples/connected.json'])).toMatchObject({ code: 0 });
  const counts = async () => {
    const org = await written(system.sandbox, '?api=salesforce');
    return [org.Lead?.length, org.Task?.length, (await written(system.sandbox)).calls?.length];
  };
  await expect.poll(counts).toEqual([1, 2, 1]);
});

test('with an account in .env the banner says so, commands mean it too, and no demo is played there', async () => {
  const account = [
    'HUBSPOT_ACCESS_TOKEN=pat-na1-account',
    'HUBSPOT_BASE_URL=https://hubspot.example.com',
    'SYNTHFLOW_API_KEY=',
  ];
  writeFileSync(join(folder, '.env'), account.join('\n'));
  const system = await start();
  expect(system.output()).toContain('Records go to accounts: sales (hubspot) to https://hubspot.example.com.');
  expect(system.output()).not.toMatch(/No account is used|send samples|^ +Sandbox/m);
  const demo = await wrapup(['demo', '--calls', '1']);
  expect(demo).toMatchObject({ code: 1, output: expect.stringContaining('sales at https://hubspot.example.com') });
  // What is written there meanwhile is of no start that runs.
  writeFileSync(join(folder, '.env'), account.slice(0, 1).join('\n'));
  const checked = await wrapup(['check', '--show']);
  expect(checked.output).toMatch(/\.env has changed since/);
  // The account's token never meets the address of the sandbox.
  expect(checked.output).toContain('"base_url":"https://api.hubapi.com"');
});

test('without a start that runs, a command says so and what to do; its hints are as it was called', async () => {
  const script = { npm_lifecycle_event: 'wrapup' };
  const none = await wrapup(['calls', 'list'], {
    ...script,
    WRAPUP_CONFIG: 'config/wrapup.yaml',
    REDIS_URL: 'redis://127.0.0.1:1',
  });
  expect(none.code).toBe(3);
  const check = await wrapup(['check'], script);
  expect(check).toMatchObject({ code: 1, output: expect.stringContaining('`npm start` is not running here') });
  const plan = await wrapup(['plan', 'samples/connected.json'], script);
  expect(plan.output).toMatch(/`npm start` is not running here: .*cp \.env\.example \.env/);
  const usage = await wrapup(['drop'], script);
  expect(usage.output).toContain('(npm run wrapup -- --help shows what there is)');
});

test('after a kill -9 nothing is left running, and the next start has every call; when a process of it dies, all end', async () => {
  const system = await start();
  expect(await wrapup(['send', 'samples/connected.json'])).toMatchObject({ code: 0 });
  system.child.kill('SIGKILL');
  await system.ended;
  await expect.poll(() => ping(system.redisPort)).toBe(false);
  await expect.poll(() => fetch(`${system.ingress}/healthz`).then(Boolean, () => false)).toBe(false);

  const next = await start();
  const { output } = await wrapup(['calls', 'list', '--json']);
  expect(JSON.parse(output)).toHaveLength(1);

  process.kill(childOf(next.child.pid as number, 'apps/worker/src/main.ts'), 'SIGKILL');
  expect(await next.ended).toBe(1);
  expect(next.output()).toContain('worker has ended unexpectedly');
  expect(await ping(next.redisPort)).toBe(false);
});

test('a port that is taken is one line, and nothing is started', async () => {
  const neighbour = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => neighbour.once('listening', done));
  const { port } = neighbour.address() as AddressInfo;
  const attempt = run(['scripts/start.mjs'], bareEnvironment({ ...ANY_PORTS, INGRESS_PORT: String(port) }));
  expect(await attempt.ended).toBe(1);
  expect(attempt.output()).toBe(
    `Port ${port} (ingress) is in use: stop what listens there, or set INGRESS_PORT to another port.\n`,
  );
  neighbour.close();
});

test('.env completes the environment, and its sandbox is the one on this machine', async () => {
  writeFileSync(
    join(folder, '.env'),
    [
      'LOG_LEVEL=warn',
      'WEBHOOK_PATH_TOKEN=',
      'SYNTHFLOW_WEBHOOK_SECRET="quoted # secret"',
      'HUBSPOT_BASE_URL=http://sandbox:8090/hubspot',
      'SALESFORCE_LOGIN_URL=http://sandbox:8090/salesforce',
      'SANDBOX_PORT=18090',
    ].join('\n'),
  );
  const script = `
    const { findSandbox, readEnvironment } = await import('./scripts/environment.mjs');
    const env = readEnvironment();
    findSandbox(env);
    const { LOG_LEVEL, WEBHOOK_PATH_TOKEN, SYNTHFLOW_WEBHOOK_SECRET, HUBSPOT_BASE_URL, SALESFORCE_LOGIN_URL } = env;
    const sandbox = [HUBSPOT_BASE_URL, SALESFORCE_LOGIN_URL];
    console.log(JSON.stringify([LOG_LEVEL, WEBHOOK_PATH_TOKEN ?? 'unset', SYNTHFLOW_WEBHOOK_SECRET, ...sandbox]));`;
  const { ended, output } = run(['--input-type=module', '--eval', script], bareEnvironment({ LOG_LEVEL: 'error' }));
  await ended;
  const sandbox = 'http://127.0.0.1:18090';
  expect(JSON.parse(output())).toEqual([
    'error',
    'unset',
    'quoted # secret',
    `${sandbox}/hubspot`,
    `${sandbox}/salesforce`,
  ]);
});
