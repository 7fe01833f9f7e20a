import { readFileSync } from 'node:fs';
import { loadConfig } from '@wrapup/config';
import { DIGEST_VARIABLES } from '@wrapup/destination';
import { expect, test } from 'vitest';
import { configFolder, ENV, GOOD, MAPPING } from './support/folder.ts';
import { expectFinding, type Mistake, REST, SOURCES } from './support/mistakes.ts';

const HOOK =
  'connections: { sales: { kind: hubspot, access_token: "${HUBSPOT_ACCESS_TOKEN}" }, slack: { kind: http, url: "https://hooks.example.com/x" } }\n';
const digest = (line: string) => `${SOURCES}${HOOK}${REST.split('\n')[1]}\ndigests:\n  - ${line}\n`;

const MISTAKES: Mistake[] = [
  [
    'an alert to a connection that there is not',
    `${SOURCES}${REST}alerts: { to: »salse }\n`,
    { code: 'unknown-connection', says: /alerts: there is no connection "salse"/, hint: /did you mean "sales"/ },
  ],
  [
    'a digest to a connection that there is not',
    digest('{ name: monday, to: »slak }'),
    { code: 'unknown-connection', says: /digests: there is no connection "slak"/, hint: /did you mean "slack"/ },
  ],
  [
    'a digest to a CRM',
    digest('{ name: monday, to: »sales }'),
    { code: 'no-notices', says: /"sales" is of kind hubspot, which takes no digests/, hint: /kind http/ },
  ],
  [
    'a time zone that there is not',
    digest('{ name: monday, to: slack, time_zone: »Europe/Berlim }'),
    { code: 'bad-value', says: /must be the IANA name of a time zone/ },
  ],
  [
    'a time of day that there is not',
    digest('{ name: monday, to: slack, at: »"24:30" }'),
    { code: 'bad-value', says: /must be a time of day such as "08:00"/ },
  ],
  ['a month', digest('{ name: monday, to: slack, every: »month }'), { code: 'bad-value', says: /day.*week/ }],
  [
    'a client that there is not',
    digest('{ name: monday, to: slack, client: »acme }'),
    { code: 'unknown-client', says: /digest monday: there is no client "acme"/ },
  ],
  [
    'a name that comes twice',
    digest('{ name: monday, to: slack }\n  - { name: »monday, to: slack, every: day }'),
    { code: 'duplicate-name', says: /the name is already used in line/ },
  ],
  [
    'a mapping that is not there',
    digest('{ name: monday, to: slack, mapping: »mappings/digest.yaml }'),
    { code: 'no-mapping', says: /cannot read the mapping mappings\/digest.yaml/ },
  ],
];

test.each(MISTAKES)('%s', async (_, marked, wanted) => {
  await expectFinding(marked, wanted);
});

const ACME = GOOD.replace('${SYNTHFLOW_WEBHOOK_SECRET}', 'c3a1f0be9a77401bb3f1c0de9a7740aa').replace(
  'sales: { kind: hubspot, access_token: "${HUBSPOT_ACCESS_TOKEN}" }',
  'sales: { kind: hubspot, access_token: a-token }\n  chat: { kind: http, url: "https://hooks.example.com/acme" }\nalerts: { to: chat }',
);
const load = (root: string, acme: string, files: Record<string, string> = {}) =>
  loadConfig({
    file: configFolder({
      'wrapup.yaml': `${GOOD.replace('connections:\n', 'connections:\n  slack: { kind: http, url: "https://hooks.example.com/x" }\n')}${root}`,
      'clients/acme.yaml': `${ACME}${acme}`,
      'mappings/hubspot.yaml': MAPPING,
      ...files,
    }),
    env: ENV,
  });

test('a digest goes out on Mondays at eight, as it is usually put, unless it says otherwise', async () => {
  const { config, findings } = await load(
    'digests:\n  - { name: monday, to: slack }\n  - { name: acme, to: slack, client: acme, every: day, at: "17:30", time_zone: Europe/Berlin }\n',
    'digests: [ { name: monday, to: chat } ]\n',
  );
  expect(findings).toEqual([]);
  const usual = { every: 'week', at: 480, time_zone: 'UTC', mapping: { name: 'http/digest', kind: 'http' } };
  expect(config?.digests).toMatchObject([
    { name: 'monday', to: 'slack', ...usual },
    { name: 'acme', to: 'slack', client: 'acme', every: 'day', at: 1050, time_zone: 'Europe/Berlin' },
    { name: 'acme.monday', to: 'acme.chat', client: 'acme', ...usual },
  ]);
  expect(config?.digests[0]).not.toHaveProperty('client');
});

test('a client’s file sends digests of its own calls over its own connections alone', async () => {
  const other = await load('', 'digests: [ { name: monday, to: slack } ]\n');
  expect(other.clientFindings.get('acme')).toMatchObject([{ code: 'unknown-connection', severity: 'error' }]);
  expect(other.config?.digests).toEqual([]);
  const about = await load('', 'digests: [ { name: monday, to: chat, client: bolt } ]\n');
  expect(about.clientFindings.get('acme')).toMatchObject([
    { code: 'outside-client', message: expect.stringContaining('digests of its own calls only') },
  ]);
});

test('a mapping reads what a digest has, and a name that it has not is a mistake where it stands', async () => {
  const mapping = (text: string) => `events:\n  - name: digest\n    text: "${text}"\n`;
  const root = 'digests: [ { name: monday, to: slack, mapping: mappings/digest.yaml } ]\n';
  const good = await load(root, '', {
    'mappings/digest.yaml': mapping('{{ vars.calls }} calls, {{ vars.stopped_text }}'),
  });
  expect(good.findings).toEqual([]);
  expect(good.config?.digests[0]?.mapping.name).toBe('mappings/digest.yaml');
  const bad = await load(root, '', { 'mappings/digest.yaml': mapping('{{ vars.cals }} calls') });
  expect(bad.findings).toMatchObject([
    {
      ...{ code: 'unknown-path', severity: 'error', hint: expect.stringContaining('"calls"') },
      at: { file: expect.stringContaining('mappings/digest.yaml'), line: 3 },
    },
  ]);
});

test('the guide says of each variable of a digest what it is', () => {
  const guide = readFileSync(new URL('../../../docs/guide/digests.md', import.meta.url), 'utf8');
  const rows = [...guide.matchAll(/^\| `vars\.(\w+)` \| (.+) \|$/gm)].map(([, name, does]) => [name, does]);
  expect(Object.fromEntries(rows)).toEqual(DIGEST_VARIABLES);
});
