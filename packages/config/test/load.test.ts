import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { describeConfig, loadConfig } from '@wrapup/config';
import { expect, onTestFinished, test } from 'vitest';
import { configFolder, ENV, GOOD, MAPPING } from './support/folder.ts';

const EXAMPLE = join(import.meta.dirname, '../../../config/wrapup.yaml');

function folderWith(text = GOOD) {
  return configFolder({ 'wrapup.yaml': text, 'mappings/hubspot.yaml': MAPPING });
}

async function load(file: string, env: NodeJS.ProcessEnv = ENV, expected: string[] = []) {
  const { config, findings } = await loadConfig({ file, env });
  expect(findings.map(({ code }) => code)).toEqual(expected);
  if (!config) throw new Error('no config');
  return config;
}

test('the example loads with nothing but a secret and a token in the environment', async () => {
  const config = await load(EXAMPLE);
  expect(config.sources.main).toMatchObject({ webhook_secrets: [ENV.SYNTHFLOW_WEBHOOK_SECRET], path_token: [] });
  expect(config.sources.main).not.toHaveProperty('api_key');
  expect(config.connections.sales?.settings).toMatchObject({ base_url: 'https://api.hubapi.com' });
  expect(config.routes).toMatchObject([{ name: 'sales-calls', to: 'sales', also: false }]);
});

test('defaults are filled in', async () => {
  const config = await load(folderWith());
  expect(config.sources.main).toEqual({
    name: 'main',
    provider: 'synthflow',
    region: 'global',
    webhook_secrets: [ENV.SYNTHFLOW_WEBHOOK_SECRET],
    path_token: [],
    trust: 'signature',
    revisions: 'additive',
    reads_per_minute: 300,
    keep: { transcript: true, raw: true },
    agents: {},
  });
  expect(config.routes[0]?.retries).toEqual({ attempts: 10, base: 1_000, cap: 600_000 });
  expect(config.retention).toEqual({ ledger_days: 90, delivered_days: 7, stopped_days: 30 });
});

test('durations, numbers and switches may come from variables', async () => {
  const text = GOOD.replace(
    '/hubspot.yaml }',
    '/hubspot.yaml, retries: { attempts: "${ATTEMPTS}", base: 250ms, cap: "${CAP}" } }',
  ).replace('connections:', '    keep: { transcript: "${KEEP:-false}" }\nconnections:');
  const config = await load(folderWith(text), { ...ENV, ATTEMPTS: '3', CAP: '1.5h' });
  expect(config.routes[0]?.retries).toEqual({ attempts: 3, base: 250, cap: 5_400_000 });
  expect(config.sources.main?.keep).toEqual({ transcript: false, raw: true });
});

test('a secret may come from a mounted file, without its line break', async () => {
  const file = folderWith();
  const mounted = join(dirname(file), 'secret');
  writeFileSync(mounted, 'mounted-secret-0123456789\n');
  const { SYNTHFLOW_WEBHOOK_SECRET: _, ...rest } = ENV;
  const config = await load(file, { ...rest, SYNTHFLOW_WEBHOOK_SECRET_FILE: mounted });
  expect(config.sources.main?.webhook_secrets).toEqual(['mounted-secret-0123456789']);
});

test('a variable and its file at once are refused', async () => {
  const env = { ...ENV, HUBSPOT_ACCESS_TOKEN_FILE: '/run/secrets/token' };
  const { findings } = await loadConfig({ file: folderWith(), env });
  expect(findings).toMatchObject([{ code: 'unreadable-variable', hint: 'unset one of them' }]);
});

test('empty values in lists are dropped, and a literal ${ can be written', async () => {
  const text = GOOD.replace(
    '["${SYNTHFLOW_WEBHOOK_SECRET}"]',
    () => '["${SYNTHFLOW_WEBHOOK_SECRET}", "${OLD_SECRET:-}", "$${not-a-variable}-0123456789"]',
  );
  const config = await load(folderWith(text), { ...ENV, OLD_SECRET: '' });
  expect(config.sources.main?.webhook_secrets).toEqual([ENV.SYNTHFLOW_WEBHOOK_SECRET, '${not-a-variable}-0123456789']);
});

test('a value from a variable is never read as YAML', async () => {
  const config = await load(folderWith(), { ...ENV, HUBSPOT_ACCESS_TOKEN: '{ a: [1, "${X}" ] }: # no' });
  expect(config.connections.sales?.settings).toMatchObject({ access_token: '{ a: [1, "${X}" ] }: # no' });
});

test.each([
  ['no api_key', '', undefined],
  ['an api_key that is empty', 'api_key: "${EMPTY}"', undefined],
  ['an api_key', 'api_key: k', { every: 600_000, look_back: 21_600_000, grace: 1_500_000 }],
  ['an api_key and reconcile: false', 'api_key: k\n    reconcile: false', undefined],
  [
    'its own pace',
    'api_key: k\n    reconcile: { every: 1h }',
    { every: 3_600_000, look_back: 21_600_000, grace: 1_500_000 },
  ],
])('missed webhooks are looked for with %s: %#', async (_what, lines, expected) => {
  const { config, findings } = await loadConfig({
    file: configFolder({
      'wrapup.yaml': GOOD.replace('connections:', `    ${lines}\nconnections:`),
      'mappings/hubspot.yaml': MAPPING,
    }),
    env: { ...ENV, EMPTY: '' },
  });
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(config?.sources.main?.reconcile).toEqual(expected);
});

test('the whole of inbound and reconcile is taken', async () => {
  const text = `${GOOD.replace('connections:', '    api_key: k\n    path_token: 9f86d081884c7d659a2feaa0c55ad015\n    reconcile: { every: 5m }\nconnections:')}
inbound:
  look_up: sales
  within: 1500ms
  variables: { first_name: person.firstname, open_deal: "person.deals[0].dealname", who: { value: Alice }, calls: 3, from: lead.country }
  personal: { when: { path: person.phone_verified, equals: true }, variables: { tier: person.tier } }
  agents:
    - { when: { path: person.lifecyclestage, equals: customer }, agent: a1 }
    - { when: { path: person.hs_lead_status, equals: UNQUALIFIED }, decline: true }
    - { when: { path: call.to_number, equals: "+14155550100" }, agent: a2 }
`;
  const config = await load(folderWith(text), ENV);
  expect(config.sources.main?.reconcile).toEqual({ every: 300_000, look_back: 21_600_000, grace: 1_500_000 });
  expect(config.sources.main?.inbound).toMatchObject({
    look_up: 'sales',
    within: 1500,
    guard: 'token',
    variables: {
      first_name: { path: ['person', 'firstname'] },
      open_deal: { path: ['person', 'deals', 0, 'dealname'] },
      who: { value: 'Alice' },
      calls: { value: 3 },
      from: { path: ['lead', 'country'] },
    },
    personal: { variables: { tier: { path: ['person', 'tier'] } } },
    agents: [
      { agent: 'a1', decline: false, asks_caller: true },
      { decline: true, asks_caller: true },
      { agent: 'a2', asks_caller: false },
    ],
    reads: {
      properties: ['firstname', 'hs_lead_status', 'lifecyclestage', 'phone_verified', 'tier'],
      related: { deals: { properties: ['dealname'], most: 1 } },
    },
  });
});

test('the hash follows every file, and not the place of the folder', async () => {
  const file = folderWith();
  const { hash } = await load(file);
  const copy = mkdtempSync(join(tmpdir(), 'wrapup-copy-'));
  onTestFinished(() => rmSync(copy, { recursive: true }));
  cpSync(dirname(file), copy, { recursive: true });
  expect((await load(join(copy, 'wrapup.yaml'))).hash).toBe(hash);
  writeFileSync(join(copy, 'mappings/hubspot.yaml'), `${MAPPING}# a remark\n`);
  expect((await load(join(copy, 'wrapup.yaml'))).hash).not.toBe(hash);
});

test('what is shown of a configuration holds no secret', async () => {
  const text = GOOD.replace('connections:', '    api_key: "${KEY}"\n    path_token: ["${TOKEN}"]\nconnections:');
  const config = await load(folderWith(text), { ...ENV, KEY: 'an-api-key-of-mine', TOKEN: 'Zk3J9x7vQ2mN8pR4tW6yBd' });
  const shown = JSON.stringify(describeConfig(config));
  for (const secret of [...Object.values(ENV), 'an-api-key-of-mine', 'Zk3J9x7vQ2mN8pR4tW6yBd'])
    expect(shown).not.toContain(secret);
  expect(describeConfig(config)).toMatchObject({
    sources: { main: { webhook_secrets: '(1 set)', api_key: '(set)', path_token: '(1 set)' } },
    connections: { sales: { kind: 'hubspot', access_token: '(set)' } },
    routes: [{ name: 'sales-calls', conditional: false, retries: { attempts: 10, base: '1s', cap: '10m' } }],
  });
});

test('a path that cannot be read is a finding', async () => {
  const { findings } = await loadConfig({ file: dirname(folderWith()), env: ENV });
  expect(findings).toMatchObject([{ code: 'no-config' }]);
});

test('all mistakes are reported at once, in the order of the file', async () => {
  const file = configFolder({
    'wrapup.yaml': [
      'sources:',
      '  main: { webhook_secrets: ["${SYNTHFLOW_WEBHOOK_SECRET}"], regoin: us, default_country: UK }',
      'connections:',
      '  sales: { kind: hubspot, acces_token: x }',
      '  service: { kind: sugarcrm }',
      'routes:',
      '  - { name: A b, to: salse, mapping: mappings/nothing.yaml, retries: { attempts: many } }',
      '  - { name: other, to: sales, mapping: mappings/nothing.yaml, wehn: {} }',
      '',
    ].join('\n'),
    'mappings/hubspot.yaml': MAPPING,
  });
  const { config, findings } = await loadConfig({ file, env: ENV });
  expect(config).toBeUndefined();
  expect(findings.map(({ at, code }) => `${at?.line}:${code}`)).toEqual([
    '2:unknown-key',
    '2:bad-value',
    '4:unknown-key',
    '5:unknown-kind',
    '7:bad-name',
    '7:unknown-connection',
    '7:bad-value',
    '8:no-mapping',
    '8:unknown-key',
  ]);
});

test('a file that is not there is a finding that says where it was looked for', async () => {
  const file = relative(process.cwd(), configFolder({}));
  const { config, findings } = await loadConfig({ env: { WRAPUP_CONFIG: file } });
  expect(config).toBeUndefined();
  expect(findings).toMatchObject([{ code: 'no-config', hint: expect.stringContaining('WRAPUP_CONFIG') }]);
});
