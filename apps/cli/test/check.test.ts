import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CONFIG, configFolder, SECRET } from './support/installation.ts';
import { wrapup } from './support/run.ts';

const ENV = { SYNTHFLOW_WEBHOOK_SECRET: SECRET, HUBSPOT_ACCESS_TOKEN: 'pat-na1-test' };

test('the example checks, with nothing but a secret and a token', async () => {
  const { code, stdout } = await wrapup(['check'], ENV);
  expect(stdout).toBe('ok: 1 source, 1 connection, 1 route; 0 errors, 0 warnings\n');
  expect(code).toBe(0);
});

test('all findings are printed at once, as compilers do, and the exit code is 1', async () => {
  const broken = CONFIG.replace('default_country: US', 'default_contry: US').replace(
    'kind: hubspot,',
    'kind: hubspto,',
  );
  const folder = configFolder(broken);
  const { code, stdout } = await wrapup(['check', '--config', join(folder, 'wrapup.yaml')], ENV);
  expect(code).toBe(1);
  const file = join(folder, 'wrapup.yaml');
  expect(stdout).toBe(
    [
      `${file}:5:5: error: unknown key "default_contry" in sources.main [unknown-key]`,
      '    did you mean "default_country"?',
      `${file}:7:18: error: connections.sales: unknown kind "hubspto" [unknown-kind]`,
      '    did you mean "hubspot"?',
      '2 errors, 0 warnings',
      '',
    ].join('\n'),
  );
});

test('machines get every finding with its place', async () => {
  const folder = configFolder(CONFIG.replace('to: sales', 'to: slaes'));
  const { code, json } = await wrapup(['check', '--json', '--config', join(folder, 'wrapup.yaml')], ENV);
  expect(code).toBe(1);
  expect(json()).toEqual({
    ok: false,
    errors: 1,
    warnings: 0,
    findings: [
      {
        severity: 'error',
        code: 'unknown-connection',
        message: 'route sales-calls: there is no connection "slaes"',
        hint: 'did you mean "sales"?',
        at: { file: join(folder, 'wrapup.yaml'), line: 9, column: 30 },
      },
    ],
  });
});

test('warnings pass, unless --strict', async () => {
  const folder = configFolder(CONFIG.replace('    default_country', '    trust: none\n    default_country'));
  const args = ['check', '--config', join(folder, 'wrapup.yaml')];
  expect(await wrapup(args, ENV)).toMatchObject({ code: 0, stdout: expect.stringContaining('0 errors, 1 warning') });
  expect((await wrapup([...args, '--strict'], ENV)).code).toBe(1);
});

test('without variables, what the files say is checked in an environment that has none', async () => {
  const salesforce = `  service: { kind: salesforce, login_url: "\${LOGIN_URL}", client_id: "\${ID}", client_secret: "\${KEY}" }\n`;
  const inbound = 'inbound: { look_up: sales, variables: { name: person.firstname } }\n';
  const route = '  - { name: cases, to: service, also: true, mapping: mappings/salesforce.yaml }\n';
  const text = CONFIG.replace('\nroutes:', `\n${salesforce}routes:`).replace(
    '    default_country',
    '    trust: api\n    api_key: ${API_KEY}\n    default_country',
  );
  const folder = configFolder(text + route + inbound);
  writeFileSync(join(folder, 'mappings/salesforce.yaml'), 'cases: [ { name: case, subject: Call } ]\n');
  const args = ['check', '--config', join(folder, 'wrapup.yaml')];
  expect((await wrapup(args)).stdout).toMatch(/\[unset-variable\]/);
  expect(await wrapup([...args, '--no-env', '--strict'])).toMatchObject({
    code: 0,
    stdout: 'ok without variables: 0 errors, 0 warnings\n',
  });
  // Variables that are set are left alone too, so that every machine says the same.
  expect(await wrapup([...args, '--no-env', '--strict'], { LOGIN_URL: 'no address' })).toMatchObject({ code: 0 });
});

test('without variables, mistakes in wrapup.yaml and in mappings are found as ever', async () => {
  const text = CONFIG.replace('default_country: US', 'default_country: USA').replace(
    'kind: hubspot,',
    'knd: 1, kind: hubspot,',
  );
  const folder = configFolder(text, 'extends: hubspot/call-log\nperson: { fields: { x: laed.name } }\n');
  const { code, json } = await wrapup(['check', '--no-env', '--json', '--config', join(folder, 'wrapup.yaml')]);
  expect(code).toBe(1);
  const { findings } = json() as { findings: { code: string }[] };
  expect(findings.map((one) => one.code)).toEqual(['bad-value', 'unknown-key', 'unknown-path']);
});

test('what is shown has no secrets', async () => {
  const { stdout, json } = await wrapup(['check', '--show', '--json'], ENV);
  expect(json()).toMatchObject({ ok: true, config: { connections: { sales: { access_token: '(set)' } } } });
  expect(stdout).not.toContain(SECRET);
  expect(stdout).not.toContain('pat-na1-test');
});

test('checking loads neither a CRM client nor a queue', async () => {
  // Node says on standard error which modules it loads.
  const { stderr, code } = await wrapup(['check'], { ...ENV, NODE_DEBUG: 'esm,module' });
  expect(code).toBe(0);
  expect(stderr).toContain('packages/config');
  for (const heavy of ['@hubspot/api-client', 'bullmq', 'ioredis', 'axios'])
    expect(stderr).not.toContain(`node_modules/${heavy}`);
});

test('help names every command and the exit codes', async () => {
  const { stdout, code } = await wrapup(['--help']);
  expect(code).toBe(0);
  for (const command of [
    'check',
    'doctor',
    'provision',
    'plan',
    'send',
    'calls',
    'parked',
    'dead',
    'replay',
    'connections',
  ]) {
    expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
  }
  expect(stdout).toContain('Exit codes: 0 done');
  expect(await wrapup(['--version'])).toMatchObject({ code: 0, stdout: '0.1.0\n' });
});

test('eight mistakes in one mapping are reported at once, each with its place and a suggestion', async () => {
  const mapping = `extends: hubspot/call-log
person:
  unmached: create
  fields:
    firstname: laed.first_name
    budget: { from: vars.budget, transform: [trim, nubmer] }
    hs_lead_status: { from: call.outcome, map: { connected: CONNECTED, busy: BUSY } }
    note: "Called {{ lead.name | truncate: long }}"
    city: "{{ vars.city"
tasks:
  - name: call-back
    when: { path: call.outcome, equals: voicemial }
    due_in: 1 bussiness day
`;
  const folder = configFolder(CONFIG, mapping);
  const { code, json } = await wrapup(['check', '--json', '--config', join(folder, 'wrapup.yaml')], ENV);
  expect(code).toBe(1);
  const { findings } = json() as { findings: { code: string; hint: string; at: { line: number; column: number } }[] };
  expect(findings.map(({ code: kind, at, hint }) => [at.line, at.column, kind, hint])).toEqual([
    [3, 3, 'unknown-key', 'did you mean "unmatched"?'],
    [5, 16, 'unknown-path', 'did you mean "lead.first_name"?'],
    [6, 52, 'unknown-transform', 'did you mean "number"?'],
    [7, 43, 'unmapped-value', 'add them (null leaves the field out), or a default'],
    [8, 44, 'bad-argument', 'truncate: length'],
    [9, 12, 'unclosed-placeholder', 'write {{ lead.name }}, with a transform {{ lead.name | upper }}'],
    [12, 41, 'unknown-value', 'did you mean "voicemail"?'],
    [13, 13, 'bad-value', expect.stringContaining('1 business day at 09:00')],
  ]);
});
