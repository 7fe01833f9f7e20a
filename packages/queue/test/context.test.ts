import { type Context, Failure, type Priority } from '@wrapup/destination';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { doWithin } from '../../../test/support/own-time.ts';
import { openTestStore } from '../../../test/support/store.ts';
import { keepShare, makeContext, type Store } from '../src/index.ts';

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

function context(within = 10_000, pools = {}, priority: Priority = 'live'): Context {
  return makeContext(store, {
    connection,
    pools,
    priority,
    within,
    signal: new AbortController().signal,
    log,
  });
}

describe('budget', () => {
  it('is one for all processes of a connection', async () => {
    const pools = { search: { limit: 3, window: 60_000 } };
    const [a, b] = [context(1000, pools), context(1000, pools)];
    await a.budget.take('search');
    await b.budget.take('search');
    await a.budget.take('search');
    const refused = await b.budget.take('search').catch((error) => error);
    expect(refused).toBeInstanceOf(Failure);
    expect(refused).toMatchObject({ code: 'throttled', next: 'throttle' });
    expect(refused.details.retry_after).toBeGreaterThan(1000);
    expect([a.budget.spent, b.budget.spent]).toEqual([2, 1]);
  });

  it('waits for the next window when that comes in time', async () => {
    const one = context(10_000, { search: { limit: 1, window: 300 } });
    await one.budget.take('search');
    await one.budget.take('search');
    expect(one.budget.spent).toBe(2);
  });

  it('believes the CRM when it says that less is left', async () => {
    const one = context(500, { default: { limit: 100, window: 60_000 } });
    await one.budget.take();
    await one.budget.report({ remaining: 0, resets_in: 60_000 });
    await expect(one.budget.take()).rejects.toMatchObject({ code: 'throttled' });
  });

  it('holds all requests back for as long as the CRM asked', async () => {
    await context().budget.report({ blocked_for: 60_000 });
    await expect(context(500).budget.take()).rejects.toMatchObject({ code: 'throttled' });
  });
});

describe('the share for inbound calls', () => {
  const pools = { default: { limit: 20, window: 60_000 } };
  /** Takes until nothing is given any more. */
  async function takeAll(priority: Priority, sizes: object = pools): Promise<number> {
    const { budget } = context(500, sizes, priority);
    const refused = await (async () => {
      for (;;) await budget.take();
    })().catch((error) => error);
    expect(refused).toMatchObject({ code: 'throttled' });
    return budget.spent;
  }

  it('is a tenth of the quota, which no other request takes', async () => {
    await keepShare(store.redis, store.keys, connection);
    expect(await takeAll('live')).toBe(18);
    expect(await takeAll('backfill')).toBe(0);
    expect(await takeAll('inbound')).toBe(2);
  });

  it('is kept only where inbound calls are answered', async () => {
    expect(await takeAll('live')).toBe(20);
  });

  it('is kept of what the CRM says is left, where its limit is not known', async () => {
    await keepShare(store.redis, store.keys, connection);
    await context().budget.report({ remaining: 3, resets_in: 60_000 });
    expect(await takeAll('live', {})).toBe(2);
    expect(await takeAll('inbound', {})).toBe(1);
  });

  it('never is the whole quota', async () => {
    await keepShare(store.redis, store.keys, connection);
    expect(await takeAll('live', { default: { limit: 1, window: 60_000 } })).toBe(1);
  });

  it('is waited for 200 ms at most, however far the deadline', async () => {
    const sizes = { default: { limit: 1, window: 5_000 } };
    await context(30_000, sizes).budget.take();
    // What is taken off is time that this process did not have; the wait of Redis itself is short.
    await doWithin(400, () =>
      expect(context(30_000, sizes, 'inbound').budget.take()).rejects.toMatchObject({ code: 'throttled' }),
    );
  });
});

describe('lease', () => {
  it('is taken whole or not at all, and falls free on release', async () => {
    const held = await context().lease.take(['a', 'b'], 5000);
    expect(held).toBeDefined();
    expect(await context().lease.take(['b', 'c'], 5000)).toBeUndefined();
    const other = await context().lease.take(['c'], 5000);
    expect(other).toBeDefined();
    await held?.release();
    expect(await context().lease.take(['a', 'b'], 5000)).toBeDefined();
  });

  it('lasts as long as it is held, beyond its ttl', async () => {
    const held = await context().lease.take(['long'], 1_000);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await context().lease.take(['long'], 1_000)).toBeUndefined();
    await held?.release();
  });
});

describe('memory and secrets', () => {
  it('remembers and forgets', async () => {
    const { memory } = context();
    await memory.set('phone', '17', 60_000);
    expect(await context().memory.get('phone')).toBe('17');
    await memory.delete('phone');
    expect(await memory.get('phone')).toBeUndefined();
  });

  it('refreshes a token once for all who want it', async () => {
    let refreshed = 0;
    const refresh = async () => {
      refreshed += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { value: `t${refreshed}`, expires_at: Date.now() + 3600_000 };
    };
    const tokens = await Promise.all(Array.from({ length: 10 }, () => context().secrets.get('token', refresh)));
    expect(new Set(tokens)).toEqual(new Set(['t1']));
    await context().secrets.drop('token');
    expect(await context().secrets.get('token', refresh)).toBe('t2');
  });
});
