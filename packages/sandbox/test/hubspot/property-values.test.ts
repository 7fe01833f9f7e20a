/** Values that an account cannot take are refused with the vendor's codes, all of them at once. */
import { expect, test } from 'vitest';
import { aCall, clientOf, sandboxForFile, send } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();

const details = (body: { errors?: { code: string; context: { propertyName: string[] } }[] }) =>
  body.errors?.map(({ code, context }) => [context.propertyName[0], code]);

test('every wrong property of a record is named with its code', async () => {
  const { status, body } = await send(sandbox, 'POST', '/crm/v3/objects/contacts', {
    properties: {
      email: 'not an address',
      hs_lead_status: 'connected',
      numemployees: '1.5',
      closedate: 'yesterday',
      createdate: '2026-11-23T10:00:00Z',
      no_such_property: 'x',
      hs_pinned_engagement_id: 'twelve',
      hubspot_owner_id: '71000003',
    },
  });
  expect(status).toBe(400);
  expect(body).toMatchObject({ status: 'error', category: 'VALIDATION_ERROR', correlationId: expect.any(String) });
  expect(details(body)).toEqual([
    ['email', 'INVALID_EMAIL'],
    ['hs_lead_status', 'INVALID_OPTION'],
    ['numemployees', 'INVALID_INTEGER'],
    ['closedate', 'INVALID_LONG'],
    ['createdate', 'READ_ONLY_VALUE'],
    ['no_such_property', 'PROPERTY_DOESNT_EXIST'],
    ['hs_pinned_engagement_id', 'INVALID_INTEGER'],
    ['hubspot_owner_id', 'INVALID_OWNER_ID'],
  ]);
  expect(sandbox.records('contacts')).toEqual([]);
});

test('the detail stands in the message, and since 2025 in a list too', async () => {
  const ask = () => send(sandbox, 'POST', '/crm/v3/objects/contacts', { properties: { firstname: 'Ada', nope: 'x' } });
  sandbox.control.settings({ hubspot: { forms: 2022 } });
  const inMessage = (await ask()).body;
  expect(inMessage).not.toHaveProperty('errors');
  const [, json = ''] = /^Property values were not valid: (\[.*\])$/.exec(inMessage.message) ?? [];
  expect(JSON.parse(json)).toMatchObject([{ isValid: false, error: 'PROPERTY_DOESNT_EXIST', name: 'nope' }]);
  sandbox.control.settings({ hubspot: { forms: 2025 } });
  const both = (await ask()).body;
  expect(both.message).toBe(inMessage.message);
  expect(details(both)).toEqual([['nope', 'PROPERTY_DOESNT_EXIST']]);
});

test.each([
  ['contacts', { phone: '+14155550123', wrapup_key: 'person:1' }, ['email', 'firstname', 'lastname']],
  ['calls', { hs_call_title: 'x' }, ['hs_timestamp']],
  ['tasks', { hs_task_subject: 'x' }, ['hs_timestamp']],
  ['deals', { dealname: 'x' }, ['dealstage']],
  ['tickets', { content: 'x' }, ['subject', 'hs_pipeline_stage']],
])('%s are not created without what they need', async (object, properties, missing) => {
  const single = await send(sandbox, 'POST', `/crm/objects/2026-09/${object}`, { properties });
  expect(single.status).toBe(400);
  expect(single.body.context.properties).toEqual(missing);
  const key = object === 'calls' ? 'wrapup_call_id' : 'wrapup_key';
  const inputs = [{ id: 'k', idProperty: key, properties: { ...properties, [key]: 'k' } }];
  expect((await send(sandbox, 'POST', `/crm/objects/2026-09/${object}/batch/upsert`, { inputs })).status).toBe(400);
  expect(sandbox.records(object)).toEqual([]);
});

test('rules of the administrator hold on date-based paths only', async () => {
  sandbox.control.settings({ hubspot: { required: { contacts: ['company'] } } });
  const properties = { firstname: 'Ada' };
  const dated = await send(sandbox, 'POST', '/crm/objects/2026-09/contacts', { properties });
  expect([dated.status, details(dated.body)]).toEqual([400, [['company', 'MISSING_REQUIRED_PROPERTY']]]);
  expect((await send(sandbox, 'POST', '/crm/v3/objects/contacts', { properties })).status).toBe(201);
});

test('a rule can hang on the value of another property, on updates too', async () => {
  const rule = { property: 'hs_lead_status', equals: 'UNQUALIFIED', requires: ['message'] };
  sandbox.control.settings({ hubspot: { required_when: { contacts: [rule] } } });
  const made = await send(sandbox, 'POST', '/crm/objects/2026-09/contacts', { properties: { firstname: 'Ada' } });
  const change = (version: string) =>
    send(sandbox, 'PATCH', `/crm/${version}/contacts/${made.body.id}`, {
      properties: { hs_lead_status: 'UNQUALIFIED' },
    });
  const refused = await change('objects/2026-09');
  expect([refused.status, details(refused.body)]).toEqual([
    400,
    [['message', 'MISSING_CONDITIONAL_REQUIRED_PROPERTY']],
  ]);
  expect((await change('v3/objects')).status).toBe(200);
});

test('times are kept as UTC, e-mails in lower case, and an empty text clears', async () => {
  const { basicApi } = clientOf(sandbox).crm.objects;
  const made = await basicApi.create('calls', {
    properties: aCall('a', { hs_timestamp: '1763892000000', hs_call_duration: '61000' }),
    associations: [],
  });
  expect(made.properties).toMatchObject({ hs_timestamp: '2025-11-23T10:00:00Z', hs_call_duration: '61000' });
  await basicApi.update('calls', made.id, { properties: { hs_call_duration: '' } });
  expect(sandbox.records('calls')[0]?.properties).not.toHaveProperty('hs_call_duration');
});

test('a text may have 65,536 characters', async () => {
  const body = (length: number) => ({ properties: aCall('a', { hs_call_body: 'x'.repeat(length) }) });
  expect((await send(sandbox, 'POST', '/crm/v3/objects/calls', body(65_537))).status).toBe(400);
  expect((await send(sandbox, 'POST', '/crm/v3/objects/calls', body(65_536))).status).toBe(201);
});

test('telephone numbers become searchable without their country code', async () => {
  const { contacts = [] } = sandbox.control.seed({
    records: {
      contacts: [
        { properties: { firstname: 'A', phone: '(415) 555-0123', mobilephone: '+44 20 7946 0958' } },
        { properties: { firstname: 'B', phone: 'ext. 12' } },
      ],
    },
  });
  const [first, second] = sandbox.records('contacts').map((contact) => contact.properties);
  expect(first).toMatchObject({
    hs_searchable_calculated_phone_number: '4155550123',
    hs_calculated_phone_number: '+14155550123',
    hs_searchable_calculated_mobile_number: '2079460958',
  });
  expect(second?.hs_searchable_calculated_phone_number).toBe('12');
  await send(sandbox, 'PATCH', `/crm/v3/objects/contacts/${contacts[0]}`, { properties: { phone: '' } });
  expect(sandbox.records('contacts')[0]?.properties).not.toHaveProperty('hs_searchable_calculated_phone_number');
});

test('a lifecycle stage only moves forward unless it is cleared', async () => {
  const { contacts = [] } = sandbox.control.seed({
    records: { contacts: [{ properties: { firstname: 'A', lifecyclestage: 'customer' } }] },
  });
  const set = (lifecyclestage: string) =>
    send(sandbox, 'PATCH', `/crm/v3/objects/contacts/${contacts[0]}`, { properties: { lifecyclestage } });
  expect((await set('lead')).body.properties.lifecyclestage).toBe('customer');
  await set('');
  expect((await set('lead')).body.properties.lifecyclestage).toBe('lead');
});

test.each([
  ['what is no JSON', '{"properties":'],
  ['an array', []],
  ['inputs that are no array', { inputs: {} }],
  ['a value that is an object', { inputs: [{ properties: { hs_call_title: {} } }] }],
  ['a field that it does not know', { inputs: [{ properties: {}, association: [] }] }],
])('a batch refuses %s', async (_what, body) => {
  const answer = await send(sandbox, 'POST', '/crm/v3/objects/calls/batch/create', body);
  expect(answer.status).toBe(400);
  expect(answer.body.message).toMatch(/^Invalid input JSON on line/);
  expect(answer.body).not.toHaveProperty('category');
});

test.each(['create', 'read', 'update', 'upsert', 'archive'])(
  'a batch %s takes at most 100 inputs',
  async (operation) => {
    const inputs = Array.from({ length: 101 }, (_, at) =>
      operation === 'create'
        ? { properties: aCall(String(at)) }
        : {
            id: String(at),
            ...(operation === 'upsert' && { idProperty: 'wrapup_call_id', properties: aCall(String(at)) }),
          },
    );
    const ask = (count: number) =>
      send(sandbox, 'POST', `/crm/v3/objects/calls/batch/${operation}`, { inputs: inputs.slice(0, count) });
    expect((await ask(101)).status).toBe(400);
    expect(sandbox.records('calls')).toEqual([]);
    expect((await ask(100)).status).toBeLessThan(300);
    expect((await ask(0)).status).toBe(400);
  },
);

test.each([
  ['upsert', { id: 'k', idProperty: 'wrapup_call_id' }],
  ['update', { id: '70000000101' }],
])('a batch %s takes no associations', async (operation, input) => {
  const inputs = [{ ...input, properties: aCall('k'), associations: [] }];
  expect((await send(sandbox, 'POST', `/crm/v3/objects/calls/batch/${operation}`, { inputs })).status).toBe(400);
});

test('a type that does not exist is not guessed', async () => {
  const answer = await send(sandbox, 'GET', '/crm/v3/objects/telephone_calls/1');
  expect(answer).toMatchObject({ status: 400, body: { message: 'Unable to infer object type from: telephone_calls' } });
});
