import { setTimeout as sleep } from 'node:timers/promises';
import type { VoiceCall } from '@wrapup/sandbox';
import { describe, expect, it } from 'vitest';
import { type BackfillOptions, backfill, type CallCounts, findAgents, makeBackpressure } from '../src/index.ts';
import { DAY, HOUR, LEDGER_DAYS, MINUTE, openWorkspace, type Workspace } from './support.ts';

const signal = new AbortController().signal;

async function bring({ store, api, source }: Workspace, options: Partial<BackfillOptions> = {}) {
  return backfill({
    ...{ store, api, source, signal, ledger_days: LEDGER_DAYS, base: 1 },
    ...{ from: Date.now() - 10 * DAY, to: Date.now(), before: Date.now() - 25 * MINUTE },
    agents: options.agents ?? (await findAgents(api, source, { signal })),
    ...options,
  });
}

const listed = ({ sandbox }: Workspace) => sandbox.control.requests().by_operation['calls list'] ?? 0;

describe('calls of the past', () => {
  it('that the ledger does not have are enqueued, last of all, and counted against a total', async () => {
    const workspace = await openWorkspace();
    const calls = await workspace.makeCalls(60, 8 * DAY);
    for (const call of calls.slice(0, 20)) await workspace.receive(call);
    const shown: [CallCounts, number | undefined][] = [];
    const done = await bring(workspace, { onProgress: (counts, total) => shown.push([{ ...counts }, total]) });
    expect(done).toMatchObject({ result: 'complete', agents: 2, resumed: false, troubles: [] });
    expect(done.counts).toMatchObject({ listed: 60, known: 20, missing: 40, enqueued: 40 });
    expect(shown.at(-1)).toEqual([done.counts, 60]);
    expect(shown.every(([counts], index) => index === 0 || counts.listed >= (shown[index - 1]?.[0].listed ?? 0))).toBe(
      true,
    );
    const jobs = await workspace.store.queues.get('calls').getJobs(['prioritized']);
    expect(jobs.map(({ opts }) => opts.priority)).toEqual(Array(40).fill(30));
    expect((await bring(workspace)).counts).toMatchObject({ listed: 60, known: 60, missing: 0 });
  });

  it('are only counted by a plan', async () => {
    const workspace = await openWorkspace();
    await workspace.makeCalls(20, 5 * DAY);
    const done = await bring(workspace, { plan: true });
    expect(done).toMatchObject({ result: 'complete', counts: { listed: 20, missing: 20, enqueued: 0 } });
    expect(await workspace.store.ledger.count()).toBe(0);
    expect(workspace.sandbox.control.requests().by_operation['calls read']).toBeUndefined();
    expect((await bring(workspace)).resumed).toBe(false);
  });

  it('of one agent leave the others alone, and the end of a span is not in it', async () => {
    const workspace = await openWorkspace();
    const calls = await workspace.makeCalls(60, 8 * DAY);
    const agents = (await findAgents(workspace.api, workspace.source, { signal })).slice(0, 1);
    const to = Math.max(...calls.map(({ started }) => started));
    await bring(workspace, { agents, to });
    const wanted = calls.filter(({ agent, started }) => agent.model_id === agents[0]?.id && started < to);
    expect(await workspace.store.ledger.count()).toBe(wanted.length);
  });

  it('that ended a moment ago are left to their webhooks', async () => {
    const workspace = await openWorkspace();
    await workspace.makeCalls(6, HOUR);
    const done = await bring(workspace);
    expect(done.counts).toMatchObject({ listed: 6, young: 2, enqueued: 4 });
  });
});

describe('a backfill that was interrupted', () => {
  it('goes on where it stopped, and tells the whole in the end', async () => {
    const workspace = await openWorkspace();
    const calls = await workspace.makeCalls(80, 8 * DAY);
    const stop = new AbortController();
    const from = Date.now() - 10 * DAY;
    const interrupted = bring(workspace, {
      ...{ from, signal: stop.signal },
      onProgress: (counts) => {
        if (counts.enqueued >= 30) stop.abort(new Error('interrupted'));
      },
    });
    await expect(interrupted).rejects.toThrow('interrupted');
    const before = listed(workspace);
    expect(await workspace.store.ledger.count()).toBeLessThan(80);
    // "The last ten days", said a little later.
    const done = await bring(workspace, { from: from + 5_000 });
    expect(done).toMatchObject({ result: 'complete', resumed: true });
    expect(await workspace.store.ledger.count()).toBe(calls.length);
    expect(done.counts.listed).toBe(80);
    const whole = listed(workspace) - before;
    await bring(workspace);
    expect(whole).toBeLessThan(listed(workspace) - before - whole);
  });

  it('waits for a Synthflow that does not answer for a while, and for as long as it asks', async () => {
    const workspace = await openWorkspace();
    await workspace.makeCalls(10, 5 * DAY);
    const { control } = workspace.sandbox;
    control.fault({ kind: 'status', status: 503, path: '/v2/calls\\?', times: 8 });
    const waits: string[] = [];
    const done = await bring(workspace, { onWait: ({ code }) => waits.push(code) });
    expect(done).toMatchObject({ result: 'complete', counts: { listed: 10, enqueued: 10 } });
    expect(waits.length).toBeGreaterThan(1);
    expect(new Set(waits)).toEqual(new Set(['unavailable']));
  });

  it('gives up on a key that is refused, and says so', async () => {
    const workspace = await openWorkspace();
    await workspace.makeCalls(10, 5 * DAY);
    const agents = await findAgents(workspace.api, workspace.source, { signal });
    workspace.sandbox.control.settings({ synthflow: { api_key: 'another' } });
    const done = await bring(workspace, { agents });
    expect(done).toMatchObject({ result: 'failed', agents: 0, troubles: [{ code: 'unauthorized' }] });
  });
});

it('history waits for the workers before it fills Redis', async () => {
  const workspace = await openWorkspace();
  await workspace.makeCalls(120, 2 * HOUR);
  const waits: number[] = [];
  const { store } = workspace;
  const room = makeBackpressure({
    store,
    source: 'main',
    connections: ['sales'],
    signal,
    most: 50,
    onWait: (jobs) => waits.push(jobs),
  });
  let settled = false;
  const done = bring(workspace, { waitForCapacity: room, before: Date.now() }).finally(() => {
    settled = true;
  });
  await expect.poll(() => waits.length).toBeGreaterThan(0);
  expect(settled).toBe(false);
  await store.queues.get('calls').drain();
  expect((await done).counts.enqueued).toBe(120);
});

describe('from the webhook logs', () => {
  const logs = { workspace_id: 'sandbox-workspace' };

  /** Calls whose webhooks reached no server, and are in the logs. */
  async function openWithLogs(calls: number, change = {}) {
    const workspace = await openWorkspace({ ...logs, ...change });
    const spec = { calls, rate: 5_000, pace: 1, lose: 1, webhook: 'http://127.0.0.1:9/webhooks/main/post-call' };
    await workspace.sandbox.control.demo(spec);
    await sleep(5);
    return { workspace, made: workspace.sandbox.control.calls() };
  }

  it('what was sent is brought in as it was, each call once', async () => {
    const { workspace, made } = await openWithLogs(70);
    await workspace.receive(made[0] as VoiceCall);
    const done = await bring(workspace, { from_logs: true, before: Date.now() });
    expect(done).toMatchObject({ result: 'complete', counts: { listed: 70, known: 1, missing: 69, enqueued: 69 } });
    const id = (made[5] as VoiceCall).id;
    const entry = await workspace.store.ledger.read('main', id);
    expect(entry).toMatchObject({ received: 'backfill', verified: 'api' });
    const body = await workspace.store.payloads.read('main', id, entry?.revisions[0]?.hash ?? '');
    expect(JSON.parse(String(body))).toMatchObject({
      call: { call_id: id },
      lead: { phone_number: expect.any(String) },
    });
  });

  it('a workspace that the key may not see is reported', async () => {
    const { workspace } = await openWithLogs(1, { workspace_id: 'another' });
    const done = await bring(workspace, { from_logs: true, before: Date.now() });
    expect(done).toMatchObject({ result: 'failed', troubles: [{ code: 'forbidden', hint: /workspace_id/ }] });
  });
});
