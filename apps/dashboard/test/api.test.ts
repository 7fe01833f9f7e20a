import { Failure } from '@wrapup/destination';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATIONS } from '../src/api/contract.ts';
import { ANSWERED, askApi, DOCUMENT, tokenFor } from './support/api.ts';
import { configOf, type Harness, parked, startDashboard } from './support/harness.ts';

let dashboard: Harness;
let admin: string;
const ask = (path: string, body?: unknown) => askApi(dashboard, admin, path, body === undefined ? {} : { body });

beforeAll(async () => {
  const { retention, sources } = configOf();
  const { main } = sources;
  if (!main) throw new Error('the configuration has no source');
  const acme = { name: 'acme', file: 'clients/acme.yaml', state: 'current', hash: 'a', errors: [], retention } as const;
  const config = configOf({ clients: { acme }, sources: { ...sources, 'acme.main': { ...main, name: 'acme.main' } } });
  dashboard = await startDashboard({ config: () => config });
  admin = await tokenFor(dashboard, 'admin');
});
afterAll(() => dashboard.close());

const written = {
  deliveries: [
    {
      route: 'sales-calls',
      connection: 'sales',
      change: {
        state: 'written' as const,
        records: [
          { name: 'person', object: 'contacts', id: '7', did: 'created' as const, url: 'https://crm.example/7' },
        ],
        notes: ['as it was'],
        requests: 2,
      },
    },
  ],
};

describe('calls and deliveries', () => {
  it('are listed by page and filter, and read one by one', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) ids.push(await dashboard.seed({ ...written, received_at: Date.now() + n }));
    const waiting = await dashboard.seed({
      ...parked({ candidates: ['101'], candidate_urls: { '101': 'https://crm.example/101' } }),
      received_at: Date.now() + 9,
    });
    const all = await ask('/calls?limit=3');
    expect(all.body.items.map(({ call_id }: { call_id: string }) => call_id)).toEqual([waiting, ids[2], ids[1]]);
    const rest = await ask(`/calls?limit=3&cursor=${all.body.next}`);
    expect(rest.body).toMatchObject({ items: [{ call_id: ids[0] }], next: null });
    expect((await ask('/calls?state=parked')).body.items).toMatchObject([
      { call_id: waiting, deliveries: [{ code: 'ambiguous_person', hint: 'Merge them.' }] },
    ]);
    expect(
      (await ask(`/calls?since=${encodeURIComponent(new Date(Date.now() + 60_000).toISOString())}`)).body.items,
    ).toEqual([]);
    const one = await ask(`/calls/main/${waiting}`);
    expect(one.body).toMatchObject({
      call_id: waiting,
      received: 'webhook',
      routed: true,
      revisions: [{ effect: 'applied' }],
    });
    expect((await ask('/calls/main/unknown')).body).toMatchObject({
      type: 'urn:wrapup:problem:not-found',
      detail: 'No call unknown of source main.',
    });
    const deliveries = await ask('/deliveries?state=written&limit=2');
    expect(deliveries.body).toMatchObject({
      items: [{ call_id: ids[2], requests: 2 }, { call_id: ids[1] }],
      next: expect.any(String),
    });
    expect((await ask(`/deliveries/main/${waiting}/sales-calls`)).body).toMatchObject({
      state: 'parked',
      candidates: [{ id: '101', url: 'https://crm.example/101' }],
    });
    expect((await ask(`/deliveries/main/${waiting}/elsewhere`)).status).toBe(404);
  });

  it('are replayed and dropped, in the name of the token', async () => {
    const [first, second] = [await dashboard.seed(parked()), await dashboard.seed(parked())];
    expect((await ask(`/deliveries/main/${first}/sales-calls/replay`, {})).body).toEqual({ done: 'replayed' });
    expect((await ask(`/deliveries/main/${first}/sales-calls/replay`, {})).body).toEqual({ done: 'moved' });
    expect(
      (await ask(`/deliveries/main/${second}/sales-calls/drop`, { why: 'a test of dana@example.com' })).body,
    ).toEqual({ done: 'dropped' });
    const delivery = await dashboard.delivery(second);
    // Why it had stopped stays beside why it was dropped.
    expect(delivery).toMatchObject({
      state: 'dropped',
      code: 'ambiguous_person',
      reason: 'Two contacts match.',
      dropped: { by: 'admin of a test', reason: 'a test of [e-mail]' },
    });
    expect((await ask(`/deliveries/main/${second}/sales-calls/drop`, { why: 'again' })).body).toEqual({
      done: 'moved',
    });
    const entry = {
      by: 'admin of a test',
      via: 'API',
      from: '127.0.0.1',
      was: { state: 'parked', code: 'ambiguous_person' },
    };
    expect((await ask('/audit?limit=2')).body.items).toMatchObject([
      { ...entry, action: 'drop', call_id: second },
      { ...entry, action: 'replay', call_id: first },
    ]);
    expect((await ask(`/audit?call_id=${first}&action=replay`)).body).toMatchObject({
      items: [{ call_id: first }],
      next: null,
    });
  });

  it('that stopped before their routes, too', async () => {
    const id = await dashboard.seed();
    await dashboard.store.ledger.stop('main', id, { code: 'unverified', reason: 'r', state: 'parked' });
    expect((await ask(`/calls/main/${id}`)).body).toMatchObject({
      routed: false,
      stopped: { code: 'unverified', state: 'parked' },
    });
    expect((await ask(`/calls/main/${id}/drop`, { why: 'forged' })).body).toEqual({ done: 'dropped' });
    expect((await ask(`/calls/main/${id}/replay`, {})).body).toEqual({ done: 'replayed' });
    expect((await ask(`/calls/main/${id}/replay`, {})).body).toEqual({ done: 'moved' });
  });
});

describe('what is parked and dead', () => {
  it('is counted before it is replayed or dropped by a filter', async () => {
    for (let n = 0; n < 3; n += 1)
      await dashboard.seed(parked({ code: 'invalid_field', reason: 'The field is gone.' }));
    await dashboard.seed(parked({ state: 'dead', code: 'unavailable', reason: '502' }));
    const first = await ask('/parked?reason=invalid_field&limit=2');
    expect(first.body).toMatchObject({
      items: [{ code: 'invalid_field', route: 'sales-calls' }, {}],
      next: expect.any(String),
    });
    expect((await ask(`/parked?reason=invalid_field&limit=2&cursor=${first.body.next}`)).body).toMatchObject({
      items: [{}],
      next: null,
    });
    expect((await ask('/dead')).body.items).toMatchObject([{ code: 'unavailable' }]);
    const filter = { reason: 'invalid_field' };
    expect((await ask('/parked/replay', { filter, dry_run: true })).body).toEqual({
      dry_run: true,
      count: 3,
      exact: true,
    });
    const replayed = await ask('/parked/replay', { filter });
    expect(replayed.body).toMatchObject({ dry_run: false, run: { of: 3, done: 3, ended: expect.any(String) } });
    expect((await ask(`/runs/${replayed.body.run.id}`)).body).toEqual(replayed.body.run);
    expect((await ask('/runs/none')).status).toBe(404);
    expect((await ask('/parked/replay', {})).body).toMatchObject({
      detail: 'Nothing says which.',
      errors: [{ at: 'body.filter' }],
    });
    expect((await ask('/dead/replay', { all: true, dry_run: true })).body).toMatchObject({ count: 1 });
    expect((await ask('/dead/drop', { all: true, why: 'the CRM is gone' })).body.run).toMatchObject({
      action: 'drop',
      done: 1,
    });
    expect((await ask('/parked/drop', { filter: { connection: 'none' }, why: 'none' })).body.run).toMatchObject({
      of: 0,
    });
    expect((await ask('/dead/replay', { filter: { source: 'none' } })).body.run).toMatchObject({ of: 0 });
    expect((await ask('/audit?action=drop%20many&limit=4')).body.items).toMatchObject([
      { step: 'ended', of: 0 },
      { step: 'begun', filter: { connection: 'none' } },
      { step: 'ended', done: 1, reason: 'the CRM is gone' },
      { step: 'begun', of_state: 'dead', of: 1 },
    ]);
  });
});

describe('an ambiguous caller', () => {
  const twins = (digest?: string) =>
    dashboard.seed(
      parked({
        candidates: ['101', '102'],
        ...(digest === undefined ? {} : { ambiguous: { by: 'phone' as const, digest } }),
      }),
    );

  it('is decided for one call, and not for anyone else', async () => {
    const id = await twins();
    const path = `/deliveries/main/${id}/sales-calls/choose`;
    expect((await ask(path, { person: '999' })).body).toMatchObject({
      detail: 'Nothing was changed.',
      errors: [{ at: 'body.person' }],
    });
    expect((await ask(path, { person: '101', remember: true })).body.errors).toMatchObject([{ at: 'body.remember' }]);
    expect((await ask(path, { person: '101' })).body).toEqual({ done: 'replayed' });
    expect(await dashboard.delivery(id)).toMatchObject({
      state: 'queued',
      chosen: { person: '101', by: 'admin of a test' },
    });
    expect((await ask(path, { person: '101' })).body).toEqual({ done: 'moved' });
    expect((await ask('/audit?action=choose')).body.items).toMatchObject([{ call_id: id, record: '101', via: 'API' }]);
  });

  it('is decided for all calls of the number, which are counted before', async () => {
    const [first, second, other] = [await twins('n-1'), await twins('n-1'), await twins('n-2')];
    const body = { source: 'main', call_id: first, route: 'sales-calls', person: '102' };
    expect((await ask('/parked/choose', { ...body, dry_run: true })).body).toEqual({
      ...{ dry_run: true, count: 2, exact: true },
    });
    expect((await ask('/parked/choose', { ...body, person: '999' })).body.errors).toMatchObject([
      { at: 'body.person' },
    ]);
    const { run } = (await ask('/parked/choose', { ...body, remember: true })).body;
    expect(run).toMatchObject({ action: 'choose', of: 2, done: 2, refused: 0, left: [] });
    for (const id of [first, second])
      expect(await dashboard.delivery(id)).toMatchObject({ state: 'queued', chosen: { person: '102' } });
    expect((await dashboard.delivery(other)).state).toBe('parked');
    expect(await dashboard.store.choices.list()).toMatchObject([{ person: '102', call_id: first }]);
    expect((await ask('/parked/choose', body)).status).toBe(404);
    expect((await ask('/parked/choose', { ...body, source: 'acme.main' })).status).toBe(404);
  });
});

describe('the installation', () => {
  it('has its connections, which are paused and resumed', async () => {
    const failure = new Failure('unauthorized', 'The token is refused.', { hint: 'Put in a valid key.' });
    await dashboard.store.connections.note('sales', [{ ok: false, failure }]);
    const paused = await ask('/connections/alerts/pause', { why: 'moving' });
    expect(paused.body).toMatchObject({
      kind: 'http',
      operator: { by: 'admin of a test', reason: 'moving' },
      routes: ['alerts'],
    });
    expect((await ask('/connections')).body.items).toMatchObject([
      { connection: 'alerts', circuit: 'closed' },
      { connection: 'sales', circuit: 'open', pause: { code: 'unauthorized', hint: 'Put in a valid key.' } },
    ]);
    const resumed = await ask('/connections/alerts/resume', {});
    expect(resumed.body).not.toHaveProperty('operator');
    expect(resumed.body.resumed).toMatchObject({ by: 'admin of a test' });
    expect((await askApi(dashboard, admin, '/connections/alerts/pause', { method: 'POST' })).status).toBe(200);
    expect((await askApi(dashboard, admin, '/connections/alerts/resume', { method: 'POST' })).status).toBe(200);
    expect((await ask('/connections/none/pause', {})).status).toBe(404);
  });

  it('has its clients, quotas and omissions', async () => {
    await dashboard.store.redis.hset(dashboard.store.keys.daily('sales'), {
      limit: 1000,
      remaining: 400,
      at: Date.now(),
    });
    expect((await ask('/digests')).body).toEqual({ items: [] });
    expect((await ask('/quotas')).body.items).toMatchObject([
      { connection: 'alerts', daily: null },
      { connection: 'sales', daily: { limit: 1000, remaining: 400 } },
    ]);
    expect((await ask('/clients')).body.items).toMatchObject([
      { client: null },
      { client: 'acme', state: 'current', today: 0 },
    ]);
    const at = { file: 'mappings/hubspot.yaml', line: 3, column: 1 };
    const note = { code: 'unknown_option' as const, record: 'person', field: 'budget', reason: 'no such option', at };
    const [delivery] = written.deliveries;
    if (!delivery) throw new Error('nothing is written');
    const id = await dashboard.seed({ deliveries: [{ ...delivery, change: { ...delivery.change, notes: [note] } }] });
    expect((await ask('/omissions?connection=sales')).body.items).toMatchObject([
      {
        record: 'person',
        field: 'budget',
        file: 'mappings/hubspot.yaml',
        line: 3,
        calls: 1,
        open: 1,
        latest: [{ call_id: id }],
      },
    ]);
    expect((await ask('/omissions?connection=none')).status).toBe(404);
  });
});

describe('what is not as the document says', () => {
  it.each([
    ['/calls?limit=0', undefined, 'query.limit'],
    ['/calls?limit=1000', undefined, 'query.limit'],
    ['/calls?status=parked', undefined, 'query'],
    ['/calls?since=yesterday', undefined, 'query.since'],
    ['/calls?limit=1&limit=2', undefined, 'query.limit'],
    ['/clients?client=acme', undefined, 'query.client'],
    ['/parked/drop', { filter: { route: 'r' } }, 'body.why'],
    ['/parked/drop', { filter: { rout: 'r' }, why: 'w' }, 'body.filter'],
    ['/parked/replay', { filter: {}, all: 'yes' }, 'body.all'],
    ['/deliveries/main/x/y/drop', { why: ' ' }, 'body.why'],
  ])('%s %j is refused at its place', async (path, body, at) => {
    const answer = await ask(path, body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ type: 'urn:wrapup:problem:invalid-request', errors: [{ at }] });
  });

  it('has a problem of its own each', async () => {
    const post = (path: string, body: string, headers = {}) => askApi(dashboard, admin, path, { body, headers });
    expect((await ask('/calls?cursor=nonsense')).body.type).toBe('urn:wrapup:problem:invalid-cursor');
    expect((await ask('/audit?cursor=nonsense')).body.type).toBe('urn:wrapup:problem:invalid-cursor');
    expect((await post('/parked/replay', '{')).body.type).toBe('urn:wrapup:problem:invalid-request');
    expect((await post('/parked/replay', '{}', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post('/parked/replay', JSON.stringify({ filter: { route: 'r'.repeat(70_000) } }))).status).toBe(413);
    expect((await ask('/nothing')).body.type).toBe('urn:wrapup:problem:no-such-path');
    const wrong = await askApi(dashboard, admin, '/calls', { method: 'DELETE' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

describe('the document', () => {
  it('is served, and has every route of the API and no other', async () => {
    const served = await (await fetch(`${dashboard.url}/api/v1/openapi.json`)).json();
    expect(served).toEqual(DOCUMENT);
    const routes = dashboard.apiRoutes().map(({ method, path }) => `${method} ${path}`);
    const described = Object.entries(DOCUMENT.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    );
    // `all` answers the methods that a path does not take.
    const methods = routes.filter((one) => /^(get|post) /.test(one) && one !== 'get /openapi.json');
    for (const one of described) expect(methods).toContain(one);
    const paths = new Set(described.map((one) => one.split(' ')[1]));
    for (const one of methods) expect(paths).toContain(one.split(' ')[1]);
    expect(described.length).toBe(Object.keys(OPERATIONS).length);
  });

  it('was held against a real answer of each operation', () => {
    expect([...ANSWERED].sort()).toEqual(Object.keys(OPERATIONS).sort());
  });
});
