import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startSandbox } from '@wrapup/sandbox';
import { expect, onTestFinished, test } from 'vitest';
import { CONFIG, configFolder, SECRET } from './support/installation.ts';
import { wrapup } from './support/run.ts';

async function openCrm() {
  const sandbox = await startSandbox({ provisioned: true });
  onTestFinished(() => sandbox.close());
  const folder = configFolder(CONFIG);
  const env = {
    WRAPUP_CONFIG: join(folder, 'wrapup.yaml'),
    SYNTHFLOW_WEBHOOK_SECRET: SECRET,
    HUBSPOT_ACCESS_TOKEN: 'pat-na1-test',
    HUBSPOT_BASE_URL: sandbox.hubspotUrl,
  };
  return { sandbox, env, folder };
}

test('the account’s own properties and options are saved, and named in the mapping', async () => {
  const { sandbox, env, folder } = await openCrm();
  const response = await fetch(`${sandbox.hubspotUrl}/crm/v3/properties/contacts`, {
    method: 'POST',
    headers: { authorization: 'Bearer pat-na1-test', 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{
        name: 'interest',
        label: 'Interest',
        type: 'enumeration',
        fieldType: 'select',
        groupName: 'contactinformation',
      },
      options: [{ label: 'Seats', value: 'SEATS', displayOrder: 0, hidden: false }],
    }),
  });
  expect(response.status).toBe(201);
  const { code, stdout } = await wrapup(['schema', 'pull', '--use'], env);
  expect(stdout).toMatch(/objects with their properties: contacts \d+/);
  expect(code).toBe(0);
  const mapping = readFileSync(join(folder, 'mappings/hubspot.yaml'), 'utf8');
  expect(mapping).toBe('# yaml-language-server: $schema=../schema/sales.schema.json\nextends: hubspot/call-log\n');
  const file = join(folder, 'schema/sales.schema.json');
  const schema = JSON.parse(readFileSync(file, 'utf8'));
  const contacts = schema.$defs.fields_person.properties;
  expect(contacts.interest.description).toBe('Interest · enumeration · one of SEATS (Seats)');
  expect(JSON.stringify(contacts.interest)).toContain('"enum":["SEATS"]');
  // What HubSpot computes cannot be written, so it is not proposed.
  expect(contacts.hs_object_id).toBeUndefined();
  expect(Object.keys(schema.$defs.fields_tasks.properties)).toContain('hs_task_type');

  // Again: the line is there once.
  expect((await wrapup(['schema', 'pull', '--use', '--json'], env)).json()).toMatchObject([
    { connection: 'sales', used_by: ['mappings/hubspot.yaml'], notes: [] },
  ]);
  expect(readFileSync(join(folder, 'mappings/hubspot.yaml'), 'utf8')).toBe(mapping);
});

test('an account that does not answer leaves the files as they are', async () => {
  const { sandbox, env, folder } = await openCrm();
  sandbox.control.fault({ kind: 'unauthorized', times: null });
  const { code, stdout } = await wrapup(['schema', 'pull', '--use'], env);
  expect(code).toBe(1);
  expect(stdout).toMatch(/failed: .*\[unauthorized\]/);
  expect(readFileSync(join(folder, 'mappings/hubspot.yaml'), 'utf8')).toBe('extends: hubspot/call-log\n');
});
