import { runBulk, startBulk } from '@wrapup/queue';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { type Harness, parked, startDashboard } from './support/harness.ts';

let dashboard: Harness;
const read = async (path: string) => (await dashboard.get(path)).text();
const linkNamed = (page: string, text: string) =>
  new RegExp(`<a href="(/parked[^"]*)">${text}</a>`).exec(page)?.[1]?.replaceAll('&amp;', '&');
const rowsOf = (page: string) => [...page.matchAll(/<a class="id" href="\/calls\/([^?"]+)/g)].map(([, id]) => id);

describe('a long list', () => {
  let ids: string[];
  beforeAll(async () => {
    dashboard = await startDashboard();
    ids = [];
    for (let index = 0; index < 120; index += 1)
      ids.push(await dashboard.seed(parked(index % 4 === 0 ? { code: 'refused', reason: 'It was refused.' } : {})));
  });
  afterAll(() => dashboard.close());

  it('has true totals, newest first, with the way to older and newer pages', async () => {
    const first = await read('/parked');
    expect(first).toContain('<b>120 deliveries</b>. 50 of them are on this page.');
    expect(first).toContain('Replay these 120');
    expect(await read('/')).toContain('<b>120</b> parked now');
    expect(linkNamed(first, 'Newer')).toBeUndefined();
    const second = await read(linkNamed(first, 'Older') ?? '');
    const third = await read(linkNamed(second, 'Older') ?? '');
    expect([first, second, third].map((page) => rowsOf(page).length)).toEqual([50, 50, 20]);
    const all = [first, second, third].flatMap(rowsOf);
    expect(new Set(all)).toEqual(new Set(ids));
    expect(all[0]).toBe(ids.at(-1));
    expect(linkNamed(third, 'Older')).toBeUndefined();
    expect(rowsOf(await read(linkNamed(third, 'Newer') ?? ''))).toEqual(rowsOf(second));
    expect(rowsOf(await read(linkNamed(second, 'Newer') ?? ''))).toEqual(rowsOf(first));
    expect(rowsOf(await read(linkNamed(third, 'Newest') ?? ''))).toEqual(rowsOf(first));
  });

  it('says how many there are of each code, and leads to them with pages of their own', async () => {
    const page = await read('/parked');
    expect(page).toMatch(/ambiguous person 90</);
    expect(page).toMatch(/href="\/parked\?code=refused">refused 30</);
    const filtered = await read('/parked?code=refused');
    expect(filtered).toContain('<b>30 deliveries</b> match.');
    expect(rowsOf(filtered)).toHaveLength(30);
    const more = await read('/parked?reason=ambiguous');
    expect(more).toContain('<b>90 deliveries</b> match.');
    expect(linkNamed(more, 'Older')).toContain('reason=ambiguous');
  });

  it('begins with the newest where a cursor cannot be read', async () => {
    for (const cursor of ['x', '%00', 'W10', '../..'])
      expect(rowsOf(await read(`/parked?after=${cursor}&before=${cursor}`))).toHaveLength(50);
  });
});

describe('a replay of many', () => {
  beforeEach(async () => {
    dashboard = await startDashboard();
    return () => dashboard.close();
  });

  /** A run whose process ended after its first step. */
  async function interrupt(): Promise<string> {
    const { store } = dashboard;
    const run = await startBulk(store, { state: 'parked', action: 'replay', filter: {} });
    const stop = new AbortController();
    const signal = stop.signal;
    await runBulk(store, run.id, { attempts: () => 1, signal, onProgress: (_, at) => at > 0 && stop.abort() });
    return run.id;
  }

  it('is followed by the page while its process runs, and resumed when that has ended', async () => {
    // The dashboard's connection refuses rather than waits, so not all at once.
    for (let seeded = 0; seeded < 205; seeded += 5)
      await Promise.all(Array.from({ length: 5 }, () => dashboard.seed(parked())));
    const id = await interrupt();
    const fresh = await read('/parked');
    expect(fresh).toContain('Replaying: 200 of 205, 200 replayed. This page follows it.');
    expect(fresh).toMatch(/<meta http-equiv="refresh" content="\d+">/);
    expect(fresh).not.toContain('Resume it');

    const key = dashboard.store.keys.bulkRuns;
    const run = JSON.parse((await dashboard.store.redis.hget(key, id)) ?? '{}');
    await dashboard.store.redis.hset(key, id, JSON.stringify({ ...run, moved_at: Date.now() - 60_000 }));
    const still = await read('/parked');
    expect(still).toContain('its process has ended');
    expect(still).not.toContain('http-equiv="refresh"');
    const answer = await dashboard.post(/action="(\/parked\/runs\/\w+)"/.exec(still)?.[1] ?? '', {});
    expect(answer.status).toBe(303);
    // A busy machine has it follow the run instead of waiting for it: the address says which.
    const place = answer.headers.get('location') ?? '';
    await vi.waitUntil(async () => (await read(place)).includes('205 of 205 queued again.'), PATIENCE);
    expect(await dashboard.store.unresolved.count('parked')).toBe(0);
    expect(dashboard.logged()).toContain('"action":"replay parked"');
  });

  it('of another list, or unknown, is not found', async () => {
    await dashboard.seed(parked());
    const run = await startBulk(dashboard.store, { state: 'parked', action: 'replay', filter: {} });
    for (const path of [`/dead/runs/${run.id}`, '/parked/runs/x'])
      expect((await dashboard.post(path, {})).status).toBe(404);
  });

  it('says what an earlier version left that is not listed yet', async () => {
    await dashboard.seed(parked());
    const { redis, keys } = dashboard.store;
    await redis.del(...(await redis.keys(`${keys.unresolved}*`)));
    expect(await read('/parked')).toContain('1 delivery of an earlier version is not listed yet');
  });
});
