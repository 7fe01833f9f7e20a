import { afterEach, describe, expect, it } from 'vitest';
import { type Harness, startDashboard } from './support/harness.ts';

const credentials = { user: 'admin', password: 'correct horse: battery' };
const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});
const right = basic(credentials.user, credentials.password);
let dashboard: Harness;
afterEach(() => dashboard.close());

describe('with a password', () => {
  it.each([
    '/',
    '/calls/x',
    '/parked',
    '/dead',
    '/playground',
    '/queues/',
    '/queues/api/queues',
    '/assets/dashboard.css',
    '/nowhere',
  ])('%s asks for it', async (path) => {
    dashboard = await startDashboard({ credentials });
    const answer = await dashboard.get(path);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm="Wrapup"/);
  });

  it('lets in who has it, colon and all', async () => {
    dashboard = await startDashboard({ credentials });
    expect((await dashboard.get('/', right)).status).toBe(200);
    expect((await dashboard.get('/queues/api/queues', right)).status).toBe(200);
  });

  it.each([
    ['a wrong password', basic('admin', 'correct horse')],
    ['a wrong user', basic('root', credentials.password)],
    ['an empty password', basic('admin', '')],
    ['another scheme', { authorization: 'Bearer admin' }],
    ['no base64', { authorization: 'Basic ???' }],
    ['no colon', { authorization: `Basic ${Buffer.from('admin').toString('base64')}` }],
  ])('refuses %s', async (_what, headers) => {
    dashboard = await startDashboard({ credentials });
    expect((await dashboard.get('/', headers)).status).toBe(401);
  });

  it('listens to nobody who guessed too often, right password or not, and never says a password in its log', async () => {
    dashboard = await startDashboard({ credentials, attempts: { burst: 3, refill: 60_000 } });
    for (let guess = 0; guess < 3; guess += 1) {
      expect((await dashboard.get('/', basic('admin', `guess-${guess}`))).status).toBe(401);
    }
    const answer = await dashboard.get('/', right);
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(dashboard.logged()).toContain('wrong user or password');
    expect(dashboard.logged()).not.toMatch(/guess-\d|correct horse/);
  });

  it('counts guesses that come all at once', async () => {
    dashboard = await startDashboard({ credentials, attempts: { burst: 5, refill: 60_000 } });
    const statuses = await Promise.all(
      Array.from({ length: 40 }, async (_, guess) => (await dashboard.get('/', basic('admin', `${guess}`))).status),
    );
    expect(statuses.filter((status) => status === 401)).toHaveLength(5);
    expect(statuses.filter((status) => status === 429)).toHaveLength(35);
  });

  it('leaves health and metrics open to machines', async () => {
    dashboard = await startDashboard({ credentials });
    expect((await dashboard.get('/healthz')).status).toBe(200);
    expect((await dashboard.get('/metrics')).status).toBe(200);
  });

  it('guards metrics by a token of their own when there is one', async () => {
    dashboard = await startDashboard({ credentials, metricsToken: 't0ken' });
    expect((await dashboard.get('/metrics')).status).toBe(401);
    expect((await dashboard.get('/metrics', { authorization: 'Bearer t0ken' })).status).toBe(200);
  });
});

it('without a password nobody is asked', async () => {
  dashboard = await startDashboard();
  expect((await dashboard.get('/')).status).toBe(200);
});
