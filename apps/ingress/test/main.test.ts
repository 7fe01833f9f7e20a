import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { asIngressSees, type ClientState, openStore } from '@wrapup/queue';
import { sign } from '@wrapup/synthflow';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../scripts/ports.mjs';
import { PATIENCE } from '../../../test/support/patience.ts';
import { COMPILE_CACHE } from '../../../test/support/process.ts';
import { freshPrefix, redisUrl } from '../../../test/support/redis.ts';
import { eventOf, newCallId, SECRET, waitUntil } from './support/harness.ts';
import { openRaw } from './support/raw.ts';

const main = new URL('../src/main.ts', import.meta.url).pathname;
const cleanUps: Array<() => void> = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

const configOf = (secret: string) => `
sources:
  main: { provider: synthflow, region: us, webhook_secrets: ["${secret}"], trust: signature }
connections: {}
routes: []
`;

function start(env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-ingress-'));
  const file = join(folder, 'wrapup.yaml');
  writeFileSync(file, configOf(SECRET));
  const child: ChildProcess = spawn(process.execPath, [main], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      ...COMPILE_CACHE,
      INGRESS_PORT: '0',
      INGRESS_HOST: '127.0.0.1',
      REDIS_URL: redisUrl(),
      WRAPUP_PREFIX: freshPrefix(),
      WRAPUP_CONFIG: file,
      ...env,
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  cleanUps.push(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    file,
    child,
    ended,
    output: () => output,
    async port(): Promise<number> {
      await waitUntil(() => output.includes('ingress listens') || child.exitCode !== null);
      const port = Number(/"port":(\d+)/.exec(output)?.[1]);
      if (!port) throw new Error(output);
      await waitUntil(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200);
      return port;
    },
  };
}

function send(port: number, secret: string) {
  const callId = newCallId();
  return fetch(`http://127.0.0.1:${port}/webhooks/main/post-call`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'synthflow-signature': sign(callId, secret) },
    body: eventOf(callId),
  });
}

describe('the process', () => {
  it('finishes the request in hand on SIGTERM, takes no new one, and leaves with 0', async () => {
    const ingress = start();
    const port = await ingress.port();
    const callId = newCallId();
    const body = eventOf(callId);
    const raw = openRaw(port);
    raw.write(
      `POST /webhooks/main/post-call HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nsynthflow-signature: ${sign(callId, SECRET)}\r\ncontent-length: ${body.length}\r\n\r\n`,
    );
    raw.write(body.slice(0, 5));
    await waitUntil(async () =>
      (await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).includes('wrapup_ingress_in_flight_bytes 5'),
    );
    ingress.child.kill('SIGTERM');
    await waitUntil(() => ingress.output().includes('"msg":"stopping"'));
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
    raw.write(body.slice(5));
    expect(await raw.closed).toMatch(/^HTTP\/1\.1 202 /);
    expect(await ingress.ended).toBe(0);
  });

  it('takes a changed configuration without a restart, and keeps the old one while the new one is wrong', async () => {
    const ingress = start();
    const port = await ingress.port();
    expect((await send(port, SECRET)).status).toBe(202);
    writeFileSync(ingress.file, 'sources: [');
    await waitUntil(() => ingress.output().includes('the old one stays in force'));
    expect((await send(port, SECRET)).status).toBe(202);
    const rotated = 'another secret of 256 bits, more or less';
    writeFileSync(ingress.file, configOf(rotated));
    await waitUntil(async () => (await send(port, rotated)).status === 202);
    expect((await send(port, SECRET)).status).toBe(401);
  });

  it('says in its metrics and to the other processes which client lacks a webhook secret', async () => {
    const prefix = freshPrefix();
    const ingress = start({ WRAPUP_PREFIX: prefix });
    const port = await ingress.port();
    const store = openStore({ url: redisUrl(), prefix, role: 'producer', onError: () => {} });
    cleanUps.push(() => void store.close());
    await store.connected(PATIENCE);
    const acme: ClientState = { name: 'acme', state: 'current', errors: [] };
    const seen = async () => (await asIngressSees(store, [acme]))[0]?.errors.map(({ message }) => message);
    const metrics = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const folder = join(dirname(ingress.file), 'clients');
    mkdirSync(folder);
    writeFileSync(join(folder, 'acme.yaml'), configOf('${ACME_SECRET}'));
    await waitUntil(async () => /ACME_SECRET/.test(String(await seen())));
    expect(await metrics()).toContain('wrapup_client_configuration_current{client="acme"} 0');
    writeFileSync(join(folder, 'acme.yaml'), configOf('another secret of 256 bits, more or less'));
    await waitUntil(async () => String(await seen()) === '');
    expect(await metrics()).toContain('wrapup_client_configuration_current{client="acme"} 1');
  });

  it.each([
    ['its port is no port', { INGRESS_PORT: 'http' }, /INGRESS_PORT is \\"http\\"/],
    ['a size is no size', { INGRESS_MAX_BODY: 'large' }, /INGRESS_MAX_BODY is \\"large\\"/],
    ['there is no configuration', { WRAPUP_CONFIG: '/nowhere/wrapup.yaml' }, /cannot read the configuration/],
  ])('says in one line that %s, and leaves with 1', async (_what, env, line) => {
    const ingress = start(env);
    expect(await ingress.ended).toBe(1);
    expect(ingress.output()).toMatch(line);
    expect(ingress.output()).not.toContain('    at ');
  });

  it('says in one line that its port is taken', async () => {
    const port = await start().port();
    const second = start({ INGRESS_PORT: String(port) });
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain(`ingress cannot listen on 127.0.0.1:${port}: something else listens there.`);
  });

  it('answers /readyz and /metrics on INGRESS_INTERNAL_PORT alone where that is set', async () => {
    const internal = await freePort();
    const { child, output } = start({ INGRESS_INTERNAL_PORT: String(internal) });
    await waitUntil(() => output().includes('ingress_internal listens') || child.exitCode !== null);
    const port = Number(/"port":(\d+)[^\n]*"msg":"ingress listens"/.exec(output())?.[1]);
    const statusOf = async (path: string, at: number) => (await fetch(`http://127.0.0.1:${at}${path}`)).status;
    await waitUntil(async () => (await statusOf('/readyz', internal)) === 200);
    expect(await statusOf('/metrics', internal)).toBe(200);
    expect(await statusOf('/healthz', internal)).toBe(200);
    expect(await statusOf('/webhooks/main/post-call', internal)).toBe(404);
    expect(await statusOf('/readyz', port)).toBe(404);
    expect(await statusOf('/metrics', port)).toBe(404);
    expect(await statusOf('/healthz', port)).toBe(200);
  });
});
