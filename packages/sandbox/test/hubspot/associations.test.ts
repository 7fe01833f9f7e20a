/** Links between records, inline and on their own. */
import { expect, test } from 'vitest';
import { aCall, sandboxForFile, send } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();

const link = (associationTypeId: number, associationCategory = 'HUBSPOT_DEFINED') => ({
  associationCategory,
  associationTypeId,
});
function seeded() {
  const ids = sandbox.control.seed({
    records: {
      contacts: [{ properties: { firstname: 'Ada' } }, { properties: { firstname: 'Eve' } }],
      companies: [{ properties: { name: 'Acme' } }],
      calls: [{ properties: aCall('a') }],
    },
  });
  return { contacts: ids.contacts as string[], company: ids.companies?.[0] as string, call: ids.calls?.[0] as string };
}
const post = (rest: string, inputs: object[], from = 'calls', to = 'contacts') =>
  send(sandbox, 'POST', `/crm/associations/2026-09/${from}/${to}/batch/${rest}`, { inputs });

test.each([
  ['a number of other types', [link(223)]],
  ['a number that does not exist', [link(999_999)]],
  ['the number of the other direction', [link(193)]],
  ['another category', [link(194, 'USER_DEFINED')]],
  ['no type', []],
])('a call is not created with a link of %s', async (_what, types) => {
  const { contacts } = seeded();
  const answer = await send(sandbox, 'POST', '/crm/v3/objects/calls', {
    properties: aCall('b'),
    associations: [{ to: { id: contacts[0] }, types }],
  });
  expect(answer.status).toBe(400);
  expect(sandbox.records('calls')).toHaveLength(1);
});

test('a call is not created with a link to a missing record', async () => {
  const answer = await send(sandbox, 'POST', '/crm/v3/objects/calls', {
    properties: aCall('b'),
    associations: [{ to: { id: '1' }, types: [link(194)] }],
  });
  expect(answer).toMatchObject({ status: 400, body: { message: 'CONTACT=1 is not valid' } });
  expect(sandbox.records('calls')).toEqual([]);
});

test('one call is linked to a contact and a company at once', async () => {
  const { contacts, company } = seeded();
  const associations = [
    { to: { id: contacts[0] }, types: [link(194)] },
    { to: { id: company }, types: [link(182)] },
  ];
  const made = await send(sandbox, 'POST', '/crm/v3/objects/calls', { properties: aCall('b'), associations });
  expect(made.status).toBe(201);
  expect(sandbox.records('calls')[1]?.associations).toEqual({ contacts: [contacts[0]], companies: [company] });
});

test('a wrong number fails the whole batch of links', async () => {
  const { contacts, call } = seeded();
  const inputs = contacts.map((id, at) => ({ from: { id: call }, to: { id }, types: [link(at === 0 ? 194 : 202)] }));
  expect((await post('create', inputs)).status).toBe(400);
  expect(sandbox.records('calls')[0]?.associations).toEqual({});
});

test('a record that is not there is listed in errors, and by default under 200', async () => {
  const { contacts, call } = seeded();
  const ends = [contacts[0], '1'].map((id) => ({ from: { id: call }, to: { id } }));
  const byNumber = await post(
    'create',
    ends.map((input) => ({ ...input, types: [link(194)] })),
  );
  expect([byNumber.status, byNumber.body.results.length, byNumber.body.numErrors]).toEqual([207, 1, 1]);
  const byDefault = await post('associate/default', ends);
  expect([byDefault.status, byDefault.body.results.length, byDefault.body.numErrors]).toEqual([200, 2, 1]);
});

test('what is linked to nothing is an error of a read', async () => {
  const { contacts, call } = seeded();
  await post('associate/default', [{ from: { id: call }, to: { id: contacts[0] } }]);
  const { status, body } = await post(
    'read',
    contacts.map((id) => ({ id })),
    'contacts',
    'calls',
  );
  expect([status, body.results.length]).toEqual([207, 1]);
  expect(body.errors[0]).toMatchObject({
    category: 'OBJECT_NOT_FOUND',
    subCategory: 'crm.associations.NO_ASSOCIATIONS_FOUND',
    context: { fromObjectId: [contacts[1]] },
  });
});

test('a link to an archived record is not shown', async () => {
  const { contacts, call } = seeded();
  await post('associate/default', [{ from: { id: call }, to: { id: contacts[0] } }]);
  await send(sandbox, 'DELETE', `/crm/v3/objects/contacts/${contacts[0]}`);
  expect((await send(sandbox, 'GET', `/crm/v4/objects/calls/${call}/associations/contacts`)).body.results).toEqual([]);
  expect(sandbox.records('calls')[0]?.associations).toEqual({});
});

test('labels are defined, set, replaced, and the plain link stays', async () => {
  const { contacts, call } = seeded();
  const define = async (label: string) => {
    const { body } = await send(sandbox, 'POST', '/crm/v4/associations/calls/contacts/labels', {
      label,
      name: label.toLowerCase(),
    });
    return body.results[0].typeId as number;
  };
  const [decider, payer] = [await define('Decider'), await define('Payer')];
  const set = (typeId: number) =>
    send(sandbox, 'PUT', `/crm/v4/objects/calls/${call}/associations/contacts/${contacts[0]}`, [
      link(typeId, 'USER_DEFINED'),
    ]);
  expect(await set(decider)).toMatchObject({ status: 201, body: { labels: ['Decider'] } });
  await set(payer);
  const { body } = await send(sandbox, 'GET', `/crm/v4/objects/calls/${call}/associations/contacts`);
  const types = body.results[0].associationTypes.map((type: { typeId: number }) => type.typeId);
  expect(new Set(types)).toEqual(new Set([194, payer]));
  const labels = await send(sandbox, 'GET', '/crm/associations/2026-09/calls/contacts/labels');
  expect(labels.body.results).toContainEqual({ category: 'USER_DEFINED', typeId: payer, label: 'Payer' });
});

test('only one company is primary', async () => {
  const { contacts } = seeded();
  const { companies = [] } = sandbox.control.seed({ records: { companies: [{ properties: { name: 'Other' } }] } });
  const all = sandbox.records('companies').map((company) => company.id);
  for (const id of all) {
    await send(sandbox, 'PUT', `/crm/v4/objects/contacts/${contacts[0]}/associations/companies/${id}`, [link(1)]);
  }
  const { body } = await send(sandbox, 'GET', `/crm/v4/objects/contacts/${contacts[0]}/associations/companies`);
  const primary = body.results.filter((one: { associationTypes: { typeId: number }[] }) =>
    one.associationTypes.some((type) => type.typeId === 1),
  );
  expect(primary.map((one: { toObjectId: number }) => String(one.toObjectId))).toEqual([companies[0]]);
  expect(body.results).toHaveLength(2);
});

test('a custom object is served by its id and linked by default', async () => {
  const { contacts } = seeded();
  sandbox.control.seed({
    custom_objects: [{ id: '2-4711', name: 'policies', required: ['policy_name'] }],
    properties: { '2-4711': [{ name: 'policy_name' }, { name: 'wrapup_key', hasUniqueValue: true }] },
  });
  expect((await send(sandbox, 'GET', '/crm/objects/2026-09/policies')).status).toBe(400);
  const inputs = [{ id: 'k', idProperty: 'wrapup_key', properties: { policy_name: 'P', wrapup_key: 'k' } }];
  const made = await send(sandbox, 'POST', '/crm/objects/2026-09/2-4711/batch/upsert', { inputs });
  expect(made.body.results[0].new).toBe(true);
  const linked = await post(
    'associate/default',
    [{ from: { id: made.body.results[0].id }, to: { id: contacts[0] } }],
    '2-4711',
  );
  expect([linked.status, linked.body.results.length]).toEqual([200, 2]);
  expect(sandbox.control.requests().by_operation['policies batch/upsert']).toBe(1);
});
