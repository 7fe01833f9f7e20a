import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type LastGoodFiles, loadConfig } from '@wrapup/config';
import { expect, test } from 'vitest';
import { configFolder, ENV, GOOD, MAPPING } from './support/folder.ts';
import { expectFinding, type Mistake, REST, ROUTES, source } from './support/mistakes.ts';

/** A connection, and a route that takes the calls of both sources. */
const OF_BOTH = REST.replace('{ name: calls,', '{ name: calls, from: [main, other],');

const MISTAKES: Mistake[] = [
  [
    'trust: signature has no secret',
    `sources:\n  main:\n    »webhook_secrets: ["\${EMPTY}"]\n${REST}`,
    { code: 'no-secret', says: /at least one webhook secret/ },
  ],
  ['trust: api has no key', source('»trust: api'), { code: 'no-api-key', says: /reads every call again/ }],
  [
    'trust: api has no lock at all',
    `sources:\n  main:\n    »trust: api\n    api_key: k\n${REST}`,
    { code: 'open-door', says: /anyone who knows the address has calls read/, hint: /openssl rand -hex 16/ },
  ],
  [
    'reconcile has no key',
    source('»reconcile: {}'),
    { code: 'no-api-key', says: /lists calls/, hint: /reconcile: false/ },
  ],
  [
    'reconcile is on without a section',
    source('api_key: k\n    reconcile: »true'),
    { code: 'bad-value', says: /must be false, or a section/ },
  ],
  [
    'reconcile looks back less than it waits',
    source('api_key: k\n    »reconcile: { look_back: 10m, grace: 25m }'),
    { code: 'bad-value', says: /look_back must be longer/ },
  ],
  [
    'trust: none beside an account',
    source('»trust: none'),
    { code: 'trust-none', says: /by anyone .* to sales \(https:\/\/api\.hubapi\.com\)/, severity: 'warning' },
  ],
  [
    'a secret is an example',
    `sources: { main: { webhook_secrets: [»changeme-changeme-changeme] } }\n${REST}`,
    {
      code: 'weak-secret',
      says: /webhook secret 1 is an example that everyone knows: .* connection sales \(https:\/\/api\.hubapi\.com\)/,
      hint: /openssl rand -hex 32/,
    },
  ],
  [
    'a secret is the one that was shipped, out of a variable',
    `sources: { main: { webhook_secrets: [»"\${SHIPPED}"] } }\n${REST}`,
    { code: 'weak-secret', says: /is an example/, hint: /openssl rand -hex 32 and put it into SHIPPED/ },
  ],
  [
    'a secret is short',
    `sources: { main: { webhook_secrets: [»k3J9x] } }\n${REST}`,
    { code: 'weak-secret', says: /is short: 5 bytes, and 16/ },
  ],
  [
    'a secret repeats itself',
    `sources: { main: { webhook_secrets: [»k3J9x7k3J9x7k3J9x7k3J9x7] } }\n${REST}`,
    { code: 'weak-secret', says: /is repetitive/ },
  ],
  [
    'the second of two secrets is weak',
    `sources: { main: { webhook_secrets: ["\${SYNTHFLOW_WEBHOOK_SECRET}", »aaaaaaaaaaaaaaaaaaaaaaaa] } }\n${REST}`,
    { code: 'weak-secret', says: /webhook secret 2 is repetitive/ },
  ],
  [
    'a secret is weak beside a private address',
    `sources: { main: { webhook_secrets: [»k3J9x] } }\nconnections: { sales: { kind: http, url: "http://10.1.2.3/x", allow_private: true } }\n${ROUTES.replace('hubspot.yaml', 'http.yaml')}`,
    { code: 'weak-secret', says: /connection sales \(http:\/\/10\.1\.2\.3\)/ },
  ],
  [
    'a path token holds less than 128 bits',
    source('path_token: [»Zk3J9x7vQ2mN8pR4tW6yB]'),
    { code: 'weak-path-token', says: /path token 1 is short: 21 characters, and 22/, hint: /openssl rand -hex 16/ },
  ],
  [
    'a path token of hexadecimal digits holds less than 128 bits',
    source('path_token: »"9f86d081884c7d659a2feaa0c55ad01"'),
    { code: 'weak-path-token', says: /is short: 31 characters, and 32/ },
  ],
  ['a path token is a word', source('path_token: [»password]'), { code: 'weak-path-token', says: /is an example/ }],
  [
    'two sources have one secret, and one of them asks for nothing else',
    `sources:\n  main: { webhook_secrets: ["\${SYNTHFLOW_WEBHOOK_SECRET}"], path_token: 9f86d081884c7d659a2feaa0c55ad015 }\n  other: { webhook_secrets: [»"\${SYNTHFLOW_WEBHOOK_SECRET}"] }\n${OF_BOTH}`,
    { code: 'shared-secret', says: /sources\.other: source main has the same/, hint: /or other a path_token/ },
  ],
];

test.each(MISTAKES)('%s', (_what, marked, wanted) => expectFinding(marked, wanted));

test.each([
  'http://127.0.0.1:8090/hubspot',
  'http://localhost:8090/hubspot',
  'http://[::1]:8090/hubspot',
  'http://[::ffff:127.0.0.1]:8090/hubspot',
  'http://sandbox:8090/hubspot',
])('beside %s a secret harms no one, and only the one that was shipped is remarked on', async (base_url) => {
  const text = `sources: { main: { webhook_secrets: [demo-webhook-secret, short], path_token: abcdefgh } }
connections: { sales: { kind: hubspot, access_token: x, base_url: "${base_url}" } }
${ROUTES}`;
  const file = configFolder({ 'wrapup.yaml': text, 'mappings/hubspot.yaml': MAPPING });
  const { config, findings } = await loadConfig({ file, env: ENV });
  expect(findings).toMatchObject(
    [
      {
        severity: 'warning',
        code: 'weak-secret',
        message: /came with an earlier version/,
        at: { line: 1, column: 38 },
      },
    ].map(({ message, ...rest }) => ({ ...rest, message: expect.stringMatching(message) })),
  );
  expect(config).toBeDefined();
});

test('an address that a variable leaves empty is the vendor’s, and a weak secret beside it an error', async () => {
  const text = `sources: { main: { webhook_secrets: [demo-webhook-secret] } }
connections: { sales: { kind: hubspot, access_token: x, base_url: "\${HUBSPOT_BASE_URL:-}" } }
${ROUTES}`;
  const file = configFolder({ 'wrapup.yaml': text, 'mappings/hubspot.yaml': MAPPING });
  const { findings } = await loadConfig({ file, env: { HUBSPOT_BASE_URL: '' } });
  expect(findings).toMatchObject([{ severity: 'error', code: 'weak-secret' }]);
});

test('two sources may have one secret where each asks for more', async () => {
  const shared = 'webhook_secrets: ["${SYNTHFLOW_WEBHOOK_SECRET}"]';
  const text = `sources:
  main: { ${shared}, path_token: 9f86d081884c7d659a2feaa0c55ad015 }
  other: { ${shared}, trust: api, api_key: k }
${OF_BOTH}`;
  const file = configFolder({ 'wrapup.yaml': text, 'mappings/hubspot.yaml': MAPPING });
  expect((await loadConfig({ file, env: ENV })).findings).toEqual([]);
});

test('no secret is repeated in what is said of it', async () => {
  const secrets = ['k3J9x7k3J9x7k3J9x7k3J9x7', 'Zk3J9x7vQ2mN8pR4tW6yB'] as const;
  const text = `sources: { main: { webhook_secrets: ["${secrets[0]}"], path_token: "${secrets[1]}" } }\n${REST}`;
  const file = configFolder({ 'wrapup.yaml': text, 'mappings/hubspot.yaml': MAPPING });
  const { findings } = await loadConfig({ file, env: ENV });
  expect(findings).toHaveLength(2);
  for (const secret of secrets) expect(JSON.stringify(findings)).not.toContain(secret);
});

const SHARED = 'a3f1c0de9a77401bb3f1c0de9a77401b';
/** A connection and a route of a client, without a variable of the installation. */
const OWN_REST = REST.replace('"${HUBSPOT_ACCESS_TOKEN}"', 'a-token');
const guarded = (more = '') => `sources: { main: { webhook_secrets: [${SHARED}]${more} } }\n${OWN_REST}`;
const TOKEN = ', path_token: 9b1d3c0e7f2a4c558d6e0f1a2b3c4d5e';

test.each([
  ['both clients are open', { acme: guarded(), bolt: guarded() }, ['acme', 'bolt']],
  ['only the one that is open', { acme: guarded(TOKEN), bolt: guarded() }, ['bolt']],
  ['none where both ask for more', { acme: guarded(TOKEN), bolt: guarded(', trust: api, api_key: k') }, []],
  ['the client, not wrapup.yaml', { root: guarded(), acme: guarded(TOKEN) }, ['acme']],
])('a webhook secret that two files share: %s', async (_what, { root, ...clients }: Record<string, string>, wrong) => {
  const file = configFolder({
    'wrapup.yaml': root ?? GOOD,
    'mappings/hubspot.yaml': MAPPING,
    ...Object.fromEntries(Object.entries(clients).map(([name, text]) => [`clients/${name}.yaml`, text])),
  });
  const { config } = await loadConfig({ file, env: ENV });
  const broken = Object.values(config?.clients ?? {}).filter(({ state }) => state !== 'current');
  expect(broken.map(({ name }) => name)).toEqual(wrong);
  for (const { errors } of broken) {
    expect(errors).toMatchObject([{ code: 'shared-secret', hint: expect.stringMatching(/^it is (acme|bolt|main)/) }]);
    expect(errors[0]?.message).not.toMatch(/acme|bolt/);
  }
});

test('keys of a source that moved belong to one source', async () => {
  const moved = GOOD.replace('"${HUBSPOT_ACCESS_TOKEN}"', 'a-token')
    .replace('main:\n', 'main:\n    key_prefix: main\n')
    .replace('"${SYNTHFLOW_WEBHOOK_SECRET}"', SHARED);
  const files = { 'mappings/hubspot.yaml': MAPPING, 'clients/acme.yaml': moved };
  const beside = await loadConfig({ file: configFolder({ 'wrapup.yaml': GOOD, ...files }), env: ENV });
  expect(beside.findings).toMatchObject([
    {
      code: 'duplicate-name',
      message: expect.stringContaining('a source outside of this file'),
      hint: expect.stringContaining('main of wrapup.yaml'),
    },
  ]);
  const alone = await loadConfig({ file: configFolder({ 'wrapup.yaml': 'routes: []\n', ...files }), env: ENV });
  expect(alone.config?.sources['acme.main']).toMatchObject({ key_prefix: 'main' });
});

const prefixed = (secret: string, prefix: string, more = '') =>
  `sources: { main: { webhook_secrets: [${secret}], key_prefix: ${prefix}${more} } }\n${OWN_REST}`;
const [ONE, TWO, THREE] = ['1', '2', '3'].map((digit) => `${digit}3f1c0de9a77401bb3f1c0de9a77401b`) as [
  string,
  string,
  string,
];

/** Loads a folder of clients, then again as `change` says, beside what was in force; and what is in force of each then. */
async function loadTwice(first: Record<string, string>, change: Record<string, string>, lastGood?: LastGoodFiles) {
  const named = (files: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(files).map(([name, text]) => [name === 'root' ? 'wrapup.yaml' : `clients/${name}.yaml`, text]),
    );
  const file = configFolder({ 'wrapup.yaml': GOOD, 'mappings/hubspot.yaml': MAPPING, ...named(first) });
  const before = await loadConfig({ file, env: ENV });
  expect(before.findings).toEqual([]);
  for (const [name, text] of Object.entries(named(change))) writeFileSync(join(dirname(file), name), text);
  const previous = before.config;
  const { config, findings } = await loadConfig({
    ...{ file, env: ENV },
    ...(lastGood ? { lastGood } : previous && { previous }),
  });
  const states = Object.entries(config?.clients ?? {}).map(([name, { state }]) => [name, state]);
  const prefixes = Object.values(config?.sources ?? {}).map(({ name, key_prefix }) => [name, key_prefix]);
  return { config, findings, states: Object.fromEntries(states), prefixes: Object.fromEntries(prefixes) };
}

test.each([
  ['the keys', { acme: prefixed(ONE, 'old') }, { bolt: prefixed(TWO, 'old') }],
  ['the keys, and comes first by name', { bolt: prefixed(ONE, 'old') }, { acme: prefixed(TWO, 'old') }],
  ['the secret, with a token of its own', { acme: guarded() }, { bolt: guarded(TOKEN) }],
])('a client that comes and claims %s of one in force loses', async (_what, first, change: Record<string, string>) => {
  const { states } = await loadTwice(first, change);
  const [[old], [late]] = [Object.keys(first), Object.keys(change)] as [[string], [string]];
  expect(states).toEqual({ [old]: 'current', [late]: 'unusable' });
});

test('what is in force of a client counts, and not what its file says beside a mistake', async () => {
  const first = { acme: prefixed(ONE, 'old'), bolt: prefixed(TWO, 'bolts') };
  const broken = `${prefixed(ONE, 'bolts')}nosuch: 1\n`;
  const { states, prefixes, findings } = await loadTwice(first, { acme: broken, calm: prefixed(THREE, 'old') });
  expect(states).toEqual({ acme: 'last_good', bolt: 'current', calm: 'unusable' });
  expect(prefixes).toMatchObject({ 'acme.main': 'old', 'bolt.main': 'bolts' });
  expect(findings.map(({ code }) => code).sort()).toEqual(['duplicate-name', 'unknown-key']);
});

test('a client that loses keeps what a newcomer claims meanwhile', async () => {
  const first = { acme: prefixed(ONE, 'old'), bolt: prefixed(TWO, 'bolts') };
  const { states, prefixes } = await loadTwice(first, { acme: prefixed(ONE, 'bolts'), calm: prefixed(THREE, 'old') });
  expect(states).toEqual({ acme: 'last_good', bolt: 'current', calm: 'unusable' });
  expect(prefixes).toMatchObject({ 'acme.main': 'old', 'bolt.main': 'bolts' });
});

test('a source that comes into wrapup.yaml and claims the keys of a client in force is refused', async () => {
  const root = GOOD.replace('  main:', '  old: { webhook_secrets: [f3f1c0de9a77401bb3f1c0de9a77401b] }\n  main:');
  const change = { root: root.replace('to: sales,', 'from: [main, old], to: sales,') };
  const { config, findings } = await loadTwice({ acme: prefixed(ONE, 'old') }, change);
  expect(config).toBeUndefined();
  expect(findings).toMatchObject([
    { code: 'duplicate-name', at: { line: 2 }, hint: expect.stringContaining('acme.main') },
  ]);
});

test('after a restart, what was in force before comes first', async () => {
  const acme = prefixed(ONE, 'old');
  const texts: Record<string, string> = { 'clients/acme.yaml': acme, 'mappings/hubspot.yaml': MAPPING };
  const lastGood: LastGoodFiles = { read: async (client) => (client === 'acme' ? texts : undefined) };
  const { states, findings } = await loadTwice({ acme }, { bolt: prefixed(TWO, 'old') }, lastGood);
  expect(states).toEqual({ acme: 'current', bolt: 'unusable' });
  expect(findings).toHaveLength(1);
});

test('two that come at once both lose, as neither was there before', async () => {
  const { states } = await loadTwice(
    { calm: prefixed(ONE, 'calm') },
    { acme: prefixed(TWO, 'old'), bolt: prefixed(THREE, 'old') },
  );
  expect(states).toEqual({ calm: 'current', acme: 'unusable', bolt: 'unusable' });
});
