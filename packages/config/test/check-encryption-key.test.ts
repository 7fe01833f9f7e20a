import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { type EncryptionKey, readEncryptionKeys } from '@wrapup/call';
import { type Config, describeConfig, keysOfClient, loadConfig, type Reader, readClientKeys } from '@wrapup/config';
import { expect, test } from 'vitest';
import { configFolder, ENV, GOOD, MAPPING } from './support/folder.ts';

const newKey = () => randomBytes(32).toString('base64');
const idOf = (text: string) => (readEncryptionKeys(text, 'a key')[0] as EncryptionKey).id;
const fileOf = (secret: string) =>
  GOOD.replace('${SYNTHFLOW_WEBHOOK_SECRET}', secret).replace('"${HUBSPOT_ACCESS_TOKEN}"', 'a-token');
const ACME = fileOf('c3a1f0be9a77401bb3f1c0de9a7740aa');
const BOLT = fileOf('7be04d92c1f8436a7be04d92c1f8436a');
const OWN = 'encryption_key: "${ACME_ENCRYPTION_KEY}"\n';
const BOLTS = 'encryption_key: "${BOLT_ENCRYPTION_KEY}"\n';

const folderOf = (acme: string, root = '', bolt = BOLT) =>
  configFolder({
    'wrapup.yaml': `${GOOD}${root}`,
    'clients/acme.yaml': acme,
    'clients/bolt.yaml': bolt,
    'mappings/hubspot.yaml': MAPPING,
  });
const load = (file: string, env: Record<string, string> = {}, rest: { reader?: Reader; previous?: Config } = {}) =>
  loadConfig({ file, env: { ...ENV, ...env }, ...rest });

test('a client has keys of its own in every process, and the others have none', async () => {
  const [next, old] = [newKey(), newKey()];
  const file = folderOf(`${ACME}${OWN}`);
  for (const reader of ['ingress', 'worker', 'dashboard', undefined] as const) {
    const env = { ACME_ENCRYPTION_KEY: `${next},${old}` };
    const { config, findings } = await load(file, env, reader && { reader });
    expect(findings).toEqual([]);
    expect(config && keysOfClient(config, 'acme')?.map(({ id }) => id)).toEqual([idOf(next), idOf(old)]);
    expect(config && keysOfClient(config, 'bolt')).toBeUndefined();
    const missing = await load(file, {}, reader && { reader });
    expect(missing.findings).toMatchObject([{ code: 'unset-variable' }]);
    expect(missing.config?.clients).toMatchObject({ acme: { state: 'unusable' }, bolt: { state: 'current' } });
  }
});

test('a check without variables finds nothing wrong with one', async () => {
  const { findings } = await loadConfig({ file: folderOf(`${ACME}${OWN}`), env: ENV, without_variables: true });
  expect(findings).toEqual([]);
});

test('neither key is in what is printed, logged or sent of the configuration', async () => {
  const key = newKey();
  const { config } = await load(folderOf(`${ACME}${OWN}`), { ACME_ENCRYPTION_KEY: key });
  const bytes = Buffer.from(key, 'base64');
  const shown = [JSON.stringify(config), inspect(config, { depth: 20, showHidden: true })];
  shown.push(JSON.stringify(describeConfig(config as Config)));
  for (const text of shown) {
    for (const form of [key, bytes.toString('hex'), bytes.join(','), bytes.join(', ')])
      expect(text).not.toContain(form);
  }
});

test.each([
  ['in wrapup.yaml', ACME, { root: OWN }, 'outside-client', 'belongs into the file of a client'],
  ['of another length', `${ACME}${OWN}`, { key: 'c2hvcnQ=' }, 'bad-key', 'key 1 is not 32 bytes'],
  ['a second one of another length', `${ACME}${OWN}`, { key: `${newKey()},abc` }, 'bad-key', 'key 2 is not 32 bytes'],
  ['set to nothing', `${ACME}${OWN}`, { key: '' }, 'bad-key', 'ACME_ENCRYPTION_KEY is set to nothing'],
  ['in the file itself', `${ACME}encryption_key: ${newKey()}\n`, {}, 'bad-key', 'must come from a variable'],
  ['a variable of another client', `${ACME}${BOLTS}`, {}, 'outside-client', 'BOLT_ENCRYPTION_KEY is not one of client'],
])(
  'is an error %s',
  async (_what, acme, { root = '', key = newKey() }: { root?: string; key?: string }, code, message) => {
    const env = { ACME_ENCRYPTION_KEY: key, BOLT_ENCRYPTION_KEY: newKey() };
    const { findings, config } = await load(folderOf(acme, root), env);
    expect(findings).toMatchObject([{ code, severity: 'error', message: expect.stringContaining(message) }]);
    if (key !== '') expect(JSON.stringify(findings)).not.toContain(key);
    if (root === '') expect(config?.clients).toMatchObject({ acme: { state: 'unusable' }, bolt: { state: 'current' } });
  },
);

test('a key that is gone or wrong while the process runs: the client keeps the one it had', async () => {
  const key = newKey();
  const folder = dirname(folderOf(`${ACME}${OWN}`));
  const secrets = dirname(configFolder({ ACME_ENCRYPTION_KEY: key }));
  const env = { WRAPUP_SECRETS_DIR: secrets };
  const file = join(folder, 'wrapup.yaml');
  const first = await load(file, env);
  expect(first.findings).toEqual([]);
  writeFileSync(join(secrets, 'ACME_ENCRYPTION_KEY'), 'short');
  const second = await load(file, env, { previous: first.config as Config });
  expect(second.findings).toMatchObject([{ code: 'bad-key' }]);
  expect(second.config?.clients.acme?.state).toBe('last_good');
  expect(keysOfClient(second.config as Config, 'acme')?.map(({ id }) => id)).toEqual([idOf(key)]);
  // Rotated without a restart, as the file of the variable is looked at.
  const next = newKey();
  writeFileSync(join(secrets, 'ACME_ENCRYPTION_KEY'), `${next}\n${key}\n`);
  const third = await load(file, env, { previous: second.config as Config });
  expect(third.findings).toEqual([]);
  expect(keysOfClient(third.config as Config, 'acme')?.map(({ id }) => id)).toEqual([idOf(next), idOf(key)]);
});

test('one that can be guessed, or that others have as well, is a warning', async () => {
  for (const weak of [Buffer.alloc(32), Buffer.from('a-key-of-thirty-two-letters-only')]) {
    const { findings, config } = await load(folderOf(`${ACME}${OWN}`), {
      ACME_ENCRYPTION_KEY: weak.toString('base64'),
    });
    expect(findings).toMatchObject([
      { code: 'weak-key', severity: 'warning', hint: expect.stringContaining('put it into ACME_ENCRYPTION_KEY') },
    ]);
    expect(config?.clients.acme?.state).toBe('current');
  }
  const same = newKey();
  const env = { ACME_ENCRYPTION_KEY: same, BOLT_ENCRYPTION_KEY: same };
  const shared = await load(folderOf(`${ACME}${OWN}`, '', `${BOLT}${BOLTS}`), env);
  expect([...shared.clientFindings].map(([client, found]) => [client, found.map(({ code }) => code)])).toEqual([
    ['acme', ['shared-key']],
    ['bolt', ['shared-key']],
  ]);
  for (const [client, other] of [
    ['acme', 'bolt'],
    ['bolt', 'acme'],
  ] as const) {
    const [finding] = shared.clientFindings.get(client) ?? [];
    expect(finding?.severity).toBe('warning');
    // The message goes to the client itself.
    expect(finding?.message).not.toContain(other);
    expect(finding?.hint).toContain(other);
  }
  const installations = await load(folderOf(`${ACME}${OWN}`), {
    ...{ ACME_ENCRYPTION_KEY: same, WRAPUP_ENCRYPTION_KEY: `${newKey()},${same}` },
  });
  expect(installations.findings).toMatchObject([
    { code: 'shared-key', severity: 'warning', message: expect.stringContaining('a key of the installation') },
  ]);
});

test('commands have the keys of a client whose file has other errors, or was put aside', async () => {
  const key = newKey();
  const file = folderOf(`${ACME.replace('to: sales', 'to: salse')}${OWN}`);
  const keysOf = (env: Record<string, string>) => readClientKeys({ file, env: { ...ENV, ...env } });
  expect(keysOf({ ACME_ENCRYPTION_KEY: key })('acme')?.map(({ id }) => id)).toEqual([idOf(key)]);
  expect(keysOf({ ACME_ENCRYPTION_KEY: key })('bolt')).toBeUndefined();
  expect(keysOf({ ACME_ENCRYPTION_KEY: key })('gone')).toBeUndefined();
  expect(() => keysOf({})('acme')).toThrow(
    'the keys of client acme cannot be read: the environment variable ACME_ENCRYPTION_KEY is not set',
  );
  expect(() => keysOf({ ACME_ENCRYPTION_KEY: '' })('acme')).toThrow('ACME_ENCRYPTION_KEY is set to nothing');
  expect(() => keysOf({ ACME_ENCRYPTION_KEY: 'short' })('acme')).toThrow('key 1 is not 32 bytes');
  const folder = join(dirname(file), 'clients');
  renameSync(join(folder, 'acme.yaml'), join(folder, '_acme.yaml'));
  expect(keysOf({ ACME_ENCRYPTION_KEY: key })('acme')?.map(({ id }) => id)).toEqual([idOf(key)]);
  writeFileSync(join(folder, '_acme.yaml'), `${OWN}: [`);
  expect(() => keysOf({ ACME_ENCRYPTION_KEY: key })('acme')).toThrow('the keys of client acme cannot be read');
});

test.each([
  // No user can read these as a file, not even root.
  ['a folder', (path: string) => mkdirSync(path)],
  ['a link to itself', (path: string) => symlinkSync(path, path)],
])('a file of a client that is there and cannot be read is not taken for one without keys: %s', (_what, make) => {
  const file = folderOf(`${ACME}${OWN}`);
  const keysOf = readClientKeys({ file, env: { ...ENV, ACME_ENCRYPTION_KEY: newKey() } });
  const path = join(dirname(file), 'clients/acme.yaml');
  rmSync(path);
  make(path);
  expect(() => keysOf('acme')).toThrow(/^the keys of client acme cannot be read: .*acme\.yaml is there, and cannot be/);
  expect(keysOf('bolt')).toBeUndefined();
});

test('the keys of the installation are read only where a client has some of its own', async () => {
  let asked = 0;
  const env = {
    ...{ ...ENV, ACME_ENCRYPTION_KEY: newKey() },
    get WRAPUP_ENCRYPTION_KEY() {
      asked += 1;
      return newKey();
    },
  };
  await loadConfig({ file: folderOf(ACME), env });
  expect(asked).toBe(0);
  await loadConfig({ file: folderOf(`${ACME}${OWN}`), env });
  expect(asked).toBeGreaterThan(0);
});
