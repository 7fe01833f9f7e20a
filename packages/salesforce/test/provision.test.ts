/** What an org needs, and what a mapping asks of it: compared, listed, packed and deployed. */
import { makeMemoryContext } from '@wrapup/destination';
import { deliver, planFor, write } from '@wrapup/destination/conformance';
import { compileSample } from '@wrapup/destination/sample-mapping';
import { unzipSync } from 'fflate';
import { afterEach, expect, test } from 'vitest';
import { salesforceDialect } from '../src/index.ts';
import { openAccount, type SalesforceAccount, salesforceHarness } from './salesforce-harness.ts';

let account: SalesforceAccount;
afterEach(async () => {
  await account.close();
});

const compile = (text: string) => compileSample(salesforceDialect, text);

const MAPPING = compile(`extends: salesforce/call-log
person:
  fields:
    Wrapup_Budget__c: { value: 12000 }
    Wrapup_History__c: { from: lead.name, write: append }
call_log: { fields: { Wrapup_Sentiment__c: vars.sentiment } }
cases: [ { name: complaint, subject: x } ]
`);

const NEEDED = [
  'Activity.Wrapup_Call_Id__c',
  'Lead.Wrapup_Key__c',
  'Contact.Wrapup_Key__c',
  'Case.Wrapup_Key__c',
  'Lead.Wrapup_Last_Call_At__c',
  'Contact.Wrapup_Last_Call_At__c',
  'Lead.Wrapup_Budget__c',
  'Contact.Wrapup_Budget__c',
  'Lead.Wrapup_History__c',
  'Contact.Wrapup_History__c',
  'Activity.Wrapup_Sentiment__c',
];

test('nothing is deployed unless it is asked for; then all of it, seen by the user, and once', async () => {
  account = await openAccount({}, { provisioned: false });
  const destination = await account.connect();
  const provision = (more: object) =>
    destination.provision({ mappings: [MAPPING], plan: false, ...more }, makeMemoryContext());
  const states = async (more: object) => (await provision(more)).map(({ what, state }) => `${what} ${state}`);
  const all = (state: string) => NEEDED.map((what) => `${what} ${state}`);
  expect(await states({ plan: true })).toEqual(all('missing'));
  expect(await states({})).toEqual(all('missing'));
  expect((await provision({}))[0]?.hint).toContain('--deploy');
  expect(await states({ deploy: true })).toEqual(all('created'));
  expect(await states({ deploy: true })).toEqual(all('present'));
  const codes = (await destination.check([MAPPING], makeMemoryContext())).map(({ code }) => code);
  expect(codes).toEqual([]);
  const [outcome] = await write(destination, [planFor(salesforceHarness, { id: 'c1', phone: '+14155550142' })]);
  expect(outcome?.ok).toBe(true);
  expect(account.sandbox.salesforce.records('Task')[0]?.fields).toHaveProperty('Wrapup_Call_Id__c');
});

test('the package: fields of activities once, opened on tasks, and a file that unpacks to the same', async () => {
  account = await openAccount();
  const made = await (await account.connect()).package?.({ mappings: [MAPPING], stand_in: true });
  expect(Object.keys(made?.files ?? {}).sort()).toEqual([
    'objects/Activity.object',
    'objects/Case.object',
    'objects/Contact.object',
    'objects/Lead.object',
    'objects/Wrapup_Call__c.object',
    'package.xml',
    'permissionsets/Wrapup.permissionset',
  ]);
  const text = (path: string) => made?.files[path] ?? '';
  expect(text('package.xml')).toContain('<members>Activity.Wrapup_Call_Id__c</members>');
  expect(text('package.xml')).toContain('<version>66.0</version>');
  expect(text('objects/Activity.object')).toMatch(
    /<fullName>Wrapup_Call_Id__c<[\s\S]*<externalId>true<[\s\S]*<unique>true</,
  );
  expect(text('objects/Lead.object')).toMatch(/Wrapup_Budget__c<[\s\S]*<type>Number</);
  expect(text('objects/Lead.object')).toMatch(/Wrapup_History__c<[\s\S]*<type>LongTextArea</);
  expect(text('permissionsets/Wrapup.permissionset')).toContain('<field>Task.Wrapup_Call_Id__c</field>');
  const unpacked = unzipSync(made?.zip ?? new Uint8Array());
  expect(Buffer.from(unpacked['package.xml'] ?? []).toString()).toBe(text('package.xml'));
});

test('a key that is there without being unique is said, and not taken', async () => {
  account = await openAccount({}, { provisioned: false });
  account.sandbox.control.seed({
    salesforce: { fields: { Activity: [{ name: 'Wrapup_Call_Id__c', type: 'string', length: 255 }] } },
  });
  const destination = await account.connect();
  const [step] = await destination.provision({ mappings: [], plan: true }, makeMemoryContext());
  expect(step).toMatchObject({
    what: 'Activity.Wrapup_Call_Id__c',
    state: 'refused',
    hint: expect.stringContaining('Unique'),
  });
  const { notes } = await destination.probe(makeMemoryContext());
  expect(notes.join('\n')).toMatch(/Task: .*not a unique external id.*step 3 of 3/);
});

test('doctor says which step of the ladder is in force and why, and what it rests on', async () => {
  account = await openAccount();
  const { account: org, notes } = await (await account.connect()).probe(makeMemoryContext());
  expect(org).toMatch(/^00D/);
  expect(notes.join('\n')).toContain('client credentials');
  expect(notes.join('\n')).toMatch(/\d+ of the org’s 100000 API requests/);
  expect(notes).toContain('Task: unique key Wrapup_Call_Id__c in force (step 1 of 3).');
});

test('where tasks take no key, records of Wrapup_Call__c keep it, and one call stays one task', async () => {
  account = await openAccount({ hidden_fields: ['Activity.Wrapup_Call_Id__c'] });
  const destination = await account.connect();
  const steps = await destination.provision(
    { mappings: [], plan: false, deploy: true, stand_in: true },
    makeMemoryContext(),
  );
  expect(steps.filter(({ what }) => what.startsWith('Wrapup_Call__c')).map(({ state }) => state)).toEqual([
    'created',
    'created',
  ]);
  const plan = planFor(salesforceHarness, { id: 'c1', phone: '+14155550142' });
  const [first] = await write(destination, [plan]);
  expect(first?.ok).toBe(true);
  // Another process, without any memory of the first.
  const [again] = await write(await account.connect(), [plan]);
  expect(again?.ok).toBe(true);
  await deliver(await account.connect(), { ...plan, resume: { attempts: 1, records: {} } }, undefined);
  expect(account.sandbox.salesforce.records('Task')).toHaveLength(2);
  const stands = account.sandbox.salesforce.records('Wrapup_Call__c').map(({ fields }) => fields);
  const tasks = account.sandbox.salesforce.records('Task').map(({ id }) => id);
  expect(stands.map((one) => one.Wrapup_Task_Id__c).sort()).toEqual(tasks.sort());
  const { notes } = await destination.probe(makeMemoryContext());
  expect(notes.join('\n')).toContain('step 2 of 3');
});

test('check: what a mapping gets wrong of this org, with the line', async () => {
  account = await openAccount({ read_only_fields: ['Lead.Rating', 'Contact.Rating'] });
  const mapping = compile(`person:
  fields:
    Titel: vars.x
    Status: { value: Invented }
    IsConverted: { value: true }
    Wrapup_New__c: vars.x
    Department: vars.x
call_log:
  fields:
    CallType: { value: Sideways }
    CallDurationInSeconds: { value: long }
objects: [ { name: visit, object: Site_Visit__c, fields: { A__c: vars.x } } ]
`);
  const findings = await (await account.connect()).check([mapping], makeMemoryContext());
  const found = findings.map(({ code, severity, at }) => `${severity} ${code} ${at?.line ?? ''}`.trim());
  expect(found.sort()).toEqual(
    [
      'error missing-object',
      'error missing-property 3',
      'error unknown-option 4',
      'error read-only 5',
      'error missing-property 6',
      'error unknown-option 10',
      'error wrong-type 11',
    ].sort(),
  );
  expect(findings.find(({ at }) => at?.line === 3)?.hint).toContain('Title');
});

test('check tells of missing keys and of owners who are not there', async () => {
  account = await openAccount({}, { provisioned: false });
  const mapping = compile(
    'person: { owner: { fallback: nobody@acme.example }, fields: { FirstName: lead.first_name } }\n',
  );
  const findings = await (await account.connect()).check([mapping], makeMemoryContext());
  expect(findings.map(({ code, severity }) => `${severity} ${code}`)).toEqual([
    'warning missing-key',
    'warning missing-key',
    'warning missing-key',
    'warning missing-watermark',
    'warning unknown-owner',
  ]);
});

test('scores and aggregates of call-quality are fields of activities, each of its type, and are written', async () => {
  account = await openAccount({}, { provisioned: false });
  const destination = await account.connect();
  const preset = compile('extends: salesforce/call-quality\n');
  const made = await destination.package?.({ mappings: [preset], stand_in: false });
  const activity = made?.files['objects/Activity.object'] ?? '';
  const typeOf = (name: string) =>
    new RegExp(`<fullName>${name}</fullName>[\\s\\S]*?<type>(\\w+)</type>`).exec(activity)?.[1];
  expect(typeOf('Wrapup_Criteria_Met__c')).toBe('Number');
  expect(typeOf('Wrapup_Full_Error__c')).toBe('Checkbox');
  expect(typeOf('Wrapup_Goal_Reached__c')).toBe('Text');
  await destination.provision({ mappings: [preset], plan: false, deploy: true }, makeMemoryContext());
  expect(await destination.check([preset], makeMemoryContext())).toEqual([]);
  const analysis = { goal: 'partial', steps: 'true', judge_found_full_error: 'false', all_feedback: 'No date.' };
  const { call } = planFor(salesforceHarness, { id: 'c1', phone: '+14155550142' });
  const [outcome] = await write(destination, [
    preset.plan({ ...call, vars: { interested: 'yes' }, analysis }, 'sample'),
  ]);
  expect(outcome).toMatchObject({ ok: true, receipt: { notes: [] } });
  expect(account.sandbox.salesforce.records('Task').map(({ fields }) => fields)).toMatchObject([
    {
      CallDisposition: 'Interested',
      Wrapup_Result__c: 'interested',
      Wrapup_Criteria_Met__c: 1,
      Wrapup_Criteria_Missed__c: 1,
      Wrapup_Goal_Reached__c: 'partly',
      Wrapup_Full_Error__c: false,
      Wrapup_Remarks__c: 'No date.',
    },
  ]);
});
