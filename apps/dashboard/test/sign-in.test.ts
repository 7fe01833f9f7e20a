/** Requests without a session: what they get, HTTP Basic, and what wrong passwords cost. */
import { afterEach, describe, expect, it } from 'vitest';
import { BROWSER, basic, type Harness, sessionCookie, startDashboard } from './support/harness.ts';

const credentials = { user: 'admin', password: 'correct horse: battery' };
const right = basic(credentials.user, credentials.password);
let dashboard: Harness;
afterEach(() => dashboard.close());

const PAGES = ['/', '/calls/x', '/parked', '/dead', '/playground', '/queues/', '/queues/api/queues', '/nowhere'];

describe('with a password', () => {
  it.each(PAGES)('%s asks a script for it', async (path) => {
    dashboard = await startDashboard({ credentials });
    const answer = await dashboard.get(path);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm="Wrapup"/);
  });

  it.each(PAGES)('%s leads a browser to the sign-in page, and back', async (path) => {
    dashboard = await startDashboard({ credentials });
    const answer = await dashboard.get(path, BROWSER);
    expect(answer.status).toBe(303);
    const login = new URL(answer.headers.get('location') ?? '', dashboard.url);
    expect(login.pathname).toBe('/login');
    expect(login.searchParams.get('next') ?? '/').toBe(path);
    expect(answer.headers.get('www-authenticate')).toBeNull();
  });

  it('asks the script of a page by a scheme that no browser opens a dialog for', async () => {
    dashboard = await startDashboard({ credentials });
    const answer = await dashboard.get('/queues/api/queues', { 'sec-fetch-site': 'same-origin' });
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^Cookie /)]);
  });

  it('says to a form that was sent without a session that nothing was changed', async () => {
    dashboard = await startDashboard({ credentials });
    const answer = await dashboard.post('/parked/drop', { why: 'x' }, { ...BROWSER, origin: dashboard.url });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/login?did=unsent']);
    expect(await (await dashboard.get('/login?did=unsent')).text()).toContain('nothing was changed');
  });

  it('lets a script in that has it, colon and all, and gives it no cookie', async () => {
    dashboard = await startDashboard({ credentials });
    const answer = await dashboard.get('/', right);
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([200, null]);
    expect((await dashboard.get('/queues/api/queues', right)).status).toBe(200);
  });

  it.each([
    ['a wrong password', basic('admin', 'correct horse')],
    ['a wrong user', basic('root', credentials.password)],
    ['an empty password', basic('admin', '')],
    ['another scheme', { authorization: 'Bearer admin' }],
    ['no base64', { authorization: 'Basic ???' }],
    ['no colon', { authorization: `Basic ${Buffer.from('admin').toString('base64')}` }],
    ['a wrong password from a browser', { ...BROWSER, ...basic('admin', 'x') }],
  ])('refuses %s', async (_what, headers) => {
    dashboard = await startDashboard({ credentials, wait: async () => {} });
    expect((await dashboard.get('/', headers)).status).toBe(401);
  });

  it('leaves health, metrics and what the sign-in page is made of open', async () => {
    dashboard = await startDashboard({ credentials });
    for (const path of ['/healthz', '/metrics', '/login', '/assets/dashboard.css', '/assets/icon.svg']) {
      expect([path, (await dashboard.get(path)).status]).toEqual([path, 200]);
    }
  });

  it('guards metrics by a token of their own when there is one', async () => {
    dashboard = await startDashboard({ credentials, metricsToken: 't0ken' });
    expect((await dashboard.get('/metrics')).status).toBe(401);
    expect((await dashboard.get('/metrics', { authorization: 'Bearer t0ken' })).status).toBe(200);
  });

  it('a password in the log is none of ours', async () => {
    dashboard = await startDashboard({ credentials, wait: async () => {} });
    await dashboard.get('/', basic('admin', 'guess-1'));
    await dashboard.login({ user: 'admin', password: 'guess-2' });
    await dashboard.login(credentials);
    expect(dashboard.logged()).toContain('wrong user or password');
    expect(dashboard.logged()).not.toMatch(/guess-\d|correct horse/);
  });
});

describe('after wrong passwords', () => {
  /** A dashboard behind a trusted proxy on loopback, which says who the client is. */
  async function start() {
    const waits: number[] = [];
    dashboard = await startDashboard({
      credentials,
      trustedProxies: ['loopback'],
      wait: async (ms) => void waits.push(ms),
    });
    return waits;
  }
  const from = (address: string) => ({ 'x-forwarded-for': address });

  it('an innocent twelfth address signs in at once, whatever eleven others have guessed', async () => {
    const waits = await start();
    const conversation: string[] = [];
    for (let address = 1; address <= 11; address += 1) {
      const statuses = new Set<number>();
      for (let guess = 0; guess < 10; guess += 1) {
        const answer = await dashboard.get('/', {
          ...from(`203.0.113.${address}`),
          ...basic('admin', `guess-${guess}`),
        });
        statuses.add(answer.status);
      }
      if (address === 11) conversation.push(`203.0.113.1 to .11, ten wrong passwords each: ${[...statuses]}`);
    }
    expect(Math.max(...waits)).toBe(2_000);
    const delayed = waits.length;
    const script = await dashboard.get('/', { ...from('198.51.100.12'), ...right });
    conversation.push(`198.51.100.12, the right password: ${script.status}, delayed ${waits.length - delayed} times`);
    const login = await dashboard.login(credentials, from('198.51.100.12'));
    const cookie = sessionCookie(login);
    conversation.push(`198.51.100.12 signs in: ${login.status}, delayed ${waits.length - delayed} times`);
    const page = await dashboard.get('/', { ...BROWSER, ...from('203.0.113.1'), cookie });
    conversation.push(
      `its session from the address of a guesser: ${page.status}, delayed ${waits.length - delayed} times`,
    );
    const guesser = await dashboard.get('/', { ...from('203.0.113.2'), ...right });
    conversation.push(`203.0.113.2, the right password at last: ${guesser.status}, after ${waits.at(-1)} ms`);
    const cleared = await dashboard.get('/', { ...from('203.0.113.2'), ...right });
    conversation.push(`203.0.113.2, once more: ${cleared.status}, delayed ${waits.length - delayed - 1} times`);
    expect(conversation).toEqual([
      '203.0.113.1 to .11, ten wrong passwords each: 401',
      '198.51.100.12, the right password: 200, delayed 0 times',
      '198.51.100.12 signs in: 303, delayed 0 times',
      'its session from the address of a guesser: 200, delayed 0 times',
      '203.0.113.2, the right password at last: 200, after 2000 ms',
      '203.0.113.2, once more: 200, delayed 0 times',
    ]);
  });

  it('guesses that come all at once do not share one count', async () => {
    const waits = await start();
    const guesses = Array.from({ length: 40 }, (_, guess) =>
      guess % 2 === 0
        ? dashboard.get('/', { ...from('203.0.113.1'), ...basic('admin', `${guess}`) })
        : dashboard.login({ user: 'admin', password: `${guess}` }, from('203.0.113.1')),
    );
    const statuses = (await Promise.all(guesses)).map(({ status }) => status);
    expect(statuses.every((status, guess) => status === (guess % 2 === 0 ? 401 : 403))).toBe(true);
    expect(waits.sort((a, b) => a - b)).toEqual([250, 500, 1_000, ...Array(37).fill(2_000)]);
  });

  it('the word of a proxy that is not trusted is not taken', async () => {
    const waits: number[] = [];
    dashboard = await startDashboard({ credentials, wait: async (ms) => void waits.push(ms) });
    for (const address of ['203.0.113.1', '203.0.113.2', '203.0.113.3']) {
      await dashboard.get('/', { ...from(address), ...basic('admin', 'x') });
    }
    expect(waits).toEqual([250, 500, 1_000]);
    expect(dashboard.logged()).toContain('"address":"127.0.0.1"');
    expect(dashboard.logged()).not.toContain('203.0.113');
  });

  it('what a client makes up in front of the proxy’s word, or no address at all, makes no other client of it', async () => {
    const waits = await start();
    const long = 'x'.repeat(5_000);
    for (const said of ['198.51.100.1, 203.0.113.1', '198.51.100.2, 203.0.113.1', '203.0.113.1', long, `y${long}`]) {
      await dashboard.get('/', { ...from(said), ...basic('admin', 'x') });
    }
    expect(waits).toEqual([250, 500, 1_000, 250, 500]);
  });

  it('the neighbours of an IPv6 address in its /64 count with it, and an IPv4 address does in either form', async () => {
    const waits = await start();
    for (const address of [
      '2001:db8::1',
      '2001:DB8:0:0:ffff::2',
      '203.0.113.1',
      '::ffff:203.0.113.1',
      '::FFFF:203.0.113.1',
    ]) {
      await dashboard.get('/', { ...from(address), ...basic('admin', 'x') });
    }
    expect(waits).toEqual([250, 500, 250, 500, 1_000]);
  });
});

it('without a password there is no sign-in', async () => {
  dashboard = await startDashboard();
  const answer = await dashboard.get('/', BROWSER);
  expect(answer.status).toBe(200);
  expect(await answer.text()).not.toContain('Sign out');
  expect((await dashboard.get('/login')).status).toBe(404);
});
