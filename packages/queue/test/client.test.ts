/** Redis where operators have it: over TLS with a certificate of its own, and behind sentinels. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { ping } from '../../../scripts/local-redis.mjs';
import { freePort } from '../../../scripts/ports.mjs';
import { PATIENCE } from '../../../test/support/patience.ts';
import { startRedis } from '../../../test/support/redis.ts';
import { openIntake, openStore, type RedisAddress, revisionOf } from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'wrapup-addresses-'));
const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
  rmSync(folder, { recursive: true, force: true });
});

/** Keeps one call, reads it back over a connection of its own, and says what went wrong instead. */
async function keepOne(address: RedisAddress): Promise<string> {
  const errors: Error[] = [];
  const onError = (error: Error) => void errors.push(error);
  const intake = openIntake({ ...address, onError });
  const store = openStore({ ...address, role: 'producer', onError });
  try {
    await store.connected(PATIENCE);
    await expect.poll(async () => (await intake.ready()).ok).toBe(true);
    const body = Buffer.from('{"call":{}}');
    const call_id = randomUUID();
    const received = { received: 'webhook', verified: 'signature', received_at: Date.now() } as const;
    await intake.accept({ source: 'main', call_id, body, ...received });
    const kept = await store.payloads.read('main', call_id, revisionOf(body));
    return kept?.equals(body) ? 'kept' : 'not kept';
  } catch (error) {
    return String(errors[0] ?? error);
  } finally {
    await Promise.all([intake.close(), store.close()]);
  }
}

describe.skipIf(spawnSync('openssl', ['version']).status !== 0)('Redis over TLS', () => {
  it('is believed by the authority that REDIS_CA names, and by no other', async () => {
    const [key, certificate] = ['key.pem', 'certificate.pem'].map((name) => join(folder, name)) as [string, string];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'].concat([
        '-keyout',
        key,
        '-out',
        certificate,
        '-subj',
        '/CN=redis',
        '-addext',
        'subjectAltName=IP:127.0.0.1',
      ]),
      { stdio: 'ignore' },
    );
    const port = await freePort();
    const redis = await startRedis({
      args: ['--tls-port', String(port), '--tls-cert-file', certificate, '--tls-key-file', key].concat([
        '--tls-ca-cert-file',
        certificate,
        '--tls-auth-clients',
        'no',
      ]),
    });
    closers.push(() => redis.stop());
    const url = `rediss://127.0.0.1:${port}`;
    expect(await keepOne({ url, ca: readFileSync(certificate, 'utf8') })).toBe('kept');
    const strange = openStore({ url, role: 'producer', onError: () => {} });
    await expect(strange.connected(1_000)).rejects.toThrow();
    await strange.close();
  });
});

describe('Redis behind sentinels', () => {
  it('is found by the name of the master, and found again when another one takes its place', async () => {
    const master = await startRedis();
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(master.port)] });
    closers.push(
      () => master.stop(),
      () => replica.stop(),
    );
    const port = await freePort();
    const file = join(folder, 'sentinel.conf');
    const lines = ['bind 127.0.0.1', `port ${port}`, `sentinel monitor calls 127.0.0.1 ${master.port} 1`];
    writeFileSync(
      file,
      [...lines, 'sentinel down-after-milliseconds calls 1000', 'sentinel failover-timeout calls 5000', ''].join('\n'),
    );
    const { command, env } = inject('redisServer');
    const sentinel = spawn(command, [file, '--sentinel'], { env: { ...process.env, ...env }, stdio: 'ignore' });
    closers.push(async () => void sentinel.kill('SIGKILL'));
    while (!(await ping(port))) await new Promise((resolve) => setTimeout(resolve, 50));

    const url = `sentinel://127.0.0.1:${port}/calls`;
    expect(await keepOne({ url })).toBe('kept');
    // A sentinel knows replicas only after it has asked their master.
    const watch = openStore({ url: `redis://127.0.0.1:${port}`, role: 'producer', onError() {} });
    closers.push(() => watch.close());
    const ask = async (...args: string[]) =>
      JSON.stringify(await watch.redis.call('SENTINEL', ...args).catch(() => ''));
    await expect.poll(() => ask('REPLICAS', 'calls')).toContain(String(replica.port));
    await master.kill();
    await expect.poll(() => ask('GET-MASTER-ADDR-BY-NAME', 'calls')).toContain(String(replica.port));
    expect(await keepOne({ url })).toBe('kept');
  });

  it('without the name of the master are refused with how to write them', () => {
    expect(() => openStore({ url: 'sentinel://127.0.0.1:1', role: 'producer', onError() {} })).toThrow(
      /name of the master/,
    );
  });
});
