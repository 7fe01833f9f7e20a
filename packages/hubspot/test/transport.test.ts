/** One request at a time: every way in which HubSpot may fail to answer. */
import { once } from 'node:events';
import { type Budget, Failure, makeMemoryCommons, makeMemoryContext, type QuotaUsage } from '@wrapup/destination';
import { afterEach, expect, test } from 'vitest';
import {
  createRecords,
  linkRecords,
  readAccount,
  readProperties,
  readRecords,
  searchRecords,
  upsertRecords,
} from '../src/client/api.ts';
import { HubSpotSession, type HubSpotTransport } from '../src/client/transport.ts';
import { HubSpotFailure } from '../src/errors/classify.ts';
import { json, openTransport, type TinyServer, tinyServer } from './tiny-server.ts';

const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
});

async function open(
  answer: Parameters<typeof tinyServer>[0],
  settings?: Parameters<typeof openTransport>[1],
): Promise<{ server: TinyServer; transport: HubSpotTransport }> {
  const server = await tinyServer(answer);
  const transport = await openTransport(server.url, settings);
  closing.push(transport, server);
  return { server, transport };
}

const create = () => createRecords('calls', [{ trace: 't', properties: { hs_timestamp: '1' }, links: [] }]);
const read = () => readRecords('contacts', ['1'], []);

async function failureOf(promise: Promise<unknown>): Promise<HubSpotFailure> {
  const thrown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(thrown instanceof HubSpotFailure)) throw new Error(`expected a failure, got ${String(thrown)}`);
  return thrown;
}

test.each([
  [500, 'text/html', '<html>', 'unavailable'],
  [502, 'text/html', '<html><body>Bad Gateway</body></html>', 'unavailable'],
  [503, undefined, 'upstream connect error', 'unavailable'],
  [500, 'application/json', '{"status":"error","mess', 'unavailable'],
  [504, 'application/json', '', 'unavailable'],
  [423, 'application/json', '{"message":"locked"}', 'locked'],
  [477, 'application/json', '{"message":"moving"}', 'locked'],
  [401, undefined, '', 'unauthorized'],
  [302, 'text/html', '', 'refused'],
])('status %i, content type %s, body %j is %s', async (status, type, body, code) => {
  const { transport } = await open((_body, response) => {
    response.writeHead(status, type ? { 'content-type': type } : {});
    response.end(body);
  });
  const failure = await failureOf(transport.send(create(), makeMemoryContext()));
  expect([failure.code, failure.details.status]).toEqual([code, status]);
  expect(failure.outcome_unknown).toBe(status >= 500);
});

test.each([200, 201, 202, 207])(
  'a %i is a success for every kind of request, without a content type too',
  async (status) => {
    const body = { status: 'COMPLETE', results: [{ id: '1' }] };
    const { transport } = await open((_body, response) => {
      response.writeHead(status);
      response.end(JSON.stringify(body));
    });
    const upsert = upsertRecords('calls', [{ trace: 't', key: { property: 'k', value: 'v' }, properties: {} }]);
    const search = searchRecords('contacts', [[{ property: 'phone', in: ['1'] }]], []);
    for (const call of [
      create(),
      read(),
      upsert,
      search,
      linkRecords('calls', 'contacts', [{ from: '1', to: '2' }]),
      readProperties('calls'),
    ])
      expect(await transport.send(call, makeMemoryContext())).toEqual({ status, body });
  },
);

test('a success that cannot be read leaves open whether something was written', async () => {
  const { transport } = await open((_body, response) => response.writeHead(201).end('created, I think'));
  const failure = await failureOf(transport.send(create(), makeMemoryContext()));
  expect([failure.code, failure.outcome_unknown]).toEqual(['unaccounted', true]);
  expect((await failureOf(transport.send(read(), makeMemoryContext()))).outcome_unknown).toBe(false);
});

test('a connection that breaks is a network failure; whether something was written is open only for writes', async () => {
  const { transport } = await open((_body, response) => response.destroy());
  const failure = await failureOf(transport.send(create(), makeMemoryContext()));
  expect([failure.code, failure.next, failure.outcome_unknown]).toEqual(['network', 'retry', true]);
  expect((await failureOf(transport.send(read(), makeMemoryContext()))).outcome_unknown).toBe(false);
});

test('an answer that breaks off in the middle is a network failure', async () => {
  const { transport } = await open((_body, response) => {
    response.writeHead(201, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"results":[');
    setTimeout(() => response.destroy(), 20);
  });
  expect(await failureOf(transport.send(create(), makeMemoryContext()))).toMatchObject({
    code: 'network',
    outcome_unknown: true,
  });
});

test('a refused connection is a network failure that certainly wrote nothing', async () => {
  const { server, transport } = await open(() => {});
  await server.close();
  expect(await failureOf(transport.send(create(), makeMemoryContext()))).toMatchObject({
    code: 'network',
    outcome_unknown: false,
  });
});

test.each(['before the headers', 'in the body'])(
  'a server that falls silent %s is given up in time, and its socket closed',
  async (when) => {
    let closed: Promise<unknown> = Promise.resolve();
    const { transport } = await open(
      (_body, response, request) => {
        closed = once(request.socket, 'close');
        if (when === 'in the body') {
          response.writeHead(201, { 'content-type': 'application/json' });
          response.write('{"results":');
        }
      },
      { timeout: 150 },
    );
    const failure = await failureOf(transport.send(create(), makeMemoryContext()));
    expect([failure.code, failure.next, failure.outcome_unknown]).toEqual(['timeout', 'retry', true]);
    await closed;
  },
);

test('the context’s deadline counts where it is earlier than the timeout, and nothing is sent after it', async () => {
  const { server, transport } = await open(() => {}, { timeout: 60_000 });
  const ctx = makeMemoryContext(undefined, { within: 200 });
  expect((await failureOf(transport.send(read(), ctx))).code).toBe('timeout');
  const late = await failureOf(transport.send(create(), ctx));
  expect([late.code, late.outcome_unknown]).toEqual(['timeout', false]);
  expect(server.seen).toHaveLength(1);
});

test('withdrawn work closes its request and burns no attempt', async () => {
  const controller = new AbortController();
  const { transport } = await open(() => controller.abort());
  const ctx = makeMemoryContext(undefined, { signal: controller.signal });
  expect(await failureOf(transport.send(create(), ctx))).toMatchObject({
    code: 'busy',
    next: 'throttle',
    outcome_unknown: true,
  });
  expect(await failureOf(transport.send(create(), ctx))).toMatchObject({ code: 'busy', outcome_unknown: false });
});

test('requests go to the dated paths, or to the client’s own where the version is v3', async () => {
  const answer = (_body: unknown, response: Parameters<typeof json>[0]) => json(response, 200, { results: [] });
  const calls = [create(), linkRecords('calls', 'contacts', [{ from: '1', to: '2' }]), readProperties('calls')];
  const dated = await open(answer);
  for (const call of [...calls, readAccount('2026-09')]) await dated.transport.send(call, makeMemoryContext());
  expect(dated.server.seen.map(({ what }) => what.split('?')[0])).toEqual([
    'POST /crm/objects/2026-09/calls/batch/create',
    'POST /crm/associations/2026-09/calls/contacts/batch/associate/default',
    'GET /crm/properties/2026-09/calls',
    'GET /account-info/2026-09/details',
  ]);
  const old = await open(answer, { api_version: 'v3' });
  for (const call of calls) await old.transport.send(call, makeMemoryContext());
  expect(old.server.seen.map(({ what }) => what.split('?')[0])).toEqual([
    'POST /crm/v3/objects/calls/batch/create',
    'POST /crm/v4/associations/calls/contacts/batch/associate/default',
    'GET /crm/v3/properties/calls',
  ]);
});

test('a creation carries its key, its trace id and its links; an upsert its key as id and as property', async () => {
  const { server, transport } = await open((_body, response) => json(response, 200, { results: [] }));
  const properties = { hs_timestamp: '1' };
  await transport.send(
    createRecords('calls', [{ trace: 't1', properties, links: [{ to: '7', type: 194 }] }]),
    makeMemoryContext(),
  );
  const key = { property: 'wrapup_call_id', value: 'main:c1' };
  await transport.send(upsertRecords('calls', [{ trace: 't2', key, properties }]), makeMemoryContext());
  expect(server.seen.map(({ body }) => body)).toEqual([
    {
      inputs: [
        {
          objectWriteTraceId: 't1',
          properties,
          associations: [
            { to: { id: '7' }, types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 194 }] },
          ],
        },
      ],
    },
    {
      inputs: [
        {
          objectWriteTraceId: 't2',
          idProperty: 'wrapup_call_id',
          id: 'main:c1',
          properties: { hs_timestamp: '1', wrapup_call_id: 'main:c1' },
        },
      ],
    },
  ]);
});

test('every request is taken from the budget, searches from their own, and what the headers say is reported', async () => {
  const taken: (string | undefined)[] = [];
  const reported: [QuotaUsage, string | undefined][] = [];
  const budget: Budget = {
    spent: 0,
    take: async (pool) => {
      taken.push(pool);
    },
    report: async (usage, pool) => {
      reported.push([usage, pool]);
    },
  };
  const headers = {
    'X-HubSpot-RateLimit-Max': '190',
    'X-HubSpot-RateLimit-Remaining': '17',
    'X-HubSpot-RateLimit-Interval-Milliseconds': '10000',
    'X-HubSpot-RateLimit-Daily': '625000',
    'X-HubSpot-RateLimit-Daily-Remaining': '600000',
  };
  let status = 200;
  let ofSearches = {};
  const { transport } = await open((_body, response, request) =>
    json(
      response,
      status,
      status === 200 ? { results: [], total: 0 } : { policyName: 'TEN_SECONDLY_ROLLING', errorType: 'RATE_LIMIT' },
      request.url?.includes('search') ? ofSearches : headers,
    ),
  );
  const ctx = { ...makeMemoryContext(), budget };
  await transport.send(read(), ctx);
  await transport.send(searchRecords('contacts', [], []), ctx);
  status = 429;
  await failureOf(transport.send(searchRecords('contacts', [], []), ctx));
  expect(taken).toEqual([undefined, 'search', 'search']);
  const usage = { limit: 190, remaining: 17, resets_in: 10_000, daily_limit: 625_000, daily_remaining: 600_000 };
  expect(reported).toEqual([
    [usage, undefined],
    [{ blocked_for: 10_000 }, 'search'],
  ]);
  // Four searches in ten seconds would be the end of searching: the headers speak of the account, whatever answer brings them.
  [status, ofSearches] = [200, headers];
  await transport.send(searchRecords('contacts', [], []), ctx);
  expect(reported.at(-1)).toEqual([usage, undefined]);
});

const USAGE = { 'X-HubSpot-RateLimit-Remaining': '17', 'X-HubSpot-RateLimit-Interval-Milliseconds': '10000' };

test('an answer does not wait until the quota that it tells is noted; closing does', async () => {
  const { transport } = await open((_body, response) => json(response, 200, { results: [] }, USAGE));
  const noting = Promise.withResolvers<void>();
  const budget: Budget = { spent: 0, take: async () => {}, report: () => noting.promise };
  const ctx = { ...makeMemoryContext(), budget };
  await transport.send(read(), ctx);
  await transport.send(read(), ctx);
  let closed = false;
  const closing = transport.close().then(() => {
    closed = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(closed).toBe(false);
  noting.resolve();
  await closing;
});

test('answers wait while many notes on the quota are under way', async () => {
  const { transport } = await open((_body, response) => json(response, 200, { results: [] }, USAGE));
  const noting = Promise.withResolvers<void>();
  let reports = 0;
  const report = () => {
    reports += 1;
    return noting.promise;
  };
  const ctx = { ...makeMemoryContext(), budget: { spent: 0, take: async () => {}, report } };
  for (let n = 0; n < 64; n += 1) await transport.send(read(), ctx);
  let answered = false;
  const last = transport.send(read(), ctx).then(() => {
    answered = true;
  });
  while (reports < 65) await new Promise((resolve) => setTimeout(resolve, 1));
  await new Promise((resolve) => setImmediate(resolve));
  expect(answered).toBe(false);
  noting.resolve();
  await last;
});

test('a quota that cannot be noted fails no request, and is logged', async () => {
  const { transport } = await open((_body, response) => json(response, 200, { results: [] }, USAGE));
  const warnings: string[] = [];
  const nothing = () => {};
  const log = { debug: nothing, info: nothing, error: nothing, warn: (_: object, said: string) => warnings.push(said) };
  const report = async () => {
    throw new Error('Redis is away');
  };
  const budget: Budget = { spent: 0, take: async () => {}, report };
  await transport.send(read(), { ...makeMemoryContext(), budget, log });
  await transport.close();
  expect(warnings).toEqual(['what the CRM said of the quota could not be noted']);
});

test('a request that was not sent costs its plans nothing, whatever others take meanwhile', async () => {
  const { transport } = await open((_body, response) => json(response, 200, { results: [], total: 0 }));
  const held = Promise.withResolvers<void>();
  const own = makeMemoryContext().budget;
  const budget: Budget = {
    get spent() {
      return own.spent;
    },
    report: own.report.bind(own),
    async take(pool) {
      if (pool !== 'search') return own.take(pool);
      await held.promise;
      throw new Failure('throttled', 'The search quota is used up.', { retry_after: 1000 });
    },
  };
  const session = new HubSpotSession(transport, { ...makeMemoryContext(), budget });
  const refused = expect(session.send(searchRecords('contacts', [], []), [1])).rejects.toThrow('used up');
  await session.send(read(), [2]);
  held.resolve();
  await refused;
  expect([session.costOf(1), session.costOf(2)]).toEqual([0, 1]);
});

test('two connections in one process keep their tokens and their timeouts apart', async () => {
  const tokens: (string | undefined)[] = [];
  const { server, transport } = await open((_body, response, request) => {
    tokens.push(request.headers.authorization);
    json(response, 200, { results: [] });
  });
  const { hubspotSettings } = await import('../src/client/settings.ts');
  const { HubSpotTransport } = await import('../src/client/transport.ts');
  const other = await HubSpotTransport.open(
    hubspotSettings.parse({ access_token: 'pat-na1-other', base_url: server.url }),
  );
  closing.push(other);
  const ctx = makeMemoryContext(makeMemoryCommons());
  await Promise.all([transport.send(read(), ctx), other.send(read(), ctx), transport.send(read(), ctx)]);
  expect(tokens.toSorted()).toEqual(['Bearer pat-na1-other', 'Bearer pat-na1-test', 'Bearer pat-na1-test']);
});
