import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seedDemoCalls } from '../../../test/support/demo-calls.ts';
import { startRedis } from '../../../test/support/redis.ts';
import { configOf, type Harness, startDashboard } from './support/harness.ts';

const CALLS = 120;
const AGENTS = ['agent-a', 'agent-b'];
let dashboard: Harness;
let ids: string[];

beforeAll(async () => {
  dashboard = await startDashboard();
  const route = { route: 'sales-calls', connection: 'sales' };
  const people = ['101', '102', '103'];
  ids = await seedDemoCalls(dashboard.store, { calls: CALLS, until: Date.now() - 1000, agents: AGENTS, route, people });
});
afterAll(() => dashboard.close());

const page = async (path: string, headers: Record<string, string> = {}) => {
  const answer = await dashboard.get(path, headers);
  expect([path, answer.status]).toEqual([path, 200]);
  return answer.text();
};
/** Calls that a list shows, on all its pages. */
async function listed(path: string): Promise<Set<string>> {
  const found = new Set<string>();
  for (let next: string | undefined = path; next !== undefined; ) {
    const text: string = await page(next);
    for (const [, id] of text.matchAll(/href="\/calls\/([0-9a-f-]{36})\?/g)) found.add(id as string);
    next = /<a href="([^"]+)">(?:Older|Search on)/.exec(text)?.[1]?.replaceAll('&amp;', '&');
  }
  return found;
}
/** Addresses of links and the numbers that they say, in one part of the page. */
function links(text: string, from: string, to: string): { path: string; number: number }[] {
  const part = text.slice(text.indexOf(from), text.indexOf(to, text.indexOf(from)));
  return [
    ...part.matchAll(/<a href="(\/calls\?[^"]+)">(?:<svg.*?<\/svg>)?[^<0-9]*(?:<b>)?([\d,]+)(?:<\/b>)?<\/a>/g),
  ].map(([, path = '', number = '']) => ({
    path: path.replaceAll('&amp;', '&'),
    number: Number(number.replace(',', '')),
  }));
}

describe('the overview', () => {
  it('says how many calls there were, who was reached and what landed', async () => {
    const text = await page('/');
    const entries = await Promise.all(ids.map((id) => dashboard.store.ledger.read('main', id)));
    const connected = entries.filter((entry) => entry?.outcome === 'connected').length;
    expect(text).toContain(`<b>${CALLS}</b> calls`);
    expect(text).toContain(`${connected} calls`);
    const landed = entries.filter((entry) => entry?.deliveries[0]?.state === 'written').length;
    expect(text).toContain(`${landed} of ${CALLS - 3} deliveries`);
    expect(text).toMatch(/<b>\d\.\d+ s<\/b> from webhook to record/);
    expect(text).toMatch(/19 of 20 within/);
  });

  it('leads from each number to the very calls that it counts', async () => {
    const text = await page('/');
    const found = [
      ...links(text, 'Calls by outcome', '<div class="plot"'),
      ...links(text, 'Deliveries by result', '<div class="plot"'),
      ...links(text, 'Deliveries by state', '<div class="plot"'),
      ...links(text, 'Did not land', '</section>'),
      ...links(text, '<h2>Agents', '</section>').slice(0, 1),
      ...links(text.slice(text.indexOf('Calls by outcome')), '<tbody>', '</tbody>'),
    ];
    expect(found.length).toBeGreaterThan(30);
    for (const { path, number } of found) expect([path, (await listed(path)).size]).toEqual([path, number]);
    // Counted by when they were written, all of them just now.
    const line = /<a href="(\/calls\?from=[^&]+)&amp;(to=[^&]+)&amp;(line=[^"]+)">(\d+)</.exec(text);
    const [, from = '', to = '', name = '', number] = line ?? [];
    expect((await listed(`${from}&${to}&${name}`)).size).toBe(Number(number));
    expect((await listed(`/calls?from=2001-01-01T00:00&to=2001-01-02T00:00&${name}`)).size).toBe(0);
  });

  it('says how each agent was judged', async () => {
    const call = { source: 'main', agent_id: 'agent-a', ended_at: Date.now() - 60_000 };
    for (const goal of ['true', 'true', 'partial', 'false'])
      dashboard.store.counters.addJudgements(call, { goal, no_opt_out: 'true' }, 90);
    await dashboard.store.counters.flush();
    const text = await page('/');
    expect(text).toMatch(
      /Goal reached<\/th><td class="number" data-label="[^"]+">50 % <span class="none">of 4, partly 1</,
    );
    expect(text).toMatch(/Asked not to be called again<\/th><td class="number" data-label="[^"]+">0 %/);
  });

  it('is of the days of who looks at it', async () => {
    const cookie = { cookie: 'zone=Pacific%2FAuckland' };
    const text = await page('/', cookie);
    expect(text).toContain('data-zone="Pacific/Auckland"');
    expect(text).toContain('on the clock of Pacific/Auckland');
    expect(text).not.toContain(' UTC</time>');
    expect(await page('/', { cookie: 'zone=%3Cscript%3E' })).toContain('data-zone="UTC"');
    const none = await page('/?from=2001-01-01&to=2001-01-02');
    expect(none).toContain('No call ended in this time.');
  });

  it('says in red which connection is paused', async () => {
    expect(await page('/')).not.toContain('role="alert"');
    await dashboard.store.connections.pause('sales', 'the token is being replaced', { name: 'kim', via: 'dashboard' });
    for (const path of ['/', '/calls'])
      expect(await page(path)).toMatch(
        /role="alert".*Nothing is written to sales\..*sales is paused by kim: .*token is being replaced/s,
      );
    await dashboard.store.connections.resume('sales', { name: 'kim', via: 'dashboard' });
  });

  it('says in red that Redis is full', async () => {
    const redis = await startRedis({ appendonly: false });
    const own = await startDashboard({ redis: redis.url });
    try {
      await own.get('/');
      const [, used = 0] = /used_memory:(\d+)/.exec(await own.store.redis.info('memory')) ?? [];
      await own.store.redis.call('CONFIG', 'SET', 'maxmemory', Math.round(1.06 * Number(used)));
      const answer = await own.get('/');
      expect(await answer.text()).toMatch(/role="alert".*No calls are taken\..*Redis is full/s);
    } finally {
      await own.close();
      await redis.stop();
    }
  });

  it('counts clients beside each other, and one by itself', async () => {
    const own = await startDashboard({ config: () => configOf({ clients: { acme: {}, bolt: {} } as never }) });
    try {
      for (const [client, calls] of [
        ['acme', 3],
        ['bolt', 2],
      ] as const)
        for (let n = 0; n < calls; n += 1)
          await own.seed({
            source: `${client}.main`,
            deliveries: [{ route: `${client}.calls`, connection: `${client}.sales`, change: { state: 'written' } }],
          });
      const all = await (await own.get('/')).text();
      expect(all).toContain('<b>5</b> calls');
      expect(all).toMatch(/href="\/\?client=acme">acme<\/a><\/th><td class="number" data-label="Calls">3</);
      expect(await (await own.get('/?client=bolt')).text()).toContain('<b>2</b> calls');
    } finally {
      await own.close();
    }
  });
});

describe('calls of a person', () => {
  it('are found by number or address, which no address of a page holds', async () => {
    const [id = ''] = ids;
    const keys = [
      { by: 'number' as const, value: '14155550199' },
      { by: 'email' as const, value: 'rob@example.com' },
    ];
    await dashboard.store.people.add({ source: 'main', call_id: id }, undefined, keys, 90);
    for (const person of ['+1 415 555 0199', 'Rob@Example.com']) {
      const answer = await dashboard.post('/calls/of-person', { person });
      const text = await answer.text();
      expect([answer.status, text.includes(id), text.includes(person)]).toEqual([200, true, false]);
    }
    const none = await dashboard.post('/calls/of-person', { person: '+1 415 555 0111' });
    expect(await none.text()).toContain('No call matches:');
    const name = await dashboard.post('/calls/of-person', { person: 'Otto Damson' });
    const refused = await name.text();
    expect([name.status, refused.includes('names are not searched'), refused.includes('No calls yet')]).toEqual([
      422,
      true,
      false,
    ]);
    expect(dashboard.logged()).toContain('calls of a person');
    expect(dashboard.logged()).not.toMatch(/4155550199|rob@example/i);
  });
});
