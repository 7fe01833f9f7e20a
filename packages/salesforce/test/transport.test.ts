/** Requests over real sockets to a server that misbehaves: what jsforce's own transport does wrong, ours does not. */
import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { afterEach, expect, test } from 'vitest';
import { queryPath, readTogether, type SalesforceApiCall, searchPeople, writeRows } from '../src/client/api.ts';
import type { SalesforceTransport } from '../src/client/transport.ts';
import { SalesforceFailure } from '../src/errors/classify.ts';
import { giveToken, json, openTransport, SESSION_INVALID, type TinyServer, tinyServer } from './tiny-server.ts';

let server: TinyServer | undefined;
let transport: SalesforceTransport | undefined;
afterEach(async () => {
  transport?.close();
  await server?.close();
});

const WRITE = writeRows('create', [{ object: 'Task', fields: { Subject: 'Call', Wrapup_Call_Id__c: 'main:a/b?c#d' } }]);
const READ = readTogether(
  'read',
  [{ ref: 'a', path: queryPath("SELECT Id FROM Lead WHERE Email = 'a&b+c@d.io'") }],
  '66.0',
);
const SEARCH = searchPeople('FIND {4155550142 OR 14155550142} IN PHONE FIELDS', ['+14155550142']);

/** Sends to a server that answers like this. */
async function send(
  answer: Parameters<typeof tinyServer>[0],
  call: SalesforceApiCall,
  { within = 5_000, ...settings }: Record<string, unknown> & { within?: number } = {},
) {
  server = await tinyServer(answer);
  transport = await openTransport(server.url, settings);
  return transport.send(call, makeMemoryContext(undefined, { within }));
}

async function failing(...given: Parameters<typeof send>): Promise<SalesforceFailure> {
  try {
    await send(...given);
  } catch (thrown) {
    if (thrown instanceof SalesforceFailure) return thrown;
    throw thrown;
  }
  throw new Error('expected a failure');
}

test('a connection cut in the middle of a body ends the request at once, and is in doubt when it wrote', async () => {
  const cut: Parameters<typeof tinyServer>[0] = (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('[{"id":"00T', () => response.socket?.destroy());
  };
  const wrote = await failing(cut, WRITE, { timeout: 60_000, within: 60_000 });
  expect(wrote).toMatchObject({ code: 'network', next: 'retry', outcome_unknown: true });
  expect(server?.seen).toHaveLength(1);
  await server?.close();
  expect(await failing(cut, READ, { timeout: 60_000, within: 60_000 })).toMatchObject({
    code: 'network',
    outcome_unknown: false,
  });
  expect(server?.seen).toHaveLength(1);
});

test('a chunked body that ends without its last chunk is no answer', async () => {
  const failure = await failing((response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' });
    response.write('[{"success":true}]', () => response.socket?.destroy());
  }, WRITE);
  expect(failure).toMatchObject({ code: 'network', outcome_unknown: true });
});

test('a body that stalls is given up at the deadline, and so is an answer that never comes', async () => {
  const stall: Parameters<typeof tinyServer>[0] = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('[');
  };
  expect(await failing(stall, WRITE, { timeout: 150 })).toMatchObject({
    code: 'timeout',
    next: 'retry',
    outcome_unknown: true,
  });
  await server?.close();
  expect(await failing(() => {}, READ, { timeout: 150 })).toMatchObject({ code: 'timeout', outcome_unknown: false });
  await server?.close();
  // The end of the whole batch counts too.
  expect(await failing(() => {}, WRITE, { timeout: 60_000, within: 150 })).toMatchObject({ code: 'timeout' });
});

test('a token that is refused once is renewed once, and the request sent again', async () => {
  let refused = 0;
  const answer = await send((response, { headers }) => {
    if (refused === 0) {
      refused += 1;
      json(response, 401, SESSION_INVALID);
    } else json(response, 200, [{ id: headers.authorization, success: true, errors: [] }]);
  }, WRITE);
  expect(server?.tokens).toHaveLength(2);
  expect(server?.seen).toHaveLength(2);
  const [first, second] = server?.seen.map(({ headers }) => headers.authorization) ?? [];
  expect(first).not.toBe(second);
  expect(answer.body).toEqual([{ id: second, success: true, errors: [] }]);
});

test('a token that is refused for ever costs two requests and two tokens, and ends the connection', async () => {
  const failure = await failing((response) => json(response, 401, SESSION_INVALID), WRITE);
  expect(failure).toMatchObject({ code: 'unauthorized', next: 'reauthenticate', outcome_unknown: false });
  expect(failure.details.vendor_code).toBe('INVALID_SESSION_ID');
  expect([server?.seen.length, server?.tokens.length]).toEqual([2, 2]);
});

test('twenty requests that meet a refused token share its successor', async () => {
  let good = '';
  server = await tinyServer(
    (response, { headers }) => {
      if (headers.authorization === good) json(response, 200, []);
      else json(response, 401, SESSION_INVALID);
    },
    (response, request) => {
      const count = server?.tokens.length ?? 0;
      if (count > 1) good = `Bearer good-${count}`;
      giveToken(response, request, { access_token: count > 1 ? `good-${count}` : 'bad' });
    },
  );
  transport = await openTransport(server.url);
  const commons = makeMemoryCommons();
  await Promise.all(Array.from({ length: 20 }, () => transport?.send(READ, makeMemoryContext(commons))));
  expect(server.tokens).toHaveLength(2);
  expect(server.seen.length).toBeLessThanOrEqual(40);
});

test.each([
  ['JSON', { 'content-type': 'application/json' }, '[{"errorCode":"SERVER_UNAVAILABLE","message":"Try later"}]'],
  ['HTML', { 'content-type': 'text/html' }, '<html><body>503</body></html>'],
  ['HTML with a charset', { 'content-type': 'text/html; charset=utf-8' }, '<html><body>secret page</body></html>'],
  ['nothing', {}, ''],
])('503 with %s is sent once and comes back with its status', async (_what, headers, text) => {
  const answer: Parameters<typeof tinyServer>[0] = (response) => response.writeHead(503, headers).end(text);
  const failure = await failing(answer, SEARCH);
  expect(failure).toMatchObject({
    code: 'unavailable',
    next: 'retry',
    outcome_unknown: false,
    details: { status: 503 },
  });
  expect(failure.message).not.toContain('secret page');
  expect(server?.seen).toHaveLength(1);
  await server?.close();
  expect(await failing(answer, WRITE)).toMatchObject({ code: 'unavailable', outcome_unknown: true });
});

test.each([502, 504, 500, 420, 429])('%i is sent once', async (status) => {
  const failure = await failing((response) => response.writeHead(status).end(), SEARCH);
  expect(['retry', 'throttle']).toContain(failure.next);
  expect(server?.seen).toHaveLength(1);
});

test('a success that is no JSON is not believed', async () => {
  const html = (response: Parameters<Parameters<typeof tinyServer>[0]>[0]) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>maintenance</html>');
  expect(await failing(html, WRITE)).toMatchObject({ code: 'unaccounted', next: 'retry', outcome_unknown: true });
});

test('redirects are not followed: no other host is shown the token', async () => {
  const other = await tinyServer((response) => json(response, 200, []));
  try {
    const failure = await failing((response) => response.writeHead(302, { location: other.url }).end(), WRITE);
    expect(failure).toMatchObject({ code: 'refused', next: 'reauthenticate' });
    expect(other.seen).toHaveLength(0);
  } finally {
    await other.close();
  }
});

test('a retired version of the API stops the connection and says what to set', async () => {
  const failure = await failing(
    (response) => json(response, 410, [{ errorCode: 'UNSUPPORTED_API_VERSION', message: 'Gone' }]),
    WRITE,
  );
  expect(failure).toMatchObject({ next: 'reauthenticate' });
  expect(failure.hint).toContain('api_version');
});

test('sockets are kept for the next request', async () => {
  server = await tinyServer((response) => json(response, 200, []));
  transport = await openTransport(server.url);
  const commons = makeMemoryCommons();
  for (let n = 0; n < 5; n += 1) await transport.send(READ, makeMemoryContext(commons));
  expect(server.seen).toHaveLength(5);
  expect(server.sockets).toHaveLength(1);
});

test('what a request is made of: version, values in the body, nothing of a value in the path unescaped', async () => {
  await send((response) => json(response, 200, [{ id: '1', success: true, errors: [] }]), WRITE, {
    api_version: '62.0',
  });
  expect(server?.seen[0]?.what).toBe('POST /services/data/v62.0/composite/sobjects');
  expect(JSON.parse(server?.seen[0]?.body ?? '')).toEqual({
    allOrNone: false,
    records: [{ attributes: { type: 'Task' }, Subject: 'Call', Wrapup_Call_Id__c: 'main:a/b?c#d' }],
  });
  await server?.close();
  await send((response) => json(response, 200, {}), READ);
  expect(JSON.parse(server?.seen[0]?.body ?? '')).toMatchObject({
    compositeRequest: [
      { url: "/services/data/v66.0/query?q=SELECT%20Id%20FROM%20Lead%20WHERE%20Email%20%3D%20'a%26b%2Bc%40d.io'" },
    ],
  });
});

test('what the org has left is reported to the budget; a used-up day stops every request', async () => {
  const reported: object[] = [];
  server = await tinyServer((response, { method }) =>
    method === 'GET'
      ? json(response, 200, { searchRecords: [] }, { 'sforce-limit-info': 'api-usage=18/15000' })
      : json(response, 403, [{ errorCode: 'REQUEST_LIMIT_EXCEEDED', message: 'TotalRequests Limit exceeded.' }]),
  );
  transport = await openTransport(server.url);
  const ctx = makeMemoryContext();
  const budget = { spent: 0, take: async () => {}, report: async (usage: object) => void reported.push(usage) };
  await transport.send(SEARCH, { ...ctx, budget });
  await expect(transport.send(WRITE, { ...ctx, budget })).rejects.toMatchObject({
    code: 'daily_limit',
    next: 'throttle',
    details: { retry_after: 900_000 },
  });
  expect(reported).toEqual([{ daily_remaining: 14_982, daily_limit: 15_000 }, { blocked_for: 900_000 }]);
});

test('nothing is sent after the deadline, nor for work that was withdrawn', async () => {
  server = await tinyServer((response) => json(response, 200, []));
  transport = await openTransport(server.url);
  await expect(transport.send(READ, makeMemoryContext(undefined, { within: -1 }))).rejects.toMatchObject({
    code: 'timeout',
  });
  const controller = new AbortController();
  controller.abort();
  const ctx = makeMemoryContext(undefined, { signal: controller.signal });
  await expect(transport.send(READ, ctx)).rejects.toMatchObject({ code: 'busy', next: 'throttle' });
  expect([server.seen.length, server.tokens.length]).toEqual([0, 0]);
});

test('a refused connection: certainly nothing was written', async () => {
  server = await tinyServer(() => {});
  const { url } = server;
  await server.close();
  transport = await openTransport(url);
  await expect(transport.send(WRITE, makeMemoryContext())).rejects.toMatchObject({
    code: 'network',
    outcome_unknown: false,
  });
});
