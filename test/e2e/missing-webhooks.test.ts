/** Webhooks that never come, through real processes: what is lost is found at Synthflow, and written once. */
import { afterEach, describe, expect, it } from 'vitest';
import { wrapup } from '../../apps/cli/test/support/run.ts';
import { RunStore } from '../../packages/recovery/src/index.ts';
import { makeConfig } from '../support/config.ts';
import { openSystem, SECRET, type TestSystem } from '../support/system.ts';

let system: TestSystem;
afterEach(() => system.close());

const SOURCE = ['api_key: any-key', 'base_url: "${SYNTHFLOW_BASE_URL}"'];

/** Every call of the voice platform is in the CRM, and none of them twice. */
async function expectEachOnce() {
  const wanted = system.sandbox.control.calls().map(({ id }) => `main:${id}`);
  const written = async () => (await system.crm('calls')).map(({ properties }) => String(properties.wrapup_call_id));
  await expect.poll(async () => (await written()).length, { interval: 200 }).toBe(wanted.length);
  expect((await written()).sort()).toEqual(wanted.sort());
}

describe('a demo that loses webhooks', () => {
  it('has every call in the CRM after reconciliation, each once', async () => {
    system = await openSystem({ config: makeConfig({ source: SOURCE }) });
    // A search index that lags makes later calls of one person wait; here only the calls matter.
    system.sandbox.control.settings({ hubspot: { search_lag: 0, limits: { search_per_second: null } } });
    await Promise.all([system.startIngress(), system.startWorker()]);
    const { port } = system.ingress ?? { port: 0 };
    const status = await system.sandbox.control.demo({
      ...{ calls: 40, rate: 1_000, pace: 1, lose: 0.15, secret: SECRET },
      webhook: `http://127.0.0.1:${port}/webhooks/main/post-call`,
    });
    expect(status.webhooks).toEqual({ sent: 34, lost: 6, answers: { 202: 34 } });

    const run = await wrapup(['reconcile', '--grace', '0s'], system.env);
    expect(run.stderr).toBe('');
    expect(run.stdout).toContain('main: 40 listed, 34 known, 6 missing, 6 enqueued (2 agents)');
    expect(run.code).toBe(0);
    await expectEachOnce();

    const again = await wrapup(['reconcile', '--grace', '0s', '--json'], system.env);
    expect(again.json()).toMatchObject({
      ok: true,
      sources: [{ source: 'main', result: 'complete', listed: 40, known: 40, missing: 0, enqueued: 0 }],
    });
    const received = await system.store.ledger.list({ limit: 100 });
    expect(received.filter((entry) => entry.received === 'reconciled')).toHaveLength(6);

    // A webhook that comes late, after its call was found missing, says nothing new.
    const late = received.find((entry) => entry.received === 'reconciled')?.call_id as string;
    const logs = await fetch(`${system.sandbox.synthflowUrl}/v2/logs?workspace_id=sandbox-workspace&call_id=${late}`, {
      headers: { authorization: 'Bearer any-key' },
    });
    const [{ webhook_log_id }] = ((await logs.json()) as { response: { items: [{ webhook_log_id: string }] } }).response
      .items;
    const log = await fetch(`${system.sandbox.synthflowUrl}/v2/logs/${webhook_log_id}?workspace_id=sandbox-workspace`, {
      headers: { authorization: 'Bearer any-key' },
    });
    const { request_payload } = ((await log.json()) as { response: { request_payload: never } }).response;
    expect((await system.post(request_payload)).status).toBe(202);
    const entry = await system.settled(late);
    expect(entry.revisions.map(({ effect }) => effect)).toEqual(['applied', expect.stringMatching(/equal|added/)]);
    expect(await system.crm('calls')).toHaveLength(40);
  });
});

describe('the schedule', () => {
  it('has one worker reconcile at a time, and another take over what a killed one had begun', async () => {
    const config = makeConfig({ source: [...SOURCE, 'reconcile: { every: 1m, grace: 0s }'] });
    system = await openSystem({ config });
    system.sandbox.control.settings({
      synthflow: { latency: 150 },
      hubspot: { search_lag: 0, limits: { search_per_second: null } },
    });
    await system.sandbox.control.demo({ calls: 60, past: 3 * 3600_000 });
    const runs = new RunStore(system.store, 'main');
    const first = await system.startWorker();
    // Killed while it reads what is missing.
    await expect.poll(() => system.store.ledger.count(), { interval: 20 }).toBeGreaterThan(3);
    expect(await runs.running()).toMatchObject({ by: 'schedule' });
    await first.kill();
    expect(await system.store.ledger.count()).toBeLessThan(60);
    expect(await runs.last()).toBeUndefined();

    const workers = await Promise.all([system.startWorker(), system.startWorker()]);
    await expect
      .poll(() => runs.last(), { interval: 100 })
      .toMatchObject({
        ...{ result: 'complete', by: 'schedule', resumed: true, agents: 2 },
        counts: { listed: 60 },
      });
    await expectEachOnce();
    // Each call was read from the list once a pass, by one worker: two agents, and what the killed one had listed.
    expect(system.sandbox.control.requests().by_operation['calls list']).toBeLessThanOrEqual(4);
    const metrics = await Promise.all(
      workers.map(async ({ port }) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()),
    );
    const counted = /^wrapup_reconcile_runs_total\{source="main",result="complete"\} 1$/m;
    expect(metrics.filter((text) => counted.test(text))).toHaveLength(1);
  });
});
