/** Which batches stand or fall as a whole, and which tell of each row. */
import { expect, test } from 'vitest';
import { aCall, clientOf, sandboxForFile, send } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();

const good = (id: string) => ({ properties: aCall(id) });
const bad = (id: string) => ({ properties: aCall(id, { hs_call_direction: 'SIDEWAYS' }) });
const traced = <T extends object>(objectWriteTraceId: string, input: T) => ({ ...input, objectWriteTraceId });
const titles = (body: { results: { properties: { hs_call_title: string } }[] }) =>
  body.results.map((row) => row.properties.hs_call_title);
const create = (inputs: object[]) => send(sandbox, 'POST', '/crm/v3/objects/calls/batch/create', { inputs });

test('a bad row fails a create whose rows are not traced, and nothing is written', async () => {
  expect((await create([good('a'), bad('b')])).status).toBe(400);
  expect((await create([traced('1', good('a')), bad('b')])).status).toBe(400);
  expect((await create([traced('1', good('a')), traced('1', bad('b'))])).status).toBe(400);
  expect(sandbox.records('calls')).toEqual([]);
  expect(sandbox.journal()).toEqual([]);
});

test('with a trace id of its own each row is accounted for', async () => {
  const inputs = [traced('1', good('a')), traced('2', bad('b')), traced('3', good('c'))];
  const { status, body } = await create(inputs);
  expect(status).toBe(207);
  expect(titles(body)).toEqual(['Call c', 'Call a']);
  expect(body.numErrors).toBe(1);
  expect(body.errors[0]).toMatchObject({
    status: 'error',
    category: 'VALIDATION_ERROR',
    context: { objectWriteTraceId: ['2'] },
  });
  expect(body.errors[0].message).toContain('"error":"INVALID_OPTION","name":"hs_call_direction"');
  expect(body.errors[0]).not.toHaveProperty('errors');
  expect(sandbox.records('calls').map((call) => call.properties.wrapup_call_id)).toEqual(['main:a', 'main:c']);
});

test('the client takes 207 for what it is', async () => {
  const { batchApi } = clientOf(sandbox).crm.objects;
  const answer = await batchApi.createWithHttpInfo('calls', {
    inputs: [traced('1', { ...good('a'), associations: [] }), traced('2', { ...bad('b'), associations: [] })],
  });
  expect(answer.httpStatusCode).toBe(207);
  expect(answer.data).toMatchObject({ numErrors: 1 });
});

test('results repeat trace ids on paths by date, not on those of v3', async () => {
  const traces = async (path: string, id: string) => {
    const answer = await send(sandbox, 'POST', `${path}/batch/create`, { inputs: [traced('1', good(id))] });
    return answer.body.results.map((row: { objectWriteTraceId?: string }) => row.objectWriteTraceId);
  };
  expect(await traces('/crm/objects/2026-09/calls', 'a')).toEqual(['1']);
  expect(await traces('/crm/v3/objects/calls', 'b')).toEqual([undefined]);
});

test.each([
  [2022, 'Contact already exists. Existing ID: 70000000101', {}],
  [2025, 'Contact already exists', { existingId: ['70000000101'] }],
  [2026, 'Contact already exists', { existingId: ['70000000101'] }],
] as const)(
  'forms of %s: whom a new contact meets stands in its row, and of a whole batch %j',
  async (forms, message, named) => {
    sandbox.control.settings({ hubspot: { forms } });
    sandbox.control.seed({ records: { contacts: [{ properties: { email: 'ada@example.com' } }] } });
    const ask = (input: object) => send(sandbox, 'POST', '/crm/v3/objects/contacts/batch/create', { inputs: [input] });
    const input = { properties: { email: 'ada@example.com' } };
    expect(await ask(input)).toMatchObject({ status: 409, body: { message, category: 'CONFLICT' } });
    const { body } = await ask(traced('1', input));
    expect(body.errors).toEqual([
      {
        status: 'error',
        category: 'CONFLICT',
        message: 'Contact already exists. Existing ID: 70000000101',
        context: { objectWriteTraceId: ['1'], ...named },
      },
    ]);
  },
);

test('an update answers what was written and little besides, of contacts in 2022 not even their id', async () => {
  const { contacts = [] } = sandbox.control.seed({
    records: { contacts: [{ properties: { firstname: 'Ada', city: 'Ulm' } }] },
  });
  const inputs = [{ id: contacts[0], properties: { firstname: 'Eve', city: '' } }];
  const names = async () => {
    const { body } = await send(sandbox, 'POST', '/crm/v3/objects/contacts/batch/update', { inputs });
    return Object.keys(body.results[0].properties).toSorted();
  };
  expect(await names()).toEqual(['city', 'createdate', 'firstname', 'hs_object_id', 'lastmodifieddate']);
  sandbox.control.settings({ hubspot: { forms: 2022 } });
  expect(await names()).toEqual(['city', 'firstname', 'lastmodifieddate']);
});

test('an upsert tells of each row likewise', async () => {
  const row = (id: string, input: { properties: Record<string, string> }) => ({
    id: `main:${id}`,
    idProperty: 'wrapup_call_id',
    ...input,
  });
  const upsert = (inputs: object[]) => send(sandbox, 'POST', '/crm/objects/2026-09/calls/batch/upsert', { inputs });
  expect((await upsert([row('a', good('a')), row('b', bad('b'))])).status).toBe(400);
  expect(sandbox.records('calls')).toEqual([]);
  const { status, body } = await upsert([traced('1', row('a', good('a'))), traced('2', row('b', bad('b')))]);
  expect([status, body.results.length, body.errors[0].context.objectWriteTraceId]).toEqual([207, 1, ['2']]);
});

test('an update tells in one entry which ids are not there, traced or not', async () => {
  const { calls = [] } = sandbox.control.seed({ records: { calls: [good('a')] } });
  const properties = { hs_call_title: 'New' };
  const { status, body } = await send(sandbox, 'POST', '/crm/v3/objects/calls/batch/update', {
    inputs: [
      { id: '1', properties },
      { id: calls[0], properties },
      { id: '2', properties },
    ],
  });
  expect(status).toBe(207);
  expect(body.results).toMatchObject([{ id: calls[0], properties }]);
  expect(body.errors).toMatchObject([{ category: 'OBJECT_NOT_FOUND', context: { ids: ['1', '2'] } }]);
});

test('results come in another order than inputs, unless asked otherwise', async () => {
  expect(titles((await create([good('a'), good('b'), good('c')])).body)).toEqual(['Call b', 'Call c', 'Call a']);
  sandbox.control.settings({ hubspot: { result_order: 'input' } });
  expect(titles((await create([good('d'), good('e')])).body)).toEqual(['Call d', 'Call e']);
});

test('a batch archive answers 204, whether or not the ids are there', async () => {
  const { calls = [] } = sandbox.control.seed({ records: { calls: [good('a'), good('b')] } });
  const { httpStatusCode } = await clientOf(sandbox).crm.objects.batchApi.archiveWithHttpInfo('calls', {
    inputs: [{ id: calls[0] ?? '' }, { id: '9' }],
  });
  expect(httpStatusCode).toBe(204);
  expect(sandbox.records('calls').map((call) => call.id)).toEqual([calls[1]]);
});
