/**
 * What a fake of HubSpot must do to be of use, item by item, each through the vendor's own client. Further cases of each stand
 * in the files beside this one.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Forms } from '../../src/index.ts';
import { aCall, clientOf, sandboxForFile, send, until } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();
const client = clientOf(sandbox);
const calls = client.crm.objects.batchApi;
const contacts = client.crm.contacts;

const row = (id: string, more: Record<string, string> = {}) => ({
  objectWriteTraceId: id,
  properties: aCall(id, more),
  associations: [],
});
const upsertRow = (id: string, value = `main:${id}`) => ({
  objectWriteTraceId: id,
  id: value,
  idProperty: 'wrapup_call_id',
  properties: aCall(id, { wrapup_call_id: value }),
});
const create = (...ids: string[]) => calls.createWithHttpInfo('calls', { inputs: ids.map((id) => row(id)) });
const person = (properties: Record<string, string>) => contacts.basicApi.create({ properties, associations: [] });
const written = () => sandbox.records('calls').length;
const refusal = (code: number, body: object) => ({ code, body: expect.objectContaining(body) });

test('statuses: create 201 or 207, upsert, update and read 200 or 207, archive 204', async () => {
  expect((await create('a')).httpStatusCode).toBe(201);
  const mixed = await calls.createWithHttpInfo('calls', { inputs: [row('b'), row('c', { hs_call_status: 'NO' })] });
  expect([mixed.httpStatusCode, (mixed.data as { numErrors?: number }).numErrors]).toEqual([207, 1]);
  const upserted = await calls.upsertWithHttpInfo('calls', { inputs: [upsertRow('a')] });
  expect(upserted.httpStatusCode).toBe(200);
  const id = upserted.data.results[0]?.id ?? '';
  const updated = await calls.updateWithHttpInfo('calls', {
    inputs: [id, '1'].map((one) => ({ objectWriteTraceId: one, id: one, properties: { hs_call_title: 'x' } })),
  });
  expect(updated.httpStatusCode).toBe(207);
  const reading = { properties: [], propertiesWithHistory: [], inputs: [{ id }] };
  expect((await calls.readWithHttpInfo('calls', reading)).httpStatusCode).toBe(200);
  expect((await calls.readWithHttpInfo('calls', { ...reading, inputs: [{ id }, { id: '1' }] })).httpStatusCode).toBe(
    207,
  );
  expect((await calls.archiveWithHttpInfo('calls', { inputs: [{ id }] })).httpStatusCode).toBe(204);
});

test('unique properties: the second holder is refused with the name of the first', async () => {
  const [first] = (await create('a')).data.results;
  await expect(
    client.crm.objects.basicApi.create('calls', { properties: aCall('a'), associations: [] }),
  ).rejects.toMatchObject(refusal(400, { message: expect.stringContaining(`${first?.id} already has that value.`) }));
});

test('property definitions and options: what the account does not know is named with its code', async () => {
  await expect(person({ firstname: 'Ada', nope: '1' })).rejects.toMatchObject({
    code: 400,
    body: { errors: [{ code: 'PROPERTY_DOESNT_EXIST', context: { propertyName: ['nope'] } }] },
  });
  await expect(person({ firstname: 'Ada', hs_lead_status: 'WARM' })).rejects.toMatchObject({
    code: 400,
    body: { errors: [{ code: 'INVALID_OPTION', message: expect.stringContaining('WARM was not one of the allowed') }] },
  });
  const { coreApi } = client.crm.properties;
  const options = [{ label: 'Warm', value: 'WARM', displayOrder: 0, hidden: false }];
  const definition = { label: 'Heat', groupName: 'contactinformation', options, hasUniqueValue: false };
  await coreApi.create('contacts', { ...definition, name: 'heat', type: 'enumeration', fieldType: 'select' } as never);
  await person({ firstname: 'Ada', heat: 'WARM' });
});

test('an id that comes twice fails the whole batch', async () => {
  await expect(calls.upsert('calls', { inputs: [upsertRow('a'), upsertRow('b', 'main:a')] })).rejects.toMatchObject(
    refusal(400, {
      message: expect.stringContaining('Duplicate IDs found in batch input'),
      context: { ids: ['main:a'] },
    }),
  );
  expect(written()).toBe(0);
});

test('a contact whose address is taken: 409 with the id of its owner', async () => {
  const { id } = await person({ email: 'ada@example.com' });
  await expect(person({ email: 'Ada@Example.com' })).rejects.toMatchObject(
    refusal(409, { category: 'CONFLICT', message: `Contact already exists. Existing ID: ${id}` }),
  );
});

describe('windows', () => {
  const read = () => contacts.basicApi.getPageWithHttpInfo(1);

  test('ten seconds of one app, with headers', async () => {
    sandbox.control.settings({ hubspot: { limits: { ten_secondly: 1 } } });
    expect((await read()).headers).toMatchObject({
      'x-hubspot-ratelimit-max': '1',
      'x-hubspot-ratelimit-remaining': '0',
      'x-hubspot-ratelimit-interval-milliseconds': '10000',
    });
    await expect(read()).rejects.toMatchObject(refusal(429, { policyName: 'TEN_SECONDLY_ROLLING' }));
    await clientOf(sandbox, 'pat-another-app').crm.contacts.basicApi.getPage(1);
  });

  test('a day of the account, with headers', async () => {
    sandbox.control.settings({ hubspot: { limits: { daily: 1 } } });
    expect((await read()).headers).toMatchObject({ 'x-hubspot-ratelimit-daily-remaining': '0' });
    await expect(clientOf(sandbox, 'pat-another-app').crm.contacts.basicApi.getPage(1)).rejects.toMatchObject(
      refusal(429, { policyName: 'DAILY' }),
    );
  });

  test('five searches a second of the account, apart from the rest, whose headers they lack', async () => {
    const search = (token?: string) =>
      clientOf(sandbox, token).crm.objects.searchApi.doSearchWithHttpInfo('contacts', { filterGroups: [] } as never);
    expect((await search()).headers).not.toHaveProperty('x-hubspot-ratelimit-remaining');
    sandbox.control.settings({ hubspot: { limits: { search_per_second: 0 } } });
    await expect(search('pat-another-app')).rejects.toMatchObject(
      refusal(429, { message: 'You have reached your secondly limit.' }),
    );
    expect((await read()).headers).toMatchObject({ 'x-hubspot-ratelimit-remaining': '189' });
  });
});

test('search lags behind writes', async () => {
  sandbox.control.settings({ hubspot: { search_lag: 600_000 } });
  const { id } = await person({ firstname: 'Ada', phone: '+14155550123' });
  const search = async () => {
    const filters = [{ propertyName: 'hs_searchable_calculated_phone_number', operator: 'EQ', value: '4155550123' }];
    const body = { filterGroups: [{ filters }], properties: [], limit: 10 };
    return (await client.crm.objects.searchApi.doSearch('contacts', body as never)).results.map((found) => found.id);
  };
  expect(await search()).toEqual([]);
  sandbox.control.settings({ hubspot: { search_lag: 0 } });
  expect(await search()).toEqual([id]);
});

test.each([
  ['locked', 423, undefined],
  ['migrating', 477, '7'],
] as const)('%s answers %i', async (kind, code, wait) => {
  sandbox.control.fault({ kind, ...(kind === 'migrating' ? { retry_after: 7 } : {}) });
  const thrown = await create('a').catch((error) => error);
  expect([thrown.code, thrown.headers['retry-after']]).toEqual([code, wait]);
  expect(written()).toBe(0);
});

describe('failures', () => {
  test.each([
    ['html', { code: 502, body: expect.stringContaining('<html>') }],
    // The client loses the status of both.
    ['no_content_type', { message: expect.stringContaining('No Content-Type') }],
    ['broken_json', { name: 'SyntaxError' }],
  ] as const)('%s', async (kind, thrown) => {
    sandbox.control.fault({ kind });
    await expect(create('a')).rejects.toMatchObject(thrown);
    expect(written()).toBe(0);
  });

  test.each([
    ['commit_then_500', { code: 500 }],
    ['commit_then_reset', { message: 'fetch failed' }],
  ] as const)('the write takes effect all the same: %s', async (kind, thrown) => {
    sandbox.control.fault({ kind });
    await expect(create('a')).rejects.toMatchObject(thrown);
    expect(written()).toBe(1);
  });

  test('the connection is reset', async () => {
    sandbox.control.fault({ kind: 'reset' });
    await expect(create('a')).rejects.toMatchObject({ message: 'fetch failed', cause: { code: 'ECONNRESET' } });
    expect(written()).toBe(0);
  });

  test.each([
    ['hang', 0],
    ['commit_then_hang', 1],
  ] as const)('nothing ever comes: %s', async (kind, records) => {
    sandbox.control.fault({ kind });
    let settled = false;
    const end = () => {
      settled = true;
    };
    create('a').then(end, end);
    await until(
      async () => sandbox.control.requests().by_status['0'],
      (hung) => hung === 1,
    );
    expect([settled, written()]).toEqual([false, records]);
  });

  test('a success says nothing of any row', async () => {
    sandbox.control.fault({ kind: 'empty_success' });
    const { httpStatusCode, data } = await create('a');
    expect([httpStatusCode, data.results]).toEqual([201, []]);
    expect(written()).toBe(0);
  });
});

describe('tokens', () => {
  const form = { grant_type: 'refresh_token', client_id: 'sandbox-client', client_secret: 'sandbox-secret' };
  let token: string;
  beforeEach(async () => {
    sandbox.control.settings({ hubspot: { oauth: { expires_in: 1 } } });
    const body = new URLSearchParams({ ...form, refresh_token: 'sandbox-refresh' });
    const response = await fetch(`${sandbox.hubspotUrl}/oauth/2026-09/token`, { method: 'POST', body });
    token = ((await response.json()) as { access_token: string }).access_token;
  });

  test('of an app end, and the answer says when', async () => {
    const app = clientOf(sandbox, token).crm.contacts.basicApi;
    const ended = await until(
      () => app.getPage(1).catch((error) => error),
      (answer) => answer.code === 401,
    );
    expect(ended.body).toMatchObject({
      category: 'EXPIRED_AUTHENTICATION',
      context: { 'expire time': [expect.any(String)] },
    });
  });

  test('that were never given, and scopes that are missing', async () => {
    await expect(clientOf(sandbox, 'nonsense').crm.contacts.basicApi.getPage(1)).rejects.toMatchObject(
      refusal(401, { category: 'INVALID_AUTHENTICATION' }),
    );
    sandbox.control.settings({ hubspot: { revoked_scopes: ['crm.objects.contacts.write'] } });
    await expect(person({ firstname: 'Ada' })).rejects.toMatchObject({
      code: 403,
      body: {
        category: 'MISSING_SCOPES',
        context: { requiredGranularScopes: ['crm.objects.contacts.write'] },
      },
    });
  });
});

test('archived records are gone, read only when asked for, and free their address', async () => {
  const { id } = await person({ email: 'ada@example.com' });
  await contacts.basicApi.archive(id);
  await expect(contacts.basicApi.getById(id)).rejects.toMatchObject(refusal(404, { category: 'OBJECT_NOT_FOUND' }));
  expect((await contacts.basicApi.getById(id, undefined, undefined, undefined, true)).archived).toBe(true);
  expect((await person({ email: 'ada@example.com' })).id).not.toBe(id);
});

test('both styles of paths lead to the same records', async () => {
  const { id } = await person({ firstname: 'Ada' });
  for (const path of [
    `/crm/v3/objects/contacts/${id}`,
    `/crm/objects/2026-09/0-1/${id}`,
    `/crm/objects/2026-03/contacts/${id}`,
  ])
    expect(await (await client.apiRequest({ path })).json()).toMatchObject({ id });
});

test('what was asked and what is there can be read', async () => {
  await create('a');
  const ask = async (path: string) => (await fetch(`${sandbox.url}/_sandbox${path}`)).json();
  expect(await ask('/requests')).toMatchObject({ total: 1, by_operation: { 'calls batch/create': 1 } });
  expect(await ask('/state?object=calls')).toMatchObject({ calls: [{ properties: { wrapup_call_id: 'main:a' } }] });
});

test.each([
  [2022, undefined, undefined, { errors: [{ context: { requiredGranularScopes: ['crm.objects.contacts.read'] } }] }],
  [
    2026,
    expect.stringMatching(/^https:.*\/record\/0-1\/\d+$/),
    'non_sensitive',
    {
      context: {
        requiredGranularScopes: ['crm.objects.contacts.read'],
        links: ['https://developers.hubspot.com/scopes'],
      },
    },
  ],
])(
  'in the forms of %s records, definitions and missing scopes look as recorded',
  async (forms, url, dataSensitivity, refused) => {
    sandbox.control.settings({ hubspot: { forms: forms as Forms } });
    const { body } = await send(sandbox, 'POST', '/crm/v3/objects/CONTACT', { properties: { firstname: 'Ada' } });
    expect(body.url).toEqual(url);
    const { body: definition } = await send(sandbox, 'GET', '/crm/v3/properties/Contact/firstname');
    expect(definition.dataSensitivity).toBe(dataSensitivity);
    sandbox.control.settings({ hubspot: { revoked_scopes: ['crm.objects.contacts.read'] } });
    const missing = await send(sandbox, 'GET', '/crm/v3/objects/contacts');
    expect(missing).toMatchObject({ status: 403, body: { category: 'MISSING_SCOPES', ...refused } });
  },
);

test('a list says where its next page is, and a new record where it is', async () => {
  const made = await send(sandbox, 'POST', '/crm/v3/objects/contacts', { properties: { firstname: 'Ada' } });
  expect(made.headers.get('location')).toBe(`https://api.hubapi.com/crm/v3/objects/contacts/${made.body.id}`);
  await send(sandbox, 'POST', '/crm/v3/objects/contacts', { properties: { firstname: 'Ben' } });
  const { body } = await send(sandbox, 'GET', '/crm/v3/objects/contacts?limit=1&properties=phone');
  const next = new URL(body.paging.next.link);
  expect([next.pathname, Object.fromEntries(next.searchParams)]).toEqual([
    '/crm/v3/objects/contacts',
    { limit: '1', properties: 'phone', after: body.paging.next.after },
  ]);
});
