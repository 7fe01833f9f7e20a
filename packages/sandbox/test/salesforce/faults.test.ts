/** Each way in which a connection or the vendor fails, as a plain client meets it, and whether the write took effect. */
import { expect, test } from 'vitest';
import type { FaultSpec } from '../../src/index.ts';
import { ask, sandboxForFile, until } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();

const row = (key: string) => ({ attributes: { type: 'Task' }, Wrapup_Call_Id__c: key });
const write = (...keys: string[]) =>
  ask(sandbox, 'PATCH', '/composite/sobjects/Task/Wrapup_Call_Id__c', { records: keys.map(row) });
const written = () => sandbox.salesforce.records('Task').length;

test.each<[FaultSpec, number, RegExp]>([
  [{ kind: 'unauthorized' }, 401, /INVALID_SESSION_ID/],
  [{ kind: 'request_limit' }, 403, /REQUEST_LIMIT_EXCEEDED/],
  [{ kind: 'status', status: 503 }, 503, /SERVER_UNAVAILABLE/],
  [{ kind: 'status' }, 500, /UNKNOWN_EXCEPTION/],
  [{ kind: 'html', status: 503 }, 503, /<h1>503 Service Unavailable/],
])('%j happens once, writes nothing, and is over', async (fault, status, text) => {
  sandbox.control.fault({ ...fault, api: 'salesforce', object: 'Task' });
  const response = await fetch(
    `${sandbox.salesforceUrl}/services/data/v66.0/composite/sobjects/Task/Wrapup_Call_Id__c`,
    {
      method: 'PATCH',
      headers: { authorization: `Bearer ${sandbox.salesforce.token()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ records: [row('a')] }),
    },
  );
  expect(response.status).toBe(status);
  expect(await response.text()).toMatch(text);
  expect([written(), (await write('a')).body[0].success]).toEqual([0, true]);
});

test.each<[FaultSpec['kind'], number]>([
  ['reset', 0],
  ['cut', 1],
  ['commit_then_reset', 1],
])('%s breaks the connection, and %i records are written', async (kind, count) => {
  sandbox.control.fault({ kind, api: 'salesforce' });
  await expect(write('a')).rejects.toThrow(/fetch failed|terminated/);
  expect(written()).toBe(count);
});

test.each<[FaultSpec['kind'], number]>([
  ['hang', 0],
  ['stall', 1],
  ['commit_then_hang', 1],
])('%s never ends, and %i records are written', async (kind, count) => {
  sandbox.control.fault({ kind, api: 'salesforce' });
  const aborted = new AbortController();
  const url = `${sandbox.salesforceUrl}/services/data/v66.0/composite/sobjects/Task/Wrapup_Call_Id__c`;
  const asked = fetch(url, {
    method: 'PATCH',
    signal: aborted.signal,
    headers: { authorization: `Bearer ${sandbox.salesforce.token()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ records: [row('a')] }),
  })
    .then((response) => response.text())
    .then(
      () => 'answered',
      () => 'aborted',
    );
  await until(
    async () => sandbox.control.requests().by_status['0'],
    (hung) => hung === 1,
  );
  aborted.abort();
  expect([await asked, written()]).toEqual(['aborted', count]);
});

test('rows of a batch fail alone, with the error asked for', async () => {
  sandbox.control.fault(
    { kind: 'row_error', api: 'salesforce', rows: 2 },
    { kind: 'row_error', code: 'FIELD_CUSTOM_VALIDATION_EXCEPTION', message: 'no' },
  );
  const codes = async () =>
    (await write('a', 'b', 'c')).body.map(({ errors }: { errors: { statusCode: string }[] }) => errors[0]?.statusCode);
  expect(await codes()).toEqual(['UNABLE_TO_LOCK_ROW', 'UNABLE_TO_LOCK_ROW', undefined]);
  expect(await codes()).toEqual(['FIELD_CUSTOM_VALIDATION_EXCEPTION', undefined, undefined]);
  expect(written()).toBe(2);
});

test('rows are left out of the answer, written or not', async () => {
  sandbox.control.fault({ kind: 'drop_rows' }, { kind: 'drop_rows', commit: false }, { kind: 'empty_success' });
  expect([(await write('a', 'b')).body.length, written()]).toEqual([1, 2]);
  expect([(await write('c', 'd')).body.length, written()]).toEqual([1, 3]);
  expect([(await write('e')).body, written()]).toEqual([[], 3]);
});

test('a fault of one API leaves the others alone', async () => {
  sandbox.control.fault({ kind: 'unauthorized', api: 'salesforce', times: null });
  const hubspot = await fetch(`${sandbox.hubspotUrl}/crm/v3/owners`, { headers: { authorization: 'Bearer pat-x' } });
  expect([hubspot.status, (await write('a')).status, (await write('a')).status]).toEqual([200, 401, 401]);
});

test('requests are counted by object and operation, the log keeps bodies apart', async () => {
  await write('a', 'b');
  await ask(sandbox, 'GET', '/query?q=SELECT Id FROM Task');
  await ask(sandbox, 'GET', '/sobjects/Task/describe');
  const { by_operation, by_endpoint, requests } = sandbox.control.requests();
  expect(by_operation).toEqual({ 'Task collections/upsert': 1, query: 1, 'Task describe': 1 });
  expect(Object.keys(by_endpoint)).toContain('PATCH /services/data/v66.0/composite/sobjects/Task/Wrapup_Call_Id__c');
  expect(requests[0]).toMatchObject({ api: 'salesforce', inputs: 2, status: 200 });
});
