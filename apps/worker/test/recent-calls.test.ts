import type { WriteOutcome } from '@wrapup/destination';
import { type CallRef, forgetCall } from '@wrapup/queue';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { processDelivery } from '../src/deliveries/process-delivery.ts';
import { type RecentCall, RecentCalls } from '../src/payloads/recent-calls.ts';
import { configWith, connectedPayload, openCallStore } from './support/call-store.ts';
import { failed, routeCall, written } from './support/routed-call.ts';

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

let callStore: Awaited<ReturnType<typeof openCallStore>>;
const routed = (payload = connectedPayload()) => routeCall(callStore, payload);

/** How often payloads are read from now on. */
function countReads(): () => number {
  const { payloads } = callStore.store;
  const spy = vi.spyOn(payloads, 'readKept');
  return () => spy.mock.calls.length;
}

describe('a call that this process has just routed', () => {
  beforeAll(async () => {
    callStore = await openCallStore();
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(() => callStore.close());

  it('is not read again for the first attempt, and is for all others', async () => {
    const { deliver, plans } = await routed();
    const reads = countReads();
    expect(await deliver(failed('unavailable'))).toMatchObject({ job: 'retry' });
    expect(reads()).toBe(0);
    expect(await deliver(written)).toMatchObject({ result: 'written' });
    expect(reads()).toBe(1);
    const [first, second] = plans.map(({ resume: _, ...plan }) => plan);
    expect(first).toEqual(second);
  });

  const ends: [string, (call: CallRef) => Promise<unknown>][] = [
    ['forgotten', (call) => forgetCall(callStore.store, call, { wait: 0 })],
    [
      'dropped',
      ({ source, call_id }) => callStore.store.operations.drop(source, call_id, 'sales-calls', { reason: 'no' }),
    ],
  ];
  it.each(ends)('is not delivered once it was %s', async (_, change) => {
    const one = await routed();
    await change(one.call);
    expect(await one.deliver(written)).toMatchObject({ result: 'outdated' });
    expect(one.plans).toEqual([]);
  });

  const outcomes: [string, WriteOutcome, boolean][] = [
    ['written', written, false],
    ['skipped', { ok: true, receipt: { records: [], requests: 1, notes: [] } }, false],
    ['parked', failed('ambiguous_person'), false],
    ['throttled', failed('throttled'), false],
    ['retried', failed('unavailable'), false],
    ['given up', failed('unavailable'), true],
    ['refused for good', failed('bad_request'), false],
  ];
  it.each(outcomes)(
    'counts as nothing but outdated where it was dropped while it was being %s',
    async (_, outcome, last) => {
      const { store } = callStore;
      const { job, call, recent } = await routed();
      const verdict = await processDelivery(job, last, {
        ...{ store, recent, config: configWith() },
        write: async () => {
          await store.operations.drop(call.source, call.call_id, job.route, { reason: 'no' });
          return outcome;
        },
      });
      expect(verdict).toEqual({ job: 'complete', result: 'outdated' });
      expect((await store.ledger.read(call.source, call.call_id))?.deliveries).toMatchObject([{ state: 'dropped' }]);
    },
  );

  it('is read again where another revision has come meanwhile, and left to it where that was applied', async () => {
    const payload = connectedPayload();
    const one = await routed(payload);
    const more = await callStore.arrive({ ...payload, executed_actions: {} });
    const reads = countReads();
    await one.deliver(failed('unavailable'));
    expect(reads()).toBe(1);
    expect(one.plans[0]?.resume).toEqual({ attempts: 1, records: {}, done: [] });
    const { store } = callStore;
    const wanted = [{ route: 'sales-calls', connection: 'sales' }];
    await store.ledger.route(more, { effect: 'applied', facts: { notes: [] }, wanted });
    expect(await one.deliver(written)).toMatchObject({ result: 'outdated' });
  });

  it('is read again with the settings of its source that hold now', async () => {
    const one = await routed();
    const changed = configWith(({ sources }) => {
      if (sources.main) sources.main = { ...sources.main, default_country: 'DE' };
    });
    const reads = countReads();
    await one.deliver(written, false, changed);
    expect(reads()).toBe(1);
  });
});
