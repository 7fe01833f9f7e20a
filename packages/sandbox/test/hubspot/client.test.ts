/** What the vendor's client does every day works, with the status codes that it insists on. */
import { AssociationTypes } from '@hubspot/api-client';
import { expect, test } from 'vitest';
import { aCall, clientOf, sandboxForFile } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();

test('a contact is created, read, changed and archived', async () => {
  const { basicApi } = clientOf(sandbox).crm.contacts;
  const created = await basicApi.createWithHttpInfo({
    properties: { email: 'Ada@Example.com', firstname: 'Ada' },
    associations: [],
  });
  expect(created.httpStatusCode).toBe(201);
  const { id } = created.data;
  const read = await basicApi.getById(id, ['firstname', 'email', 'phone', 'no_such_property']);
  expect(read.properties).toMatchObject({ firstname: 'Ada', email: 'ada@example.com', phone: null, hs_object_id: id });
  expect(read.properties).not.toHaveProperty('no_such_property');
  const changed = await basicApi.updateWithHttpInfo(id, { properties: { firstname: '', lastname: 'Lovelace' } });
  expect(changed.httpStatusCode).toBe(200);
  expect((await basicApi.getById(id, ['firstname', 'lastname'])).properties).toMatchObject({
    firstname: null,
    lastname: 'Lovelace',
  });
  await basicApi.archive(id);
  await expect(basicApi.getById(id)).rejects.toMatchObject({ code: 404, body: { category: 'OBJECT_NOT_FOUND' } });
});

test('a contact is read and changed by its e-mail', async () => {
  const { basicApi } = clientOf(sandbox).crm.contacts;
  await basicApi.create({ properties: { email: 'ada@example.com' }, associations: [] });
  await basicApi.update('ADA@example.com', { properties: { phone: '+14155550123' } }, 'email');
  const read = await basicApi.getById('ada@example.com', ['phone'], undefined, undefined, false, 'email');
  expect(read.properties.phone).toBe('+14155550123');
});

test('calls are created with their contact in one batch', async () => {
  const client = clientOf(sandbox);
  const contact = await client.crm.contacts.basicApi.create({ properties: { firstname: 'Ada' }, associations: [] });
  const answer = await client.crm.objects.batchApi.createWithHttpInfo('calls', {
    inputs: ['a', 'b'].map((id) => ({
      objectWriteTraceId: id,
      properties: aCall(id),
      associations: [
        {
          to: { id: contact.id },
          types: [
            { associationCategory: 'HUBSPOT_DEFINED' as never, associationTypeId: AssociationTypes.callToContact },
          ],
        },
      ],
    })),
  });
  expect(answer.httpStatusCode).toBe(201);
  expect(answer.data.results.map(({ properties }) => properties.wrapup_call_id).toSorted()).toEqual([
    'main:a',
    'main:b',
  ]);
  const calls = sandbox.records('calls');
  expect(calls.map((call) => call.associations)).toEqual([{ contacts: [contact.id] }, { contacts: [contact.id] }]);
  const read = await client.crm.contacts.basicApi.getById(contact.id, undefined, undefined, ['calls']);
  expect(read.associations?.calls?.results.map((link) => link.type)).toEqual(['contact_to_call', 'contact_to_call']);
});

test('an upsert creates, then updates, and says which', async () => {
  const { batchApi } = clientOf(sandbox).crm.objects;
  const inputs = [{ id: 'main:a', idProperty: 'wrapup_call_id', properties: aCall('a') }];
  const first = await batchApi.upsertWithHttpInfo('calls', { inputs });
  const second = await batchApi.upsertWithHttpInfo('0-48', { inputs });
  expect([first.httpStatusCode, second.httpStatusCode]).toEqual([200, 200]);
  expect([first.data.results[0]?._new, second.data.results[0]?._new]).toEqual([true, false]);
  expect(sandbox.records('calls')).toHaveLength(1);
});

test('tasks are read in a batch by their unique property', async () => {
  const { batchApi } = clientOf(sandbox).crm.objects;
  await batchApi.create('tasks', {
    inputs: [
      {
        properties: { hs_timestamp: '2026-11-24T09:00:00Z', hs_task_subject: 'Call back', wrapup_key: 'k' },
        associations: [],
      },
    ],
  });
  const read = await batchApi.readWithHttpInfo('tasks', {
    idProperty: 'wrapup_key',
    properties: ['hs_task_subject', 'wrapup_key'],
    propertiesWithHistory: [],
    inputs: [{ id: 'k' }, { id: 'other' }],
  });
  expect(read.httpStatusCode).toBe(207);
  expect(read.data.results.map((task) => task.properties.hs_task_subject)).toEqual(['Call back']);
  expect('errors' in read.data && read.data.errors?.[0]).toMatchObject({
    category: 'OBJECT_NOT_FOUND',
    context: { ids: ['other'] },
  });
});

test('records are linked by default, read back and unlinked', async () => {
  const client = clientOf(sandbox);
  const { contacts = [], calls = [] } = sandbox.control.seed({
    records: { contacts: [{ properties: { firstname: 'Ada' } }], calls: [{ properties: aCall('a') }] },
  });
  const [contact = '', call = ''] = [contacts[0], calls[0]];
  const { batchApi, basicApi } = client.crm.associations.v4;
  for (let round = 0; round < 2; round += 1) {
    const linked = await batchApi.createDefault('calls', 'contacts', {
      inputs: [{ _from: { id: call }, to: { id: contact } }],
    });
    expect(linked.results).toHaveLength(2);
  }
  const read = await batchApi.getPage('contacts', 'calls', { inputs: [{ id: contact }] });
  expect(read.results[0]?.to).toMatchObject([{ toObjectId: Number(call), associationTypes: [{ typeId: 193 }] }]);
  expect((await basicApi.getPage('calls', call, 'contacts')).results.map((one) => String(one.toObjectId))).toEqual([
    contact,
  ]);
  await basicApi.archive('calls', call, 'contacts', contact);
  expect(sandbox.records('calls')[0]?.associations).toEqual({});
});

test('a unique property is defined and shown', async () => {
  const { coreApi } = clientOf(sandbox).crm.properties;
  const [group] = (await clientOf(sandbox).crm.properties.groupsApi.getAll('calls')).results;
  const definition = {
    name: 'other_key',
    label: 'Other key',
    type: 'string',
    fieldType: 'text',
    groupName: group?.name ?? '',
    hasUniqueValue: true,
  };
  const made = await coreApi.createWithHttpInfo('calls', definition as never);
  expect(made.httpStatusCode).toBe(201);
  expect(await coreApi.getByName('calls', 'other_key')).toMatchObject({
    hasUniqueValue: true,
    modificationMetadata: { archivable: true },
  });
  await expect(coreApi.create('calls', definition as never)).rejects.toMatchObject({
    code: 409,
    body: { category: 'OBJECT_ALREADY_EXISTS', subCategory: 'Properties.PROPERTY_WITH_NAME_EXISTS' },
  });
});

test('owners, dispositions and the account tell about themselves', async () => {
  const client = clientOf(sandbox);
  const owners = await client.crm.owners.ownersApi.getPage();
  expect(owners.results.map((owner) => owner.email)).toContain('ada.owner@example.com');
  const dispositions = await client.apiRequest({ path: '/calling/v1/dispositions' });
  expect(await dispositions.json()).toContainEqual({
    id: 'f240bbac-87c9-4f6e-bf70-924b57d47db7',
    label: 'Connected',
    deleted: false,
  });
  const account = await client.apiRequest({ path: '/account-info/2026-09/details' });
  expect(await account.json()).toMatchObject({ portalId: expect.any(Number) });
});

test('date-based paths serve the same records', async () => {
  const client = clientOf(sandbox);
  const { contacts = [] } = sandbox.control.seed({ records: { contacts: [{ properties: { firstname: 'Ada' } }] } });
  for (const path of [`/crm/objects/2026-09/contacts/${contacts[0]}`, `/crm/objects/2026-03/0-1/${contacts[0]}`]) {
    expect(await (await client.apiRequest({ path })).json()).toMatchObject({ id: contacts[0] });
  }
  const schema = await (await client.apiRequest({ path: '/crm/properties/2026-09/calls/wrapup_call_id' })).json();
  expect(schema).toMatchObject({ hasUniqueValue: true });
  expect((await client.apiRequest({ path: '/crm/owners/2026-09' })).status).toBe(200);
});
