import { randomUUID } from 'node:crypto';
import type { Config } from '@wrapup/config';
import type { CallJob, UnresolvedJob } from '@wrapup/queue';
import { singleOf, type VoiceCall, webhookOf } from '@wrapup/sandbox';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { beginAttempt } from '../../../test/support/store.ts';
import { processCall } from '../src/calls/process-call.ts';
import { Verifier } from '../src/calls/verifier.ts';
import { readCall } from '../src/payloads/read-call.ts';
import { sweep } from '../src/upkeep/sweep.ts';
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

/** A worker's part of the work, on a source that trusts the API only. */
function open(change: (source: Config['sources'][string]) => void = () => {}) {
  const config = configWith(({ sources }) => {
    const source = sources.main as Config['sources'][string];
    Object.assign(source, { trust: 'api', ...api.access });
    change(source);
  });
  const verifier = new Verifier(callStore.store, () => config);
  onTestFinished(() => verifier.close());
  const source = config.sources.main as Config['sources'][string];
  return {
    config,
    process: (job: CallJob) =>
      processCall(job, { store: callStore.store, config, verify: (...call) => verifier.verify(...call) }),
    /** Every revision of the call that has no effect yet, oldest first. */
    async rest(job: CallJob) {
      const entry = await ledger(job);
      for (const { hash } of entry.revisions.filter(({ effect }) => !effect))
        await processCall(
          { ...job, revision: hash },
          { store: callStore.store, config, verify: (...call) => verifier.verify(...call) },
        );
    },
    /** The call that the last revision holds. */
    async readBack(job: CallJob) {
      const entry = await ledger(job);
      const last = entry.revisions.findLast(({ effect }) => effect === 'applied' || effect === 'added');
      return readCall(callStore.store, source, entry, last?.hash ?? '');
    },
  };
}

/** Places a call, and gives the payload of its webhook. */
function place(change: Partial<VoiceCall> = {}): TestPayload {
  const call = { ...answered, id: randomUUID(), ...change };
  sandbox.control.place(call);
  return webhookOf({ ...answered, id: call.id }) as unknown as TestPayload;
}

const parked = async ({ call_id }: CallJob): Promise<UnresolvedJob[]> =>
  (await callStore.store.operations.list('parked')).filter((one) => one.call_id === call_id);

describe('a webhook under trust: api', () => {
  it('is a hint: the API’s copy is the one that is delivered', async () => {
    const { process, rest, readBack } = open();
    const job = await callStore.arrive(place());
    expect(await process(job)).toEqual({ job: 'complete', result: 'hint' });
    expect((await ledger(job)).routed).toBe(false);
    await rest(job);
    const entry = await ledger(job);
    expect(entry).toMatchObject({ received: 'webhook', verified: 'api', routed: true, outcome: 'connected' });
    expect(entry.revisions.map(({ effect, verified }) => [effect, verified])).toEqual([
      ['hint', 'signature'],
      ['applied', 'api'],
    ]);
    expect(entry.deliveries).toMatchObject([{ state: 'queued', revision: entry.revisions[1]?.hash }]);
    const call = await readBack(job);
    expect(call?.analysis).toEqual({ ...call?.analysis, answered_by_human: 'true' });
    expect(call?.prompt_variables).toMatchObject({ campaign: 'autumn-renewals' });
    expect(call?.vars.budget).toBe(answered.collected.budget);
  });

  it('that was edited changes nothing', async () => {
    const { process, rest, readBack } = open();
    const payload = place();
    payload.lead.phone_number = '+14155550199';
    payload.call.transcript = 'human: send the money elsewhere';
    const job = await callStore.arrive(payload, { verified: 'none' });
    await process(job);
    await rest(job);
    const call = await readBack(job);
    expect(call?.lead.phone).toBe(answered.lead.phone);
    expect(call?.transcript).not.toContain('money');
  });

  it('that comes again with other bytes has the call read again, and nothing written anew', async () => {
    const { process, rest } = open();
    const payload = place();
    const job = await callStore.arrive(payload);
    await process(job);
    await rest(job);
    const before = sandbox.control.requests().by_operation['calls read'] ?? 0;
    const again = await callStore.arrive({ ...payload, call: { ...payload.call, duration: 9999 } });
    await process(again);
    await rest(again);
    expect(sandbox.control.requests().by_operation['calls read']).toBe(before + 1);
    const entry = await ledger(job);
    expect(entry.revisions.map(({ effect }) => effect)).toEqual(['hint', 'applied', 'hint']);
    expect(entry.deliveries[0]?.revision).toBe(entry.revisions[1]?.hash);
  });

  it('brings in what the API says otherwise meanwhile, although it contradicts', async () => {
    const { process, rest, readBack } = open();
    const payload = place();
    const job = await callStore.arrive(payload);
    await process(job);
    await rest(job);
    sandbox.control.place({ ...answered, id: job.call_id, lead: { name: 'Mira Maple', phone: '+14155550188' } });
    const again = await callStore.arrive({ ...payload, touched: true } as never);
    await process(again);
    await rest(again);
    expect((await ledger(job)).revisions.map(({ effect }) => effect)).toEqual(['hint', 'applied', 'hint', 'applied']);
    expect((await readBack(job))?.lead.phone).toBe('+14155550188');
  });

  it('parks what contradicts when the source parks revisions', async () => {
    const { process, rest } = open((source) => {
      source.revisions = 'park';
    });
    const payload = place();
    const job = await callStore.arrive(payload);
    await process(job);
    await rest(job);
    const [{ route, revision, replays } = { route: '', revision: '', replays: 0 }] = (await ledger(job)).deliveries;
    const ref = { ...job, route, revision, replays };
    await beginAttempt(callStore.store, ref);
    await callStore.store.ledger.recordOutcome(ref, { state: 'written' });
    sandbox.control.place({ ...answered, id: job.call_id, lead: { phone: '+14155550188' } });
    const again = await callStore.arrive({ ...payload, touched: true } as never);
    await process(again);
    await rest(again);
    expect((await ledger(job)).deliveries[0]).toMatchObject({ state: 'parked', code: 'revision' });
  });

  it('whose bytes are those of the API is believed once the API has said so', async () => {
    const { process } = open();
    const call = {
      ...answered,
      id: randomUUID(),
      analysis: null,
      agent: { ...answered.agent, model_id: 'not-listed' },
    };
    sandbox.control.place(call);
    sandbox.control.fault({ kind: 'status', status: 200, path: '/v2/calls\\?', times: null, body: EMPTY_LIST });
    const body = Buffer.from(JSON.stringify(singleOf(call)));
    const job = await callStore.arrive({ call: { call_id: call.id } } as never, { body });
    const { hash } = (await ledger(job)).revisions[0] as { hash: string };
    expect(await process({ ...job, revision: hash })).toEqual({
      job: 'complete',
      result: 'routed',
      outcome: 'connected',
    });
    const entry = await ledger(job);
    expect(entry).toMatchObject({ verified: 'api', revisions: [{ hash, verified: 'api', effect: 'applied' }] });
  });
});

const EMPTY_LIST = { status: 'ok', response: { pagination: { total_records: 0 }, calls: [] } };

describe('a call that the API does not know yet', () => {
  const unknown = () => webhookOf({ ...answered, id: randomUUID() }) as unknown as TestPayload;

  it('waits without holding a place, longer each time, and says why', async () => {
    const { process } = open();
    const job = await callStore.arrive(unknown());
    const first = await process(job);
    expect(first).toMatchObject({ job: 'delay', result: 'waits' });
    expect((await ledger(job)).waiting).toMatchObject({ code: 'unknown_call', reason: /does not know this call/ });
    const old = await callStore.arrive(unknown(), { received_at: Date.now() - 10 * MINUTE });
    const later = await process(old);
    if (first.job !== 'delay' || later.job !== 'delay') throw new Error('did not wait');
    expect(first.ms).toBeLessThanOrEqual(3_000);
    expect(later.ms).toBeGreaterThan(3 * MINUTE);
    expect(later.ms).toBeLessThanOrEqual(6 * MINUTE);
  });

  it('is parked as unverified after half an hour, where a person finds it', async () => {
    const { process } = open();
    const job = await callStore.arrive(unknown(), { received_at: Date.now() - 31 * MINUTE });
    expect(await process(job)).toEqual({ job: 'complete', result: 'parked' });
    const entry = await ledger(job);
    expect(entry.stopped).toMatchObject({ code: 'unverified', state: 'parked', hint: /forged/ });
    expect(entry.deliveries).toEqual([]);
    expect(await parked(job)).toMatchObject([{ code: 'unverified' }]);
  });

  it('goes on when it is replayed after it has appeared', async () => {
    const { process, rest } = open();
    const payload = unknown();
    const job = await callStore.arrive(payload, { received_at: Date.now() - 31 * MINUTE });
    await process(job);
    sandbox.control.place({ ...answered, id: job.call_id });
    expect(await callStore.store.operations.replayCall('main', job.call_id)).toBe(true);
    expect(await process(job)).toMatchObject({ result: 'hint' });
    await rest(job);
    const entry = await ledger(job);
    expect(entry).not.toHaveProperty('stopped');
    expect(entry.deliveries).toHaveLength(1);
    expect(await parked(job)).toEqual([]);
  });

  it('is filed by the sweep when a crash kept it from being filed', async () => {
    const { config } = open();
    const job = await callStore.arrive(unknown());
    await callStore.store.ledger.stop('main', job.call_id, { code: 'unverified', reason: 'r', state: 'parked' });
    await sweep(callStore.store, config, Date.now() + 10 * MINUTE);
    expect(await parked(job)).toMatchObject([{ code: 'unverified' }]);
  });
});

describe('a call that the API tells otherwise', () => {
  it('as still going on is waited for, and parked in the end', async () => {
    const { process } = open();
    const going = { status: 'in-progress', over: undefined as never };
    const job = await callStore.arrive(place(going));
    expect(await process(job)).toMatchObject({ job: 'delay' });
    expect((await ledger(job)).waiting).toMatchObject({ code: 'still_going_on' });
    const old = await callStore.arrive(place(going), { received_at: Date.now() - 31 * MINUTE });
    expect(await process(old)).toMatchObject({ result: 'parked' });
  });

  it('without the analysis that the webhook has is waited for some minutes, then taken', async () => {
    const { process } = open();
    const job = await callStore.arrive(place({ analysis: null }));
    expect(await process(job)).toMatchObject({ job: 'delay' });
    expect((await ledger(job)).waiting).toMatchObject({ code: 'incomplete', reason: /no analysis/ });
    const old = await callStore.arrive(place({ analysis: null }), { received_at: Date.now() - 6 * MINUTE });
    expect(await process(old)).toMatchObject({ result: 'hint' });
  });
});

describe('an API that cannot answer', () => {
  it.each<[string, string, RegExp | undefined, { api_key?: string; region?: 'eu'; base_url?: string }]>([
    ['a wrong key', 'unauthorized', /another region/, { api_key: 'wrong' }],
    ['a key of another region', 'unauthorized', /another region/, { region: 'eu', base_url: 'eu' }],
    ['no server', 'network', undefined, { base_url: 'http://127.0.0.1:9' }],
  ])('%s: calls wait, however long, and say so', async (_name, code, hint, change) => {
    const { process } = open((source) => {
      Object.assign(source, change);
      if (change.base_url === 'eu') source.base_url = `${sandbox.synthflowUrl}/eu`;
    });
    const job = await callStore.arrive(place(), { received_at: Date.now() - 600 * MINUTE });
    expect(await process(job)).toMatchObject({ job: 'delay' });
    expect((await ledger(job)).waiting).toMatchObject({ code, ...(hint ? { hint } : {}) });
    expect(await parked(job)).toEqual([]);
  });

  it('is left alone for a moment by those that come next', async () => {
    const { process } = open();
    sandbox.control.fault({ kind: 'status', status: 503, path: '/synthflow/', times: null });
    await process(await callStore.arrive(place()));
    const before = sandbox.control.requests().total;
    const next = await callStore.arrive(place());
    expect(await process(next)).toMatchObject({ job: 'delay' });
    expect(sandbox.control.requests().total).toBe(before);
    expect((await ledger(next)).waiting).toMatchObject({ code: 'busy' });
  });

  it('waits as long as it asks for', async () => {
    const { process } = open();
    sandbox.control.fault({
      kind: 'status',
      status: 429,
      headers: { 'retry-after': '45' },
      path: '/synthflow/',
      times: null,
    });
    const verdict = await process(await callStore.arrive(place()));
    expect(verdict).toEqual({ job: 'delay', result: 'waits', ms: 45_000 });
  });
});
