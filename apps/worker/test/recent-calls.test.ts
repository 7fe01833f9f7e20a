import { afterEach, expect, it, vi } from 'vitest';
import { type RecentCall, RecentCalls } from '../src/payloads/recent-calls.ts';

const ref = (call_id: string) => ({ source: 'main', call_id, revision: 'r' });
const call = (name: string) => ({ entry: { call_id: name } }) as unknown as RecentCall;
const one = { bytes: 1_000, deliveries: 1 };

afterEach(() => vi.useRealTimers());

it('gives a call to each of its deliveries, and then no more', () => {
  const recent = new RecentCalls();
  recent.keep(ref('a'), call('a'), { bytes: 1_000, deliveries: 2 });
  expect([1, 2, 3].map(() => recent.take(ref('a'))?.entry.call_id)).toEqual(['a', 'a', undefined]);
  expect(recent.take({ ...ref('a'), revision: 'other' })).toBeUndefined();
});

it('keeps those that were routed first where there is no room for all: their deliveries come first', () => {
  const recent = new RecentCalls({ max_calls: 2, max_bytes: 10_000 });
  for (const name of ['a', 'b', 'c']) recent.keep(ref(name), call(name), one);
  expect(['a', 'b', 'c'].map((name) => recent.take(ref(name)) !== undefined)).toEqual([true, true, false]);
  recent.keep(ref('d'), call('d'), { ...one, bytes: 9_500 });
  recent.keep(ref('e'), call('e'), one);
  expect(['d', 'e'].map((name) => recent.take(ref(name)) !== undefined)).toEqual([true, false]);
});

it('keeps no large payload, and none without a delivery', () => {
  const recent = new RecentCalls();
  recent.keep(ref('large'), call('large'), { ...one, bytes: 70_000 });
  recent.keep(ref('none'), call('none'), { ...one, deliveries: 0 });
  expect(recent.take(ref('large')) ?? recent.take(ref('none'))).toBeUndefined();
});

it('keeps none longer than a minute, also where no further call comes', () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  const recent = new RecentCalls();
  recent.keep(ref('a'), call('a'), one);
  vi.advanceTimersByTime(30_000);
  recent.keep(ref('b'), call('b'), one);
  expect(recent.bytes).toBe(2_000);
  vi.advanceTimersByTime(30_001);
  expect(recent.bytes).toBe(1_000);
  vi.advanceTimersByTime(30_001);
  expect(recent.bytes).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

it('gives out none that is older, whether or not the timer has come to it', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const recent = new RecentCalls();
  recent.keep(ref('a'), call('a'), { ...one, deliveries: 2 });
  expect(recent.take(ref('a'))).toBeDefined();
  vi.advanceTimersByTime(61_000);
  expect(recent.take(ref('a'))).toBeUndefined();
});

it('makes room from calls whose deliveries another process has', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const recent = new RecentCalls({ max_calls: 1, max_bytes: 10_000 });
  recent.keep(ref('a'), call('a'), one);
  vi.advanceTimersByTime(61_000);
  recent.keep(ref('b'), call('b'), one);
  expect([recent.take(ref('a')), recent.take(ref('b'))?.entry.call_id]).toEqual([undefined, 'b']);
});
