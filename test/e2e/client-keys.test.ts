/**
 * Two clients with encryption keys of their own beside an installation that has one: what Redis holds of a call can be opened
 * with its client's key alone. Keys are rotated, lost and put back while the processes run.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keyIdOf, makeEncryptor, placeOf } from '../../packages/queue/src/index.ts';
import { sign } from '../../packages/synthflow/src/index.ts';
import { sampleOf } from '../support/sample-caller.ts';
import { openSystem, type TestSystem } from '../support/system.ts';

const CALLER = '+14155550142';
const newKey = () => randomBytes(32).toString('base64');
const INSTALLATION = newKey();
const KEYS = { acme: newKey(), bolt: newKey() };
type Client = keyof typeof KEYS;
const CLIENTS = Object.keys(KEYS) as Client[];
const SECRETS: Record<Client, string> = {
  acme: 'a3f1c09e5d7b48a6a3f1c09e5d7b48a6',
  bolt: '7be04d92c1f8436a7be04d92c1f8436a',
};
const fileOf = (client: Client) => `
encryption_key: "\${${client.toUpperCase()}_ENCRYPTION_KEY}"
sources:
  main: { webhook_secrets: [${SECRETS[client]}], default_country: US }
connections:
  sales: { kind: hubspot, access_token: pat-na1-test, base_url: "\${HUBSPOT_BASE_URL}" }
routes:
  - { name: calls, to: sales, mapping: mapping.yaml }
`;

const secrets = mkdtempSync(join(tmpdir(), 'wrapup-secrets-'));
const give = (client: Client, text: string) =>
  writeFileSync(join(secrets, `${client.toUpperCase()}_ENCRYPTION_KEY`), text);
let system: TestSystem;
beforeAll(async () => {
  for (const client of CLIENTS) give(client, KEYS[client]);
  system = await openSystem({
    config: 'retention: { delivered: 3d }\n',
    files: Object.fromEntries(CLIENTS.map((client) => [`clients/${client}.yaml`, fileOf(client)])),
    env: { WRAPUP_SECRETS_DIR: secrets, WRAPUP_ENCRYPTION_KEY: INSTALLATION },
  });
  system.sandbox.control.settings({ hubspot: { search_lag: 0 } });
  await system.startIngress();
});
afterAll(async () => {
  await system.close();
  rmSync(secrets, { recursive: true, force: true });
});

async function send(client: Client): Promise<string> {
  const payload = sampleOf('connected', CALLER);
  const { call_id } = payload.call;
  const answer = await fetch(`http://127.0.0.1:${system.ingress?.port}/webhooks/${client}.main/post-call`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'synthflow-signature': sign(call_id, SECRETS[client]) },
    body: JSON.stringify(payload),
  });
  expect(answer.status).toBe(202);
  return call_id;
}

const entryOf = (client: Client, call_id: string) => system.store.ledger.read(`${client}.main`, call_id);

/** What Redis itself holds of a payload, and where. */
async function kept(client: Client, call_id: string): Promise<{ bytes: Buffer; place: string }> {
  const source = `${client}.main`;
  const hash = (await entryOf(client, call_id))?.revisions[0]?.hash ?? '';
  const bytes = (await system.store.redis.getBuffer(system.store.keys.payload(source, call_id, hash))) as Buffer;
  return { bytes, place: placeOf(source, call_id, hash) };
}
const keyOf = async (client: Client, call_id: string) => keyIdOf((await kept(client, call_id)).bytes);
const isWritten = (client: Client, call_id: string) =>
  expect.poll(async () => (await entryOf(client, call_id))?.deliveries.map(({ state }) => state)).toEqual(['written']);

it('the stored bytes of one client are opened by its key, and not by the other’s nor by the installation’s', async () => {
  const calls = { acme: await send('acme'), bolt: await send('bolt') };
  const opened = async () => {
    for (const client of CLIENTS) {
      const other = client === 'acme' ? 'bolt' : 'acme';
      const { bytes, place } = await kept(client, calls[client]);
      expect(bytes.includes(CALLER)).toBe(false);
      expect(keyIdOf(bytes)).toBe(makeEncryptor(KEYS[client]).key);
      expect((await makeEncryptor(KEYS[client]).decrypt(bytes, place)).length).toBeGreaterThan(100);
      for (const wrong of [KEYS[other], INSTALLATION, `${KEYS[other]},${INSTALLATION}`])
        await expect(makeEncryptor(wrong).decrypt(bytes, place)).rejects.toThrow('is encrypted with key');
    }
  };
  await opened();
  // Nor after a worker has read and compressed them.
  await system.startWorker();
  for (const client of CLIENTS) await isWritten(client, calls[client]);
  await opened();
});

it('a new key counts without a restart, and what is under the old one is read on', async () => {
  const next = newKey();
  give('acme', `${next},${KEYS.acme}`);
  await expect.poll(async () => keyOf('acme', await send('acme'))).toBe(makeEncryptor(next).key);
  const call_id = await send('acme');
  await isWritten('acme', call_id);
  expect(await keyOf('acme', call_id)).toBe(makeEncryptor(next).key);
  KEYS.acme = next;
});

it('another key in its place: its calls wait and say so, the other client goes on, and with the key back all go on', async () => {
  await system.stop();
  await system.startIngress();
  const call_id = await send('acme');
  const lost = KEYS.acme;
  give('acme', newKey());
  await system.startWorker();
  await expect.poll(async () => (await entryOf('acme', call_id))?.waiting).toBeDefined();
  const entry = await entryOf('acme', call_id);
  expect(entry?.waiting?.reason).toContain(`key ${makeEncryptor(lost).key}, which client acme does not have here`);
  expect(entry?.waiting?.hint).toContain('encryption_key of clients/acme.yaml');
  expect(entry?.stopped).toBeUndefined();
  await isWritten('bolt', await send('bolt'));

  give('acme', lost);
  await isWritten('acme', call_id);
  expect((await entryOf('acme', call_id))?.deliveries).toMatchObject([{ attempts: 1 }]);
});

it('a key that is no key, or gone: the client keeps the one it had, and the others go on', async () => {
  const refusals = () =>
    system.ingress?.lines.filter(({ msg }) => String(msg).includes('last good configuration stays')).length ?? 0;
  for (const spoil of [() => give('acme', 'short'), () => rmSync(join(secrets, 'ACME_ENCRYPTION_KEY'))]) {
    const before = refusals();
    spoil();
    await expect.poll(refusals).toBeGreaterThan(before);
    const call_id = await send('acme');
    await isWritten('acme', call_id);
    expect(await keyOf('acme', call_id)).toBe(makeEncryptor(KEYS.acme).key);
    await isWritten('bolt', await send('bolt'));
  }
  give('acme', KEYS.acme);
});

it('no key is in what the processes print, nor on a page', async () => {
  const dashboard = await system.startDashboard();
  const pages = await Promise.all(
    ['/', '/clients', '/connections'].map(async (path) =>
      (await fetch(`http://127.0.0.1:${dashboard.port}${path}`)).text(),
    ),
  );
  const printed = [...dashboard.lines, ...(system.ingress?.lines ?? [])].map((line) => JSON.stringify(line));
  for (const text of [...pages, ...printed])
    for (const key of [INSTALLATION, ...Object.values(KEYS)]) {
      expect(text).not.toContain(key);
      expect(text).not.toContain(Buffer.from(key, 'base64').toString('hex'));
    }
  expect(pages[1]).toContain('acme');
});
