import { relative } from 'node:path';
import { loadConfig } from '@wrapup/config';
import { formatFinding } from '@wrapup/findings';
import { expect, test } from 'vitest';
import { configFolder, ENV, MAPPING, unmark } from './support/folder.ts';

const SOURCES = 'sources: { main: { webhook_secrets: ["${SYNTHFLOW_WEBHOOK_SECRET}"] } }\n';
const CONNECTIONS = 'connections: { sales: { kind: hubspot, access_token: "${HUBSPOT_ACCESS_TOKEN}" } }\n';
const ROUTES = 'routes: [ { name: calls, to: sales, mapping: mappings/hubspot.yaml } ]\n';
const REST = CONNECTIONS + ROUTES;
const source = (line: string) =>
  `sources:\n  main:\n    webhook_secrets: ["\${SYNTHFLOW_WEBHOOK_SECRET}"]\n    ${line}\n${REST}`;
const route = (...lines: string[]) =>
  `${SOURCES}${CONNECTIONS}routes:\n${lines.map((line) => `  - ${line}\n`).join('')}`;
const inbound = (line: string) => `${SOURCES}${REST}inbound:\n  look_up: sales\n  guard: none\n  ${line}\n`;
const PLAIN = '{ name: calls, to: sales, mapping: mappings/hubspot.yaml }';

/** What is wrong, the file with the place marked by », and what the finding must say. */
const MISTAKES: [string, string, { code: string; says: RegExp; hint?: RegExp; severity?: 'warning' }][] = [
  [
    'a key at the top is mistyped',
    `»soruces: {}\n${SOURCES}${REST}`,
    { code: 'unknown-key', says: /unknown key "soruces" at the top/ },
  ],
  [
    'a section key is mistyped',
    source('»regoin: us'),
    { code: 'unknown-key', says: /"regoin" in sources\.main/, hint: /did you mean "region"/ },
  ],
  ['a key is given twice', source('region: us\n    »region: eu'), { code: 'duplicate-key', says: /already given/ }],
  ['a tab indents', `sources:\n»\tmain: {}\n${REST}`, { code: 'yaml', says: /[Tt]ab/, hint: /spaces/ }],
  [
    'a bracket never closes',
    `${SOURCES}${CONNECTIONS}routes: [ { name: calls }\n»`,
    { code: 'yaml', says: /./, hint: /close/ },
  ],
  [
    'a choice is not offered',
    source('region: »uk'),
    { code: 'bad-value', says: /sources\.main\.region is none of global, us, eu: "uk"/, hint: /us/ },
  ],
  [
    'a list stands where text belongs',
    source('workspace_id: »[1]'),
    { code: 'bad-value', says: /workspace_id must be text, not a list/ },
  ],
  ['a key has no value', source('»workspace_id:'), { code: 'bad-value', says: /workspace_id has no value/ }],
  [
    'a name has capitals',
    `sources:\n  »Main: { webhook_secrets: ["\${SYNTHFLOW_WEBHOOK_SECRET}"] }\n${REST}`,
    { code: 'bad-name', says: /"Main" must be small letters/, hint: /permanent/ },
  ],
  [
    'a route has no good name',
    route('{ name: »My Route, to: sales, mapping: mappings/hubspot.yaml }'),
    { code: 'bad-name', says: /routes\[0\]\.name must be small letters/ },
  ],
  [
    'a key is a prototype name',
    source('agents: { »__proto__: { name: x } }'),
    { code: 'bad-key', says: /"__proto__" cannot be a key/ },
  ],
  [
    'a duration has no unit',
    source('api_key: k\n    reconcile: { every: »10 }'),
    { code: 'bad-value', says: /every must be a duration such as/ },
  ],
  [
    'a duration is out of range',
    source('api_key: k\n    reconcile: { every: »2s }'),
    { code: 'bad-value', says: /every must be from 1m to 1d/ },
  ],
  [
    'a country is no ISO code',
    source('default_country: »UK'),
    { code: 'bad-value', says: /default_country must be an ISO country code/ },
  ],
  [
    'an agent number is not international',
    source('agents: { a1: { number: »"0171 5550123" } }'),
    { code: 'bad-value', says: /international form/ },
  ],
  [
    'a path token is short',
    source('path_token: [»"abc"]'),
    { code: 'bad-value', says: /path_token\[0\] must be at least 8/ },
  ],
  [
    'a base_url is no address',
    source('base_url: »localhost:8090'),
    { code: 'bad-value', says: /base_url must be an http/ },
  ],
  [
    'a variable is not set',
    source('api_key: »"${NO_SUCH_KEY}"'),
    { code: 'unset-variable', says: /NO_SUCH_KEY is not set/, hint: /NO_SUCH_KEY_FILE/ },
  ],
  ['a placeholder never closes', source('api_key: »"${API_KEY"'), { code: 'bad-placeholder', says: /never closes/ }],
  ['a placeholder is no name', source('api_key: »"${1st}"'), { code: 'bad-placeholder', says: /no variable/ }],
  [
    'a mounted secret is not there',
    source('api_key: »"${MOUNTED}"'),
    { code: 'unreadable-variable', says: /MOUNTED_FILE names .* cannot be read \(ENOENT\)/ },
  ],
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
  ['reconcile has no key', source('»reconcile: {}'), { code: 'no-api-key', says: /lists calls/ }],
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
    `sources:\n  main: { webhook_secrets: ["\${SYNTHFLOW_WEBHOOK_SECRET}"], path_token: 9f86d081884c7d659a2feaa0c55ad015 }\n  other: { webhook_secrets: [»"\${SYNTHFLOW_WEBHOOK_SECRET}"] }\n${REST}`,
    { code: 'shared-secret', says: /sources\.other: source main has the same/, hint: /or other a path_token/ },
  ],
  [
    'a CRM is reached without encryption',
    `${SOURCES}connections: { sales: { kind: hubspot, access_token: x, base_url: »"http://hubspot.example.com" } }\n${ROUTES}`,
    { code: 'plain-http', says: /connections\.sales\.base_url: http:\/\/hubspot\.example\.com is not/, hint: /https/ },
  ],
  [
    'Synthflow is reached without encryption',
    source('base_url: »http://api.synthflow.example'),
    { code: 'plain-http', says: /sources\.main\.base_url/ },
  ],
  [
    'a required key is missing',
    `${SOURCES}connections:\n  »sales: { kind: hubspot }\n${ROUTES}`,
    { code: 'missing-key', says: /connections\.sales\.access_token is required/ },
  ],
  [
    'a required variable is empty',
    `${SOURCES}connections: { sales: { kind: hubspot, access_token: »"\${EMPTY}" } }\n${ROUTES}`,
    { code: 'empty-variable', says: /access_token is required, and EMPTY is empty/ },
  ],
  [
    'a setting of the connection is mistyped',
    `${SOURCES}connections: { sales: { kind: hubspot, »acces_token: x } }\n${ROUTES}`,
    { code: 'unknown-key', says: /"acces_token" in connections\.sales/, hint: /"access_token"/ },
  ],
  [
    'a kind is mistyped',
    `${SOURCES}connections: { sales: { kind: »hubsopt, access_token: x } }\n${ROUTES}`,
    { code: 'unknown-kind', says: /unknown kind "hubsopt"/, hint: /"hubspot"/ },
  ],
  [
    'no route exists',
    `${SOURCES}${CONNECTIONS}»routes: []\n`,
    { code: 'no-route', says: /written nowhere/, severity: 'warning' },
  ],
  [
    'a connection is not used',
    `${SOURCES}connections:\n  sales: { kind: hubspot, access_token: "\${HUBSPOT_ACCESS_TOKEN}" }\n  »spare: { kind: hubspot, access_token: "\${HUBSPOT_ACCESS_TOKEN}" }\n${ROUTES}`,
    { code: 'unused-connection', says: /connections\.spare/, severity: 'warning' },
  ],
  [
    'a route leads nowhere',
    route('{ name: calls, to: »salse, mapping: mappings/hubspot.yaml }'),
    { code: 'unknown-connection', says: /no connection "salse"/, hint: /"sales"/ },
  ],
  [
    'two routes have one name',
    route(
      PLAIN,
      '{ name: »calls, to: sales, mapping: mappings/hubspot.yaml, when: { path: call.outcome, equals: connected } }',
    ),
    { code: 'duplicate-name', says: /already used in line 4/ },
  ],
  [
    'a route is never reached',
    route(PLAIN, '{ name: »more, to: sales, mapping: mappings/hubspot.yaml }'),
    { code: 'unreachable-route', says: /calls takes every call/, severity: 'warning' },
  ],
  [
    'a second route logs the call again',
    route(PLAIN, '{ name: more, to: sales, mapping: mappings/hubspot.yaml, also: »true }'),
    { code: 'second-call-log', says: /must not write a call_log/ },
  ],
  [
    'retries are none',
    route('{ name: calls, to: sales, mapping: mappings/hubspot.yaml, retries: { attempts: »0 } }'),
    { code: 'bad-value', says: /attempts must be a whole number from 1 to 100/ },
  ],
  [
    'retries wait longer than their cap',
    route('{ name: calls, to: sales, mapping: mappings/hubspot.yaml, retries: »{ base: 1h, cap: 1m } }'),
    { code: 'bad-value', says: /base is longer/ },
  ],
  [
    'a mapping is not there',
    route('{ name: calls, to: sales, mapping: »mappings/hubspto.yaml }'),
    { code: 'no-mapping', says: /mappings\/hubspto\.yaml/, hint: /mappings\/hubspot\.yaml/ },
  ],
  [
    'a mapping is outside the folder',
    route('{ name: calls, to: sales, mapping: »../hubspot.yaml }'),
    { code: 'no-mapping', says: /inside the folder/ },
  ],
  [
    'a condition reads what cannot be',
    route(
      '{ name: calls, to: sales, mapping: mappings/hubspot.yaml, when: { path: »cal.outcome, equals: connected } }',
    ),
    { code: 'unknown-path', says: /cal/, hint: /call/ },
  ],
  [
    'inbound looks up nowhere',
    `${SOURCES}${REST}inbound: { look_up: »salse }\n`,
    { code: 'unknown-connection', says: /inbound: there is no connection/ },
  ],
  [
    'inbound has no token',
    `${SOURCES}${REST}inbound: { look_up: »sales }\n`,
    { code: 'no-path-token', says: /neutral answer/, severity: 'warning' },
  ],
  [
    'inbound is unguarded',
    `${SOURCES}${REST}inbound: { look_up: sales, guard: »none }\n`,
    { code: 'open-directory', says: /whoever asks/, severity: 'warning' },
  ],
  [
    'inbound declines everybody',
    `${SOURCES}${REST}inbound: { look_up: sales, guard: none, agents: [ »{ decline: true } ] }\n`,
    { code: 'bad-value', says: /declines every call/ },
  ],
  [
    'a variable of an inbound call is no path',
    inbound('variables: { greeting: »Hello there }'),
    { code: 'bad-path', says: /variables\.greeting: "Hello there" is not a path/, hint: /\{ value: … \}/ },
  ],
  [
    'a variable of an inbound call reads what is known only afterwards',
    inbound('variables: { outcome: »call.outcome }'),
    { code: 'unknown-path', says: /not known before the call connects/ },
  ],
  [
    'a variable of an inbound call reads records that the CRM is not asked for',
    inbound('variables: { open_ticket: "»person.quotes[0].hs_title" }'.replace('"»', '»"')),
    { code: 'unknown-path', says: /only properties of the person itself/, hint: /deals/ },
  ],
  [
    'a variable of an inbound call names no one deal',
    inbound('variables: { open_deal: »person.deals }'),
    { code: 'unknown-path', says: /does not name one value/, hint: /person\.deals\[0\]/ },
  ],
  [
    'a variable of an inbound call has the name of one that Wrapup sets',
    inbound('variables: { crm_person_id: »person.id }'),
    { code: 'reserved-name', says: /set by Wrapup/ },
  ],
  [
    'a variable of an inbound call is a list',
    inbound('variables: { deals: »[person.firstname] }'),
    { code: 'bad-value', says: /variables\.deals must be a path such as person\.firstname/ },
  ],
  [
    'personal data asks for no second fact',
    inbound('personal: »{ variables: { balance: person.balance } }'),
    { code: 'bad-value', says: /personal\.when must say the second fact/ },
  ],
  [
    'personal data is given to every caller already',
    inbound(
      'variables: { tier: person.tier }\n  personal: { when: { path: person.ok, equals: true }, variables: { tier: »person.tier } }',
    ),
    { code: 'duplicate-name', says: /inbound\.variables tells tier to every caller/ },
  ],
  [
    'the second fact is known only afterwards',
    inbound('personal: { when: »{ path: vars.pin, equals: "1234" }, variables: { tier: person.tier } }'),
    { code: 'unknown-path', says: /inbound\.personal: "vars\.pin" is not known before/ },
  ],
  [
    'a variable with personal data is no path',
    inbound('personal: { when: { path: person.ok, equals: true }, variables: { tier: »Hello there } }'),
    { code: 'bad-path', says: /inbound\.personal\.variables\.tier: "Hello there" is not a path/ },
  ],
  [
    'a rule for inbound calls reads what is known only afterwards',
    inbound('agents: [ { agent: a1, when: »{ path: call.outcome, equals: connected } } ]'),
    { code: 'unknown-path', says: /agents\[0\]: "call\.outcome" is not known before/ },
  ],
  [
    'a rule for inbound calls hangs on records read along',
    inbound('agents: [ { decline: true, when: »{ not: { path: "person.deals[0].amount", exists: true } } } ]'),
    { code: 'unknown-path', says: /only properties of the person itself/ },
  ],
];

const FOUND = { ...ENV, EMPTY: '', MOUNTED_FILE: '/nowhere/secret', SHIPPED: 'demo-webhook-secret' };

test.each(MISTAKES)('%s', async (_what, marked, wanted) => {
  const { text, line, column } = unmark(marked);
  const file = configFolder({
    'wrapup.yaml': text,
    'mappings/hubspot.yaml': MAPPING,
    'mappings/http.yaml': 'extends: http/event\n',
  });
  const { config, findings } = await loadConfig({ file, env: FOUND });

  const found = findings.find(({ code }) => code === wanted.code);
  expect(found, findings.map(formatFinding).join('\n')).toBeDefined();
  expect(found?.message).toMatch(wanted.says);
  if (wanted.hint) expect(found?.hint).toMatch(wanted.hint);
  expect(found?.severity).toBe(wanted.severity ?? 'error');
  expect(found?.at).toEqual({ file, line, column });
  // An error keeps the configuration out, a warning does not; and one mistake gives one error.
  const errors = findings.filter(({ severity }) => severity === 'error');
  expect(errors.map(formatFinding)).toHaveLength(wanted.severity === 'warning' ? 0 : 1);
  expect(config === undefined).toBe(wanted.severity !== 'warning');
});

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
${REST}`;
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

test('a value that came from a variable is never repeated', async () => {
  const file = configFolder({
    'wrapup.yaml': `sources: { main: { webhook_secrets: ["\${SYNTHFLOW_WEBHOOK_SECRET}"], region: "\${HUBSPOT_ACCESS_TOKEN}" } }\n${REST}`,
    'mappings/hubspot.yaml': MAPPING,
  });
  const { findings } = await loadConfig({ file, env: ENV });
  expect(findings).toHaveLength(1);
  expect(JSON.stringify(findings)).not.toContain('pat-na1');
});

test('a file that is not there is a finding that says where it was looked for', async () => {
  const file = relative(process.cwd(), configFolder({}));
  const { config, findings } = await loadConfig({ env: { WRAPUP_CONFIG: file } });
  expect(config).toBeUndefined();
  expect(findings).toMatchObject([{ code: 'no-config', hint: expect.stringContaining('WRAPUP_CONFIG') }]);
});

test('aliases that multiply are refused with a place, quickly', async () => {
  const levels = Array.from(
    { length: 9 },
    (_, i) =>
      `${'abcdefghi'[i]}: &${'abcdefghi'[i]} [${Array(10)
        .fill(i ? `*${'abcdefghi'[i - 1]}` : 'x')
        .join(', ')}]`,
  );
  const file = configFolder({ 'wrapup.yaml': `${levels.join('\n')}\n` });
  const { config, findings } = await loadConfig({ file, env: ENV });
  expect(config).toBeUndefined();
  expect(findings.find(({ code }) => code === 'too-large')).toMatchObject({
    at: { file },
    hint: expect.stringContaining('aliases'),
  });
});

test('ten megabytes are refused without being parsed', async () => {
  const file = configFolder({ 'wrapup.yaml': `# ${'x'.repeat(10_000_000)}\n` });
  const { findings } = await loadConfig({ file, env: ENV });
  expect(findings).toMatchObject([{ code: 'too-large' }]);
});

test.each([100, 100_000])('nesting %i levels deep is refused with a place', async (levels) => {
  const text = `sources: ${'['.repeat(levels)}${']'.repeat(levels)}\n`;
  const { findings } = await loadConfig({ file: configFolder({ 'wrapup.yaml': text }), env: ENV });
  expect(findings).toContainEqual(
    expect.objectContaining({ code: 'too-deep', at: expect.objectContaining({ line: 1 }) }),
  );
});
