/** Every input of a batch is accounted for, whatever the answer looks like. */
import { makeMemoryContext } from '@wrapup/destination';
import { type CrmRow, type RowVerb, type RowWriter, writeRows } from '@wrapup/destination/engine';
import { afterEach, expect, test } from 'vitest';
import { batchVerbs } from '../src/client/batches.ts';
import { HubSpotSession } from '../src/client/transport.ts';
import { json, openTransport, type TinyServer, tinyServer } from './tiny-server.ts';

const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
});

interface Input {
  objectWriteTraceId: string;
  id?: string;
  properties: Record<string, string>;
}
type Answer = { status: number; body: unknown };

async function send(
  verb: RowVerb,
  rows: CrmRow[],
  answer: (inputs: Input[]) => Answer,
  policy: Partial<RowWriter> = {},
): Promise<{ server: TinyServer; results: Record<string, string> }> {
  const server = await tinyServer((body, response) => {
    const { status, body: said } = answer((body as { inputs: Input[] }).inputs);
    json(response, status, said);
  });
  const transport = await openTransport(server.url);
  closing.push(transport, server);
  const session = new HubSpotSession(transport, makeMemoryContext());
  const limits = { rows: 100, mixed: false, shrinks: false };
  const writer = { session, limits, drops_fields: true, owner: 'hubspot_owner_id', ...batchVerbs(session), ...policy };
  const results = await writeRows(writer, verb, rows);
  return {
    server,
    results: Object.fromEntries(
      [...results].map(([row, result]) => [
        row.key?.replace('main:', 't') ?? '',
        result.ok
          ? [result.id, ...result.dropped.map(({ property }) => `-${property}`)].join(' ')
          : result.failure.code,
      ]),
    ),
  };
}

function row(n: number, properties: Record<string, string> = {}): CrmRow {
  return {
    object: 'calls',
    key: `main:${n}`,
    fields: { hs_call_title: `Title ${n}`, ...properties },
    plans: [n],
    required: new Set(['wrapup_call_id', 'hs_timestamp']),
  };
}
const rows = (count: number) => Array.from({ length: count }, (_, n) => row(n));
/** The number of the row that an input is. */
const keyOf = ({ properties }: Input) => properties.wrapup_call_id?.replace('main:', '');
const result = (input: Input) => ({
  id: `10${keyOf(input)}`,
  objectWriteTraceId: input.objectWriteTraceId,
  properties: input.properties,
});
const refusal = (code: string, property: string, context: object = {}) => ({
  status: 'error',
  category: 'VALIDATION_ERROR',
  message: `Property values were not valid`,
  correlationId: 'c0ffee',
  context,
  errors: [{ code, message: `${property} is wrong`, context: { propertyName: [property] } }],
});

test('results are matched by trace id, in whichever order they come', async () => {
  const { results } = await send('create', rows(3), (inputs) => ({
    status: 201,
    body: { results: inputs.map(result).toReversed() },
  }));
  expect(results).toEqual({ t0: '100', t1: '101', t2: '102' });
});

test('results without trace ids are matched by key', async () => {
  const { results } = await send('upsert', rows(3), (inputs) => ({
    status: 200,
    body: { results: inputs.map((input) => ({ ...result(input), objectWriteTraceId: undefined })).toReversed() },
  }));
  expect(results).toEqual({ t0: '100', t1: '101', t2: '102' });
});

test('errors of a 207 belong to the inputs that they name', async () => {
  const { results } = await send('create', rows(3), ([first, second, third]) => ({
    status: 207,
    body: {
      results: [first, third].map((input) => result(input as Input)),
      numErrors: 1,
      errors: [refusal('INVALID_DATE', 'hs_timestamp', { objectWriteTraceId: [second?.objectWriteTraceId] })],
    },
  }));
  expect(results).toEqual({ t0: '100', t1: 'invalid_field', t2: '102' });
});

test.each([
  ['says nothing at all', {}],
  ['is empty', { status: 'COMPLETE', results: [], errors: [] }],
  ['names another record', { results: [{ id: '9', objectWriteTraceId: 'another' }, { id: '8' }] }],
])('a success that %s accounts for no row', async (_what, body) => {
  const { results } = await send('create', rows(2), () => ({ status: 201, body }));
  expect(results).toEqual({ t0: 'unaccounted', t1: 'unaccounted' });
});

test('rows that a success leaves out are unaccounted for, the others are not', async () => {
  const { results } = await send('create', rows(3), (inputs) => ({
    status: 201,
    body: { results: inputs.slice(1).map(result) },
  }));
  expect(results).toEqual({ t0: 'unaccounted', t1: '101', t2: '102' });
});

test('the one result that says nothing of its row belongs to the one row that is left', async () => {
  const { results } = await send('create', rows(3), (inputs) => ({
    status: 201,
    body: { results: inputs.map((input, n) => (n === 1 ? { id: '9', properties: {} } : result(input))) },
  }));
  expect(results).toEqual({ t0: '100', t1: '9', t2: '102' });
});

test('results that name no row belong to the row whose values they hold, where there is one such row only', async () => {
  const answer = (inputs: Input[]) => ({
    status: 201,
    body: {
      results: inputs
        .map(({ properties: { wrapup_call_id: _, ...properties } }, n) => ({ id: `10${n}`, properties }))
        .toReversed(),
    },
  });
  const { results } = await send('create', rows(3), answer);
  expect(results).toEqual({ t0: '100', t1: '101', t2: '102' });
  const alike = [row(0), row(1, { hs_call_title: 'Twin' }), row(2, { hs_call_title: 'Twin' })];
  expect((await send('create', alike, answer)).results).toEqual({ t0: '100', t1: 'unaccounted', t2: 'unaccounted' });
});

test('a batch refused whole for one row that it does not name is halved down to it', async () => {
  const bad = row(37, { hs_timestamp: 'never' });
  const all = rows(100).map((one) => (one.key === 'main:37' ? bad : one));
  const { server, results } = await send('create', all, (inputs) =>
    inputs.some((input) => input.properties.hs_timestamp === 'never')
      ? { status: 400, body: refusal('INVALID_DATE', 'hs_timestamp') }
      : { status: 201, body: { results: inputs.map(result) } },
  );
  expect(Object.values(results).filter((value) => value === 'invalid_field')).toHaveLength(1);
  expect(results.t37).toBe('invalid_field');
  expect(server.seen.length).toBeLessThanOrEqual(16);
});

test('a batch refused whole that names its row is sent once more without it', async () => {
  const { server, results } = await send('create', rows(100), (inputs) =>
    inputs.some((input) => keyOf(input) === '37')
      ? {
          status: 400,
          body: refusal('INVALID_DATE', 'hs_timestamp', {
            objectWriteTraceId: [inputs.find((input) => keyOf(input) === '37')?.objectWriteTraceId],
          }),
        }
      : { status: 201, body: { results: inputs.map(result) } },
  );
  expect(results.t37).toBe('invalid_field');
  expect(Object.values(results).filter((value) => /^\d/.test(value))).toHaveLength(99);
  expect(server.seen).toHaveLength(2);
});

test('more than a hundred rows go in several batches', async () => {
  const { server, results } = await send('create', rows(250), (inputs) => ({
    status: 201,
    body: { results: inputs.map(result) },
  }));
  expect(server.seen.map(({ body }) => (body as { inputs: Input[] }).inputs.length)).toEqual([100, 100, 50]);
  expect(Object.keys(results)).toHaveLength(250);
});

test('a property that the account does not have is dropped from every row at once, with the others it lacks', async () => {
  const all = rows(50).map((one, n) =>
    row(n, { colour: 'red', ...(n % 2 ? { shape: 'round' } : {}), ...(one.fields as Record<string, string>) }),
  );
  const { server, results } = await send(
    'create',
    all,
    (inputs) =>
      inputs.some((input) => 'colour' in input.properties || 'shape' in input.properties)
        ? { status: 400, body: refusal('PROPERTY_DOESNT_EXIST', 'colour') }
        : { status: 201, body: { results: inputs.map(result) } },
    { knownFields: async () => new Set(['hs_call_title', 'wrapup_call_id']) },
  );
  expect(server.seen).toHaveLength(2);
  expect([results.t0, results.t1]).toEqual(['100 -colour', '101 -colour -shape']);
});

test('a required property is never dropped, and nothing is where the policy says park', async () => {
  const refuse = (property: string) => () => ({ status: 400, body: refusal('INVALID_OPTION', property) });
  const required = await send('create', [row(0, { hs_timestamp: 'x' })], refuse('hs_timestamp'));
  expect([required.results.t0, required.server.seen.length]).toEqual(['invalid_field', 1]);
  const parked = await send('create', [row(0)], refuse('hs_call_title'), { drops_fields: false });
  expect([parked.results.t0, parked.server.seen.length]).toEqual(['invalid_field', 1]);
});

test('an account that keeps refusing is not asked for ever', async () => {
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`p${n}`, 'x']));
  const { server, results } = await send('create', [row(0, many)], ([input]) => ({
    status: 400,
    body: refusal('INVALID_OPTION', Object.keys(input?.properties ?? {}).find((name) => name.startsWith('p')) ?? ''),
  }));
  expect(results.t0).toBe('invalid_field');
  expect(server.seen.length).toBeLessThanOrEqual(4);
});

test('what is not about a row is the failure of all rows, and is not split', async () => {
  const { server, results } = await send('create', rows(10), () => ({ status: 503, body: { message: 'down' } }));
  expect(new Set(Object.values(results))).toEqual(new Set(['unavailable']));
  expect(server.seen).toHaveLength(1);
});
