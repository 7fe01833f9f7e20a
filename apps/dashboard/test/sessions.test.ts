/** Sessions: their cookie, how long they last, what ends them, and what is none. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startRedis } from '../../../test/support/redis.ts';
import { BROWSER, basic, type Harness, parked, sessionCookie, startDashboard } from './support/harness.ts';

const credentials = { user: 'admin', password: 'correct horse: battery' };
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let now: number;
let dashboard: Harness;
const start = (given: Parameters<typeof startDashboard>[0] = {}) =>
  startDashboard({ credentials, now: () => now, wait: async () => {}, ...given });
beforeAll(async () => {
  now = Date.now();
  dashboard = await start();
});
afterAll(() => dashboard.close());
beforeEach(() => {
  now = Date.now();
});

const open = (cookie: string, path = '/', of = dashboard) => of.get(path, { ...BROWSER, cookie });
const signIn = async (of = dashboard) => sessionCookie(await of.login(credentials));
const tokenOf = (cookie: string) => cookie.slice(cookie.indexOf('=') + 1);
const claimsOf = (cookie: string) =>
  JSON.parse(Buffer.from(tokenOf(cookie).split('.')[1] ?? '', 'base64url').toString());

describe('signing in', () => {
  it('gives a cookie that no script reads and no other site sends, and leads to the page that was wanted', async () => {
    const answer = await dashboard.login({ ...credentials, next: '/parked?reason=x' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/parked?reason=x']);
    const [cookie, ...others] = answer.headers.getSetCookie();
    expect(others).toEqual([]);
    expect(cookie).toMatch(/^wrapup_session=[\w.-]+; Path=\/; Expires=[^;]+ GMT; HttpOnly; SameSite=Strict$/);
    const page = await open(sessionCookie(answer));
    expect(page.status).toBe(200);
    expect(page.headers.getSetCookie()).toEqual([]);
    expect((await page.text()).replace(/\s+/g, ' ')).toContain('action="/logout">admin <button>Sign out</button>');
    expect(dashboard.logged()).toContain('"action":"sign in","user":"admin","address":"127.0.0.1"');
  });

  it('needs no script, and names fields so that password managers know them', async () => {
    const answer = await dashboard.get('/login?next=/parked', BROWSER);
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'self';.*script-src 'none'/);
    const text = await answer.text();
    expect(text).not.toMatch(/<script|<nav/);
    expect(text).toContain('autocomplete="username"');
    expect(text).toContain('autocomplete="current-password"');
    expect(text).toContain('name="next" value="/parked"');
  });

  it.each([
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example',
    '/\t/evil.example',
    '/.//evil.example',
    'javascript:alert(1)',
    'parked',
    '',
  ])('leads to the calls when it is to lead to %j', async (next) => {
    const answer = await dashboard.login({ ...credentials, next });
    expect(answer.headers.get('location')).toBe('/');
    const form = await (await dashboard.get(`/login?${new URLSearchParams({ next })}`)).text();
    expect(form).toContain('name="next" value="/"');
  });

  it.each([
    ['a wrong password', { user: 'admin', password: 'x' }],
    ['a wrong user', { user: 'root', password: credentials.password }],
    ['nothing', {}],
  ])('with %s shows the form again, without a cookie and without a challenge', async (_what, fields) => {
    const answer = await dashboard.login({ next: '/dead', ...fields });
    expect(answer.status).toBe(403);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(answer.headers.get('www-authenticate')).toBeNull();
    const text = await answer.text();
    expect(text).toContain('User or password is wrong.');
    expect(text).toContain('value="/dead"');
  });

  it.each(['/login', '/logout'])('POST %s is refused from another site', async (path) => {
    const cookie = await signIn();
    for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }, {}]) {
      const answer = await dashboard.post(path, credentials, { cookie, ...headers });
      expect([answer.status, answer.headers.getSetCookie()]).toEqual([403, []]);
    }
    expect((await open(cookie)).status).toBe(200);
  });
});

describe('over TLS, by the word of a trusted proxy', () => {
  const tls = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '198.51.100.1' };
  const origin = 'https://wrapup.example.com';

  it('the cookie is marked Secure and bound to the host', async () => {
    const own = await start({ trustedProxies: ['127.0.0.1'], allowedHosts: ['wrapup.example.com'] });
    try {
      const answer = await own.login(credentials, { ...tls, origin });
      expect(answer.headers.getSetCookie()[0]).toMatch(
        /^__Host-wrapup_session=[\w.-]+; Path=\/; Expires=[^;]+ GMT; HttpOnly; Secure; SameSite=Strict$/,
      );
      const cookie = sessionCookie(answer);
      expect((await own.get('/', { ...BROWSER, ...tls, cookie })).status).toBe(200);
      // What a sibling site could set under the name without the prefix is not read.
      const planted = `wrapup_session=${tokenOf(cookie)}`;
      expect((await own.get('/', { ...BROWSER, ...tls, cookie: planted })).status).toBe(303);
      expect(own.logged()).not.toContain('DASHBOARD_TRUSTED_PROXY');
    } finally {
      await own.close();
    }
  });

  it('is not believed of anyone else, and the log says what to set', async () => {
    const own = await start({ allowedHosts: ['wrapup.example.com'] });
    try {
      const answer = await own.login(credentials, { ...tls, origin });
      expect(answer.headers.getSetCookie()[0]).toMatch(/^wrapup_session=/);
      expect(answer.headers.getSetCookie()[0]).not.toContain('Secure');
      expect(own.logged()).toContain('DASHBOARD_TRUSTED_PROXY');
    } finally {
      await own.close();
    }
  });
});

describe('a session', () => {
  it('is renewed by pages, so that it lasts while an operator works', async () => {
    let cookie = await signIn();
    const { sid } = claimsOf(cookie);
    for (let page = 0; page < 10; page += 1) {
      now += 50 * MINUTE_MS;
      const answer = await open(cookie);
      expect(answer.status).toBe(200);
      cookie = sessionCookie(answer);
      expect(claimsOf(cookie).sid).toBe(sid);
    }
  });

  it('is not renewed at every page, nor by what a page’s script polls', async () => {
    const cookie = await signIn();
    now += 4 * MINUTE_MS;
    expect((await open(cookie)).headers.getSetCookie()).toEqual([]);
    now += 20 * MINUTE_MS;
    const poll = await dashboard.get('/queues/api/queues', { accept: 'application/json, */*', cookie });
    expect([poll.status, poll.headers.getSetCookie()]).toEqual([200, []]);
  });

  it('ends after an hour without a page', async () => {
    const cookie = await signIn();
    now += HOUR_MS - 1_000;
    expect((await open(cookie)).status).toBe(200);
    now += 1_000;
    expect((await open(cookie)).status).toBe(303);
  });

  it('ends a day after the sign-in, however busy it was', async () => {
    const begin = now;
    let cookie = await signIn();
    while (now + 50 * MINUTE_MS < begin + 24 * HOUR_MS - 1_000) {
      now += 50 * MINUTE_MS;
      const answer = await open(cookie);
      expect(answer.status).toBe(200);
      cookie = sessionCookie(answer);
    }
    expect(claimsOf(cookie).exp * 1000).toBeLessThanOrEqual(begin + 24 * HOUR_MS);
    now = begin + 24 * HOUR_MS;
    expect((await open(cookie)).status).toBe(303);
  });

  it('ends with signing out, in every copy of its cookie, renewed ones too, and at every dashboard', async () => {
    const first = await signIn();
    now += 10 * MINUTE_MS;
    const renewed = sessionCookie(await open(first));
    expect(renewed).not.toBe(first);
    const answer = await dashboard.post('/logout', {}, { origin: dashboard.url, cookie: renewed });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/login?did=signed_out']);
    expect(answer.headers.getSetCookie()[0]).toMatch(/^wrapup_session=; Path=\/; Expires=Thu, 01 Jan 1970/);
    for (const cookie of [first, renewed]) expect((await open(cookie)).status).toBe(303);
    const other = await start({ prefix: dashboard.prefix });
    try {
      expect((await open(first, '/', other)).status).toBe(303);
    } finally {
      await other.close();
    }
    const [key = ''] = await dashboard.store.redis.keys(dashboard.store.keys.endedSession(claimsOf(first).sid));
    expect(await dashboard.store.redis.pttl(key)).toBeGreaterThan(23 * HOUR_MS);
    expect(dashboard.logged()).toContain('"action":"sign out","user":"admin"');
  });

  it('outlives a restart, and is taken by every dashboard of the installation', async () => {
    const cookie = await signIn();
    const other = await start({ prefix: dashboard.prefix });
    try {
      expect((await open(cookie, '/', other)).status).toBe(200);
    } finally {
      await other.close();
    }
  });

  it.each([
    ['the password', { ...credentials, password: 'another one altogether' }],
    ['the user', { ...credentials, user: 'root' }],
  ])('is worth nothing once %s was changed', async (_what, changed) => {
    const cookie = await signIn();
    const other = await start({ credentials: changed, prefix: dashboard.prefix });
    try {
      expect((await open(cookie, '/', other)).status).toBe(303);
      expect((await open(sessionCookie(await other.login(changed)), '/', other)).status).toBe(200);
    } finally {
      await other.close();
    }
  });

  it('lets press what changes something, and the log names who did', async () => {
    const cookie = await signIn();
    const callId = await dashboard.seed(parked());
    const target = { source: 'main', route: 'sales-calls' };
    const foreign = await dashboard.post(`/calls/${callId}/replay`, target, { cookie, origin: 'https://evil.example' });
    expect(foreign.status).toBe(403);
    const answer = await dashboard.post(`/calls/${callId}/replay`, target, { cookie, origin: dashboard.url });
    expect(answer.status).toBe(303);
    expect((await dashboard.delivery(callId)).state).toBe('queued');
    expect(dashboard.logged()).toMatch(/"action":"replay","user":"admin","address":"127.0.0.1"/);
  });

  it.each(['/queues/', '/queues/api/queues', '/queues/queue/calls'])('opens %s of Bull Board', async (path) => {
    expect((await open(await signIn(), path)).status).toBe(200);
  });
});

describe('no session', () => {
  it('is made of an id that a browser brought along', async () => {
    const planted = await signIn();
    const answer = await dashboard.login(credentials, { cookie: planted });
    const cookie = sessionCookie(answer);
    expect(claimsOf(cookie).sid).not.toBe(claimsOf(planted).sid);
    expect((await open(cookie)).status).toBe(200);
    // The planted one has ended.
    expect((await open(planted)).status).toBe(303);
    const invented = sessionCookie(await dashboard.login(credentials, { cookie: 'wrapup_session=chosen' }));
    expect(claimsOf(invented).sid).not.toBe('chosen');
  });

  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  it.each<[string, (token: string) => string]>([
    ['another signature', (token) => `${token.slice(0, -4)}AAAA`],
    ['no signature', (token) => `${token.split('.').slice(0, 2).join('.')}.`],
    ['the algorithm none', (token) => `${encode({ alg: 'none' })}.${token.split('.')[1]}.`],
    ['another algorithm', (token) => [encode({ alg: 'HS512' }), ...token.split('.').slice(1)].join('.')],
    [
      'a later end',
      (token) => {
        const [head = '', body = '', signature = ''] = token.split('.');
        const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
        return [head, encode({ ...claims, exp: claims.exp + 3_600 }), signature].join('.');
      },
    ],
    ['nothing in it', () => ''],
    ['what is no token', () => '../../etc/passwd'],
  ])('is one with %s', async (_what, forge) => {
    const token = tokenOf(await signIn());
    expect((await open(`wrapup_session=${token}`)).status).toBe(200);
    expect((await open(`wrapup_session=${forge(token)}`)).status).toBe(303);
  });

  it('is in the way of the right password, whatever its cookie says', async () => {
    const headers = { cookie: 'wrapup_session=forged', ...basic(credentials.user, credentials.password) };
    expect((await dashboard.get('/', headers)).status).toBe(200);
  });
});

it('while Redis is away pages say so and no session ends, and signing out still takes the cookie from the browser', async () => {
  const redis = await startRedis();
  const own = await start({ redis: redis.url });
  try {
    const cookie = await signIn(own);
    await redis.kill();
    expect((await open(cookie, '/', own)).status).toBe(503);
    const out = await own.post('/logout', {}, { origin: own.url, cookie });
    expect(out.status).toBe(503);
    expect(out.headers.getSetCookie()[0]).toMatch(/^wrapup_session=;/);
    await redis.restart();
    const again = async () => (await open(cookie, '/', own)).status;
    await expect.poll(again, { interval: 100 }).toBe(200);
  } finally {
    await own.close();
    await redis.stop();
  }
});
