/** `/_sandbox`: state, requests, journal, faults, settings, seed, reset; and who may use it. */
import { request as httpRequest } from 'node:http';
import { expect, test } from 'vitest';
import { aCall, sandboxForFile, send } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();

async function control(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${sandbox.url}/_sandbox${path}`, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

test('records are seeded and read back with their links', async () => {
  const seeded = await control('POST', '/seed', {
    records: { contacts: [{ properties: { firstname: 'Ada' } }], calls: [{ properties: aCall('a') }] },
  });
  expect(seeded.status).toBe(201);
  const contact = seeded.body.contacts[0];
  await control('POST', '/seed', {
    records: { tasks: [{ properties: { hs_timestamp: '0' }, associations: { contacts: [contact] } }] },
  });
  const state = await control('GET', '/state');
  expect(state.body.tasks).toMatchObject([{ associations: { contacts: [contact] }, archived: false }]);
  expect(Object.keys((await control('GET', '/state?object=contacts')).body)).toEqual(['contacts']);
  expect((await control('GET', '/state?object=nothing')).status).toBe(400);
});

test('a seed may lack what a write must have: a contact known by number only', async () => {
  const seeded = await control('POST', '/seed', { records: { contacts: [{ properties: { phone: '+14155550123' } }] } });
  expect(seeded.status).toBe(201);
  expect(sandbox.records('contacts')[0]?.properties.hs_searchable_calculated_phone_number).toBe('4155550123');
});

test('the values of a seed are checked', async () => {
  const answer = await control('POST', '/seed', { records: { contacts: [{ properties: { nope: 'x' } }] } });
  expect([answer.status, answer.body.details[0].code]).toEqual([400, 'PROPERTY_DOESNT_EXIST']);
  expect((await control('POST', '/seed', { people: [] })).body.error).toContain('no "people"');
});

test('options of an enumeration can be changed', async () => {
  await control('POST', '/seed', { options: { contacts: { hs_lead_status: ['HOT'] } } });
  expect(
    (await send(sandbox, 'POST', '/crm/v3/objects/contacts', { properties: { firstname: 'A', hs_lead_status: 'NEW' } }))
      .status,
  ).toBe(400);
});

test('requests are counted by endpoint, without what belongs to people', async () => {
  await send(sandbox, 'POST', '/crm/objects/2026-09/0-48/batch/create', {
    inputs: [{ properties: aCall('a') }, { properties: aCall('b') }],
  });
  await send(sandbox, 'GET', '/crm/v3/objects/contacts/ada@example.com?idProperty=email');
  await send(sandbox, 'GET', '/crm/v9/nothing');
  const { body } = await control('GET', '/requests');
  expect(body).toMatchObject({
    total: 3,
    by_endpoint: {
      'POST /crm/objects/2026-09/calls/batch/create': 1,
      'GET /crm/v3/objects/contacts/:id': 1,
      'GET (unknown)': 1,
    },
    by_operation: { 'calls batch/create': 1, 'contacts read': 1 },
    by_status: { 201: 1, 404: 2 },
  });
  expect(body.requests[0]).toMatchObject({
    n: 1,
    method: 'POST',
    object: 'calls',
    operation: 'batch/create',
    inputs: 2,
    status: 201,
    ms: expect.any(Number),
  });
  expect(JSON.stringify(body)).not.toContain('ada@example.com');
  expect(JSON.stringify(body)).not.toContain('hs_call_title');
  const bodies = await control('GET', '/requests?bodies=1');
  expect(bodies.body.requests[0].request_body).toContain('hs_call_title');
});

test('the journal tells what took effect, whatever the client heard', async () => {
  sandbox.control.fault({ kind: 'commit_then_500' });
  const upsert = () =>
    send(sandbox, 'POST', '/crm/v3/objects/calls/batch/upsert', {
      inputs: [{ id: 'main:a', idProperty: 'wrapup_call_id', properties: aCall('a') }],
    });
  expect([(await upsert()).status, (await upsert()).status]).toEqual([500, 200]);
  const { body } = await control('GET', '/journal');
  expect(body).toMatchObject([
    { n: 1, effect: 'created', object: 'calls', unique: { wrapup_call_id: 'main:a' }, request: 1 },
    { n: 2, effect: 'updated', object: 'calls', id: body[0].id, request: 2 },
  ]);
  expect(JSON.stringify(body)).not.toContain('Call a');
});

test('faults are set, listed and cleared', async () => {
  expect((await control('POST', '/faults', [{ kind: 'locked' }, { kind: 'hang', times: 2 }])).status).toBe(201);
  expect((await control('GET', '/faults')).body).toMatchObject([
    { spec: { kind: 'locked' }, hit: 0 },
    { spec: { times: 2 } },
  ]);
  expect((await control('POST', '/faults', { kind: 'explode' })).body.error).toContain('kind must be one of');
  expect((await control('DELETE', '/faults')).status).toBe(204);
  expect((await control('GET', '/faults')).body).toEqual([]);
});

test('settings are changed in part, and a mistake names what there is', async () => {
  const changed = await control('POST', '/settings', { hubspot: { latency: 1, limits: { daily: null } } });
  expect(changed.body.hubspot).toMatchObject({ latency: 1, search_lag: 0, limits: { daily: null, ten_secondly: 190 } });
  expect((await control('POST', '/settings', { hubspot: { latncy: 1 } })).body.error).toContain(
    'there is no setting hubspot.latncy',
  );
  expect((await control('POST', '/settings', { hubspot: { latency: -1 } })).body.error).toContain(
    'hubspot.latency must be',
  );
  expect((await control('POST', '/settings', { hubspot: 3 })).status).toBe(400);
  expect((await control('POST', '/settings', { constructor: {} })).status).toBe(400);
  expect((await control('GET', '/settings')).body.hubspot.latency).toBe(1);
});

test('a reset brings everything back to the start', async () => {
  sandbox.control.seed({ records: { contacts: [{ properties: { firstname: 'Ada' } }] } });
  sandbox.control.fault({ kind: 'locked' });
  sandbox.control.settings({ hubspot: { latency: 5 } });
  await send(sandbox, 'GET', '/crm/v3/owners');
  expect((await control('POST', '/reset')).status).toBe(204);
  expect((await control('GET', '/state')).body.contacts).toEqual([]);
  expect((await control('GET', '/requests')).body.total).toBe(0);
  expect((await control('GET', '/faults')).body).toEqual([]);
  expect((await control('GET', '/journal')).body).toEqual([]);
  expect((await control('GET', '/settings')).body.hubspot).toMatchObject({ latency: 0, search_lag: 0 });
});

test('a page elsewhere may not steer the sandbox', async () => {
  expect((await control('POST', '/reset', {}, { origin: 'https://evil.example' })).status).toBe(403);
  expect((await control('POST', '/reset', {}, { origin: 'null' })).status).toBe(403);
  expect((await control('POST', '/reset', {}, { origin: sandbox.url })).status).toBe(204);
});

test.each(['/', '/_sandbox/state', '/assets/sandbox.css'])(
  'a foreign name that leads here gets nothing of %s',
  async (path) => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      httpRequest(`${sandbox.url}${path}`, { headers: { host: 'evil.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  },
);

test('what is not served says what is', async () => {
  const response = await fetch(`${sandbox.url}/pipedrive/v1/persons`);
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ apis: ['/hubspot', '/salesforce', '/synthflow'] });
  expect((await control('GET', '/nothing')).status).toBe(404);
  expect(await (await fetch(`${sandbox.url}/healthz`)).json()).toEqual({ status: 'ok' });
});
