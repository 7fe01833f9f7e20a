/** `trust: signature` with an `api_key`: what comes again under a call id is confirmed at Synthflow's API. */
import { randomUUID } from 'node:crypto';
import type { Config } from '@wrapup/config';
import type { CallJob } from '@wrapup/queue';
import { type VoiceCall, webhookOf } from '@wrapup/sandbox';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { beginAttempt } from '../../../test/support/store.ts';
import { processCall } from '../src/calls/process-call.ts';
import { Verifier } from '../src/calls/verifier.ts';
import { readCall } from '../src/payloads/read-call.ts';
import { callAt } from '../src/payloads/revisions.ts';
import { type CallApi, openCallApi } from './support/call-api.ts';
import { configWith, type TestPayload } from './support/call-store.ts';

const MINUTE = 60_000;
let api: CallApi;
let callStore: CallApi['callStore'];
let sandbox: CallApi['sandbox'];
let answered: VoiceCall;
const ledger = (job: CallJob) => api.ledger(job);

beforeAll(async () => {
  api = await openCallApi();
  ({ callStore, sandbox, answered } = api);
});
afterAll(() => api.close());
beforeEach(() => sandbox.control.clearFaults());

type Source = Config['sources'][string];

function open(change: Partial<Source> = {}) {
  const config = configWith(({ sources }) => {
    const source = sources.main as Source;
    Object.assign(source, { ...api.access, ...change });
  });
  const verifier = new Verifier(callStore.store, () => config);
  onTestFinished(() => verifier.close());
  const process = (job: CallJob) =>
    processCall(job, { store: callStore.store, config, verify: (...call) => verifier.verify(...call) });
  return {
    process,
    /** Does what the queue would until nothing of the call waits any more. */
    async settle(job: CallJob) {
      for (let round = 0; round < 10; round += 1) {
        const { revisions } = await ledger(job);
        const open = revisions.filter(({ effect }) => !effect);
        if (open.length === 0) return;
        for (const { hash } of open) await process({ ...job, revision: hash });
      }
      throw new Error(`call ${job.call_id} did not settle`);
    },
    /** As if every delivery had been written. */
    async deliver(job: CallJob) {
      for (const { route, revision, replays } of (await ledger(job)).deliveries) {
        const ref = { ...job, route, revision, replays };
        await beginAttempt(callStore.store, ref);
        await callStore.store.ledger.recordOutcome(ref, { state: 'written' });
      }
    },
    async standing(job: CallJob) {
      const entry = await ledger(job);
      const revision = entry.deliveries[0]?.revision ?? '';
      const source = config.sources.main as Source;
      return callAt(entry, revision, (hash) => readCall(callStore.store, source, entry, hash));
    },
  };
}

const reads = () => sandbox.control.requests().by_operation['calls read'] ?? 0;

/** A call that was written, and that the API tells as its webhook did. */
async function written(system: ReturnType<typeof open>) {
  const call = { ...answered, id: randomUUID() };
  sandbox.control.place(call);
  const payload = webhookOf(call) as unknown as TestPayload;
  const job = await callStore.arrive(payload);
  await system.process(job);
  await system.deliver(job);
  return { call, payload, job };
}

const effects = async (job: CallJob) =>
  (await ledger(job)).revisions.map(({ effect, verified }) => `${effect} ${verified}`).sort();

describe('a revision that the API', () => {
  it('tells the same way is written, although it contradicts', async () => {
    const system = open();
    const { call, payload, job } = await written(system);
    const moved = { ...call, lead: { ...call.lead, phone: '+14155550188' } };
    sandbox.control.place(moved);
    const again = await callStore.arrive({ ...payload, lead: { ...payload.lead, phone_number: '+14155550188' } });
    await system.settle(again);
    // The webhook has actions that the API does not tell.
    expect(await effects(job)).toEqual(['added signature', 'applied api', 'applied signature']);
    expect((await system.standing(job))?.call.lead.phone).toBe('+14155550188');
  });

  it('contradicts waits for a person, and what was written stays', async () => {
    const system = open();
    const { payload, job } = await written(system);
    const forged = { ...payload, lead: { ...payload.lead, phone_number: '+14155550199' } };
    const again = await callStore.arrive(forged);
    await system.process(again);
    for (const { hash } of (await ledger(job)).revisions.slice(2)) await system.process({ ...job, revision: hash });
    await system.deliver(job);
    await system.settle(again);
    const entry = await ledger(job);
    expect(entry.deliveries[0]).toMatchObject({ state: 'parked', code: 'contradiction', reason: /API says otherwise/ });
    expect(entry.deliveries[0]?.reason).toContain('lead.phone');
    expect(entry.deliveries[0]?.reason).not.toContain('5550199');
  });

  it('says nothing about follows the rules without a key: no address, and the rest in place', async () => {
    const system = open();
    const { payload, job } = await written(system);
    const metadata = { ...(payload as { metadata?: object }).metadata, shelf: 'A7', page: 'https://evil.example' };
    await system.settle(await callStore.arrive({ ...payload, metadata } as never));
    const standing = await system.standing(job);
    expect(standing?.call.metadata).toMatchObject({ shelf: 'A7' });
    expect(standing?.left_out).toContain('metadata.page');
    expect(standing?.proved.metadata).not.toHaveProperty('shelf');
    expect(JSON.stringify(standing?.call)).not.toContain('evil.example');
  });
});

it('one that says nothing new costs no request', async () => {
  const system = open();
  const { payload, job } = await written(system);
  const before = reads();
  await system.settle(await callStore.arrive({ ...payload, sent_again: true } as never));
  expect(reads()).toBe(before);
  expect(await effects(job)).toEqual(['applied signature', 'equal signature']);
});

it('several at once are confirmed one after the other, each by one reading', async () => {
  const system = open();
  const { payload, job } = await written(system);
  const before = reads();
  for (const shelf of ['A1', 'A2', 'A3']) await callStore.arrive({ ...payload, metadata: { [shelf]: true } } as never);
  await system.settle(job);
  expect(reads() - before).toBe(3);
  expect((await system.standing(job))?.call.metadata).toMatchObject({ A1: true, A2: true, A3: true });
});

describe('while the API is away', () => {
  it('it waits without burning an attempt, and after half an hour for a person; a replay asks once more', async () => {
    const system = open();
    const { payload, job } = await written(system);
    sandbox.control.fault({ kind: 'status', status: 503, path: '/synthflow/', times: null });
    const changed = { ...payload, lead: { ...payload.lead, name: 'Robin Aspen' } };
    const young = await callStore.arrive(changed);
    expect(await system.process(young)).toMatchObject({ job: 'delay', result: 'waits' });
    const old = await written(system);
    const late = await callStore.arrive(
      { ...old.payload, lead: { ...old.payload.lead, name: 'Robin Aspen' } },
      { received_at: Date.now() - 31 * MINUTE },
    );
    // The gate of another process knows nothing of the failure before.
    expect(await open().process(late)).toEqual({ job: 'complete', result: 'parked' });
    const entry = await ledger(late);
    expect(entry.stopped).toMatchObject({ code: 'unconfirmed', state: 'parked' });
    expect(entry.deliveries[0]).toMatchObject({ state: 'written' });
    expect((await ledger(job)).deliveries[0]).toMatchObject({ state: 'written' });

    sandbox.control.clearFaults();
    sandbox.control.place({ ...old.call, lead: { ...old.call.lead, name: 'Robin Aspen' } });
    expect(await callStore.store.operations.replayCall('main', late.call_id)).toBe(true);
    const again = open();
    await again.settle(late);
    expect((await again.standing(late))?.call.lead.name).toBe('Robin Aspen');
    expect(await ledger(late)).not.toHaveProperty('stopped');
  });
});

it('what comes beyond the limits of a call has it read once more, and is written as the API tells it', async () => {
  const system = open();
  const { call, payload, job } = await written(system);
  for (let sent = 0; sent < 7; sent += 1) await callStore.arrive({ ...payload, sent } as never);
  await system.settle(job);
  sandbox.control.place({ ...call, lead: { ...call.lead, name: 'Robin Aspen' } });
  const before = reads();
  await callStore.arrive({ ...payload, sent: 'too much' } as never);
  await callStore.arrive({ ...payload, sent: 'far too much' } as never);
  for (let run = 0; run < 2; run += 1)
    expect(await system.process({ ...job, revision: 'beyond-limit' })).toEqual({ job: 'complete', result: 'hint' });
  await system.settle(job);
  expect(reads() - before).toBe(1);
  expect((await ledger(job)).ignored).toMatchObject({ count: 2, handled: true });
  expect((await system.standing(job))?.call.lead.name).toBe('Robin Aspen');
});
