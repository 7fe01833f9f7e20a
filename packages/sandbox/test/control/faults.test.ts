/** What goes wrong on purpose: before the write takes effect, after it, or in the answer only. */
import { expect, test } from 'vitest';
import { type FaultSpec, startSandbox } from '../../src/index.ts';
import { aCall, clientOf, sandboxForFile, send, until } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();

const inputs = (...ids: string[]) => ids.map((id) => ({ objectWriteTraceId: id, properties: aCall(id) }));
const create = (...ids: string[]) =>
  send(sandbox, 'POST', '/crm/v3/objects/calls/batch/create', { inputs: inputs(...ids) });
const written = () => sandbox.records('calls').length;
/** The raw answer, for bodies that are no JSON. */
async function raw(): Promise<{ status: number; type: string | null; text: string }> {
  const response = await fetch(`${sandbox.hubspotUrl}/crm/v3/objects/calls/batch/create`, {
    method: 'POST',
    headers: { authorization: 'Bearer pat-x', 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: inputs('a') }),
  });
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

test.each<[FaultSpec, number, string | null, RegExp]>([
  [{ kind: 'html' }, 502, 'text/html', /<html>/],
  [{ kind: 'no_content_type' }, 500, null, /upstream/],
  [{ kind: 'broken_json' }, 500, 'application/json', /^\{"status":"error","mess$/],
  [
    { kind: 'status', status: 503, body: { message: 'no' }, headers: { 'retry-after': '3' } },
    503,
    'application/json;charset=utf-8',
    /^\{"message":"no"\}$/,
  ],
  [{ kind: 'locked' }, 423, 'application/json;charset=utf-8', /locked/],
  [{ kind: 'migrating', retry_after: 5 }, 477, 'application/json;charset=utf-8', /MIGRATION/],
  [{ kind: 'unauthorized' }, 401, 'application/json;charset=utf-8', /INVALID_AUTHENTICATION/],
  [{ kind: 'ten_secondly' }, 429, 'application/json;charset=utf-8', /TEN_SECONDLY_ROLLING/],
  [{ kind: 'daily' }, 429, 'application/json;charset=utf-8', /"policyName":"DAILY"/],
  [{ kind: 'secondly' }, 429, 'application/json;charset=utf-8', /You have reached your secondly limit/],
  [{ kind: 'empty_success' }, 201, 'application/json;charset=utf-8', /"results":\[\]/],
])('%j answers %i and writes nothing', async (fault, status, type, text) => {
  sandbox.control.fault(fault);
  const answer = await raw();
  expect(answer).toMatchObject({ status, type });
  expect(answer.text).toMatch(text);
  expect(written()).toBe(0);
  expect((await raw()).status).toBe(201);
});

test('a search limit has the status of the forms that are set', async () => {
  sandbox.control.settings({ hubspot: { forms: 2025 } });
  sandbox.control.fault({ kind: 'secondly' });
  expect((await raw()).status).toBe(500);
});

test('a reset before the write leaves nothing, one after it leaves the record', async () => {
  sandbox.control.fault({ kind: 'reset' });
  await expect(create('a')).rejects.toThrow('fetch failed');
  expect(written()).toBe(0);
  sandbox.control.fault({ kind: 'commit_then_reset' });
  await expect(create('a')).rejects.toThrow('fetch failed');
  expect(written()).toBe(1);
});

test('a write can take effect and answer 500', async () => {
  sandbox.control.fault({ kind: 'commit_then_500' });
  expect((await create('a')).status).toBe(500);
  expect(written()).toBe(1);
});

test.each([
  ['hang', 0],
  ['commit_then_hang', 1],
] as const)('%s answers never, and %i records are written', async (kind, count) => {
  sandbox.control.fault({ kind });
  const aborted = new AbortController();
  const asked = send(
    sandbox,
    'POST',
    '/crm/v3/objects/calls/batch/create',
    { inputs: inputs('a') },
    { signal: aborted.signal },
  );
  const ended = asked.then(
    () => 'answered',
    () => 'aborted',
  );
  await until(
    async () => sandbox.control.requests().by_status['0'],
    (hung) => hung === 1,
  );
  aborted.abort();
  expect(await ended).toBe('aborted');
  expect(written()).toBe(count);
});

test('a row can be written without being in the answer', async () => {
  sandbox.control.fault({ kind: 'drop_rows', rows: 2 });
  const { status, body } = await create('a', 'b', 'c');
  expect([status, body.results.length, body.errors]).toEqual([201, 1, undefined]);
  expect(written()).toBe(3);
});

test('a row can be lost without a word', async () => {
  sandbox.control.fault({ kind: 'drop_rows', commit: false });
  expect((await create('a', 'b')).body.results).toHaveLength(1);
  expect(written()).toBe(1);
  sandbox.control.fault({ kind: 'drop_rows', commit: false });
  expect((await create('c')).body.results).toEqual([]);
  expect(written()).toBe(1);
});

test('an empty success can have taken effect', async () => {
  sandbox.control.fault({ kind: 'empty_success', commit: true });
  expect((await create('a')).body.results).toEqual([]);
  expect(written()).toBe(1);
});

test('an answer can be late', async () => {
  sandbox.control.fault({ kind: 'slow', ms: 120 });
  const began = performance.now();
  expect((await create('a')).status).toBe(201);
  expect(performance.now() - began).toBeGreaterThan(110);
});

test('a fault waits for its request, lets some by, and happens as often as asked', async () => {
  sandbox.control.fault({
    kind: 'status',
    status: 503,
    method: 'post',
    path: '/batch/create$',
    object: 'calls',
    after: 1,
    times: 2,
  });
  const statuses = [];
  for (const id of ['a', 'b', 'c', 'd']) {
    expect((await send(sandbox, 'GET', '/crm/v3/objects/calls/1')).status).toBe(404);
    expect(
      (
        await send(sandbox, 'POST', '/crm/v3/objects/contacts/batch/create', {
          inputs: [{ properties: { firstname: id } }],
        })
      ).status,
    ).toBe(201);
    statuses.push((await create(id)).status);
  }
  expect(statuses).toEqual([201, 503, 503, 201]);
  expect(sandbox.control.faults()).toEqual([]);
});

test('faults for one request come one after the other', async () => {
  sandbox.control.fault({ kind: 'locked' }, { kind: 'daily' });
  expect([(await create('a')).status, (await create('a')).status, (await create('a')).status]).toEqual([423, 429, 201]);
});

test('a fault for ever ends when it is cleared', async () => {
  sandbox.control.fault({ kind: 'locked', times: null });
  for (let at = 0; at < 3; at += 1) expect((await create('a')).status).toBe(423);
  sandbox.control.clearFaults();
  expect((await create('a')).status).toBe(201);
});

test('the client loses the status where the vendor gives no content type', async () => {
  sandbox.control.fault({ kind: 'no_content_type' }, { kind: 'broken_json' });
  const { batchApi } = clientOf(sandbox).crm.objects;
  const ask = () => batchApi.create('calls', { inputs: [{ properties: aCall('a'), associations: [] }] });
  await expect(ask()).rejects.toThrow('No Content-Type defined');
  await expect(ask()).rejects.toBeInstanceOf(SyntaxError);
});

test('a sandbox closes although a client hangs', async () => {
  const other = await startSandbox();
  other.control.fault({ kind: 'hang' });
  const asked = send(other, 'GET', '/crm/v3/owners').then(
    () => 'answered',
    () => 'cut off',
  );
  await until(
    async () => other.control.requests().by_status['0'],
    (hung) => hung === 1,
  );
  await other.close();
  expect(await asked).toBe('cut off');
});

test.each([
  [{ kind: 'explode' }, 'kind must be one of'],
  [{ kind: 'hang', path: '(' }, 'path must be a regular expression'],
  [{ kind: 'hang', time: 3 }, 'a fault has no time'],
  [{ kind: 'hang', times: 0 }, 'times must be'],
  [{}, 'kind must be'],
])('%j is no fault', (spec, reason) => {
  expect(() => sandbox.control.fault(spec as FaultSpec)).toThrow(reason);
});
