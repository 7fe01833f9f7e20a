/** What Salesforce does not take, and how it says so: alone as a whole answer, in a collection as a row. */
import { expect, test } from 'vitest';
import type { Forms } from '../../src/index.ts';
import { ask, sandboxForFile } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();

const LEAD = { LastName: 'Lovelace', Company: 'Engines' };
const GONE = '00QgK0000000999AAA';

test.each([
  ['Lead', { Company: 'x' }, 'REQUIRED_FIELD_MISSING', 'Required fields are missing: [LastName]', ['LastName']],
  ['Lead', {}, 'REQUIRED_FIELD_MISSING', 'Required fields are missing: [LastName, Company]', ['LastName', 'Company']],
  ['Lead', { ...LEAD, Nope__c: 1 }, 'INVALID_FIELD', "No such column 'Nope__c' on sobject of type Lead", undefined],
  [
    'Lead',
    { ...LEAD, IsConverted: true },
    'INVALID_FIELD_FOR_INSERT_UPDATE',
    /Unable to create\/update fields: IsConverted/,
    ['IsConverted'],
  ],
  [
    'Lead',
    { ...LEAD, FirstName: 'x'.repeat(41) },
    'STRING_TOO_LONG',
    /First Name: data value too large: x+ \(max length=40\)/,
    ['FirstName'],
  ],
  ['Lead', { ...LEAD, Email: 'nobody' }, 'INVALID_EMAIL_ADDRESS', 'Email: invalid email address: nobody', ['Email']],
  [
    'Lead',
    { ...LEAD, Status: 'Odd' },
    'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST',
    'Status: bad value for restricted picklist field: Odd',
    ['Status'],
  ],
  ['Lead', { ...LEAD, DoNotCall: 'yes' }, 'JSON_PARSER_ERROR', /Cannot deserialize instance of boolean/, undefined],
  [
    'Task',
    { CallDurationInSeconds: 123_456_789 },
    'NUMBER_OUTSIDE_VALID_RANGE',
    /value outside of valid range/,
    ['CallDurationInSeconds'],
  ],
  [
    'Task',
    { ActivityDate: '2026-11-23T10:00:00Z' },
    'JSON_PARSER_ERROR',
    /Cannot deserialize instance of date/,
    undefined,
  ],
  ['Task', { ActivityDate: '2026-02-30' }, 'JSON_PARSER_ERROR', /date/, undefined],
  ['Task', { WhoId: 'tomorrow' }, 'MALFORMED_ID', 'Name ID: id value of incorrect type: tomorrow', ['WhoId']],
  ['Task', { WhoId: sandbox.salesforce.userId }, 'FIELD_INTEGRITY_EXCEPTION', /id value of incorrect type/, ['WhoId']],
  [
    'Task',
    { WhoId: '00QgK0000000zzz' },
    'INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY',
    'insufficient access rights on cross-reference id: 00QgK0000000zzz',
    [],
  ],
  ['Event', { Subject: 'x' }, 'REQUIRED_FIELD_MISSING', /ActivityDateTime/, ['ActivityDateTime']],
  [
    'Event',
    { StartDateTime: '2026-11-23T10:00:00Z', EndDateTime: '2026-11-23T09:00:00Z' },
    'FIELD_INTEGRITY_EXCEPTION',
    /End Date Time/,
    ['EndDateTime'],
  ],
  ['Opportunity', { Name: 'x', StageName: 'Prospecting' }, 'REQUIRED_FIELD_MISSING', /\[CloseDate\]/, ['CloseDate']],
  ['ContentVersion', { Title: 'x', PathOnClient: 'x.txt' }, 'REQUIRED_FIELD_MISSING', /VersionData/, ['VersionData']],
])('%s %j is refused as %s', async (object, given, code, message, fields) => {
  const single = await ask(sandbox, 'POST', `/sobjects/${object}`, given);
  expect([single.status, single.body.length, single.body[0].errorCode]).toEqual([400, 1, code]);
  expect(single.body[0].message).toMatch(message);
  expect(single.body[0].fields).toEqual(fields);
  const rows = { records: [{ attributes: { type: object }, ...given }] };
  const collection = await ask(sandbox, 'POST', '/composite/sobjects', rows);
  expect(collection.status).toBe(200);
  expect(collection.body).toEqual([
    { success: false, errors: [{ statusCode: code, message: single.body[0].message, fields: fields ?? [] }] },
  ]);
  expect(sandbox.salesforce.records(object)).toEqual([]);
});

test('a task cannot be about a converted lead, nor a lead be changed that is converted', async () => {
  const { Contact = [] } = sandbox.control.seed({ salesforce: { records: { Contact: [{ LastName: 'L' }] } } });
  const { Lead = [] } = sandbox.control.seed({
    salesforce: { records: { Lead: [{ ...LEAD, IsConverted: true, ConvertedContactId: Contact[0] }] } },
  });
  const task = await ask(sandbox, 'POST', '/sobjects/Task', { WhoId: Lead[0] });
  expect([task.status, task.body[0]]).toEqual([
    400,
    { errorCode: 'CANNOT_UPDATE_CONVERTED_LEAD', message: 'cannot reference converted lead', fields: [] },
  ]);
  const update = await ask(sandbox, 'PATCH', `/sobjects/Lead/${Lead[0]}`, { Title: 'x' });
  expect(update.body[0].errorCode).toBe('CANNOT_UPDATE_CONVERTED_LEAD');
});

test('a lead and something related do not go together, a contact and something related do', async () => {
  const ids = sandbox.control.seed({
    salesforce: { records: { Lead: [LEAD], Contact: [{ LastName: 'L' }], Account: [{ Name: 'Engines' }] } },
  });
  const make = (who: string | undefined) =>
    ask(sandbox, 'POST', '/sobjects/Task', { WhoId: who, WhatId: ids.Account?.[0] });
  expect((await make(ids.Lead?.[0])).body[0]).toMatchObject({
    errorCode: 'FIELD_INTEGRITY_EXCEPTION',
    fields: ['WhatId'],
  });
  expect((await make(ids.Contact?.[0])).status).toBe(201);
  expect(sandbox.salesforce.records('Task')[0]?.fields.AccountId).toBe(ids.Account?.[0]);
});

test('what is not there, deleted or merged has an error of its own', async () => {
  const { Lead = [] } = sandbox.control.seed({ salesforce: { records: { Lead: [{ ...LEAD, IsDeleted: true }] } } });
  expect((await ask(sandbox, 'GET', `/sobjects/Lead/${Lead[0]}`)).body[0].errorCode).toBe('NOT_FOUND');
  const written = await ask(sandbox, 'PATCH', `/sobjects/Lead/${Lead[0]}`, {});
  expect([written.status, written.body[0].errorCode]).toEqual([404, 'ENTITY_IS_DELETED']);
  expect((await ask(sandbox, 'POST', '/sobjects/Task', { WhoId: Lead[0] })).body[0].errorCode).toBe(
    'ENTITY_IS_DELETED',
  );
  expect((await ask(sandbox, 'GET', `/sobjects/Lead/${GONE}`)).body[0].errorCode).toBe('NOT_FOUND');
  expect((await ask(sandbox, 'GET', '/sobjects/Nothing__c/describe')).status).toBe(404);
  expect((await ask(sandbox, 'GET', '/queryAll?q=SELECT Id FROM Lead WHERE IsDeleted = true')).body.totalSize).toBe(1);
});

test('users who left own nothing more, a subtype is chosen once, and a status never cleared', async () => {
  const users = (await ask(sandbox, 'GET', '/query?q=SELECT Id FROM User WHERE IsActive = false')).body.records;
  const owned = await ask(sandbox, 'POST', '/sobjects/Task', { OwnerId: users[0].Id });
  expect(owned.body[0]).toMatchObject({ errorCode: 'INACTIVE_OWNER_OR_USER', fields: ['OwnerId'] });
  const { id } = (await ask(sandbox, 'POST', '/sobjects/Task', { TaskSubtype: 'Call' })).body;
  const cleared = await ask(sandbox, 'PATCH', `/sobjects/Task/${id}`, { Status: null });
  expect(cleared.body[0]).toMatchObject({ errorCode: 'REQUIRED_FIELD_MISSING', fields: ['Status'] });
  const changed = await ask(sandbox, 'PATCH', `/sobjects/Task/${id}`, { TaskSubtype: 'Email' });
  expect(changed.body[0]).toMatchObject({ errorCode: 'INVALID_FIELD_FOR_INSERT_UPDATE', fields: ['TaskSubtype'] });
});

test('an administrator can hide a field, lock it, or ask for another', async () => {
  sandbox.control.settings({
    salesforce: {
      hidden_fields: ['Task.CallType', 'Activity.Wrapup_Call_Id__c'],
      read_only_fields: ['Task.CallDisposition'],
      validation: { Task: ['Subject'] },
    },
  });
  const make = async (given: object) => (await ask(sandbox, 'POST', '/sobjects/Task', given)).body[0]?.errorCode;
  expect(await make({ CallType: 'Inbound' })).toBe('INVALID_FIELD');
  expect(await make({ CallDisposition: 'x' })).toBe('INVALID_FIELD_FOR_INSERT_UPDATE');
  expect(await make({})).toBe('FIELD_CUSTOM_VALIDATION_EXCEPTION');
  expect((await ask(sandbox, 'PATCH', '/sobjects/Task/Wrapup_Call_Id__c/a', {})).status).toBe(404);
  const { fields } = (await ask(sandbox, 'GET', '/sobjects/Task/describe')).body;
  const names = fields.map(({ name }: { name: string }) => name);
  expect(names).not.toContain('CallType');
  expect(fields.find(({ name }: { name: string }) => name === 'CallDisposition')).toMatchObject({
    createable: false,
    updateable: false,
  });
});

test('a collection takes 200 rows, of objects that say what they are', async () => {
  const rows = (count: number) => ({
    records: Array.from({ length: count }, () => ({ attributes: { type: 'Task' } })),
  });
  const many = await ask(sandbox, 'POST', '/composite/sobjects', rows(201));
  expect([many.status, many.body[0].errorCode]).toEqual([400, 'EXCEEDED_ID_LIMIT']);
  expect((await ask(sandbox, 'POST', '/composite/sobjects', rows(200))).body).toHaveLength(200);
  const mixed = Array.from({ length: 11 }, (_, n) => ({ attributes: { type: n % 2 ? 'Task' : 'Account' }, Name: 'x' }));
  const chunks = await ask(sandbox, 'POST', '/composite/sobjects', { records: mixed });
  expect([chunks.status, chunks.body[0].errorCode]).toEqual([400, 'LIMIT_EXCEEDED']);
  const nameless = await ask(sandbox, 'POST', '/composite/sobjects', { records: [{ Subject: 'x' }] });
  expect(nameless.body[0].errors[0].statusCode).toBe('JSON_PARSER_ERROR');
});

test('all or none takes everything back, and says which rows were good', async () => {
  const records = [LEAD, { Company: 'x' }].map((row) => ({ attributes: { type: 'Lead' }, ...row }));
  const { body } = await ask(sandbox, 'POST', '/composite/sobjects', { allOrNone: true, records });
  expect(body.map(({ errors }: { errors: { statusCode: string }[] }) => errors[0]?.statusCode)).toEqual([
    'ALL_OR_NONE_OPERATION_ROLLED_BACK',
    'REQUIRED_FIELD_MISSING',
  ]);
  expect([sandbox.salesforce.records('Lead'), sandbox.salesforce.journal()]).toEqual([[], []]);
});

test('assignment rules take the owner away, unless the request forbids it', async () => {
  const owner = (await ask(sandbox, 'GET', "/query?q=SELECT Id FROM User WHERE LastName = 'Okafor'")).body.records[0]
    .Id;
  sandbox.control.settings({ salesforce: { assignment: { Lead: owner } } });
  const ownerOf = async (headers: Record<string, string>) => {
    const { id } = (
      await ask(sandbox, 'POST', '/sobjects/Lead', LEAD, {
        'sforce-duplicate-rule-header': 'allowSave=true',
        ...headers,
      })
    ).body;
    return sandbox.salesforce.records('Lead').find((one) => one.id === id)?.fields.OwnerId;
  };
  expect(await ownerOf({})).toBe(owner);
  expect(await ownerOf({ 'sforce-auto-assign': 'FALSE' })).toBe(sandbox.salesforce.userId);
});

test('a file hangs on its record with one request, as JSON and as parts', async () => {
  const { Lead = [] } = sandbox.control.seed({ salesforce: { records: { Lead: [LEAD] } } });
  const given = { Title: 'Transcript', PathOnClient: 'transcript.txt', FirstPublishLocationId: Lead[0] };
  const data = Buffer.from('Hello – yes').toString('base64');
  const { id } = (await ask(sandbox, 'POST', '/sobjects/ContentVersion', { ...given, VersionData: data })).body;
  expect(sandbox.salesforce.records('ContentVersion')[0]?.fields).toMatchObject({ FileType: 'TEXT', ContentSize: 13 });
  const links = sandbox.salesforce.records('ContentDocumentLink').map(({ fields }) => fields.LinkedEntityId);
  expect(links).toEqual([sandbox.salesforce.userId, Lead[0]]);
  const content = await fetch(
    `${sandbox.salesforceUrl}/services/data/v66.0/sobjects/ContentVersion/${id}/VersionData`,
    {
      headers: { authorization: `Bearer ${sandbox.salesforce.token()}` },
    },
  );
  expect(await content.text()).toBe('Hello – yes');
});

test.each([
  [2022, ['cache-control', 'sforce-limit-info']],
  [2026, ['x-content-type-options']],
])('in the forms of %s an answer without a body has the headers that were recorded', async (forms, names) => {
  sandbox.control.settings({ salesforce: { forms: forms as Forms } });
  const { Lead = [] } = sandbox.control.seed({ salesforce: { records: { Lead: [LEAD] } } });
  const { status, headers } = await ask(sandbox, 'PATCH', `/sobjects/Lead/${Lead[0]}`, { LastName: 'New' });
  const own = ['cache-control', 'content-type', 'sforce-limit-info', 'vary', 'x-content-type-options'];
  expect([status, own.filter((name) => headers.has(name))]).toEqual([204, names]);
});

test('a collection without rows, a second assignment and an empty address are answered as recorded', async () => {
  const none = await ask(sandbox, 'POST', '/composite/sobjects', { allOrNone: false, records: [] });
  expect([none.status, none.body[0].errorCode]).toEqual([400, 'REQUIRED_FIELD_MISSING']);
  const { PermissionSet = [] } = sandbox.control.seed({
    salesforce: { records: { PermissionSet: [{ Name: 'A', Label: 'A' }] } },
  });
  const assignment = { AssigneeId: sandbox.salesforce.userId, PermissionSetId: PermissionSet[0] };
  expect((await ask(sandbox, 'POST', '/sobjects/PermissionSetAssignment', assignment)).status).toBe(201);
  const again = await ask(sandbox, 'POST', '/sobjects/PermissionSetAssignment', assignment);
  expect(again.body[0]).toMatchObject({ errorCode: 'DUPLICATE_VALUE', fields: ['AssigneeId', 'PermissionSetId'] });
  expect((await ask(sandbox, 'POST', '/sobjects/Lead', { ...LEAD, Email: '' })).status).toBe(201);
});
