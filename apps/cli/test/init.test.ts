import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KINDS, loadConfig } from '@wrapup/config';
import { formatFinding } from '@wrapup/findings';
import { runFixtures } from '@wrapup/fixtures';
import { readPresetHead } from '@wrapup/mapping';
import { expect, onTestFinished, test } from 'vitest';
import { wrapup } from './support/run.ts';

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-init-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'config');
}

/** Variables with a value for each that .env.example names. */
function filledIn(folder: string): Record<string, string> {
  const names = [...readFileSync(join(folder, '.env.example'), 'utf8').matchAll(/^([A-Z_]+)=$/gm)].map(
    (match) => match[1] as string,
  );
  const values: Record<string, string> = {
    WEBHOOK_URL: 'https://hooks.example.com/x',
    WEBHOOK_SECRET: '',
    SALESFORCE_LOGIN_URL: 'https://acme.my.salesforce.com',
  };
  return Object.fromEntries(names.map((name) => [name, values[name] ?? 'a-value-of-some-length']));
}

async function expectWorking(folder: string, kind: string): Promise<void> {
  const { config, findings } = await loadConfig({ file: join(folder, 'wrapup.yaml'), env: filledIn(folder) });
  expect(findings.map(formatFinding)).toEqual([]);
  expect(Object.values(config?.connections ?? {}).map((connection) => connection.kind)).toEqual([kind]);
  const { tests, findings: wrong } = runFixtures(join(folder, `mappings/${kind}.test.yaml`));
  expect(wrong.map(formatFinding)).toEqual([]);
  expect(tests.length).toBeGreaterThan(1);
  expect(tests.flatMap(({ differences }) => differences)).toEqual([]);
}

test.each([
  ['hubspot', 'call-log'],
  ['hubspot', 'lead-qualification'],
  ['salesforce', 'lead-capture'],
  ['http', 'event'],
])('what is written for %s, %s checks and passes its own tests', async (kind, preset) => {
  const folder = emptyFolder();
  const { code, stderr } = await wrapup(['init', folder, '--crm', kind, '--preset', preset, '--country', 'DE']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  await expectWorking(folder, kind);
});

test('from a captured payload comes a line for every variable, whatever it is called, and never its value', async () => {
  const folder = emptyFolder();
  const payload = {
    call: { call_id: 'x-1', status: 'completed', duration: 60, start_time: '2026-11-20T10:00:00Z' },
    lead: { name: 'Zebulon Quist', phone_number: '+14155550142' },
    collected_variables: Object.fromEntries(
      Object.entries({
        budget: '$12,000',
        qualified: 'yes',
        email: 'zebulon@example.com',
        appointment_at: '2026-12-01T10:00:00Z',
        'best time': 'Secret mornings',
        'it\'s "odd"': 'x',
        __proto: 'x',
        '!!!': 'x',
        topics: ['a', 'b'],
      }).map(([name, value]) => [name, { value, collected: true }]),
    ),
  };
  const captured = join(tmpdir(), `wrapup-captured-${process.pid}.json`);
  writeFileSync(captured, JSON.stringify(payload));
  onTestFinished(() => rmSync(captured));
  const { code, stderr } = await wrapup(['init', folder, '--crm', 'hubspot', '--from', captured]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  await expectWorking(folder, 'hubspot');
  const mapping = readFileSync(join(folder, 'mappings/hubspot.yaml'), 'utf8');
  expect(mapping).toContain('wrapup_budget: { from: vars.budget, transform: number } # a number');
  expect(mapping).toContain('wrapup_qualified: { from: vars.qualified, transform: boolean } # yes or no');
  expect(mapping).toContain(
    'wrapup_appointment_at: { from: vars.appointment_at, transform: datetime } # a date and time',
  );
  expect(mapping).toContain(`wrapup_best_time: 'vars["best time"]' # text`);
  expect(mapping).toContain('wrapup_topics: { from: vars.topics, transform: { join: ";" } } # a list');
  expect(mapping).not.toMatch(/Zebulon|Secret|12,000/);
});

test('nothing is overwritten, and nothing is half written', async () => {
  const folder = emptyFolder();
  const made = await wrapup(['init', folder, '--crm', 'http']);
  expect(made.code).toBe(0);
  expect(made.stdout).toContain('with SYNTHFLOW_API_KEY in it, calls whose webhook never came are found');
  const before = readFileSync(join(folder, 'wrapup.yaml'), 'utf8');
  expect(before).toContain('api_key: "${SYNTHFLOW_API_KEY:-}"');
  rmSync(join(folder, 'mappings'), { recursive: true });
  const { code, stderr } = await wrapup(['init', folder, '--crm', 'hubspot']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/wrapup\.yaml, \S+\.env\.example are there already; nothing was written/);
  expect(readFileSync(join(folder, 'wrapup.yaml'), 'utf8')).toBe(before);
  expect(readdirSync(folder).sort()).toEqual(['.env.example', 'wrapup.yaml']);
});

test.each([
  [['--crm', 'hubspto'], /--crm is one of hubspot/],
  [[], /--crm is needed/],
  [['--crm', 'hubspot', '--preset', 'x'], /--preset is one of call-log, lead-qualification, appointment/],
  [['--crm', 'hubspot', '--connection', 'Sales CRM'], /no name/],
  [['--crm', 'hubspot', '--country', 'usa'], /no country/],
  [['--crm', 'hubspot', '--from', 'nowhere.json'], /cannot read nowhere.json/],
])('called wrongly, %j, it says what is right', async (args, says) => {
  const { code, stderr } = await wrapup(['init', emptyFolder(), ...args]);
  expect(code).toBe(2);
  expect(stderr).toMatch(says);
});

test('the name of a CRM is understood in capitals, and what is none is said with those there are', async () => {
  const folder = emptyFolder();
  const done = await wrapup(['init', folder, '--crm', 'HubSpot', '--preset', 'Call-Log', '--json']);
  expect(done).toMatchObject({ code: 0 });
  expect(done.json()).toMatchObject({ kind: 'hubspot' });
  const refused = await wrapup(['init', `${folder}-2`, '--crm', 'pipedrive']);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('one of hubspot, salesforce, http') });
});

test('every preset says in one line what it is for', () => {
  for (const { kind, dialect } of Object.values(KINDS))
    for (const [name, give] of Object.entries(dialect.presets))
      expect(readPresetHead(`${kind}/${name}`, give()).title, `${kind}/${name}`).toMatch(/^\S.{20,}/);
});
