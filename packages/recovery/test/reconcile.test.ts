import { RedisLease } from '@wrapup/queue';
import type { VoiceCall } from '@wrapup/sandbox';
import { describe, expect, it } from 'vitest';
import { AlreadyRunning, type ReconcileOptions, RunStore, reconcile } from '../src/index.ts';
import { DAY, HOUR, LEDGER_DAYS, MINUTE, openWorkspace, type Workspace } from './support.ts';

const SETTINGS = { look_back: 6 * HOUR, grace: 25 * MINUTE };

function look({ store, api, source }: Workspace, options: Partial<ReconcileOptions> = {}) {
  const signal = new AbortController().signal;
  return reconcile({
    ...{ store, api, source, settings: SETTINGS, ledger_days: LEDGER_DAYS, by: 'command', signal, patience: 0 },
    ...options,
  });
}

const listRequests = ({ sandbox }: Workspace) => sandbox.control.requests().by_operation['calls list'] ?? 0;

/** Calls that are older than the grace, and younger than the look-back. */
async function openWithCalls(count = 12, change = {}) {
  const workspace = await openWorkspace(change);
  const made = await workspace.makeCalls(count, 5 * HOUR);
  const old = made.filter(({ started, duration }) => started + duration * 1000 < Date.now() - SETTINGS.grace);
  return { workspace, made, old };
}

describe('a run', () => {
  it('enqueues what never arrived, once, and reports what it found', async () => {
    const { workspace, made, old } = await openWithCalls(40);
    for (const call of old.slice(0, 30)) await workspace.receive(call);
    const run = await look(workspace);
    const missing = old.slice(30).map(({ id }) => id);
    expect(run).toMatchObject({ source: 'main', by: 'command', result: 'complete', agents: 2, troubles: [] });
    expect(run.counts).toEqual({
      listed: made.length,
      known: 30,
      missing: missing.length,
      enqueued: missing.length,
      young: made.length - old.length,
      unfinished: 0,
      unreadable: 0,
    });
    const { ledger } = workspace.store;
    for (const id of missing) {
      expect(await ledger.read('main', id)).toMatchObject({ received: 'reconciled', verified: 'api' });
    }
    expect(await ledger.count()).toBe(old.length);
    const again = await look(workspace);
    expect(again.counts).toMatchObject({ known: old.length, missing: 0, enqueued: 0 });
  });

  it('queues what was missing behind live calls', async () => {
    const { workspace, old } = await openWithCalls(4);
    await look(workspace);
    const jobs = await workspace.store.queues.get('calls').getJobs(['prioritized']);
    expect(jobs).toHaveLength(old.length);
    expect(jobs.every(({ opts }) => (opts.priority ?? 0) > 0)).toBe(true);
  });

  it('reads what is missing whole: analysis from the list, prompt variables from the call', async () => {
    const { workspace } = await openWithCalls(1);
    const [like] = await workspace.makeCalls(30, 4 * HOUR).then((calls) => calls.filter(({ analysis }) => analysis));
    const call = workspace.place(like as VoiceCall, { prompt_variables: { plan: 'Team' } });
    await look(workspace, { settings: { ...SETTINGS, grace: 0 } });
    const entry = await workspace.store.ledger.read('main', call.id);
    const body = await workspace.store.payloads.read('main', call.id, entry?.revisions[0]?.hash ?? '');
    expect(JSON.parse(String(body))).toMatchObject({
      judge_results: expect.objectContaining({ answered_by_human: expect.any(String) }),
      prompt_variables: { plan: 'Team' },
    });
  });

  it('keeps nothing that the source does not keep', async () => {
    const { workspace, old } = await openWithCalls(20, { keep: { transcript: false, raw: true } });
    await look(workspace);
    for (const { id } of old) {
      const entry = await workspace.store.ledger.read('main', id);
      const body = await workspace.store.payloads.read('main', id, entry?.revisions[0]?.hash ?? '');
      expect(JSON.parse(String(body))).not.toHaveProperty('transcript');
    }
  });

  it('leaves alone what goes on still, and what ended a moment ago', async () => {
    const { workspace, old } = await openWithCalls(4);
    const like = old[0] as VoiceCall;
    const going = workspace.place(like, { status: 'in-progress', over: undefined as never });
    const young = workspace.place(like, { started: Date.now() - 10 * MINUTE, duration: 60 });
    const { counts } = await look(workspace);
    expect(counts.unfinished).toBe(1);
    for (const { id } of [going, young]) expect(await workspace.store.ledger.read('main', id)).toBeUndefined();
    // A long call that began before the grace and ended within it is young, too.
    const long = workspace.place(like, { started: Date.now() - 40 * MINUTE, duration: 30 * 60 });
    await look(workspace);
    expect(await workspace.store.ledger.read('main', long.id)).toBeUndefined();
  });

  it('enqueues calls that are unproved or unrecognised', async () => {
    const { workspace, old } = await openWithCalls(6);
    const [first, second, third] = old as [VoiceCall, VoiceCall, VoiceCall];
    for (const call of old) await workspace.receive(call);
    const { ledger } = workspace.store;
    await ledger.stop('main', first.id, { code: 'unverified', reason: 'r', state: 'parked' });
    await ledger.stop('main', second.id, { code: 'unrecognised', reason: 'r', state: 'parked' });
    await ledger.stop('main', third.id, { code: 'unverified', reason: 'r', state: 'dropped' });
    expect((await look(workspace)).counts).toMatchObject({ missing: 2, enqueued: 2 });
    expect((await ledger.read('main', first.id))?.revisions.map(({ verified }) => verified)).toEqual([
      'signature',
      'api',
    ]);
  });
});

describe('how far back', () => {
  it('is look_back at first, and as far as the last run came after an outage', async () => {
    const { workspace, old } = await openWithCalls(4);
    const like = old[0] as VoiceCall;
    const yesterday = workspace.place(like, { started: Date.now() - 30 * HOUR });
    await look(workspace);
    expect(await workspace.store.ledger.read('main', yesterday.id)).toBeUndefined();

    // The last run was two days ago: everything since is looked at.
    const runs = new RunStore(workspace.store, 'main');
    const mark = await runs.checkpoint(like.agent.model_id);
    if (!mark) throw new Error('no mark');
    await runs.setCheckpoint(like.agent.model_id, { ...mark, until: Date.now() - 2 * DAY });
    await look(workspace);
    expect(await workspace.store.ledger.read('main', yesterday.id)).toMatchObject({ received: 'reconciled' });
  });

  it('has an end: what lies beyond is reported, with the command that enqueues it', async () => {
    const { workspace, old } = await openWithCalls(4);
    await look(workspace);
    const id = (old[0] as VoiceCall).agent.model_id;
    const runs = new RunStore(workspace.store, 'main');
    const mark = await runs.checkpoint(id);
    if (!mark) throw new Error('no mark');
    await runs.setCheckpoint(id, { ...mark, until: Date.now() - 20 * DAY });
    const run = await look(workspace);
    expect(run).toMatchObject({ result: 'partial', troubles: [{ agent: id, code: 'gap', hint: /backfill --from/ }] });
    expect((await look(workspace)).result).toBe('complete');
  });
});

describe('one run at a time', () => {
  it('a second run is refused, and waits if it may', async () => {
    const { workspace } = await openWithCalls(4);
    const lease = new RedisLease(workspace.store.redis, workspace.store.keys);
    const held = await lease.take(['reconcile:main'], 10_000);
    await expect(look(workspace)).rejects.toThrow(AlreadyRunning);
    const waiting = look(workspace, { patience: 30_000 });
    await held?.release();
    expect((await waiting).result).toBe('complete');
  });
});

describe('a run that was cut short', () => {
  it('is taken up where it was: agents that were done are not listed again', async () => {
    const { workspace, old } = await openWithCalls(30);
    const stop = new AbortController();
    const killed = look(workspace, { signal: stop.signal, onAgent: () => stop.abort(new Error('killed')) });
    await expect(killed).rejects.toThrow('killed');
    const before = listRequests(workspace);
    const run = await look(workspace);
    expect(run).toMatchObject({ resumed: true, result: 'complete', agents: 2 });
    expect(listRequests(workspace) - before).toBe(1);
    // What both parts of it found.
    expect(run.counts.missing).toBe(old.length);
    expect(await workspace.store.ledger.count()).toBe(old.length);
    expect((await look(workspace)).resumed).toBe(false);
  });
});

describe('a Synthflow that does not answer', () => {
  it('a key that is refused ends the run, and says what that means', async () => {
    const { workspace } = await openWithCalls(4, { api_key: 'wrong-key' });
    const run = await look(workspace);
    expect(run).toMatchObject({ result: 'failed', agents: 0, counts: { listed: 0 } });
    expect(run.troubles).toMatchObject([{ code: 'unauthorized', hint: expect.stringMatching(/another region/) }]);
    expect(await new RunStore(workspace.store, 'main').last()).toEqual(run);
  });

  it('one agent that it refuses keeps no other from being looked at', async () => {
    const { workspace, old } = await openWithCalls(30);
    const id = (old.find(({ agent }) => agent.type === 'inbound') as VoiceCall).agent.model_id;
    workspace.sandbox.control.fault({ kind: 'status', status: 400, path: `/v2/calls\\?model_id=${id}`, times: null });
    const run = await look(workspace);
    expect(run).toMatchObject({ result: 'partial', agents: 2, troubles: [{ agent: id, code: 'refused' }] });
    expect(run.counts.enqueued).toBe(old.filter(({ agent }) => agent.model_id !== id).length);
    workspace.sandbox.control.clearFaults();
    expect(await look(workspace)).toMatchObject({ result: 'complete', counts: { missing: expect.any(Number) } });
    expect(await workspace.store.ledger.count()).toBe(old.length);
  });

  it('one call that it cannot give keeps no other out, and is looked at again', async () => {
    const { workspace, old } = await openWithCalls(10);
    const { id } = old[0] as VoiceCall;
    workspace.sandbox.control.fault({ kind: 'status', status: 500, path: `/v2/calls/${id}`, times: null });
    const run = await look(workspace);
    expect(run).toMatchObject({ result: 'partial', troubles: [{ call_id: id, code: 'unavailable' }] });
    expect(run.counts).toMatchObject({ missing: old.length, enqueued: old.length - 1 });
    workspace.sandbox.control.clearFaults();
    expect((await look(workspace)).counts).toMatchObject({ missing: 1, enqueued: 1 });
  });

  it('nothing is called missing because Redis did not answer', async () => {
    const { workspace } = await openWithCalls(4);
    await workspace.store.close();
    await expect(look(workspace)).rejects.toThrow();
    expect(workspace.sandbox.control.requests().by_operation['calls read'] ?? 0).toBe(0);
  });
});
