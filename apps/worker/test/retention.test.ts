/** How long payloads are kept: as long as they may still be needed, and no longer. */
import type { DeliveryChange } from '@wrapup/queue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processCall } from '../src/calls/process-call.ts';
import { scheduleExpiry } from '../src/payloads/retention.ts';
import { configWith, connectedPayload, openCallStore } from './support/call-store.ts';

const DAY = 24 * 3600;
let callStore: Awaited<ReturnType<typeof openCallStore>>;
beforeAll(async () => {
  callStore = await openCallStore();
});
afterAll(() => callStore.close());

/** A routed call whose delivery came to this end, and the seconds that its payload has left. */
async function settled(change?: DeliveryChange): Promise<number> {
  const { store } = callStore;
  const call = await callStore.arrive(connectedPayload());
  await processCall(call, { store, config: configWith() });
  const ref = { ...call, route: 'sales-calls', replays: 0 };
  await store.ledger.begin(ref);
  if (change) await store.ledger.recordOutcome(ref, change);
  await scheduleExpiry(store, configWith(), call.source, call.call_id);
  return store.redis.ttl(store.keys.payload(call.source, call.call_id, call.revision));
}

describe('a payload', () => {
  it.each([
    ['written', 7],
    ['skipped', 7],
    ['dropped', 7],
    ['parked', 30],
    ['dead', 30],
  ] as const)('of a call that is %s expires after %i days', async (state, days) => {
    const left = await settled({ state });
    expect(left).toBeGreaterThan(days * DAY - 60);
    expect(left).toBeLessThanOrEqual(days * DAY);
  });

  it('of a call on its way is kept longer than anything may wait', async () => {
    expect(await settled()).toBeGreaterThan(36 * DAY);
  });
});
