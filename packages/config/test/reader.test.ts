/** A process starts without the secrets that it never uses, and with no other missing. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, type Reader, readVariable, watchConfig } from '@wrapup/config';
import { expect, onTestFinished, test, vi } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { configFolder, ENV, MAPPING } from './support/folder.ts';

const TOKEN = '9f86d081884c7d659a2feaa0c55ad015';
const INBOUND = 'inbound: { look_up: service, variables: { first_name: person.firstname } }\n';

function folder(rest = '') {
  return configFolder({
    'wrapup.yaml': `sources:
  main: { webhook_secrets: ["\${SYNTHFLOW_WEBHOOK_SECRET}"], path_token: "\${WEBHOOK_PATH_TOKEN}", trust: api, api_key: "\${SYNTHFLOW_API_KEY}", reconcile: {} }
connections:
  sales: { kind: hubspot, access_token: "\${HUBSPOT_ACCESS_TOKEN}" }
  service: { kind: hubspot, access_token: "\${SERVICE_TOKEN}" }
  alerts: { kind: http, url: "\${ALERT_URL}" }
routes:
  - { name: sales-calls, to: sales, mapping: mappings/hubspot.yaml }
  - { name: service-calls, to: service, mapping: mappings/hubspot.yaml }
alerts: { to: alerts }
${rest}`,
    'mappings/hubspot.yaml': MAPPING,
  });
}

/** Codes of what is wrong, with the variables that are missing. */
async function findings(file: string, env: NodeJS.ProcessEnv, reader?: Reader): Promise<string[]> {
  const loaded = await loadConfig({ file, env, ...(reader && { reader }) });
  expect(loaded.config === undefined).toBe(loaded.findings.some(({ severity }) => severity === 'error'));
  return loaded.findings.map(({ code, message }) => `${code} ${/[A-Z_]{5,}/.exec(message)?.[0] ?? ''}`.trim()).sort();
}

const DOOR = { SYNTHFLOW_WEBHOOK_SECRET: ENV.SYNTHFLOW_WEBHOOK_SECRET, WEBHOOK_PATH_TOKEN: TOKEN };
const CRM = {
  HUBSPOT_ACCESS_TOKEN: ENV.HUBSPOT_ACCESS_TOKEN,
  SERVICE_TOKEN: ENV.HUBSPOT_ACCESS_TOKEN,
  ALERT_URL: 'https://hooks.example.com/x',
  SYNTHFLOW_API_KEY: 'k',
};

test('ingress needs what guards the door, and no token of a CRM or of Synthflow', async () => {
  expect(await findings(folder(), DOOR, 'ingress')).toEqual([]);
  expect(await findings(folder(), {}, 'ingress')).toEqual([
    'unset-variable SYNTHFLOW_WEBHOOK_SECRET',
    'unset-variable WEBHOOK_PATH_TOKEN',
  ]);
  const { config } = await loadConfig({ file: folder(), env: DOOR, reader: 'ingress' });
  expect(config?.connections).toEqual({});
  expect(config?.sources.main).not.toHaveProperty('api_key');
});

test('with inbound: ingress needs the token of the connection that it asks, and of no other', async () => {
  expect(await findings(folder(INBOUND), DOOR, 'ingress')).toEqual(['unset-variable SERVICE_TOKEN']);
  const env = { ...DOOR, SERVICE_TOKEN: CRM.SERVICE_TOKEN };
  expect(await findings(folder(INBOUND), env, 'ingress')).toEqual([]);
  const { config } = await loadConfig({ file: folder(INBOUND), env, reader: 'ingress' });
  expect(Object.keys(config?.connections ?? {})).toEqual(['service']);
});

test.each(['worker', 'dashboard'] as const)('the %s needs the CRM, and not what guards the door', async (reader) => {
  expect(await findings(folder(INBOUND), CRM, reader)).toEqual([]);
  const { config } = await loadConfig({ file: folder(), env: CRM, reader });
  expect(config?.sources.main).toMatchObject({ webhook_secrets: [], path_token: [], api_key: 'k' });
  expect(await findings(folder(), DOOR, reader)).toEqual([
    'unset-variable ALERT_URL',
    'unset-variable HUBSPOT_ACCESS_TOKEN',
    'unset-variable SERVICE_TOKEN',
    'unset-variable SYNTHFLOW_API_KEY',
  ]);
});

test('a check needs all of it', async () => {
  expect(await findings(folder(), { ...DOOR, ...CRM })).toEqual([]);
  expect(await findings(folder(), {})).toHaveLength(6);
});

test('a weak secret keeps ingress from starting also where no token says what it guards', async () => {
  const env = { ...DOOR, SYNTHFLOW_WEBHOOK_SECRET: 'demo-webhook-secret' };
  expect(await findings(folder(), env, 'ingress')).toEqual(['weak-secret']);
});

test('a change is read for the same process', async () => {
  const file = folder();
  const { config } = await loadConfig({ file, env: DOOR, reader: 'ingress' });
  if (!config) throw new Error('no config');
  const changes: unknown[] = [];
  const refusals: unknown[] = [];
  const watch = watchConfig(
    config,
    (next) => changes.push(next),
    (found) => refusals.push(found),
    { env: DOOR, every: 20, reader: 'ingress' },
  );
  onTestFinished(() => watch.close());
  writeFileSync(join(file, '../mappings/hubspot.yaml'), `${MAPPING}# a remark\n`);
  await vi.waitFor(() => expect(changes).toHaveLength(1), PATIENCE);
  expect(refusals).toEqual([]);
});

test('a folder of secrets holds variables; what is set, or named by a file, goes before it', async () => {
  const secrets = mkdtempSync(join(tmpdir(), 'wrapup-secrets-'));
  onTestFinished(() => rmSync(secrets, { recursive: true }));
  writeFileSync(join(secrets, 'A'), 'from the folder\n');
  writeFileSync(join(secrets, 'named'), 'from a file of its own');
  mkdirSync(join(secrets, 'FOLDER'));
  const read = (name: string, env: NodeJS.ProcessEnv) => readVariable(name, { WRAPUP_SECRETS_DIR: secrets, ...env });
  expect(read('A', {})).toBe('from the folder');
  expect(read('A', { A: 'set' })).toBe('set');
  expect(read('A', { A_FILE: join(secrets, 'named') })).toBe('from a file of its own');
  // As docker compose hands on a variable that .env leaves empty.
  expect(read('A', { A: '' })).toBe('from the folder');
  expect(read('B', { B: '' })).toBe('');
  expect(read('B', {})).toBeUndefined();
  expect(read('../A', {})).toBeUndefined();
  // The folder of the installation's own secrets, and one of its clients'.
  const clients = mkdtempSync(join(tmpdir(), 'wrapup-secrets-'));
  onTestFinished(() => rmSync(clients, { recursive: true }));
  writeFileSync(join(clients, 'A'), 'of a client');
  writeFileSync(join(clients, 'ACME_TOKEN'), 'of acme');
  const both = { WRAPUP_SECRETS_DIR: `${secrets}:${clients}` };
  expect(read('A', both)).toBe('from the folder');
  expect(read('ACME_TOKEN', both)).toBe('of acme');
  expect(read('NONE', both)).toBeUndefined();
  expect(() => read('FOLDER', {})).toThrow(/WRAPUP_SECRETS_DIR names \S+FOLDER, which cannot be read \(EISDIR\)/);
});

test('the configuration reads the folder, and follows it', async () => {
  const secrets = mkdtempSync(join(tmpdir(), 'wrapup-secrets-'));
  onTestFinished(() => rmSync(secrets, { recursive: true }));
  writeFileSync(join(secrets, 'SYNTHFLOW_WEBHOOK_SECRET'), DOOR.SYNTHFLOW_WEBHOOK_SECRET);
  writeFileSync(join(secrets, 'WEBHOOK_PATH_TOKEN'), TOKEN);
  const env = { WRAPUP_SECRETS_DIR: secrets };
  const file = folder();
  const { config } = await loadConfig({ file, env, reader: 'ingress' });
  if (!config) throw new Error('no config');
  expect(config.sources.main).toMatchObject({ path_token: [TOKEN] });
  const changes: string[][] = [];
  const watch = watchConfig(
    config,
    (next) => changes.push(next.sources.main?.path_token ?? []),
    () => {},
    { env, every: 20, reader: 'ingress' },
  );
  onTestFinished(() => watch.close());
  const next = '5b0d081884c7d659a2feaa0c55ad0159';
  writeFileSync(join(secrets, 'WEBHOOK_PATH_TOKEN'), next);
  await vi.waitFor(() => expect(changes).toEqual([[next]]), PATIENCE);
});
