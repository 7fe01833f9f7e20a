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
