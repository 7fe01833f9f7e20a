/** A call that has been routed, and outcomes of writing it. */
import type { Config } from '@wrapup/config';
import { Failure, type FailureCode, type WriteOutcome } from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';
import type { DeliveryJob } from '@wrapup/queue';
import { processCall } from '../../src/calls/process-call.ts';
import { processDelivery } from '../../src/deliveries/process-delivery.ts';
import { RecentCalls } from '../../src/payloads/recent-calls.ts';
import { configWith, connectedPayload, type openCallStore } from './call-store.ts';

export const written = {
  ok: true,
  receipt: {
    records: [{ name: 'call_log', object: 'calls', id: '17', did: 'created' }],
    requests: 2,
    notes: ['a note'],
  },
} satisfies WriteOutcome;
export const failed = (code: FailureCode, details = {}): WriteOutcome => ({
  ok: false,
  failure: new Failure(code, `The CRM said ${code}.`, details),
});

/** A routed call, and the ways to deliver it. */
export async function routeCall(
  callStore: Awaited<ReturnType<typeof openCallStore>>,
  payload = connectedPayload(),
  config = configWith(),
) {
  const { store } = callStore;
  const call = await callStore.arrive(payload);
  const recent = new RecentCalls();
  await processCall(call, { store, config, recent });
  const job: DeliveryJob = { ...call, route: 'sales-calls', replays: 0 };
  const plans: Plan[] = [];
  const deliver = (outcome: WriteOutcome | Error, last = false, using: Config = config, as = job, note?: string) =>
    processDelivery(as, last, {
      ...{ store, recent, ...(note === undefined ? {} : { note }) },
      config: using,
      write: async (_connection, plan) => {
        plans.push(plan);
        if (outcome instanceof Error) throw outcome;
        return outcome;
      },
    });
  const entry = async () => {
    const found = await store.ledger.read(call.source, call.call_id);
    if (!found) throw new Error('no ledger entry');
    return found;
  };
  return { call, job, plans, recent, deliver, entry, delivery: async () => (await entry()).deliveries[0] };
}
