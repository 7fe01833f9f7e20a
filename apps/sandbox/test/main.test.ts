/** The process: starts on the port asked for, provisioned, and ends cleanly. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill('SIGKILL');
});

interface Line {
  level: string;
  msg: string;
  url?: string;
  err?: { message: string };
}

function start(env: Record<string, string>): {
  line(): Promise<Line>;
  ended: Promise<number | null>;
  signal(name: NodeJS.Signals): void;
} {
  const started = spawn(process.execPath, [MAIN], {
    env: { ...process.env, SANDBOX_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child = started;
  const lines = createInterface({ input: started.stdout })[Symbol.asyncIterator]();
  return {
    line: async () => JSON.parse((await lines.next()).value ?? '{}') as Line,
    ended: new Promise((resolve) => started.once('exit', resolve)),
    signal: (name) => started.kill(name),
  };
}

test('it serves a provisioned account and exits 0 on SIGTERM, also while a client hangs', async () => {
  const sandbox = start({ SANDBOX_HUBSPOT_TOKEN: 'pat-mine', SANDBOX_SETTINGS: '{"hubspot":{"search_lag":0}}' });
  const { url } = await sandbox.line();
  const headers = { authorization: 'Bearer pat-mine' };
  const property = await fetch(`${url}/hubspot/crm/v3/properties/calls/wrapup_call_id`, { headers });
  expect(await property.json()).toMatchObject({ hasUniqueValue: true });
  expect((await fetch(`${url}/hubspot/crm/v3/owners`, { headers: { authorization: 'Bearer pat-other' } })).status).toBe(
    401,
  );
  await fetch(`${url}/_sandbox/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"kind":"hang"}',
  });
  const hung = fetch(`${url}/hubspot/crm/v3/owners`, { headers }).catch(() => 'cut off');
  for (;;) {
    const { requests } = (await (await fetch(`${url}/_sandbox/requests`)).json()) as { requests: { fault?: string }[] };
    if (requests.some((request) => request.fault === 'hang')) break;
  }
  sandbox.signal('SIGTERM');
  expect(await sandbox.ended).toBe(0);
  expect(await hung).toBe('cut off');
});

test('it can begin unprovisioned', async () => {
  const { url } = await start({ SANDBOX_PROVISIONED: 'false' }).line();
  const headers = { authorization: 'Bearer pat-any' };
  expect((await fetch(`${url}/hubspot/crm/v3/properties/calls/wrapup_call_id`, { headers })).status).toBe(404);
});

test.each([
  ['a setting that does not exist', { SANDBOX_SETTINGS: '{"hubspot":{"lag":0}}' }, 'there is no setting hubspot.lag'],
  ['settings that are no JSON', { SANDBOX_SETTINGS: 'lag=0' }, 'SANDBOX_SETTINGS'],
  ['a port that is none', { SANDBOX_PORT: 'http' }, 'SANDBOX_PORT is "http"'],
])('with %s it does not start and says why', async (_what, env, reason) => {
  const sandbox = start(env);
  const { level, err } = await sandbox.line();
  expect([level, err?.message]).toEqual(['fatal', expect.stringContaining(reason)]);
  expect(await sandbox.ended).toBe(1);
});
