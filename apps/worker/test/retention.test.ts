/** How long payloads are kept: as long as they may still be needed, and no longer. */
import type { DeliveryState } from '@wrapup/queue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beginAttempt } from '../../../test/support/store.ts';
import { processCall } from '../src/calls/process-call.ts';
import { scheduleExpiry } from '../src/payloads/retention.ts';
import { sweep } from '../src/upkeep/sweep.ts';
import { configWith, connectedPayload, openCallStore } from './support/call-store.ts';

const DAY = 24 * 3600;
let callStore: Awaited<ReturnType<typeof openCallStore>>;
beforeAll(async () => {
  callStore = await openCallStore();
});
afterAll(() => callStore.close());

/** A routed call whose delivery came to this end. */
async function settledCall(state?: DeliveryState) {
  const { store } = callStore;
  const call = await callStore.arrive(connectedPayload());
  await processCall(call, { store, config: configWith() });
  const ref = { ...call, route: 'sales-calls', replays: 0 };
  await beginAttempt(store, ref);
  if (state) await store.ledger.recordOutcome(ref, { state });
  await scheduleExpiry(store, configWith(), call.source, call.call_id);
  return call;
}

/** The seconds that the payload of such a call has left. */
async function settled(state?: DeliveryState): Promise<number> {
  const { source, call_id, revision } = await settledCall(state);
  return callStore.store.redis.ttl(callStore.store.keys.payload(source, call_id, revision));
}

describe('a payload', () => {
  it.each([
    ['written', 7],
    ['skipped', 7],
    ['dropped', 7],
    ['parked', 30],
    ['dead', 30],
  ] as const)('of a call that is %s expires after %i days', async (state, days) => {
    const left = await settled(state);
    expect(left).toBeGreaterThan(days * DAY - 60);
    expect(left).toBeLessThanOrEqual(days * DAY);
  });

  it('of a call on its way is kept longer than anything may wait', async () => {
    expect(await settled()).toBeGreaterThan(36 * DAY);
  });
});

it('a ledger entry is packed by the sweep half a day after its call came, and read as before', async () => {
  const { store } = callStore;
  const [written, parked] = [await settledCall('written'), await settledCall('parked')];
  const read = () => Promise.all([written, parked].map(({ source, call_id }) => store.ledger.read(source, call_id)));
  const before = await read();
  const own = () =>
    Promise.all([written, parked].map(({ source, call_id }) => store.redis.exists(store.keys.ledger(source, call_id))));
  await sweep(store, configWith(), Date.now());
  await sweep(store, configWith(), Date.now() + 0.4 * DAY * 1000);
  expect(await own()).toEqual([1, 1]);
  await sweep(store, configWith(), Date.now() + 0.8 * DAY * 1000);
  expect(await own()).toEqual([0, 1]);
  expect(await read()).toEqual(before);
  expect(await store.payloads.has(written.source, written.call_id, written.revision)).toBe(true);
});
