import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { keyIdOf, makeEncryptor, openStore, revisionOf } from '@wrapup/queue';
import { expect, onTestFinished, test } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { makeArrival } from '../../../test/support/store.ts';
import { openInstallation } from './support/installation.ts';
import { wrapup } from './support/run.ts';

const newKey = () => randomBytes(32).toString('base64');
const idOf = (key: string) => String(makeEncryptor(key).key);
const ACME = `encryption_key: "\${ACME_ENCRYPTION_KEY}"
sources: { main: { webhook_secrets: [a3f1c09e5d7b48a6a3f1c09e5d7b48a6] } }
connections: { sales: { kind: hubspot, access_token: a-token, base_url: "http://127.0.0.1:9" } }
routes: [ { name: calls, to: sales, mapping: mappings/hubspot.yaml } ]
`;
const body = Buffer.from('{"call":{"call_id":"a-1"},"said":"what Dana said"}');

/** An installation with a key, a client with another, and a call of that client from before it had one. */
async function openWithClient(own: string) {
  const { env, store } = await openInstallation();
  const clients = join(dirname(env.WRAPUP_CONFIG as string), 'clients');
  mkdirSync(clients);
  writeFileSync(join(clients, 'acme.yaml'), ACME);
  const installation = newKey();
  const keyed = { ...env, WRAPUP_ENCRYPTION_KEY: installation, ACME_ENCRYPTION_KEY: own };
  const encrypting = openStore({
    ...{ url: env.REDIS_URL as string, prefix: env.WRAPUP_PREFIX as string, encryption_keys: installation },
    ...{ role: 'worker', onError() {} },
  });
  onTestFinished(() => encrypting.close());
  await encrypting.connected(PATIENCE);
  const keyAt = async (call_id: string) => {
    const name = store.keys.payload('acme.main', call_id, revisionOf(body));
    return keyIdOf((await store.redis.getBuffer(name)) as Buffer);
  };
  return { env: keyed, store, encrypting, clients, installation, keyAt };
}

test('status and migrate say and change what is kept of a client with keys of its own', async () => {
  const own = newKey();
  const { env, encrypting, installation, keyAt } = await openWithClient(own);
  await encrypting.accept(makeArrival('a-1', body, { source: 'acme.main' }), 90);
  expect(await keyAt('a-1')).toBe(idOf(installation));
  const before = await wrapup(['encryption', 'status', '--client', 'acme'], env);
  expect(before.stdout).toBe(
    `Client acme: key ${idOf(own)} of its own is in force, 0 values sealed with it, 0 not encrypted\n  1 value left under the key of the installation: \`wrapup encryption migrate --client acme\` takes them over\n`,
  );
  const done = await wrapup(['encryption', 'migrate', '--client', 'acme'], env);
  expect(done).toMatchObject({
    code: 0,
    stdout: '0 values encrypted, 1 taken over from older keys, 0 as they should be\n',
  });
  expect(await keyAt('a-1')).toBe(idOf(own));
  const all = await wrapup(['encryption', 'status', '--json'], env);
  expect(all.json()).toMatchObject({
    ...{ key: idOf(installation), sealed: {}, missing: [] },
    clients: { acme: { key: idOf(own), sealed: { [idOf(own)]: 1 }, missing: [] } },
  });
  expect((await wrapup(['calls', 'show', 'a-1', '--payload'], env)).stdout).toContain('what Dana said');
  const list = await wrapup(['client', 'list', '--json'], env);
  expect(list.json()).toMatchObject([{ name: 'acme', encryption_key: idOf(own) }, { name: null }]);
  expect(list.stdout).not.toContain(own);
  expect((await wrapup(['encryption', 'status', '--client', 'acne'], env)).stderr).toContain('did you mean acme?');

  const lost = { ...env, ACME_ENCRYPTION_KEY: newKey() };
  const status = await wrapup(['encryption', 'status'], lost);
  expect(status.code).toBe(1);
  expect(status.stdout).toContain(`1 value sealed with key ${idOf(own)}, which client acme does not have here`);
  const doctor = await wrapup(['doctor', '--client', 'acme', '--json'], lost);
  expect(JSON.stringify(doctor.json())).toContain(`"missing":["${idOf(own)}"]`);
  const show = await wrapup(['calls', 'show', 'a-1', '--payload'], lost);
  expect(show.code).toBe(1);
  expect(show.stderr).toContain('which client acme does not have here');
  expect(show.stderr).toContain('encryption_key of clients/acme.yaml');
  const migrated = await wrapup(['encryption', 'migrate'], lost);
  expect(migrated.code).toBe(1);
  expect(migrated.stdout).toContain(`1 value of client acme of key ${idOf(own)}, which the client does not have here`);

  const { ACME_ENCRYPTION_KEY: _, ...unset } = env;
  const none = await wrapup(['calls', 'show', 'a-1', '--payload'], unset);
  expect(none.stderr).toContain('the keys of client acme cannot be read: the environment variable ACME_ENCRYPTION_KEY');
  expect(none.stderr).not.toContain(' at ');
});

test('without any key migrate says where one belongs', async () => {
  const { env, clients } = await openWithClient(newKey());
  writeFileSync(join(clients, 'acme.yaml'), ACME.split('\n').slice(1).join('\n'));
  const { WRAPUP_ENCRYPTION_KEY: _, ...without } = env;
  const one = await wrapup(['encryption', 'migrate', '--client', 'acme'], without);
  expect(one).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('clients/acme.yaml names no encryption_key, and WRAPUP_ENCRYPTION_KEY is not set'),
  });
  const all = await wrapup(['encryption', 'migrate'], without);
  expect(all).toMatchObject({ code: 2, stderr: expect.stringContaining('WRAPUP_ENCRYPTION_KEY is not set') });
  expect(all.stderr).not.toContain('encryption_key');
});

test('a client that was put aside goes to an installation where it has another key', async () => {
  const [here, there] = [newKey(), newKey()];
  const from = await openWithClient(here);
  await from.encrypting.accept(makeArrival('a-1', body, { source: 'acme.main' }), 90);
  expect((await wrapup(['encryption', 'migrate'], from.env)).code).toBe(0);
  expect(await from.keyAt('a-1')).toBe(idOf(here));
  expect((await wrapup(['client', 'remove', 'acme', '--yes'], from.env)).code).toBe(0);
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-export-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const out = join(folder, 'acme.wrapup');
  const key = { WRAPUP_EXPORT_KEY: newKey() };
  const { ACME_ENCRYPTION_KEY: _, ...unset } = from.env;
  const refused = await wrapup(['client', 'export', 'acme', '--out', out], { ...unset, ...key });
  expect(refused.stderr).toContain('the keys of client acme cannot be read');
  expect(existsSync(out)).toBe(false);
  expect(await wrapup(['client', 'export', 'acme', '--out', out], { ...from.env, ...key })).toMatchObject({ code: 0 });
  for (const secret of [here, 'what Dana said']) expect(readFileSync(out, 'utf8')).not.toContain(secret);

  const to = await openWithClient(there);
  rmSync(join(to.clients, 'acme.yaml'));
  const { ACME_ENCRYPTION_KEY: __, ...without } = to.env;
  const early = await wrapup(['client', 'import', out], { ...without, ...key });
  expect(early.code).not.toBe(0);
  expect(early.stderr).toContain('the keys of client acme cannot be read');
  expect(await to.store.ledger.read('acme.main', 'a-1')).toBeUndefined();
  expect((await wrapup(['client', 'import', out], { ...to.env, ...key })).code).toBe(0);
  expect(await to.keyAt('a-1')).toBe(idOf(there));
});

test('a key that two clients have is named by check', async () => {
  const own = newKey();
  const { env, clients } = await openWithClient(own);
  const bolt = ACME.replace('ACME_', 'BOLT_').replace('a3f1c09e', 'b3f1c09e');
  writeFileSync(join(clients, 'bolt.yaml'), bolt);
  const { stdout, code } = await wrapup(['check'], { ...env, BOLT_ENCRYPTION_KEY: own });
  expect(code).toBe(0);
  expect(stdout.match(/\[shared-key\]/g)).toHaveLength(2);
  expect(stdout).not.toContain(own);
});
