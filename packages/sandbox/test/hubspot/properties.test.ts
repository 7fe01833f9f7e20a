/** Property definitions and groups. */
import { expect, test } from 'vitest';
import { clientOf, sandboxForFile, send } from '../support/sandbox.ts';

const sandbox = await sandboxForFile({ provisioned: false });

const define = (definition: object, object = 'calls') =>
  send(sandbox, 'POST', `/crm/properties/2026-09/${object}`, definition);
const text = (name: string, more: object = {}) => ({
  name,
  label: name,
  type: 'string',
  fieldType: 'text',
  groupName: 'call',
  ...more,
});

test('a fresh account has none of our properties, a provisioned one has them', async () => {
  const read = () => send(sandbox, 'GET', '/crm/v3/properties/calls/wrapup_call_id');
  expect(await read()).toMatchObject({ status: 404, body: { category: 'OBJECT_NOT_FOUND' } });
  sandbox.control.reset({ provisioned: true });
  expect((await read()).body).toMatchObject({
    hasUniqueValue: true,
    type: 'string',
    fieldType: 'text',
  });
  for (const object of ['contacts', 'companies', 'deals', 'tickets', 'tasks', 'notes', 'meetings']) {
    const key = await send(sandbox, 'GET', `/crm/v3/properties/${object}/wrapup_key`);
    expect(key.body.hasUniqueValue).toBe(true);
  }
  expect((await send(sandbox, 'GET', '/crm/v3/properties/contacts/wrapup_last_call_at')).body.type).toBe('datetime');
});

test.each([
  ['a group that does not exist', text('a', { groupName: 'nowhere' })],
  ['a name in capitals', text('Key')],
  ['a name that begins with a digit', text('1key')],
  ['a type that does not exist', text('a', { type: 'text' })],
  ['a field that does not go with its type', text('a', { fieldType: 'number' })],
  ['an enumeration without options', text('a', { type: 'enumeration', fieldType: 'select' })],
  ['options on a text', text('a', { options: [{ label: 'A', value: 'a' }] })],
  [
    'two options of one value',
    text('a', {
      type: 'enumeration',
      fieldType: 'select',
      options: [
        { label: 'A', value: 'a' },
        { label: 'B', value: 'a' },
      ],
    }),
  ],
  ['unique dates', text('a', { type: 'datetime', fieldType: 'date', hasUniqueValue: true })],
])('%s is refused', async (_what, definition) => {
  expect(await define(definition)).toMatchObject({ status: 400 });
});

test('an object has ten unique properties at most', async () => {
  for (let at = 0; at < 10; at += 1)
    expect((await define(text(`key_${at}`, { hasUniqueValue: true }))).status).toBe(201);
  expect((await define(text('key_10', { hasUniqueValue: true }))).status).toBe(400);
  expect((await define(text('key_10'))).status).toBe(201);
});

test('uniqueness cannot be added later, and an archived property comes back as it was', async () => {
  await define(text('key'));
  const patch = await send(sandbox, 'PATCH', '/crm/v3/properties/calls/key', { hasUniqueValue: true });
  expect(patch.status).toBe(400);
  expect((await send(sandbox, 'DELETE', '/crm/v3/properties/calls/key')).status).toBe(204);
  expect((await send(sandbox, 'GET', '/crm/v3/properties/calls/key')).status).toBe(404);
  expect((await send(sandbox, 'GET', '/crm/v3/properties/calls/key?archived=true')).body.archived).toBe(true);
  const again = await define(text('key', { hasUniqueValue: true }));
  expect([again.status, again.body.hasUniqueValue]).toEqual([201, false]);
});

test('an option that is added is taken from then on', async () => {
  const options = [
    { label: 'New', value: 'NEW' },
    { label: 'Hot', value: 'HOT' },
  ];
  const create = () =>
    send(sandbox, 'POST', '/crm/v3/objects/contacts', { properties: { firstname: 'Ada', hs_lead_status: 'HOT' } });
  expect((await create()).body.errors[0].code).toBe('INVALID_OPTION');
  expect((await send(sandbox, 'PATCH', '/crm/v3/properties/contacts/hs_lead_status', { options })).status).toBe(200);
  expect((await create()).status).toBe(201);
});

test('a batch tells which properties were there already', async () => {
  const { batchApi } = clientOf(sandbox).crm.properties;
  await define(text('one'));
  const made = await batchApi.createWithHttpInfo('calls', { inputs: [text('one'), text('two')] as never });
  expect(made.httpStatusCode).toBe(207);
  expect(made.data.results.map((property) => property.name)).toEqual(['two']);
  const read = await batchApi.readWithHttpInfo('calls', {
    archived: false,
    inputs: [{ name: 'two' }, { name: 'three' }],
  });
  expect([read.httpStatusCode, read.data.results.map((property) => property.name)]).toEqual([207, ['two']]);
});

test('groups are made once', async () => {
  const { groupsApi } = clientOf(sandbox).crm.properties;
  const group = { name: 'wrapup', label: 'Wrapup' };
  expect((await groupsApi.createWithHttpInfo('calls', group)).httpStatusCode).toBe(201);
  await expect(groupsApi.create('calls', group)).rejects.toMatchObject({
    code: 409,
    body: { category: 'OBJECT_ALREADY_EXISTS' },
  });
  expect(await groupsApi.getByName('calls', 'wrapup')).toMatchObject(group);
  expect((await define(text('key', { groupName: 'wrapup' }))).status).toBe(201);
});

test('a property may be named like anything that objects have', async () => {
  expect((await define(text('constructor', { groupName: 'contactinformation' }), 'contacts')).status).toBe(201);
  const made = await send(sandbox, 'POST', '/crm/v3/objects/contacts', {
    properties: { firstname: 'Ada', constructor: 'x' },
  });
  expect([made.status, made.body.properties.constructor]).toEqual([201, 'x']);
});
