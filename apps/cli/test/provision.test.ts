/** Making the fields of an org from the command line: listed, written as a package, deployed. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, readSchemaChecks, saveSchemaCheck } from '@wrapup/queue';
import { startSandbox } from '@wrapup/sandbox';
import { expect, onTestFinished, test } from 'vitest';
import { freshPrefix, redisUrl } from '../../../test/support/redis.ts';
import { CONFIG, configFolder, SECRET } from './support/installation.ts';
import { wrapup } from './support/run.ts';

const SALESFORCE = CONFIG.replace(
  /sales: \{ kind[^\n]*/,
  'sales: { kind: salesforce, client_id: sandbox-consumer-key, client_secret: "${SALESFORCE_CLIENT_SECRET}", base_url: "${SALESFORCE_BASE_URL}" }',
);

async function openOrg() {
  const sandbox = await startSandbox({ provisioned: false });
  onTestFinished(() => sandbox.close());
  const folder = configFolder(SALESFORCE, 'extends: salesforce/lead-capture\n');
  const env = {
    WRAPUP_CONFIG: join(folder, 'wrapup.yaml'),
    SYNTHFLOW_WEBHOOK_SECRET: SECRET,
    SALESFORCE_CLIENT_SECRET: 'sandbox-consumer-secret',
    SALESFORCE_BASE_URL: sandbox.salesforceUrl,
  };
  return { sandbox, folder, env };
}

test('Salesforce is only changed with --deploy; then doctor has nothing to say', async () => {
  const { env } = await openOrg();
  const listed = await wrapup(['provision'], env);
  expect(listed.code).toBe(1);
  expect(listed.stdout).toMatch(/missing +Activity\.Wrapup_Call_Id__c\n.*--deploy/);
  const deployed = await wrapup(['provision', 'sales', '--deploy', '--json'], env);
  expect(deployed.code).toBe(0);
  const [{ steps }] = JSON.parse(deployed.stdout);
  expect(new Set(steps.map(({ state }: { state: string }) => state))).toEqual(new Set(['created']));
  const doctor = await wrapup(['doctor', 'sales'], env);
  expect(doctor.stdout).toContain('Task: unique key Wrapup_Call_Id__c in force (step 1 of 3).');
  expect(doctor.code).toBe(0);
});

test('doctor writes down what the CRM answered, without tokens and without what belongs to people', async () => {
  const { sandbox, folder, env } = await openOrg();
  sandbox.control.seed({
    salesforce: { fields: { Lead: [{ name: 'Shoe_Size__c', label: 'Shoe size of Ada Lovelace' }] } },
  });
  const file = join(folder, 'answers.jsonl');
  const doctor = await wrapup(['doctor', 'sales', '--record', file], env);
  expect(doctor.stdout).toMatch(/\d+ exchanges in .*answers\.jsonl, without tokens/);
  const text = readFileSync(file, 'utf8');
  expect(text).not.toMatch(/sandbox-consumer-secret|Lovelace|wrapup\.integration|127\.0\.0\.1/);
  for (const user of sandbox.salesforce.records('User')) expect(text).not.toContain(user.id);
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ api }) => api)).toContainEqual(expect.stringMatching(/^POST .*\/services\/oauth2\/token$/));
  expect(lines.every(({ vendor, trust }) => vendor === 'salesforce' && trust === 'recorded')).toBe(true);
  expect(text).toContain('Shoe_Size__c');
  const nowhere = await wrapup(['doctor', 'sales', '--record', join(folder, 'no/such/folder.jsonl')], env);
  expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('cannot be written')]);
});

test('the package can be written for other tools, without asking the org', async () => {
  const { sandbox, folder, env } = await openOrg();
  const zip = join(folder, 'out/wrapup.zip');
  expect((await wrapup(['provision', '--out', zip], env)).code).toBe(0);
  expect(readFileSync(zip).subarray(0, 2).toString()).toBe('PK');
  const written = await wrapup(['provision', '--out', join(folder, 'package'), '--stand-in', '--json'], env);
  expect(JSON.parse(written.stdout).files).toContain('objects/Wrapup_Call__c.object');
  expect(existsSync(join(folder, 'package/permissionsets/Wrapup.permissionset'))).toBe(true);
  expect(sandbox.control.requests().total).toBe(0);
});

test('a kind that creates its fields one by one has no package', async () => {
  const folder = configFolder();
  const env = {
    WRAPUP_CONFIG: join(folder, 'wrapup.yaml'),
    SYNTHFLOW_WEBHOOK_SECRET: SECRET,
    HUBSPOT_ACCESS_TOKEN: 'pat-x',
  };
  const { code, stderr } = await wrapup(['provision', '--out', join(folder, 'x.zip')], env);
  expect(code).not.toBe(0);
  expect(stderr).toContain('created one by one');
});

test('what doctor finds, and what is left after provision, is what the dashboard says from then on', async () => {
  const sandbox = await startSandbox({ provisioned: false });
  onTestFinished(() => sandbox.close());
  const prefix = freshPrefix();
  const store = openStore({ url: redisUrl(), prefix, role: 'producer', onError: () => {} });
  onTestFinished(() => store.close());
  const folder = configFolder(CONFIG, 'extends: hubspot/lead-qualification\n');
  const env = {
    WRAPUP_CONFIG: join(folder, 'wrapup.yaml'),
    SYNTHFLOW_WEBHOOK_SECRET: SECRET,
    HUBSPOT_ACCESS_TOKEN: 'pat-na1-test',
    HUBSPOT_BASE_URL: sandbox.hubspotUrl,
    REDIS_URL: redisUrl(),
    WRAPUP_PREFIX: prefix,
  };
  const errors = async () => {
    const [result] = await readSchemaChecks(store, ['sales']);
    return result?.findings.filter(({ severity }) => severity === 'error').length;
  };
  await wrapup(['doctor', 'sales'], env);
  expect(await errors()).toBeGreaterThan(0);
  // Another configuration than that of the installation says nothing of it.
  await saveSchemaCheck(store, { connection: 'sales', at: Date.now(), findings: [FINDING] });
  await wrapup(['doctor', 'sales', '--config', join(folder, 'wrapup.yaml')], env);
  await wrapup(['provision', '--plan'], env);
  expect(await errors()).toBe(1);
  expect((await wrapup(['provision'], env)).code).toBe(0);
  expect(await errors()).toBe(0);
});

const FINDING = { severity: 'error', code: 'missing-property', message: 'There is no property x.' } as const;
