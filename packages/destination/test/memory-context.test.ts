import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Failure, makeMemoryCommons, makeMemoryContext } from '../src/index.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-23T12:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

test('memory forgets after its time, and on request', async () => {
  const { memory } = makeMemoryCommons();
  await memory.set('a', '1', 1000);
  await memory.set('b', '2', 1000);
  await memory.delete('b');
  expect([await memory.get('a'), await memory.get('b'), await memory.get('c')]).toEqual(['1', undefined, undefined]);
  vi.advanceTimersByTime(1000);
  expect(await memory.get('a')).toBeUndefined();
});

describe('leases', () => {
  test('are taken all or none, and given back', async () => {
    const { lease } = makeMemoryCommons();
    const held = await lease.take(['a', 'b'], 1000);
    expect(await lease.take(['b', 'c'], 1000)).toBeUndefined();
    const other = await lease.take(['c'], 1000);
    expect(other).toBeDefined();
    await held?.release();
    expect(await lease.take(['a', 'b'], 1000)).toBeDefined();
  });

  test('fall free by themselves, and are then not given back for their next holder', async () => {
    const { lease } = makeMemoryCommons();
    const late = await lease.take(['a'], 1000);
    vi.advanceTimersByTime(1000);
    expect(await lease.take(['a'], 1000)).toBeDefined();
    await late?.release();
    expect(await lease.take(['a'], 1000)).toBeUndefined();
  });
});

describe('the budget', () => {
  test('gives what a window holds, then waits for the next one; pools count apart', async () => {
    const commons = makeMemoryCommons({ search: { limit: 2, window: 1000 } });
    const { budget } = makeMemoryContext(commons);
    for (let n = 0; n < 10; n += 1) await budget.take();
    await budget.take('search');
    await budget.take('search');
    let third = false;
    const waiting = budget.take('search').then(() => {
      third = true;
    });
    await vi.advanceTimersByTimeAsync(999);
    expect(third).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await waiting;
    expect(budget.spent).toBe(13);
  });

  test('is shared by the contexts of its commons, while each counts its own', async () => {
    const commons = makeMemoryCommons({ default: { limit: 1, window: 60_000 } });
    const one = makeMemoryContext(commons, { within: 1000 });
    const other = makeMemoryContext(commons, { within: 1000 });
    await one.budget.take();
    await expect(other.budget.take()).rejects.toMatchObject({ code: 'throttled', details: { retry_after: 60_000 } });
    expect([one.budget.spent, other.budget.spent]).toEqual([1, 0]);
  });

  test('believes the CRM’s own count, and a pause that it asks for', async () => {
    const ctx = makeMemoryContext(undefined, { within: 5000 });
    await ctx.budget.report({ remaining: 1, resets_in: 3000 });
    await ctx.budget.take();
    const second = ctx.budget.take();
    await vi.advanceTimersByTimeAsync(3000);
    await second;
    await ctx.budget.report({ blocked_for: 60_000 });
    await expect(ctx.budget.take()).rejects.toBeInstanceOf(Failure);
  });

  test('stops waiting when the work is withdrawn', async () => {
    const controller = new AbortController();
    const ctx = makeMemoryContext(undefined, { signal: controller.signal });
    await ctx.budget.report({ blocked_for: 1000 });
    const waiting = ctx.budget.take();
    controller.abort(new Error('withdrawn'));
    await expect(waiting).rejects.toThrow('withdrawn');
  });
});

test('a secret is refreshed once for all who ask, again near its end, and after it was dropped', async () => {
  const { secrets } = makeMemoryCommons();
  let made = 0;
  const refresh = async () => {
    made += 1;
    return { value: `token ${made}`, expires_at: Date.now() + 30 * 60_000 };
  };
  expect(await Promise.all([1, 2, 3].map(() => secrets.get('access', refresh)))).toEqual(Array(3).fill('token 1'));
  vi.advanceTimersByTime(29 * 60_000);
  expect(await secrets.get('access', refresh)).toBe('token 2');
  await secrets.drop('access');
  expect(await secrets.get('access', refresh)).toBe('token 3');
});
