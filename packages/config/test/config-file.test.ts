import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { emptyCall } from '@wrapup/call';
import { alertTargets, chooseRoutes, type LoadOptions, loadConfig, retentionOf } from '@wrapup/config';
import { expect, test } from 'vitest';
import { configFolder, ENV, GOOD, MAPPING, unmark } from './support/folder.ts';

const client = (secret: string, more = '') => `sources:
  main: { webhook_secrets: ["${secret}"], default_country: US }
connections:
  sales: { kind: hubspot, access_token: "\${HUBSPOT_ACCESS_TOKEN}" }
routes:
  - { name: calls, to: sales, mapping: mappings/hubspot.yaml }
${more}`;
const ACME = client('c3a1f0be9a77401bb3f1c0de9a7740aa');
const BOLT = client('d3a1f0be9a77401bb3f1c0de9a7740bb');

const SHARES = 'client_variables: { "*": [HUBSPOT_ACCESS_TOKEN] }\n';

function folder(files: Record<string, string> = {}, root = GOOD + SHARES) {
  return configFolder({ 'wrapup.yaml': root, 'mappings/hubspot.yaml': MAPPING, ...files });
}

async function load(file: string, options: LoadOptions = {}) {
  const loaded = await loadConfig({ file, env: ENV, ...options });
  if (!loaded.config) throw new Error(JSON.stringify(loaded.findings));
  return { ...loaded, config: loaded.config };
}

test('names of a client carry the client outside of its file, and lead only to what stands in it', async () => {
  const { config, findings } = await load(folder({ 'clients/acme.yaml': ACME, 'clients/bolt.yaml': BOLT }));
  expect(findings).toEqual([]);
  expect(Object.keys(config.sources)).toEqual(['main', 'acme.main', 'bolt.main']);
  expect(Object.keys(config.connections)).toEqual(['sales', 'acme.sales', 'bolt.sales']);
  expect(config.routes).toMatchObject([
    { name: 'sales-calls', from: ['main'], to: 'sales' },
    { name: 'acme.calls', from: ['acme.main'], to: 'acme.sales' },
    { name: 'bolt.calls', from: ['bolt.main'], to: 'bolt.sales' },
  ]);
  const routesOf = (source: string) => chooseRoutes(config, emptyCall({ id: '1', source })).map(({ name }) => name);
  expect(routesOf('main')).toEqual(['sales-calls']);
  expect(routesOf('acme.main')).toEqual(['acme.calls']);
  expect(routesOf('acme')).toEqual([]);
});

test('the top-level inbound, alerts and retention of a client are its own', async () => {
  const more = 'inbound: { look_up: sales, guard: none }\nalerts: { to: hook }\nretention: { delivered: 3d }\n';
  const hook = 'connections:\n  hook: { kind: http, url: "https://example.com/hook" }';
  const file = folder({
    'clients/acme.yaml': `${ACME.replace('connections:', hook)}${more}`,
    'clients/bolt.yaml': BOLT,
  });
  const { config } = await load(file);
  expect(config.sources['acme.main']?.inbound?.look_up).toBe('acme.sales');
  expect(config.sources['bolt.main']?.inbound).toBeUndefined();
  expect(alertTargets(config, 'acme.sales')).toEqual(['acme.hook']);
  expect(alertTargets({ ...config, alerts: { to: 'ops', lost_fields: 10 } }, 'acme.sales')).toEqual([
    'acme.hook',
    'ops',
  ]);
  expect(alertTargets({ ...config, alerts: { to: 'ops', lost_fields: 10 } }, 'bolt.sales')).toEqual(['ops']);
  expect(alertTargets(config, 'sales')).toEqual([]);
  expect(retentionOf(config, 'acme.main')).toEqual({ ledger_days: 90, delivered_days: 3, stopped_days: 30 });
  expect(retentionOf(config, 'main').delivered_days).toBe(7);
});

test.each([
  ['a connection of wrapup.yaml', 'to: sales,', 'to: »office,', 'unknown-connection'],
  ['a connection of another client, by its full name', 'to: sales,', 'to: »bolt.sales,', 'unknown-connection'],
  ['a source of another client', 'to: sales,', 'from: »bolt.main, to: sales,', 'bad-value'],
  ['a mapping of another client', 'mappings/hubspot.yaml', '»clients/bolt/own.yaml', 'outside-client'],
])('a client cannot name %s', async (_what, written, instead, code) => {
  const { text, line, column } = unmark(ACME.replace(written, instead));
  const root = SHARES + GOOD.replace('  sales:', '  office: { kind: http, url: "https://example.com" }\n  sales:');
  const file = folder({ 'clients/acme.yaml': text, 'clients/bolt.yaml': BOLT, 'clients/bolt/own.yaml': MAPPING }, root);
  const { config, findings } = await load(file);
  const errors = findings.filter(({ severity }) => severity === 'error');
  expect(errors).toMatchObject([{ code, at: { file: join(dirname(file), 'clients/acme.yaml'), line, column } }]);
  expect(config.clients.acme).toMatchObject({ state: 'unusable', errors });
  expect(Object.keys(config.sources)).toEqual(['main', 'bolt.main']);
});

test('a mapping that extends one of another client is refused as well', async () => {
  const file = folder({
    'clients/acme.yaml': ACME.replace('mappings/hubspot.yaml', 'clients/acme/own.yaml'),
    'clients/acme/own.yaml': 'extends: clients/bolt/own.yaml\n',
    'clients/bolt.yaml': BOLT,
    'clients/bolt/own.yaml': MAPPING,
  });
  const { findings, config } = await load(file);
  expect(findings).toMatchObject([{ code: 'outside-client', hint: expect.stringContaining('clients/acme') }]);
  expect(config.clients.bolt?.state).toBe('current');
});

test.each([
  ['another client’s', 'clients/bolt/own.yaml', 'clients/bolt/none.yaml'],
  ['another client’s by a way round', 'mappings/../clients/bolt/own.yaml', 'mappings/../clients/bolt/none.yaml'],
])('the answer to a path that is %s does not say whether a file is there', async (_whose, there, missing) => {
  const findings = async (route: string, own?: string) => {
    const file = folder({
      'clients/acme.yaml': ACME.replace('mappings/hubspot.yaml', route),
      ...(own && { 'clients/acme/own.yaml': `extends: ${own}\n`, 'mappings/shared.yaml': `extends: ${own}\n` }),
      'clients/bolt.yaml': BOLT,
      'clients/bolt/own.yaml': MAPPING,
      'own.yaml': MAPPING,
    });
    const said = (await load(file)).findings.map(({ code, message, hint }) => ({ code, message, hint }));
    expect(said).toMatchObject([{ code: 'outside-client' }]);
    expect(JSON.stringify(said).replaceAll(own ?? route, '')).not.toContain('bolt');
    return JSON.stringify(said);
  };
  expect((await findings(there)).replaceAll(there, missing)).toBe(await findings(missing));
  for (const route of ['clients/acme/own.yaml', 'mappings/shared.yaml'])
    expect(await findings(route, there)).toBe(await findings(route, missing));
});

test('a client is shown the mappings that it can name, and no others', async () => {
  const file = folder({
    'clients/acme.yaml': ACME.replace('mappings/hubspot.yaml', 'clients/acme/huspot.yaml'),
    'clients/acme/hubspot.yaml': MAPPING,
    'clients/bolt.yaml': BOLT,
    'clients/bolt/own.yaml': MAPPING,
    'beside.yaml': MAPPING,
  });
  const [{ hint } = { hint: '' }] = (await load(file)).findings;
  expect(hint).toContain('clients/acme/hubspot.yaml');
  const far = ACME.replace('mappings/hubspot.yaml', 'clients/acme/unlike-anything.yaml');
  writeFileSync(join(dirname(file), 'clients/acme.yaml'), far);
  const [{ hint: all } = { hint: '' }] = (await load(file)).findings;
  expect(all).toMatch(/mappings\/hubspot\.yaml/);
  expect(all).not.toMatch(/bolt|beside\.yaml|clients\/acme\.yaml/);
});

test('wrapup.yaml needs no source where there are clients', async () => {
  const file = folder({ 'clients/acme.yaml': ACME }, `${SHARES}retention: { delivered: 3d }\n`);
  const { config, findings } = await load(file);
  expect(findings).toEqual([]);
  expect(Object.keys(config.sources)).toEqual(['acme.main']);
  rmSync(join(dirname(file), 'clients/acme.yaml'));
  const last = await loadConfig({ file, env: ENV });
  expect(last.findings).toMatchObject([{ severity: 'warning', code: 'no-source' }]);
  expect(last.config).toBeDefined();
  rmSync(join(dirname(file), 'clients'), { recursive: true });
  expect((await loadConfig({ file, env: ENV })).findings).toMatchObject([{ severity: 'error', code: 'no-source' }]);
});

test('a client with a mistake keeps what is in force, and the others go on', async () => {
  const file = folder({ 'clients/acme.yaml': ACME, 'clients/bolt.yaml': BOLT });
  const { config: before } = await load(file);
  writeFileSync(join(dirname(file), 'clients/acme.yaml'), ACME.replace('to: sales', 'to: salse'));
  writeFileSync(join(dirname(file), 'clients/bolt.yaml'), `${BOLT}retention: { delivered: 2d }\n`);
  const { config, findings } = await load(file, { previous: before });
  expect(findings).toMatchObject([{ code: 'unknown-connection' }]);
  expect(config.clients).toMatchObject({
    acme: { state: 'last_good', hash: before.clients.acme?.hash, errors: findings },
    bolt: { state: 'current', errors: [], retention: { delivered_days: 2 } },
  });
  expect(config.routes.find(({ name }) => name === 'acme.calls')).toBe(before.routes[1]);
});

test('a process that starts beside a mistake takes the last good files from the store', async () => {
  const broken = folder({ 'clients/acme.yaml': ACME.replace('to: sales', 'to: salse'), 'clients/bolt.yaml': BOLT });
  const texts = { 'clients/acme.yaml': ACME, 'mappings/hubspot.yaml': MAPPING };
  const asked: string[] = [];
  const read = async (client: string) => {
    asked.push(client);
    return texts;
  };
  const { config, incomplete } = await load(broken, { lastGood: { read } });
  expect(asked).toEqual(['acme']);
  expect(incomplete).toBe(false);
  expect(config.clients.acme?.state).toBe('last_good');
  expect(config.sources['acme.main']?.webhook_secrets).toEqual(['c3a1f0be9a77401bb3f1c0de9a7740aa']);

  const away = await load(broken, { lastGood: { read: () => Promise.reject(new Error('Redis is away')) } });
  expect(away).toMatchObject({ incomplete: true, config: { clients: { acme: { state: 'unusable', hash: '' } } } });
});

test('a broken mapping that clients share is reported once, and reaches only those who use it', async () => {
  const file = folder({
    'mappings/shared.yaml': 'extends: hubspot/nothing-of-the-kind\n',
    'clients/acme.yaml': ACME.replace('hubspot.yaml', 'shared.yaml'),
    'clients/bolt.yaml': BOLT.replace('hubspot.yaml', 'shared.yaml'),
    'clients/calm.yaml': client('e3a1f0be9a77401bb3f1c0de9a7740cc'),
  });
  const { config, findings } = await load(file);
  expect(findings).toHaveLength(1);
  expect(Object.values(config.clients).map(({ state }) => state)).toEqual(['unusable', 'unusable', 'current']);
});

test('a file that no client can have is an error beside which all go on', async () => {
  const file = folder({ 'clients/Acme.yaml': ACME, 'clients/bolt.yml': BOLT, 'clients/_template.yaml': 'x: [' });
  const { config, findings } = await load(file);
  expect(findings.map(({ code, message }) => [code, message.split(' ')[0]])).toEqual([
    ['bad-name', 'clients/Acme.yaml'],
    ['bad-name', 'clients/bolt.yml'],
  ]);
  expect(config.clients).toEqual({});
});

test('only what changed is read anew', async () => {
  const file = folder({ 'clients/acme.yaml': ACME, 'clients/bolt.yaml': BOLT });
  const { config: before } = await load(file);
  writeFileSync(join(dirname(file), 'clients/bolt.yaml'), `${BOLT}# a remark\n`);
  const { config } = await load(file, { previous: before });
  expect(config.sources['acme.main']).toBe(before.sources['acme.main']);
  expect(config.sources['bolt.main']).not.toBe(before.sources['bolt.main']);
  expect(config.hash).not.toBe(before.hash);
});

test.each([
  ['of another client', 'BOLT_TOKEN', 'BOLT_TOKEN', false],
  ['of a client whose name goes on after its own', 'ACME_WEST_TOKEN', 'ACME_WEST_TOKEN', false],
  ['of the installation', 'WRAPUP_ENCRYPTION_KEY', 'WRAPUP_ENCRYPTION_KEY', false],
  ['that wrapup.yaml names', 'SYNTHFLOW_WEBHOOK_SECRET', 'SYNTHFLOW_WEBHOOK_SECRET', false],
  ['of its own', 'ACME_TOKEN', 'ACME_TOKEN', true],
  ['that wrapup.yaml gives to it', 'OLD_TOKEN', 'OLD_TOKEN', true],
  ['that says where a CRM is', 'CRM_BASE_URL', 'CRM_BASE_URL', true],
])('a client and a variable %s', async (_what, variable, name, allowed) => {
  const file = folder(
    {
      'clients/acme.yaml': ACME.replace('HUBSPOT_ACCESS_TOKEN', variable),
      'clients/acme-west.yaml': client('e3a1f0be9a77401bb3f1c0de9a7740cc'),
      'clients/bolt.yaml': BOLT,
    },
    `${GOOD}client_variables: { acme: [OLD_TOKEN], "*": [HUBSPOT_ACCESS_TOKEN] }\n`,
  );
  const { config, findings } = await load(file, { env: { [name]: 'https://set-to-something.example', ...ENV } });
  expect(config.clients.acme?.state).toBe(allowed ? 'current' : 'unusable');
  expect(findings.map(({ code }) => code)).toEqual(allowed ? [] : ['outside-client']);
  expect(JSON.stringify(findings)).not.toContain('set-to-something');
});

test('who may name a variable is asked again when wrapup.yaml says otherwise', async () => {
  const file = folder({ 'clients/acme.yaml': ACME });
  const { config: before } = await load(file);
  writeFileSync(file, GOOD);
  const { config } = await load(file, { previous: before });
  expect(config.clients.acme).toMatchObject({ state: 'last_good', errors: [{ code: 'outside-client' }] });
});

test('a client has room for a large file, and not for one that holds up the others', async () => {
  const agents = (count: number) =>
    `sources:\n  main:\n    webhook_secrets: [c3a1f0be9a77401bb3f1c0de9a7740aa]\n    agents:\n${Array.from({ length: count }, (_, n) => `      agent-${n}: { name: A }\n`).join('')}`;
  const large = await load(folder({ 'clients/acme.yaml': agents(2_000) }));
  expect(large.config.clients.acme?.state).toBe('current');
  const huge = await load(folder({ 'clients/acme.yaml': agents(20_000) }));
  expect(huge.config.clients.acme?.state).toBe('unusable');
});
