/** Search: what it finds, what it takes, and that it sees writes late. */
import { expect, test } from 'vitest';
import { aCall, clientOf, sandboxForFile, send, until } from '../support/sandbox.ts';

const sandbox = await sandboxForFile({ settings: { hubspot: { limits: { search_per_second: null } } } });

const search = (body: object, object = 'contacts') =>
  send(sandbox, 'POST', `/crm/objects/2026-09/${object}/search`, body);
const filters = (...list: object[]) => ({ filterGroups: [{ filters: list }] });
const names = (answer: { body: { results: { properties: { firstname: string } }[] } }) =>
  answer.body.results.map((result) => result.properties.firstname);

const PEOPLE = [
  { firstname: 'Ada', lastname: 'Lovelace', phone: '+1 415 555 0123', email: 'ada@example.com', numemployees: '5' },
  { firstname: 'Ben', lastname: 'Franklin', mobilephone: '(212) 555-0187', numemployees: '40', hs_lead_status: 'OPEN' },
  { firstname: 'Cleo', lastname: 'de Nile', closedate: '2026-05-01T00:00:00Z', numemployees: '300' },
];
const seedPeople = () => sandbox.control.seed({ records: { contacts: PEOPLE.map((properties) => ({ properties })) } });

test.each([
  [{ propertyName: 'firstname', operator: 'EQ', value: 'ADA' }, ['Ada']],
  [{ propertyName: 'firstname', operator: 'NEQ', value: 'Ada' }, ['Ben', 'Cleo']],
  [{ propertyName: 'hs_searchable_calculated_phone_number', operator: 'EQ', value: '4155550123' }, ['Ada']],
  [{ propertyName: 'hs_searchable_calculated_phone_number', operator: 'EQ', value: '+14155550123' }, []],
  [{ propertyName: 'hs_searchable_calculated_mobile_number', operator: 'IN', values: ['1', '2125550187'] }, ['Ben']],
  [{ propertyName: 'hs_searchable_calculated_phone_number', operator: 'CONTAINS_TOKEN', value: '*5550123' }, ['Ada']],
  [{ propertyName: 'email', operator: 'CONTAINS_TOKEN', value: '*@example.com' }, ['Ada']],
  [{ propertyName: 'lastname', operator: 'NOT_CONTAINS_TOKEN', value: 'nile' }, ['Ada', 'Ben']],
  [{ propertyName: 'firstname', operator: 'IN', values: ['ada', 'cleo'] }, ['Ada', 'Cleo']],
  [{ propertyName: 'firstname', operator: 'IN', values: ['Ada'] }, []],
  [{ propertyName: 'firstname', operator: 'NOT_IN', values: ['ada'] }, ['Ben', 'Cleo']],
  [{ propertyName: 'hs_lead_status', operator: 'IN', values: ['OPEN'] }, ['Ben']],
  [{ propertyName: 'email', operator: 'HAS_PROPERTY' }, ['Ada']],
  [{ propertyName: 'email', operator: 'NOT_HAS_PROPERTY' }, ['Ben', 'Cleo']],
  [{ propertyName: 'numemployees', operator: 'GT', value: '5' }, ['Ben', 'Cleo']],
  [{ propertyName: 'numemployees', operator: 'GTE', value: '40' }, ['Ben', 'Cleo']],
  [{ propertyName: 'numemployees', operator: 'LT', value: '40' }, ['Ada']],
  [{ propertyName: 'numemployees', operator: 'LTE', value: '40' }, ['Ada', 'Ben']],
  [{ propertyName: 'numemployees', operator: 'BETWEEN', value: '5', highValue: '40' }, ['Ada', 'Ben']],
  [{ propertyName: 'closedate', operator: 'GTE', value: String(Date.UTC(2026, 4, 1)) }, ['Cleo']],
  [{ propertyName: 'closedate', operator: 'LT', value: '2026-05-01' }, []],
])('%j finds %j', async (filter, found) => {
  seedPeople();
  expect(names(await search(filters(filter)))).toEqual(found);
});

test('groups are alternatives, the filters of a group all hold', async () => {
  seedPeople();
  const eq = (propertyName: string, value: string) => ({ propertyName, operator: 'EQ', value });
  const filterGroups = [
    { filters: [eq('firstname', 'Ada'), eq('lastname', 'Franklin')] },
    { filters: [eq('firstname', 'Ben')] },
  ];
  expect(names(await search({ filterGroups }))).toEqual(['Ben']);
  expect(names(await search({ query: 'love ada' }))).toEqual(['Ada']);
});

test('pages hold ten unless asked otherwise, and follow one another', async () => {
  sandbox.control.seed({
    records: {
      calls: Array.from({ length: 25 }, (_, at) => ({
        properties: aCall(String(at), { hs_call_duration: String(at) }),
      })),
    },
  });
  const sorts = [{ propertyName: 'hs_call_duration', direction: 'DESCENDING' }];
  const first = await search({ sorts, properties: ['hs_call_duration'] }, 'calls');
  expect([first.body.total, first.body.results.length, first.body.paging.next.after]).toEqual([25, 10, '10']);
  expect(first.body.results[0].properties.hs_call_duration).toBe('24');
  const last = await search(
    { sorts: ['-hs_call_duration'], after: '20', limit: 200, properties: ['hs_call_duration'] },
    'calls',
  );
  expect(
    last.body.results.map((call: { properties: { hs_call_duration: string } }) => call.properties.hs_call_duration),
  ).toEqual(['4', '3', '2', '1', '0']);
  expect(last.body).not.toHaveProperty('paging');
});

const HAS = { propertyName: 'email', operator: 'HAS_PROPERTY' };
test.each([
  ['more than 200 on a page', { limit: 201 }],
  ['results beyond the ten thousandth', { after: '9999', limit: 10 }],
  ['more than 5 groups', { filterGroups: Array.from({ length: 6 }, () => ({ filters: [HAS] })) }],
  ['more than 6 filters in a group', { filterGroups: [{ filters: Array(7).fill(HAS) }] }],
  ['more than 18 filters', { filterGroups: Array.from({ length: 5 }, () => ({ filters: Array(4).fill(HAS) })) }],
  ['more than one sort', { sorts: ['email', 'phone'] }],
  ['a property that does not exist', filters({ propertyName: 'nope', operator: 'HAS_PROPERTY' })],
  ['an operator that does not exist', filters({ propertyName: 'email', operator: 'LIKE', value: 'x' })],
  ['EQ without a value', filters({ propertyName: 'email', operator: 'EQ' })],
  ['IN without values', filters({ propertyName: 'email', operator: 'IN', value: 'x' })],
  ['BETWEEN without its end', filters({ propertyName: 'numemployees', operator: 'BETWEEN', value: '1' })],
])('%s is refused', async (_what, body) => {
  expect(await search(body)).toMatchObject({ status: 400, body: { category: 'VALIDATION_ERROR' } });
});

test('a search may have 3,000 characters', async () => {
  const body = (length: number) => {
    const empty = JSON.stringify(filters({ propertyName: 'phone', operator: 'IN', values: [''] })).length;
    return filters({ propertyName: 'phone', operator: 'IN', values: ['1'.repeat(length - empty)] });
  };
  expect((await search(body(3_001))).status).toBe(400);
  expect((await search(body(3_000))).status).toBe(200);
});

test('a write is found only after the lag, shown at once, and an archived record is found still', async () => {
  sandbox.control.settings({ hubspot: { search_lag: 600_000 } });
  const { contacts = [] } = seedPeople();
  expect((await search({})).body.total).toBe(0);
  sandbox.control.settings({ hubspot: { search_lag: 0 } });
  expect((await search({})).body.total).toBe(3);
  sandbox.control.settings({ hubspot: { search_lag: 600_000 } });
  await send(sandbox, 'PATCH', `/crm/v3/objects/contacts/${contacts[0]}`, { properties: { firstname: 'Eve' } });
  await send(sandbox, 'DELETE', `/crm/v3/objects/contacts/${contacts[1]}`);
  expect(names(await search({}))).toEqual(['Eve', 'Ben', 'Cleo']);
  const byName = (value: string) => [{ filters: [{ propertyName: 'firstname', operator: 'EQ', value }] }];
  expect(names(await search({ filterGroups: byName('Ada') }))).toEqual(['Eve']);
  expect(names(await search({ filterGroups: byName('Eve') }))).toEqual([]);
  expect((await send(sandbox, 'GET', `/crm/v3/objects/contacts/${contacts[1]}`)).status).toBe(404);
  sandbox.control.settings({ hubspot: { search_lag: 50 } });
  const settled = await until(
    () => search({}),
    ({ body }) => body.total === 2,
  );
  expect(names(settled)).toEqual(['Eve', 'Cleo']);
});

test('the client searches', async () => {
  seedPeople();
  const answer = await clientOf(sandbox).crm.contacts.searchApi.doSearchWithHttpInfo({
    filterGroups: [{ filters: [{ propertyName: 'firstname', operator: 'EQ' as never, value: 'ada' }] }],
    properties: ['firstname', 'phone'],
    limit: 2,
  });
  expect(answer.data.total).toBe(1);
  expect(answer.data.results[0]?.properties).toMatchObject({ firstname: 'Ada', phone: '+1 415 555 0123' });
});
