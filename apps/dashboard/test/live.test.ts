import { hashPassword, type LoginRole, type Users } from '@wrapup/config';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { type PrivateRedis, startRedis } from '../../../test/support/redis.ts';
import { BROWSER, basic, type Harness, parked, sessionCookie, startDashboard } from './support/harness.ts';

interface Received {
  mark: string;
  parked: number;
  dead: number;
}

/** Listens as a browser does. */
async function listen({ url }: Pick<Harness, 'url'>, path = '/live', headers: Record<string, string> = {}) {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const answer = await fetch(`${url}${path}`, { headers, signal: stop.signal });
  const received: Received[] = [];
  let text = '';
  const ended = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        if (event.startsWith('data: ')) received.push(JSON.parse(event.slice('data: '.length)));
      }
    }
  })().catch(() => {});
  return { answer, received, ended, stop: () => stop.abort() };
}

const until = (holds: () => boolean | Promise<boolean>) => vi.waitUntil(holds, { timeout: PATIENCE, interval: 20 });

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await startRedis({ appendonly: false });
});
afterAll(() => redis.stop());

const PASSWORD = 'a-good-password';

async function usersOf(roles: Record<string, LoginRole>): Promise<Users> {
  const password = await hashPassword(PASSWORD);
  return Object.fromEntries(Object.entries(roles).map(([user, role]) => [user, { role, password }]));
}

async function open(parts: Parameters<typeof startDashboard>[0] = {}) {
  const dashboard = await startDashboard({ redis: redis.url, ...parts, live: { every: 50, ...parts.live } });
  onTestFinished(() => dashboard.close());
  return dashboard;
}

describe('a stream', () => {
  it('says at first what holds, then whenever it is otherwise, and passes through proxies at once', async () => {
    const dashboard = await open();
    const { answer, received } = await listen(dashboard);
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    expect(answer.headers.get('x-accel-buffering')).toBe('no');
    expect(answer.headers.get('cache-control')).toContain('no-transform');
    await until(() => received.length === 1);
    expect(received[0]).toMatchObject({ parked: 0, dead: 0 });
    await dashboard.seed(parked());
    await until(() => received.at(-1)?.parked === 1);
    const marks = received.map(({ mark }) => mark);
    await dashboard.store.connections.pause('sales', 'a look', { name: 'kim', via: 'dashboard' });
    await until(() => received.length > marks.length);
    expect(new Set(received.map(({ mark }) => mark)).size).toBe(received.length);
  });

  it('of one call says nothing of others', async () => {
    const dashboard = await open();
    const id = await dashboard.seed({ deliveries: [{ route: 'sales-calls', connection: 'sales' }] });
    const one = await listen(dashboard, `/live?call=${id}&source=main`);
    const all = await listen(dashboard);
    await until(() => one.received.length === 1 && all.received.length === 1);
    await dashboard.seed();
    await until(() => all.received.length === 2);
    expect(one.received).toHaveLength(1);
    const entry = await dashboard.store.ledger.read('main', id);
    const ref = {
      source: 'main',
      call_id: id,
      route: 'sales-calls',
      revision: entry?.deliveries[0]?.revision as string,
    };
    await dashboard.store.ledger.recordOutcome({ ...ref, replays: 0 }, { state: 'written', records: [] }, {});
    await until(() => one.received.length === 2);
  });

  it('ends with its time, its session and the process', async () => {
    const credentials = { user: 'kim', password: 'a-good-password' };
    const stopping = new AbortController();
    const dashboard = await open({ credentials, stopping: stopping.signal, live: { lasts: 300 } });
    const cookie = sessionCookie(await dashboard.login(credentials));
    const first = await listen(dashboard, '/live', { cookie });
    expect(first.answer.status).toBe(200);
    await first.ended;
    await dashboard.post('/logout', {}, { origin: dashboard.url, cookie, ...BROWSER });
    expect((await listen(dashboard, '/live', { cookie })).answer.status).toBe(401);
    expect((await listen(dashboard, '/live')).answer.status).toBe(401);
    const again = sessionCookie(await dashboard.login(credentials));
    const last = await listen(dashboard, '/live', { cookie: again });
    await until(() => last.received.length === 1);
    stopping.abort();
    await last.ended;
    expect((await listen(dashboard, '/live', { cookie: again })).answer.status).toBe(503);
  });

  it('does not prolong a session', async () => {
    const credentials = { user: 'kim', password: 'a-good-password' };
    let now = Date.now();
    const dashboard = await open({ credentials, now: () => now });
    const cookie = sessionCookie(await dashboard.login(credentials));
    now += 10 * 60_000;
    for (const headers of [{ cookie }, { cookie, 'x-live': 'a-mark' }]) {
      const { answer, stop } = await listen(dashboard, 'x-live' in headers ? '/calls' : '/live', headers);
      expect(answer.status).toBe(200);
      expect(answer.headers.getSetCookie()).toEqual([]);
      stop();
    }
    expect((await dashboard.get('/calls', { cookie, ...BROWSER })).headers.getSetCookie()).toHaveLength(1);
  });

  it('is one of so many, for each login and for all', async () => {
    const users = await usersOf({ ann: 'viewer', ben: 'viewer' });
    const dashboard = await open({ users: () => users, live: { streams: 3, per_login: 2 } });
    const as = (user: string) => basic(user, PASSWORD);
    const [first] = [await listen(dashboard, '/live', as('ann')), await listen(dashboard, '/live', as('ann'))];
    const { answer } = await listen(dashboard, '/live', as('ann'));
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '30']);
    expect((await listen(dashboard, '/live', as('ben'))).answer.status).toBe(200);
    expect((await listen(dashboard, '/live', as('ben'))).answer.status).toBe(503);
    first?.stop();
    await until(async () => (await listen(dashboard, '/live', as('ben'))).answer.status === 200);
  });
});

describe('of one client', () => {
  it('a stream carries nothing of another: neither that something moved, nor how much', async () => {
    const dashboard = await open();
    for (const client of ['acme', 'bolt']) await dashboard.seed({ source: `${client}.main` });
    const acme = await listen(dashboard, '/live?client=acme');
    const whole = await listen(dashboard);
    await until(() => acme.received.length === 1 && whole.received.length === 1);
    await dashboard.seed({ ...parked(), source: 'bolt.main' });
    await until(() => whole.received.at(-1)?.parked === 1);
    expect(acme.received).toHaveLength(1);
    expect(acme.received[0]).toMatchObject({ parked: 0, dead: 0 });
    expect((await listen(dashboard, '/live?client=acme&call=x&source=bolt.main')).answer.status).toBe(404);
    await dashboard.seed({ ...parked(), source: 'acme.main' });
    await until(() => acme.received.at(-1)?.parked === 1);
    expect(whole.received.at(-1)?.parked).toBe(2);
  });
});

/** Commands that Redis has done, but for those that ask for them. */
async function commands({ store }: Harness): Promise<number> {
  const stats = await store.redis.info('commandstats');
  return [...stats.matchAll(/^cmdstat_(?!info|config|hello|client|ping)[^:]+:calls=(\d+)/gm)].reduce(
    (sum, [, calls]) => sum + Number(calls),
    0,
  );
}

describe('what it costs Redis', () => {
  it('is nothing while no one looks, and one script a look for a hundred who do', async () => {
    const dashboard = await open({ live: { per_login: 200 } });
    const scripts = async () =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await dashboard.store.redis.info('commandstats'))?.[1] ?? 0);
    const streams = await Promise.all(Array.from({ length: 100 }, () => listen(dashboard)));
    await until(() => streams.every(({ received }) => received.length === 1));
    const [begun, before] = [Date.now(), await scripts()];
    await until(async () => (await scripts()) - before >= 5);
    // A look each 50 ms, however many look: a busy machine makes them fewer.
    expect((await scripts()) - before).toBeLessThanOrEqual((Date.now() - begun) / 50 + 2);
    for (const { stop } of streams) stop();
    await Promise.all(streams.map(({ ended }) => ended));
    await new Promise((resolve) => setTimeout(resolve, 200));
    const still = await scripts();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await scripts()).toBe(still);
  });

  it('is one page for all who hear the same, made anew for the next mark', async () => {
    const dashboard = await open();
    await dashboard.seed(parked());
    const readPage = async (mark: string) => {
      const answer = await dashboard.get('/', { 'x-live': mark });
      return answer.text();
    };
    await readPage('warm');
    const before = await commands(dashboard);
    await readPage('one');
    const once = (await commands(dashboard)) - before;
    const pages = await Promise.all(Array.from({ length: 100 }, () => readPage('two')));
    const hundred = (await commands(dashboard)) - before - once;
    expect(once).toBeGreaterThan(0);
    expect(hundred).toBeLessThan(2 * once);
    expect(new Set(pages).size).toBe(1);
    await dashboard.seed(parked());
    expect(await readPage('three')).not.toBe(pages[0]);
  });

  it('shares no page between those who may not see the same of it', async () => {
    const users = await usersOf({ viewer: 'viewer', operator: 'operator' });
    const dashboard = await open({ users: () => users });
    await dashboard.seed(parked());
    const readAs = async (user: string) =>
      (await dashboard.get('/parked', { 'x-live': 'same', ...basic(user, PASSWORD) })).text();
    const [operator, viewer] = [await readAs('operator'), await readAs('viewer')];
    expect(operator).toContain('Replay');
    expect(viewer).not.toMatch(/<form[^>]*method="post"/);
    // Whose page it is stands outside of what is read again.
    expect(operator).toMatch(/^<main /);
    expect(operator).not.toContain('Sign out');
  });
});
