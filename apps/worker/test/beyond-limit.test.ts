import type { Notice } from '@wrapup/destination';
import { ALERTS_QUEUE, BEYOND_LIMIT, CALLS_QUEUE, type CallJob } from '@wrapup/queue';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { processCall } from '../src/calls/process-call.ts';
import { sweep } from '../src/upkeep/sweep.ts';
import { configWith, connectedPayload, openCallStore } from './support/call-store.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** The middle of an hour: both calls of a test come in the same one. */
const received_at = Math.floor(Date.now() / HOUR) * HOUR - HOUR / 2;

let callStore: Awaited<ReturnType<typeof openCallStore>>;
beforeAll(async () => {
  callStore = await openCallStore();
});
afterAll(() => callStore.close());

const config = configWith((changed) => {
  changed.alerts = { to: 'ops', lost_fields: 10 };
});

/** A call of which more came than is kept; what was kept has been read. */
async function flood(): Promise<CallJob> {
  const payload = connectedPayload();
  const first = await callStore.arrive(payload, { received_at });
  await processCall(first, { store: callStore.store, config });
  for (let sent = 0; sent < 10; sent += 1) {
    const job = await callStore.arrive({ ...payload, sent }, { received_at });
    if (sent < 7) await processCall(job, { store: callStore.store, config });
  }
  return { ...first, revision: BEYOND_LIMIT };
}

const entry = async ({ call_id }: CallJob) => callStore.store.ledger.read('main', call_id);
const beyond = async ({ call_id }: CallJob) =>
  (await callStore.store.queues.get<CallJob>(CALLS_QUEUE).getWaiting()).filter(
    ({ data }) => data.call_id === call_id && data.revision === BEYOND_LIMIT,
  );

it('without an api_key the call waits for a person, once, and operators are alerted once an hour', async () => {
  const [one, other] = [await flood(), await flood()];
  for (const job of [one, one, other]) await processCall(job, { store: callStore.store, config });
  for (const job of [one, other]) {
    expect(await entry(job)).toMatchObject({
      stopped: { code: 'revision_limit', state: 'parked' },
      ignored: { count: 3, handled: true },
      deliveries: [{ state: 'queued' }],
    });
  }
  const alerts = await callStore.store.queues.get<Notice>(ALERTS_QUEUE).getWaiting();
  expect(alerts.map(({ data }) => data)).toMatchObject([
    { type: 'source.revisions_ignored', data: { source: 'main', call_id: one.call_id } },
  ]);
});

it('a replay takes it off the list, and what comes then is counted only', async () => {
  const job = await flood();
  await processCall(job, { store: callStore.store, config });
  expect(await callStore.store.operations.replayCall('main', job.call_id)).toBe(true);
  await processCall(job, { store: callStore.store, config });
  expect(await entry(job)).not.toHaveProperty('stopped');
});

it('the sweep adds the job that a crash kept from being added', async () => {
  const job = await flood();
  for (const waiting of await beyond(job)) await waiting.remove();
  await sweep(callStore.store, config, Date.now() + 10 * MINUTE);
  expect(await beyond(job)).toHaveLength(1);
});

it('waits until what was kept has been read: it would take the call off the list again', async () => {
  const payload = connectedPayload();
  for (let sent = 0; sent < 9; sent += 1) await callStore.arrive({ ...payload, sent });
  const job = { source: 'main', call_id: payload.call.call_id, revision: BEYOND_LIMIT };
  expect(await processCall(job, { store: callStore.store, config })).toMatchObject({ job: 'delay' });
  expect(await entry(job)).not.toHaveProperty('stopped');
});
