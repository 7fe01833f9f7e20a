/** What two records cannot both have, and what a client hears that tries. */
import { expect, test } from 'vitest';
import { aCall, clientOf, sandboxForFile, send } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();

const upsert = (object: string, inputs: object[]) =>
  send(sandbox, 'POST', `/crm/objects/2026-09/${object}/batch/upsert`, { inputs });
const byKey = (id: string, properties: Record<string, string>) => ({
  id,
  idProperty: 'wrapup_key',
  properties: { ...properties, wrapup_key: id },
});

test('a value that is taken is refused with the record that never was and the owner', async () => {
  const { calls = [] } = sandbox.control.seed({ records: { calls: [{ properties: aCall('a') }] } });
  const { status, body } = await send(sandbox, 'POST', '/crm/v3/objects/calls', { properties: aCall('a') });
  expect([status, body.category]).toEqual([400, 'VALIDATION_ERROR']);
  const [, half, owner] = /value=main:a\} on (\d+)\. (\d+) already has that value\.$/.exec(body.message) ?? [];
  expect(owner).toBe(calls[0]);
  expect(half).not.toBe(owner);
  expect((await send(sandbox, 'GET', `/crm/v3/objects/calls/${half}`)).status).toBe(404);
});

test('two rows of one request cannot have the same value either', async () => {
  const inputs = ['1', '2'].map((objectWriteTraceId) => ({ objectWriteTraceId, properties: aCall('a') }));
  const { status, body } = await send(sandbox, 'POST', '/crm/v3/objects/calls/batch/create', { inputs });
  expect([status, body.results.length]).toEqual([207, 1]);
  expect(body.errors[0].message).toContain(`${body.results[0].id} already has that value`);
  expect(sandbox.records('calls')).toHaveLength(1);
});

test('upserts of one new value that overlap: one creates, the others are refused', async () => {
  sandbox.control.settings({ hubspot: { race_window: 1_000 } });
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => upsert('contacts', [byKey('person:1', { firstname: 'Ada' })])),
  );
  expect(answers.map((answer) => answer.status).toSorted()).toEqual([200, 400, 400, 400, 400]);
  const [contact] = sandbox.records('contacts');
  for (const { body } of answers.filter(({ status }) => status === 400)) {
    expect(body.message).toMatch(new RegExp(`propertyName=wrapup_key, .* ${contact?.id} already has that value`));
  }
  expect(sandbox.records('contacts')).toHaveLength(1);
  expect((await upsert('contacts', [byKey('person:1', { firstname: 'Eve' })])).body.results[0]).toMatchObject({
    id: contact?.id,
    new: false,
  });
});

test('a contact with an e-mail that is taken is refused with the id of its owner', async () => {
  const { contacts = [] } = sandbox.control.seed({
    records: { contacts: [{ properties: { email: 'ada@example.com', hs_additional_emails: 'ada@other.example' } }] },
  });
  const { basicApi } = clientOf(sandbox).crm.contacts;
  for (const email of ['ADA@example.com', 'ada@other.example']) {
    await expect(basicApi.create({ properties: { email }, associations: [] })).rejects.toMatchObject({
      code: 409,
      body: { category: 'CONFLICT', message: `Contact already exists. Existing ID: ${contacts[0]}` },
    });
  }
  const batch = await send(sandbox, 'POST', '/crm/v3/objects/contacts/batch/create', {
    inputs: [{ objectWriteTraceId: '1', properties: { email: 'ada@example.com' } }],
  });
  expect([batch.status, batch.body.errors[0].category]).toEqual([207, 'CONFLICT']);
  const other = await basicApi.create({ properties: { firstname: 'Eve' }, associations: [] });
  await expect(basicApi.update(other.id, { properties: { email: 'ada@example.com' } })).rejects.toMatchObject({
    code: 400,
  });
});

test.each(['read', 'update', 'upsert'])('a batch %s refuses an id that comes twice', async (operation) => {
  const idProperty = 'wrapup_key';
  const inputs = ['k', 'k', 'l'].map((id) =>
    operation === 'read' ? { id } : { id, idProperty, properties: { firstname: 'Ada' } },
  );
  const body = operation === 'read' ? { idProperty, inputs } : { inputs };
  const answer = await send(sandbox, 'POST', `/crm/v3/objects/contacts/batch/${operation}`, body);
  expect(answer.status).toBe(400);
  expect(answer.body).toMatchObject({
    category: 'VALIDATION_ERROR',
    message: 'Duplicate IDs found in batch input: [k]. IDs must be unique',
    context: { ids: ['k'] },
  });
});

test('two addresses of one contact are the same id', async () => {
  sandbox.control.seed({
    records: { contacts: [{ properties: { email: 'a@example.com', hs_additional_emails: 'b@example.com' } }] },
  });
  const row = (id: string) => ({ id, idProperty: 'email', properties: { firstname: 'Ada' } });
  const answer = await upsert('contacts', [row('a@example.com'), row('b@example.com')]);
  expect([answer.status, answer.body.context.ids]).toEqual([400, ['b@example.com']]);
  const read = await send(sandbox, 'POST', '/crm/v3/objects/contacts/batch/read', {
    idProperty: 'email',
    properties: ['email'],
    inputs: [{ id: 'b@example.com' }],
  });
  expect(read.body.results.map((row: { properties: { email: string } }) => row.properties.email)).toEqual([
    'a@example.com',
  ]);
});

test('an upsert by e-mail succeeds or fails as a whole', async () => {
  const row = (id: string, more: object = {}) => ({
    id,
    idProperty: 'email',
    objectWriteTraceId: id,
    properties: { email: id, ...more },
  });
  const answer = await upsert('contacts', [row('a@example.com'), row('b@example.com', { hs_lead_status: 'NOPE' })]);
  expect(answer.status).toBe(400);
  expect(sandbox.records('contacts')).toEqual([]);
  expect((await upsert('contacts', [row('a@example.com')])).body.results[0].new).toBe(true);
});

test.each([
  ['upsert', 'hs_object_id'],
  ['upsert', 'firstname'],
  ['update', 'email'],
  ['update', 'phone'],
])('a batch %s by %s is refused', async (operation, idProperty) => {
  const inputs = [{ id: 'x', idProperty, properties: { firstname: 'Ada' } }];
  const answer = await send(sandbox, 'POST', `/crm/v3/objects/contacts/batch/${operation}`, { inputs });
  expect(answer.status).toBe(400);
  expect(answer.body.message).toContain(`Unable to perform update/upsert by non-unique 0-1 property ${idProperty}`);
});

test('an upsert without idProperty is refused', async () => {
  expect((await upsert('contacts', [{ id: '1', properties: { firstname: 'Ada' } }])).status).toBe(400);
});

test('a created row carries its key only when its properties say so', async () => {
  const answer = await upsert('calls', [
    { id: 'main:a', idProperty: 'wrapup_call_id', properties: { hs_timestamp: '0' } },
  ]);
  expect(answer.body.results[0].properties).not.toHaveProperty('wrapup_call_id');
});

test('an archived record frees its values, or holds them where the account does so', async () => {
  const remake = async () => {
    const [call] = sandbox.records('calls');
    await send(sandbox, 'DELETE', `/crm/v3/objects/calls/${call?.id}`);
    return send(sandbox, 'POST', '/crm/v3/objects/calls', { properties: aCall('a') });
  };
  sandbox.control.seed({ records: { calls: [{ properties: aCall('a') }] } });
  expect((await remake()).status).toBe(201);
  sandbox.control.settings({ hubspot: { archived_holds_unique_values: true } });
  expect((await remake()).body.message).toContain('already has that value');
});

test('a merge gives the winner what the loser had, and ends the loser', async () => {
  const { contacts = [] } = sandbox.control.seed({
    records: {
      contacts: [
        { properties: { email: 'a@example.com', firstname: 'Ada' } },
        { properties: { email: 'b@example.com', firstname: 'Eve', phone: '+14155550123' } },
      ],
    },
  });
  const [winner = '', loser = ''] = contacts;
  const { calls = [] } = sandbox.control.seed({
    records: { calls: [{ properties: aCall('a'), associations: { contacts: [loser] } }] },
  });
  const merged = await send(sandbox, 'POST', '/crm/v3/objects/contacts/merge', {
    primaryObjectId: winner,
    objectIdToMerge: loser,
  });
  expect(merged.status).toBe(200);
  expect((await send(sandbox, 'GET', `/crm/v3/objects/contacts/${loser}`)).body.category).toBe('OBJECT_NOT_FOUND');
  const [contact] = sandbox.records('contacts');
  expect(contact).toMatchObject({
    id: winner,
    properties: { firstname: 'Ada', phone: '+14155550123', hs_additional_emails: 'b@example.com' },
    associations: { calls },
  });
  const found = await send(sandbox, 'GET', '/crm/v3/objects/contacts/b@example.com?idProperty=email');
  expect(found.body.id).toBe(winner);
});

test('ids are unique within a type only', async () => {
  const ids = sandbox.control.seed({
    records: { contacts: [{ properties: { firstname: 'Ada' } }], calls: [{ properties: aCall('a') }] },
  });
  expect(ids.contacts).toEqual(ids.calls);
});
