import { randomUUID } from 'node:crypto';
import { revisionOf } from '@wrapup/queue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processCall } from '../src/calls/process-call.ts';
import { sweep } from '../src/upkeep/sweep.ts';
import { configWith, connectedPayload, openCallStore } from './support/call-store.ts';

let callStore: Awaited<ReturnType<typeof openCallStore>>;
beforeAll(async () => {
  callStore = await openCallStore();
});
afterAll(() => callStore.close());

const config = configWith();

/** A body of no known shape, under a call id. */
async function arriveStrange(call_id: string = randomUUID(), text = JSON.stringify({ data: { callId: call_id } })) {
  const body = Buffer.from(text);
  await callStore.arriveBytes(call_id, body);
  return { source: 'main', call_id, revision: revisionOf(body) };
}

const read = (call_id: string) => callStore.store.ledger.read('main', call_id);
const parked = async (call_id: string) =>
  (await callStore.store.operations.list('parked')).filter((job) => job.call_id === call_id);

describe('a body of no known shape', () => {
  it('is parked with its bytes, once, however often it is looked at', async () => {
    const job = await arriveStrange();
    for (let i = 0; i < 3; i += 1) await processCall(job, { store: callStore.store, config });
    const entry = await read(job.call_id);
    expect(entry).toMatchObject({
      routed: false,
      deliveries: [],
      revisions: [{ effect: 'unrecognised' }],
      stopped: { code: 'unrecognised', state: 'parked', hint: expect.stringContaining('--payload') },
    });
    expect(await parked(job.call_id)).toMatchObject([{ code: 'unrecognised', reason: entry?.stopped?.reason }]);
    expect(String(await callStore.store.payloads.read('main', job.call_id, job.revision))).toContain(job.call_id);
    // Nothing is left to do for the sweep.
    expect(await callStore.store.ledger.openSince(Date.now() + 1)).not.toContainEqual({
      source: 'main',
      call_id: job.call_id,
    });
  });

  it('is parked although it could not be written as JSON again', async () => {
    const job = await arriveStrange(randomUUID(), `{"deep":${'['.repeat(100_000)}${']'.repeat(100_000)}}`);
    await processCall(job, { store: callStore.store, config });
    expect(await parked(job.call_id)).toHaveLength(1);
  });

  it('is filed after a crash right before that', async () => {
    const job = await arriveStrange();
    await callStore.store.ledger.parkUnrecognised(job, { code: 'unrecognised', reason: 'r' });
    expect(await parked(job.call_id)).toEqual([]);
    await processCall(job, { store: callStore.store, config });
    expect(await parked(job.call_id)).toMatchObject([{ reason: 'r' }]);
  });

  it('may be replayed, and is parked again while its shape is not known', async () => {
    const job = await arriveStrange();
    await processCall(job, { store: callStore.store, config });
    expect(await callStore.store.operations.replayCall('main', job.call_id)).toBe(true);
    expect(await parked(job.call_id)).toEqual([]);
    expect(await read(job.call_id)).not.toHaveProperty('stopped');
    await processCall(job, { store: callStore.store, config });
    expect(await parked(job.call_id)).toHaveLength(1);
  });

  it('may be dropped, and stays dropped when it is looked at again', async () => {
    const job = await arriveStrange();
    await processCall(job, { store: callStore.store, config });
    const stopped = (await read(job.call_id))?.stopped;
    expect(
      await callStore.store.operations.dropCall('main', job.call_id, { reason: 'a test chat', by: { name: 'ada' } }),
    ).toBe(true);
    await processCall(job, { store: callStore.store, config });
    expect(await parked(job.call_id)).toEqual([]);
    expect((await read(job.call_id))?.stopped).toMatchObject({
      state: 'dropped',
      code: 'unrecognised',
      reason: stopped?.reason,
      hint: stopped?.hint,
      dropped: { reason: 'a test chat', by: 'ada' },
    });
    expect(await callStore.store.operations.dropCall('main', job.call_id, { reason: 'again' })).toBe(false);
  });
});

describe('a call of which one body has no known shape', () => {
  it('goes on with what was delivered before', async () => {
    const payload = connectedPayload();
    const first = await callStore.arrive(payload);
    await processCall(first, { store: callStore.store, config });
    const job = await arriveStrange(payload.call.call_id);
    await processCall(job, { store: callStore.store, config });
    expect(await read(job.call_id)).toMatchObject({
      revisions: [{ effect: 'applied' }, { effect: 'unrecognised' }],
      deliveries: [{ state: 'queued', revision: first.revision }],
      stopped: { code: 'unrecognised' },
    });
    // The delivery of a worker that died is still found.
    const deliveries = callStore.store.queues.deliveries('sales');
    await deliveries.obliterate({ force: true });
    const { revived } = await sweep(callStore.store, config, Date.now() + 120_000);
    expect(revived).toBeGreaterThanOrEqual(1);
    const jobs = await deliveries.getJobs(['waiting', 'prioritized']);
    expect(jobs.map(({ data }) => data.call_id)).toContain(job.call_id);
    expect(await parked(job.call_id)).toHaveLength(1);
  });

  it('is not parked any more once a body comes that can be read', async () => {
    const payload = connectedPayload();
    const job = await arriveStrange(payload.call.call_id);
    await processCall(job, { store: callStore.store, config });
    expect(await parked(job.call_id)).toHaveLength(1);
    await processCall(await callStore.arrive(payload), { store: callStore.store, config });
    expect(await parked(job.call_id)).toEqual([]);
    const entry = await read(job.call_id);
    expect(entry).not.toHaveProperty('stopped');
    expect(entry?.deliveries).toMatchObject([{ state: 'queued' }]);
  });
});
