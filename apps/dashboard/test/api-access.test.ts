import { ROLES } from '@wrapup/config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiOperation, OPERATIONS } from '../src/api/contract.ts';
import { RATE_PER_MINUTE, TokenRate } from '../src/api/token-rate.ts';
import { hasRight } from '../src/security/rights.ts';
import { askApi, tokenFor } from './support/api.ts';
import {
  basic,
  configWithAcme,
  type Harness,
  parked,
  parkedOfAcme,
  sessionCookie,
  startDashboard,
} from './support/harness.ts';

const credentials = { user: 'admin', password: 'a long enough password' };
const delays: number[] = [];
let dashboard: Harness;
beforeAll(async () => {
  const config = configWithAcme();
  dashboard = await startDashboard({ credentials, config: () => config, wait: async (ms) => void delays.push(ms) });
});
afterAll(() => dashboard.close());

/** A request for each operation, with what makes it valid. */
function requestFor({ method, path, body }: ApiOperation) {
  const filled = path.replace('{source}', 'main').replace('{call_id}', 'none').replace('{route}', 'none');
  const given = body
    ? path.endsWith('/pause')
      ? {}
      : { filter: { source: 'none' }, ...(path.endsWith('/drop') ? { why: 'w' } : {}) }
    : {};
  const chosen = path.startsWith('/parked/') ? { source: 'main', call_id: 'none', route: 'none' } : {};
  const one = /\/(calls|deliveries)\/.*\/drop$/.test(path)
    ? { why: 'w' }
    : path.endsWith('/choose')
      ? { person: '101', ...chosen }
      : given;
  return {
    path: filled.replace('{name}', 'none').replace('{id}', 'none'),
    options: method === 'post' ? { body: one } : {},
  };
}

describe.each(ROLES)('a token with the role %s', (role) => {
  it.each(Object.entries<ApiOperation>(OPERATIONS))('%s: as the table says', async (_id, operation) => {
    const { path, options } = requestFor(operation);
    const answer = await askApi(dashboard, await tokenFor(dashboard, role), path, options);
    if (hasRight(role, operation.right)) expect([200, 404]).toContain(answer.status);
    else expect(answer.body).toMatchObject({ status: 403, type: 'urn:wrapup:problem:not-allowed' });
  });
});

describe('a token of one client', () => {
  it('finds nothing of another, and changes nothing there', async () => {
    const ambiguous = { by: 'phone' as const, digest: 'd' };
    const other = await dashboard.seed(parked({ candidates: ['101', '102'], ambiguous }));
    const own = await dashboard.seed(parkedOfAcme());
    const token = await tokenFor(dashboard, 'admin', 'acme');
    const ask = (path: string, body?: unknown) => askApi(dashboard, token, path, body === undefined ? {} : { body });
    for (const path of ['/calls', '/deliveries', '/parked'])
      expect((await ask(path)).body.items.map(({ call_id }: { call_id: string }) => call_id)).toEqual([own]);
    expect((await ask('/connections')).body.items.map(({ connection }: { connection: string }) => connection)).toEqual([
      'acme.sales',
    ]);
    expect((await ask('/quotas')).body.items).toEqual([{ connection: 'acme.sales', daily: null }]);
    for (const [path, body] of [
      [`/calls/main/${other}`],
      [`/deliveries/main/${other}/sales-calls`],
      [`/deliveries/main/${other}/sales-calls/drop`, { why: 'w' }],
      [`/deliveries/main/${other}/sales-calls/replay`, {}],
      [`/deliveries/main/${other}/sales-calls/choose`, { person: '101' }],
      ['/parked/choose', { source: 'main', call_id: other, route: 'sales-calls', person: '101' }],
      ['/connections/sales/pause', {}],
      ['/omissions?connection=sales'],
      ['/calls?client=bolt'],
    ] as const)
      expect((await ask(path, body)).status).toBe(404);
    expect((await ask('/clients')).status).toBe(403);
    expect((await ask('/parked/drop', { all: true, why: 'all of mine' })).body.run).toMatchObject({ of: 1, done: 1 });
    expect((await dashboard.delivery(other)).state).toBe('parked');
    const { items } = (await ask('/audit')).body;
    expect(items.length).toBeGreaterThan(1);
    expect(items.every(({ client }: { client: string }) => client === 'acme')).toBe(true);
    const whole = await tokenFor(dashboard, 'viewer');
    expect((await askApi(dashboard, whole, '/calls?client=acme')).body.items).toMatchObject([{ call_id: own }]);
    expect((await askApi(dashboard, whole, '/calls?client=bolt')).status).toBe(404);
  });
});

describe('without a token of its own', () => {
  it('nothing is opened by a session, by Basic, by a token in the address or in a cookie', async () => {
    const token = await tokenFor(dashboard, 'admin');
    const cookie = sessionCookie(await dashboard.login(credentials));
    const origin = dashboard.url;
    for (const headers of [{ cookie, origin }, basic('admin', credentials.password), { cookie: `token=${token}` }])
      expect((await askApi(dashboard, undefined, '/calls', { headers: { ...headers } })).body).toMatchObject({
        type: 'urn:wrapup:problem:no-token',
      });
    expect((await askApi(dashboard, undefined, `/calls?access_token=${token}`)).status).toBe(401);
    const id = await dashboard.seed(parked());
    const path = `/deliveries/main/${id}/sales-calls/drop`;
    expect((await askApi(dashboard, undefined, path, { body: { why: 'w' }, headers: { cookie, origin } })).status).toBe(
      401,
    );
    expect((await dashboard.delivery(id)).state).toBe('parked');
    // And a token opens no page.
    expect((await dashboard.get('/parked', { authorization: `Bearer ${token}` })).status).toBe(401);
  });

  it('a foreign name of this machine gets nothing', async () => {
    expect(await dashboard.getAs('evil.example', '/api/v1/openapi.json')).toBe(403);
  });
});

describe('a token', () => {
  it('that is wrong, expired, revoked or of no role that there is opens nothing', async () => {
    const right = await tokenFor(dashboard, 'viewer');
    const id = right.split('_')[1] ?? '';
    const refused = async (token: string) =>
      expect((await askApi(dashboard, token, '/calls')).body).toMatchObject({ type: 'urn:wrapup:problem:wrong-token' });
    await refused('nonsense');
    await refused(`${right.slice(0, -1)}${right.endsWith('A') ? 'B' : 'A'}`);
    await refused(right.replace(id, 'ffffffffffff'));
    await refused(await tokenFor(dashboard, 'viewer', undefined, -1));
    await refused(await tokenFor(dashboard, 'owner' as 'viewer'));
    expect((await askApi(dashboard, right, '/calls')).status).toBe(200);
    expect(await dashboard.store.tokens.revoke(id, { name: 'ada' })).toMatchObject({ id });
    await refused(right);
    expect(await dashboard.store.tokens.revoke(id, { name: 'ada' })).toBeUndefined();
  });

  it('is kept as a hash, and says when it was used', async () => {
    const text = await tokenFor(dashboard, 'viewer');
    // The secret may hold `_` itself.
    const [, id = '', secret = ''] = /^wrapup_([^_]+)_(.+)$/.exec(text) ?? [];
    expect(secret).toHaveLength(43);
    expect(JSON.stringify(await dashboard.store.redis.hgetall(dashboard.store.keys.apiTokens))).not.toContain(secret);
    const listed = async () => (await dashboard.store.tokens.list()).find((one) => one.id === id);
    expect(await listed()).not.toHaveProperty('used_at');
    await askApi(dashboard, text, '/calls');
    expect((await listed())?.used_at).toBeGreaterThan(Date.now() - 60_000);
    expect(JSON.stringify(await listed())).not.toMatch(/secret/);
    expect(dashboard.logged()).not.toContain(secret);
  });

  it('that is wrong slows the next guess from there, and no right one', async () => {
    delays.length = 0;
    for (let n = 0; n < 5; n += 1) await askApi(dashboard, 'nonsense', '/calls');
    expect(delays).toEqual([...delays].sort((a, b) => a - b));
    expect(delays.at(-1)).toBe(2_000);
    delays.length = 0;
    expect((await askApi(dashboard, await tokenFor(dashboard, 'viewer'), '/calls')).status).toBe(200);
    expect(delays).toEqual([]);
  });

  it('is answered 300 times a minute, and then as Retry-After says', async () => {
    let now = 1_000_000;
    const rate = new TokenRate(() => now);
    for (let n = 0; n < RATE_PER_MINUTE; n += 1) expect(rate.take('a')).toBe(0);
    expect(rate.take('a')).toBe(1);
    expect(rate.take('b')).toBe(0);
    now += 1_000;
    for (let n = 0; n < 5; n += 1) expect(rate.take('a')).toBe(0);
    expect(rate.take('a')).toBe(1);
    const token = await tokenFor(dashboard, 'viewer');
    const statuses = new Map<number, number>();
    for (let n = 0; n < RATE_PER_MINUTE + 200; n += 50) {
      const some = await Promise.all(Array.from({ length: 50 }, () => askApi(dashboard, token, '/quotas')));
      for (const { status, headers } of some) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status === 429) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      }
    }
    expect(statuses.get(200)).toBeGreaterThanOrEqual(RATE_PER_MINUTE);
    expect([...statuses.keys()].sort()).toEqual([200, 429]);
  });
});
