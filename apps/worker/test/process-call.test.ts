import { randomUUID } from 'node:crypto';
import { addressesIn } from '@wrapup/call';
import {
  type CallJob,
  type DeliveryChange,
  type DeliveryJob,
  forgetCall,
  personKeysOf,
  revisionOf,
} from '@wrapup/queue';
import { type ConnectionOptions, Worker } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beginAttempt, makeArrival } from '../../../test/support/store.ts';
import { processCall } from '../src/calls/process-call.ts';
import { RecentCalls } from '../src/payloads/recent-calls.ts';
import { sweep } from '../src/upkeep/sweep.ts';
import { configWith, connectedPayload, openCallStore } from './support/call-store.ts';

let callStore: Awaited<ReturnType<typeof openCallStore>>;
beforeAll(async () => {
  callStore = await openCallStore();
});
afterAll(() => callStore.close());

const deliveriesOf = async (call_id: string) =>
  (await callStore.store.queues.deliveries('sales').getJobs(['waiting', 'prioritized'])).filter(
    ({ data }) => data.call_id === call_id,
  );

const PAYLOADS = { delivered_days: 7, stopped_days: 30 };

/** As an attempt at the call's delivery that came out so. */
async function settle(job: CallJob, change: DeliveryChange, payloads?: typeof PAYLOADS) {
  const { store } = callStore;
  const [delivery] = (await store.ledger.read('main', job.call_id))?.deliveries ?? [];
  if (!delivery) throw new Error('no delivery');
  const ref = { ...job, route: delivery.route, revision: delivery.revision, replays: delivery.replays };
  await beginAttempt(store, ref);
  expect(await store.ledger.recordOutcome(ref, change, payloads && { payloads })).toBe(true);
}

describe('routing a call', () => {
  it('writes facts and routes to the ledger, adds one delivery, and compresses the payload', async () => {
    const { store } = callStore;
    const payload = connectedPayload();
    payload.call.transcript = `human: ${'a sentence that comes again and again. '.repeat(100)}`;
    const call = await callStore.arrive(payload);
    await processCall(call, { store, config: configWith() });
    await processCall(call, { store, config: configWith() });
    expect(await store.ledger.read('main', call.call_id)).toMatchObject({
      routed: true,
      outcome: 'connected',
      deliveries: [{ route: 'sales-calls', connection: 'sales', state: 'queued', attempts: 0 }],
    });
    expect(await deliveriesOf(call.call_id)).toHaveLength(1);
    const size = await store.redis.strlen(store.keys.payload('main', call.call_id, call.revision));
    expect(size).toBeLessThan(JSON.stringify(payload).length / 2);
    expect(JSON.parse(String(await store.payloads.read('main', call.call_id, call.revision)))).toEqual(payload);
  });

  it('keeps a call for its deliveries by what it takes in memory, not by its bytes alone', async () => {
    const { store } = callStore;
    const routed = async (metadata: unknown) => {
      const recent = new RecentCalls();
      const call = await callStore.arrive({ ...connectedPayload(), metadata });
      await processCall(call, { store, config: configWith(), recent });
      return recent;
    };
    expect((await routed([])).bytes).toBeGreaterThan(1_000);
    // 3 kB of JSON, and a thousand objects.
    expect((await routed(Array.from({ length: 1_000 }, () => ({})))).bytes).toBe(0);
  });

  it('has its people found once it is routed, and also where that fails', async () => {
    const { store } = callStore;
    const refuse = async () => {
      throw new Error('refused');
    };
    const operations = Object.create(store.operations, { routeCall: { value: refuse } });
    for (const one of [store, { ...store, operations }]) {
      const payload = connectedPayload();
      const call = await callStore.arrive(payload);
      const routed = processCall(call, { store: one, config: configWith() });
      if (one === store) await routed;
      else await expect(routed).rejects.toThrow('refused');
      const found = await store.people.calls(personKeysOf(addressesIn([payload.lead.phone_number])));
      expect(found).toContainEqual({ source: 'main', call_id: call.call_id });
      expect((await store.people.unread()).map(({ call_id }) => call_id)).not.toContain(call.call_id);
    }
  });

  it('holds no personal data in ledger or jobs', async () => {
    const { store } = callStore;
    const payload = connectedPayload();
    const call = await callStore.arrive(payload);
    await processCall(call, { store, config: configWith() });
    const kept = JSON.stringify([
      await store.redis.hgetall(store.keys.ledger('main', call.call_id)),
      (await deliveriesOf(call.call_id)).map(({ data }) => data),
    ]);
    for (const personal of [payload.lead.phone_number, payload.lead.name, 'human:'])
      expect(kept).not.toContain(personal);
  });

  it('does nothing with a call that was forgotten meanwhile, nor with what it had read of it before', async () => {
    const { store } = callStore;
    const call = await callStore.arrive(connectedPayload());
    await forgetCall(store, { source: 'main', call_id: call.call_id });
    expect(await processCall(call, { store, config: configWith() })).toEqual({ job: 'complete', result: 'forgotten' });
    const wanted = [{ route: 'sales-calls', connection: 'sales' }];
    expect(await store.ledger.route(call, { effect: 'applied', facts: { notes: [] }, wanted })).toEqual([]);
    expect(await deliveriesOf(call.call_id)).toEqual([]);
  });

  it('says so when no route matches', async () => {
    const call = await callStore.arrive(connectedPayload());
    const config = configWith(({ routes }) => {
      for (const route of routes) route.when = () => false;
    });
    await processCall(call, { store: callStore.store, config });
    expect(await callStore.store.ledger.read('main', call.call_id)).toMatchObject({ routed: true, deliveries: [] });
  });

  it('fails for a source that is gone, with what to do', async () => {
    const call = await callStore.arrive(connectedPayload());
    const config = configWith((config) => {
      config.sources = {};
    });
    await expect(processCall(call, { store: callStore.store, config })).rejects.toMatchObject({
      next: 'die',
      hint: expect.stringContaining('main'),
    });
  });
});

it('waits for a client whose file is gone or has errors, and gives nothing up', async () => {
  const { store } = callStore;
  const call_id = randomUUID();
  const arrival = makeArrival(call_id, Buffer.from(JSON.stringify({ call: { call_id } })), { source: 'acme.main' });
  await store.accept(arrival, 90);
  const job = { source: 'acme.main', call_id, revision: revisionOf(arrival.body) };
  const gone = processCall(job, { store, config: configWith() });
  await expect(gone).rejects.toMatchObject({ next: 'throttle', hint: expect.stringContaining('clients/acme.yaml') });
  const config = configWith((given) => {
    given.clients.acme = {
      ...{ name: 'acme', file: '', state: 'unusable', hash: '', errors: [] },
      retention: given.retention,
    };
  });
  await expect(processCall(job, { store, config })).rejects.toMatchObject({
    next: 'throttle',
    hint: expect.stringContaining('wrapup check'),
  });
  expect((await store.ledger.read('acme.main', call_id))?.stopped).toBeUndefined();
});

describe('revisions', () => {
  it('notes an equal one and writes nothing', async () => {
    const { store } = callStore;
    const payload = connectedPayload();
    await processCall(await callStore.arrive(payload), { store, config: configWith() });
    const again = await callStore.arrive({ ...payload, an_unknown_field: true });
    await processCall(again, { store, config: configWith() });
    const entry = await store.ledger.read('main', again.call_id);
    expect(entry?.revisions.map(({ effect }) => effect)).toEqual(['applied', 'equal']);
    expect(entry?.deliveries[0]?.revision).toBe(entry?.revisions[0]?.hash);
  });

  it('leaves no payload longer than its retention where what it adds is delivered at once', async () => {
    const { store } = callStore;
    const payload = connectedPayload();
    const { recording_url: _, ...call } = payload.call as Record<string, unknown>;
    const first = await callStore.arrive({ ...payload, call } as never);
    await processCall(first, { store, config: configWith() });
    await settle(first, { state: 'written' }, PAYLOADS);
    const more = { ...payload, call: { ...call, recording_url: 'https://example.com/a.mp3' } };
    const second = await callStore.arrive(more as never);
    // A worker that takes the delivery and writes it before the step that opened it has answered.
    const routeCall: typeof store.operations.routeCall = async (...args) => {
      const routed = await store.operations.routeCall(...args);
      await settle(second, { state: 'written' }, PAYLOADS);
      return routed;
    };
    const operations = Object.create(store.operations, { routeCall: { value: routeCall } });
    await processCall(second, { store: { ...store, operations }, config: configWith() });
    for (const { revision } of [first, second]) {
      const left = await store.redis.ttl(store.keys.payload('main', second.call_id, revision));
      expect(left).toBeLessThanOrEqual(PAYLOADS.delivered_days * 86_400);
    }
  });

  it('adds what was absent', async () => {
    const { store } = callStore;
    const payload = connectedPayload();
    const { recording_url: _, ...without } = payload.call as Record<string, unknown>;
    await processCall(await callStore.arrive({ ...payload, call: without } as never), { store, config: configWith() });
    const more = await callStore.arrive({
      ...payload,
      call: { ...without, recording_url: 'https://example.com/a.mp3' },
    } as never);
    await processCall(more, { store, config: configWith() });
    const entry = await store.ledger.read('main', more.call_id);
    expect(entry?.revisions.map(({ effect }) => effect)).toEqual(['applied', 'added']);
    expect(entry?.deliveries[0]).toMatchObject({ state: 'queued', revision: more.revision });
  });

  it('parks a contradiction under a valid signature, and applies it when a person replays it', async () => {
    const { store } = callStore;
    const payload = connectedPayload();
    const first = await callStore.arrive(payload);
    await processCall(first, { store, config: configWith() });
    await settle(first, { state: 'written' });
    const edited = await callStore.arrive({ ...payload, lead: { ...payload.lead, phone_number: '+14155550199' } });
    await processCall(edited, { store, config: configWith() });
    const entry = await store.ledger.read('main', first.call_id);
    expect(entry?.revisions.map(({ effect }) => effect)).toEqual(['applied', 'parked']);
    expect(entry?.deliveries[0]).toMatchObject({ state: 'parked', code: 'contradiction' });
    expect(entry?.deliveries[0]?.reason).not.toContain('4155550199');
    const replayed = await store.operations.replay('main', first.call_id, 'sales-calls', { attempts: 10 });
    expect(replayed).toBe('replayed');
    const after = await store.ledger.read('main', first.call_id);
    expect(after?.deliveries[0]).toMatchObject({ state: 'queued', replays: 1, revision: edited.revision });
    expect(after?.revisions[1]?.effect).toBe('applied');
    // A worker that judged it before the replay, and comes late, does not park it again.
    const [park, wanted] = [
      { code: 'contradiction', reason: '', hint: '' },
      [{ route: 'sales-calls', connection: 'sales' }],
    ];
    expect(await store.ledger.route(edited, { effect: 'parked', facts: { notes: [] }, wanted, park })).toEqual([]);
    expect(await store.ledger.read('main', first.call_id)).toEqual(after);
  });

  it('a contradiction does not end what was not written yet: dropped, it sends that on its way', async () => {
    const { store } = callStore;
    const payload = connectedPayload();
    const first = await callStore.arrive(payload);
    await processCall(first, { store, config: configWith() });
    await settle(first, { state: 'dead', code: 'unavailable' });
    for (const phone_number of ['+14155550198', '+14155550199']) {
      const forged = await callStore.arrive({ ...payload, lead: { ...payload.lead, phone_number } });
      await processCall(forged, { store, config: configWith() });
    }
    const delivery = async () => (await store.ledger.read('main', first.call_id))?.deliveries[0];
    expect(await delivery()).toMatchObject({ state: 'parked', displaced: first.revision });
    await store.operations.drop('main', first.call_id, 'sales-calls', { reason: 'forged' });
    expect(await delivery()).toMatchObject({ state: 'queued', revision: first.revision });
    for (const job of await deliveriesOf(first.call_id)) await job.remove();
    await sweep(store, configWith(), Date.now() + 10 * 60_000);
    const jobs = (await deliveriesOf(first.call_id)).map(({ data }) => data);
    expect(jobs).toMatchObject([{ revision: first.revision, replays: 1 }]);
  });

  it('a newer revision takes the job of the one that was dead, or parked, from its queue', async () => {
    const { store } = callStore;
    const payload = connectedPayload();
    const first = await callStore.arrive(payload);
    await processCall(first, { store, config: configWith() });
    await settle(first, { state: 'dead', code: 'unavailable' });
    const dead = (await store.ledger.read('main', first.call_id))?.deliveries[0];
    if (dead) await store.operations.addUnresolved(first, dead);
    const jobs = async (state: 'dead' | 'parked') =>
      (await store.operations.list(state)).filter(({ call_id }) => call_id === first.call_id).length;
    expect([await jobs('dead'), await jobs('parked')]).toEqual([1, 0]);
    for (const phone_number of ['+14155550198', '+14155550199']) {
      const edited = await callStore.arrive({ ...payload, lead: { ...payload.lead, phone_number } });
      await processCall(edited, { store, config: configWith() });
      expect([await jobs('dead'), await jobs('parked')]).toEqual([0, 1]);
    }
  });

  it('a contradiction of what was written is dropped for good', async () => {
    const { store } = callStore;
    const payload = connectedPayload();
    const first = await callStore.arrive(payload);
    await processCall(first, { store, config: configWith() });
    const job: DeliveryJob = { ...first, route: 'sales-calls', replays: 0 };
    await beginAttempt(store, job);
    await store.ledger.recordOutcome(job, { state: 'written', records: [] });
    for (const phone_number of ['+14155550198', '+14155550199']) {
      const forged = await callStore.arrive({ ...payload, lead: { ...payload.lead, phone_number } });
      await processCall(forged, { store, config: configWith() });
    }
    await store.operations.drop('main', first.call_id, 'sales-calls', { reason: 'forged' });
    expect((await store.ledger.read('main', first.call_id))?.deliveries[0]).toMatchObject({ state: 'dropped' });
  });

  it('applies any under `revisions: apply`', async () => {
    const { store } = callStore;
    const config = configWith(({ sources }) => {
      if (sources.main) sources.main.revisions = 'apply';
    });
    const payload = connectedPayload();
    await processCall(await callStore.arrive(payload), { store, config });
    const edited = await callStore.arrive({ ...payload, lead: { ...payload.lead, phone_number: '+14155550199' } });
    await processCall(edited, { store, config });
    expect((await store.ledger.read('main', edited.call_id))?.deliveries[0]).toMatchObject({
      state: 'queued',
      revision: edited.revision,
    });
  });
});

describe('the sweep', () => {
  const later = Date.now() + 10 * 60_000;

  it('adds the delivery that a crash kept from being added', async () => {
    const { store } = callStore;
    const call = await callStore.arrive(connectedPayload());
    await processCall(call, { store, config: configWith() });
    const [job] = await deliveriesOf(call.call_id);
    await job?.remove();
    await sweep(store, configWith(), later);
    expect(await deliveriesOf(call.call_id)).toHaveLength(1);
    await sweep(store, configWith(), later + 120_000);
    expect(await deliveriesOf(call.call_id)).toHaveLength(1);
  });

  it('adds the call that a crash kept from being queued', async () => {
    const { store } = callStore;
    const call = await callStore.arrive(connectedPayload());
    const queue = store.queues.get<{ call_id: string }>('calls');
    const mine = async () => (await queue.getWaiting()).filter(({ data }) => data.call_id === call.call_id);
    for (const job of await mine()) await job.remove();
    await sweep(store, configWith(), later);
    expect(await mine()).toHaveLength(1);
  });

  it('adds what has ended as a job and not in the ledger: what it did went with a primary that is gone', async () => {
    const own = await openCallStore();
    const { store } = own;
    const end = async (queue: string) => {
      const connection = store.redis as ConnectionOptions;
      const worker = new Worker(queue, async () => {}, { connection, prefix: store.keys.prefix });
      await expect.poll(() => store.queues.get(queue).getCompletedCount()).toBe(1);
      await worker.close();
    };
    const call = await own.arrive(connectedPayload());
    await end('calls');
    await sweep(store, configWith(), later);
    expect(await store.queues.get('calls').getWaitingCount()).toBe(1);

    await processCall(call, { store, config: configWith() });
    await end('deliveries.sales');
    await sweep(store, configWith(), later + 600_000);
    expect(await store.queues.deliveries('sales').getJobCountByTypes('waiting', 'prioritized')).toBe(1);
    await own.close();
  });

  it('files a parked delivery that a crash kept from being filed', async () => {
    const { store } = callStore;
    const call = await callStore.arrive(connectedPayload());
    await processCall(call, { store, config: configWith() });
    const job: DeliveryJob = { ...call, route: 'sales-calls', replays: 0 };
    await beginAttempt(store, job);
    await store.ledger.recordOutcome(job, { state: 'parked', code: 'refused', reason: 'r' });
    await sweep(store, configWith(), later);
    expect((await store.operations.list('parked')).filter(({ call_id }) => call_id === call.call_id)).toHaveLength(1);
  });
});
