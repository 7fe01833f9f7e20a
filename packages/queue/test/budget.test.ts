/** One quota for all requests to a CRM: in the order of their priorities, with room left for inbound calls, live calls and others. */
import type { Context, Priority } from '@wrapup/destination';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTestStore } from '../../../test/support/store.ts';
import { forecast, makeContext, readDailyQuota, type Store, unblock } from '../src/index.ts';

const log = { debug() {}, info() {}, warn() {}, error() {} };
let store: Store;
let connection: string;
let count = 0;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(() => {
  connection = `c${count++}`;
});

interface RequestOptions {
  priority?: Priority;
  within?: number;
  limit?: number;
  window?: number;
  reserve?: number;
  probing?: boolean;
}

function context({
  priority = 'live',
  within = 500,
  limit = 20,
  window = 60_000,
  reserve = 0,
  probing,
}: RequestOptions = {}): Context {
  return makeContext(store, {
    connection,
    pools: limit > 0 ? { default: { limit, window } } : {},
    priority,
    within,
    reserve,
    ...(probing ? { probing } : {}),
    signal: new AbortController().signal,
    log,
  });
}

/** Takes until nothing is given any more, and says how many were. */
async function takeAll(options: RequestOptions): Promise<number> {
  const { budget } = context(options);
  const refused = await (async () => {
    for (;;) await budget.take();
  })().catch((error) => error);
  expect(refused).toMatchObject({ code: 'throttled', next: 'throttle' });
  return budget.spent;
}

describe('the window', () => {
  it('rolls: no more go within any window than it allows, however many ask at once', async () => {
    const begun = performance.now();
    const options = { within: 60_000, limit: 20, window: 500 };
    const askers = [context(options), context(options), context(options)];
    await Promise.all(Array.from({ length: 60 }, (_, index) => askers[index % 3]?.budget.take()));
    // The 60th cannot go before two windows have passed, however fast the machine.
    expect(performance.now() - begun).toBeGreaterThan(990);
  });

  it('gives to many who ask at once, in one step and in their order, as many as there are', async () => {
    const asker = context({ limit: 7 });
    const monitor = await (store.redis as Redis).duplicate().monitor();
    let scripts = 0;
    monitor.on('monitor', (_at: string, args: string[]) => {
      if (args[0]?.startsWith('evalsha') && args.some((arg) => arg.includes(`budget:${connection}:`))) scripts += 1;
    });
    try {
      const asked = await Promise.allSettled(Array.from({ length: 10 }, () => asker.budget.take()));
      expect(asked.map(({ status }) => status === 'fulfilled')).toEqual([
        ...Array(7).fill(true),
        ...Array(3).fill(false),
      ]);
      expect(asker.budget).toMatchObject({ spent: 7 });
      // One that takes seven, and one by which the others learn how long to wait.
      await expect.poll(() => scripts).toBe(2);
    } finally {
      monitor.disconnect();
    }
  });

  it('counts what other programs of the account take, as the CRM tells', async () => {
    const one = context({ limit: 100 });
    for (let i = 0; i < 10; i += 1) await one.budget.take();
    await one.budget.report({ limit: 100, remaining: 30, resets_in: 60_000 });
    expect(await takeAll({ limit: 100 })).toBe(30);
  });

  it('is learned from the CRM where it is not known, and shared', async () => {
    const one = context({ limit: 0 });
    await one.budget.take();
    await one.budget.report({ limit: 12, remaining: 11, resets_in: 60_000 });
    expect(await takeAll({ limit: 0 })).toBe(11);
  });
});

describe('priorities', () => {
  it('leave a tenth for live calls, whatever is backfilled', async () => {
    expect(await takeAll({ priority: 'backfill' })).toBe(18);
    expect(await takeAll({ priority: 'reconcile' })).toBe(0);
    expect(await takeAll({ priority: 'live' })).toBe(2);
  });

  it.each([
    ['live', 'replay'],
    ['replay', 'reconcile'],
    ['reconcile', 'backfill'],
  ] as const)('go in their order: while %s waits, %s is not let go', async (above, below) => {
    await takeAll({ priority: above, within: 0 });
    // Room again, as when the window has rolled on; the one above has not come back for it yet.
    await store.redis.del(store.keys.budgetLog(connection, 'default'));
    await expect(context({ priority: below }).budget.take()).rejects.toMatchObject({ code: 'throttled' });
    await context({ priority: above }).budget.take();
    await context({ priority: below }).budget.take();
  });

  it('let an inbound call go before all others, for as long as it may wait', async () => {
    await store.redis.hset(store.keys.budget(connection, 'default'), 'wait:0', Date.now() + 60_000);
    await expect(context({ priority: 'live' }).budget.take()).rejects.toMatchObject({ code: 'throttled' });
    await context({ priority: 'inbound' }).budget.take();
    await context({ priority: 'live' }).budget.take();
    // One that gave up holds no other back for longer.
    await takeAll({ priority: 'inbound' });
    const waits = await store.redis.hget(store.keys.budget(connection, 'default'), 'wait:0');
    expect(Number(waits)).toBeLessThanOrEqual(Date.now() + 200);
  });

  it('other than live hold their place for two seconds at most, and come again', async () => {
    await takeAll({ priority: 'live' });
    const begun = performance.now();
    const refused = await context({ priority: 'backfill', within: 60_000 })
      .budget.take()
      .catch((error) => error);
    expect(refused).toMatchObject({ code: 'throttled', details: { retry_after: expect.any(Number) } });
    expect(refused.details.retry_after).toBeGreaterThan(2_000);
    expect(performance.now() - begun).toBeLessThan(20_000);
  });
});

describe('the reserve for other programs', () => {
  it('is left in every window', async () => {
    expect(await takeAll({ reserve: 0.25 })).toBe(15);
  });

  it('never is a whole request of a few', async () => {
    expect(await takeAll({ limit: 4, reserve: 0.05 })).toBe(4);
  });

  it('is left of the day, twice as much by what is no live call; inbound calls may take it', async () => {
    await context().budget.report({ daily_limit: 1_000, daily_remaining: 150 });
    const refused = await context({ priority: 'backfill', reserve: 0.1 })
      .budget.take()
      .catch((error) => error);
    expect(refused).toMatchObject({ code: 'throttled', message: expect.stringContaining('only the reserve is left') });
    await context({ priority: 'live', reserve: 0.1 }).budget.take();
    await context().budget.report({ daily_limit: 1_000, daily_remaining: 100 });
    await expect(context({ priority: 'live', reserve: 0.1 }).budget.take()).rejects.toMatchObject({
      code: 'throttled',
    });
    await context({ priority: 'inbound', reserve: 0.1 }).budget.take();
  });

  it('does not stop requests without end: after a while one goes and finds out', async () => {
    await context().budget.report({ daily_limit: 1_000, daily_remaining: 0 });
    await store.redis.hset(store.keys.daily(connection), 'at', Date.now() - 16 * 60_000);
    await context({ reserve: 0.1 }).budget.take();
    await expect(context({ reserve: 0.1 }).budget.take()).rejects.toMatchObject({ code: 'throttled' });
  });
});

describe('a probe', () => {
  it('goes while all others are held back, and lets them go on once it was answered', async () => {
    await context().budget.report({ blocked_for: 60_000 });
    await expect(context().budget.take()).rejects.toMatchObject({ code: 'throttled' });
    await context({ probing: true }).budget.take();
    await unblock(store.redis, store.keys, connection, ['search']);
    await context().budget.take();
  });
});

describe('the forecast of the daily quota', () => {
  const now = 1_800_000_000_000;
  const minutes = (n: number) => n * 60_000;

  it('says when it is used up if the last hour goes on', () => {
    const samples = [
      { at: now - minutes(10), remaining: 60_000 },
      { at: now - minutes(30), remaining: 80_000 },
      { at: now - minutes(90), remaining: 999_999 },
    ];
    expect(forecast({ limit: 100_000, remaining: 50_000, at: now }, samples)).toEqual({
      limit: 100_000,
      remaining: 50_000,
      at: now,
      hourly: 60_000,
      used_up_at: now + minutes(50),
    });
  });

  it('says nothing of a rate that it knows too little of, nor of an end that is days away', () => {
    const day = { limit: 100_000, remaining: 50_000, at: now };
    expect(forecast(day, [{ at: now - 30_000, remaining: 60_000 }])).toEqual(day);
    expect(forecast(day, [{ at: now - minutes(60), remaining: 50_100 }])).toEqual({ ...day, hourly: 100 });
    expect(forecast(day, [{ at: now - minutes(60), remaining: 50_000 }])).toEqual({ ...day, hourly: 0 });
  });

  it('is made of what the CRM tells in passing, and begins anew with another day', async () => {
    const { budget } = context();
    expect(await readDailyQuota(store.redis, store.keys, connection)).toBeUndefined();
    await budget.report({ daily_limit: 1_000, daily_remaining: 100 });
    await budget.report({ daily_limit: 1_000, daily_remaining: 90 });
    expect(await store.redis.lrange(store.keys.dailySamples(connection), 0, -1)).toHaveLength(1);
    expect(await readDailyQuota(store.redis, store.keys, connection)).toMatchObject({ limit: 1_000, remaining: 90 });
    await budget.report({ daily_limit: 1_000, daily_remaining: 1_000 });
    const samples = await store.redis.lrange(store.keys.dailySamples(connection), 0, -1);
    expect(samples.map((text) => text.split(' ')[1])).toEqual(['1000']);
  });
});
