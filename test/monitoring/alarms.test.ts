/** Each alarm fires in a run that was made for it, with real processes, and stays silent in a clean one. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openIntake } from '../../packages/queue/src/index.ts';
import { makeConfig, postSigned, SALES } from '../support/config.ts';
import { PATIENCE } from '../support/patience.ts';
import type { Process } from '../support/process.ts';
import { type PrivateRedis, startRedis } from '../support/redis.ts';
import { sampleOf } from '../support/sample-caller.ts';
import { openSystem, type TestSystem } from '../support/system.ts';
import { type Listening, listenTiny } from '../support/tiny-server.ts';
import { firingAlarms, hasPromtool, readAlertRules, type Scrape, scrape } from './evaluate.ts';

if (!hasPromtool) console.warn('promtool (Debian: apt-get install prometheus) is missing: alarms are not tried');

/** Alarms that fired, over all runs of this file. */
const fired = new Set<string>();
const EVERY_ALARM = readAlertRules().map(({ alert }) => alert);

/** A machine that runs other tests beside is as slow as one that has too much to do. */
const OF_MACHINE = new Set(['WrapupEventLoopSlow', 'WrapupRedisSlow']);

const MAPPINGS = {
  'parks.yaml': 'extends: hubspot/call-log\nperson: { unmatched: park }\n',
  'loses.yaml':
    'extends: hubspot/call-log\nperson: { fields: { numemployees: { from: vars.revenue, transform: number } } }\n',
};
/** `case` of a payload chooses the route. */
const ROUTES = ['parks', 'loses'].map(
  (name) =>
    `- { name: ${name}, to: sales, mapping: ${name}.yaml, when: { path: vars.case, equals: ${name} }, retries: { attempts: 1 } }`,
);
const USUAL_ROUTE = '- { name: sales-calls, to: sales, mapping: mapping.yaml, retries: { attempts: 1 } }';

let number = 100;
function sample(vars: Record<string, unknown> = {}) {
  number += 1;
  return sampleOf('connected', `+14155550${number}`, vars);
}

describe.skipIf(!hasPromtool)('a system', () => {
  let redis: PrivateRedis;
  let system: TestSystem;
  let worker: Process;
  let endpoint: Listening;
  let endpointStatus = 200;
  let ports: Record<string, number>;

  beforeAll(async () => {
    redis = await startRedis({ args: ['--maxmemory', '512mb'] });
    endpoint = await listenTiny((_body, _request, response) => response.writeHead(endpointStatus).end('{}'));
    system = await openSystem({
      redis: redis.url,
      config: makeConfig({
        connections: [SALES, `ops: { kind: http, url: "${endpoint.url}", allow_private: true }`],
        routes: [...ROUTES, USUAL_ROUTE],
        rest: 'alerts: { to: ops }',
      }),
      files: MAPPINGS,
    });
    const [ingress, dashboard] = await Promise.all([system.startIngress(), system.startDashboard()]);
    worker = await system.startWorker();
    ports = { ingress: ingress.port, worker: worker.port, dashboard: dashboard.port };
    await deliver();
  });
  afterAll(async () => {
    redis.resume();
    await system.close();
    await endpoint.close();
    await redis.stop();
  });

  /** Sends a call and waits for its end. */
  async function deliver(vars?: Record<string, unknown>) {
    const payload = sample(vars);
    await system.post(payload);
    return counted(payload.call.call_id);
  }
  /** Waits for the end of a call, and until the worker has counted it, which it does a moment after the ledger has it. */
  async function counted(callId: string) {
    const entry = await system.settled(callId);
    const ends = ['delivered', 'not delivered'];
    const isSaid = () => worker.lines.some(({ msg, call_id }) => call_id === callId && ends.includes(String(msg)));
    await vi.waitUntil(isSaid, PATIENCE);
    return entry;
  }
  const exported = async (process: string) => (await fetch(`http://127.0.0.1:${ports[process]}/metrics`)).text();
  const drop = async (callId: string) => {
    const entry = await system.store.ledger.read('main', callId);
    const why = { reason: 'test', by: { name: 'test' } };
    if (entry?.stopped) await system.store.operations.dropCall('main', callId, why);
    for (const { route, state } of entry?.deliveries ?? [])
      if (state === 'parked' || state === 'dead') await system.store.operations.drop('main', callId, route, why);
  };
  const askRedis = (...words: [string, ...string[]]) => system.store.redis.call(...words);
  /** A job that has been ready for ten minutes. */
  const addOldJob = (queue: ReturnType<TestSystem['store']['queues']['deliveries']>) =>
    queue.add(
      'old',
      { source: 'main', call_id: `old-${number++}`, revision: 'r', route: 'sales-calls', replays: 0 },
      { timestamp: Date.now() - 600_000 },
    );

  /**
   * Which alarms fire when what `act` does goes on.
   * @param act gives what puts it right again
   * @param ofMachine with those that a busy machine raises by itself, whatever `act` does
   */
  async function during(
    act: () => Promise<(() => Promise<unknown>) | undefined>,
    ofMachine = false,
  ): Promise<string[]> {
    const before = await scrape(ports);
    let undo: (() => Promise<unknown>) | undefined;
    let after: Scrape;
    try {
      undo = await act();
      after = await scrape(ports);
    } finally {
      system.sandbox.control.clearFaults();
    }
    await undo?.();
    const found = (await firingAlarms(before, after)).filter((alarm) => ofMachine || !OF_MACHINE.has(alarm));
    for (const alarm of found) fired.add(alarm);
    return found;
  }

  it('raises no alarm while calls are written', async () => {
    const found = await during(async () => {
      for (let calls = 0; calls < 5; calls += 1) await deliver();
      return undefined;
    });
    expect(found).toEqual([]);
    fired.clear();
  });

  it('raises one when a connection stops itself, and none for the calls that wait for it', async () => {
    const found = await during(async () => {
      endpointStatus = 500;
      system.sandbox.control.fault({ api: 'hubspot', kind: 'unauthorized', times: null });
      const payload = sample();
      await system.post(payload);
      await vi.waitUntil(async () => (await system.store.connections.read('sales')).circuit === 'open', PATIENCE);
      await vi.waitUntil(async () => /alerts_total\{result="failed"\} [1-9]/.test(await exported('worker')), PATIENCE);
      await addOldJob(system.store.queues.deliveries('sales'));
      return async () => {
        endpointStatus = 200;
        await system.store.connections.probeNow('sales');
        await system.settled(payload.call.call_id);
      };
    });
    // The request is refused, and so is the probe; the alert about it reaches no one.
    expect(found).toEqual(['WrapupAlertsFail', 'WrapupConnectionPaused', 'WrapupCrmFails']);
  });

  it('raises one when jobs wait although nothing is paused', async () => {
    const found = await during(async () => {
      const queue = system.store.queues.calls('main');
      await queue.pause();
      await addOldJob(queue as never);
      return () => queue.resume();
    });
    expect(found).toEqual(['WrapupQueueStuck']);
  });

  it('raises one when a delivery is given up', async () => {
    const found = await during(async () => {
      system.sandbox.control.fault({ api: 'hubspot', kind: 'status', status: 503, times: null });
      const { call_id } = await deliver();
      return () => drop(call_id);
    });
    expect(found).toEqual(['WrapupCallsDead', 'WrapupCrmFails']);
  });

  it('raises one when a call waits for a person for a day', async () => {
    const found = await during(async () => {
      const { call_id, deliveries } = await deliver({ case: 'parks' });
      expect(deliveries).toMatchObject([{ state: 'parked' }]);
      return () => drop(call_id);
    });
    expect(found).toEqual(['WrapupCallsParked']);
  });

  it('raises one when a field is left out', async () => {
    const found = await during(async () => {
      expect((await deliver({ case: 'loses', revenue: 'quite a lot' })).deliveries).toMatchObject([
        { state: 'written' },
      ]);
      await vi.waitUntil(async () => (await exported('worker')).includes('wrapup_omissions_total{'), PATIENCE);
      return undefined;
    });
    expect(found).toEqual(['WrapupFieldsLost']);
  });

  it('raises one when the CRM is slow', async () => {
    const found = await during(async () => {
      system.sandbox.control.fault({ api: 'hubspot', kind: 'slow', ms: 5_200 });
      await deliver();
      return undefined;
    });
    expect(found).toEqual(['WrapupCrmSlow']);
  });

  it('raises one when calls are written late', async () => {
    const { call } = sample();
    const intake = openIntake({ url: redis.url, prefix: system.env.WRAPUP_PREFIX, onError() {} });
    const found = await during(async () => {
      const late = {
        ...{ source: 'main', call_id: call.call_id, body: Buffer.from(JSON.stringify({ call })) },
        ...({ received: 'webhook', verified: 'signature', received_at: Date.now() - 120_000 } as const),
      };
      await vi.waitUntil(() => intake.accept(late).catch(() => false), PATIENCE);
      await counted(call.call_id);
      return () => intake.close();
    });
    expect(found).toEqual(['WrapupDeliveriesSlow']);
  });

  it('raises one when the quota of the day runs out', async () => {
    const { keys, redis: client } = system.store;
    const found = await during(async () => {
      const at = Date.now();
      await client.del(keys.dailySamples('sales'));
      await client.hset(keys.daily('sales'), { limit: 1000, remaining: 300, at });
      await client.lpush(keys.dailySamples('sales'), `${at - 1_800_000} 600`);
      return () => client.del(keys.daily('sales'), keys.dailySamples('sales'));
    });
    expect(found).toEqual(['WrapupQuotaRunsOut']);
  });

  it('raises one when no signature is right', async () => {
    const found = await during(async () => {
      const answer = await postSigned(ports.ingress, sample(), 'another-webhook-secret-for-tests');
      expect(answer.status).toBe(401);
      return undefined;
    });
    expect(found).toEqual(['WrapupSignaturesRefused']);
  });

  it('raises one when a call comes again and again', async () => {
    const payload = sample();
    const { call_id } = payload.call;
    const found = await during(async () => {
      for (let copy = 0; copy < 10; copy += 1) await system.post({ ...payload, copy } as typeof payload);
      await system.settled(call_id);
      await vi.waitUntil(async () => (await system.store.ledger.read('main', call_id))?.stopped, PATIENCE);
      return () => drop(call_id);
    });
    // Without a key to read it again, the call waits for a person as well.
    expect(found).toEqual(['WrapupCallsParked', 'WrapupRevisionsIgnored']);
  });

  it('raises one when a process is too busy to turn its event loop', async () => {
    const found = await during(async () => {
      process.kill(worker.pid, 'SIGSTOP');
      await new Promise((done) => setTimeout(done, 1_500));
      process.kill(worker.pid, 'SIGCONT');
      return undefined;
    }, true);
    expect(found).toContain('WrapupEventLoopSlow');
  });

  it('raises one when Redis is slow to write', async () => {
    const found = await during(async () => {
      redis.pause();
      const posted = system.post(sample());
      await new Promise((done) => setTimeout(done, 450));
      redis.resume();
      expect((await posted).status).toBe(202);
      return undefined;
    }, true);
    expect(found).toContain('WrapupRedisSlow');
    expect(found.filter((alarm) => !OF_MACHINE.has(alarm))).toEqual([]);
  });

  it('raises one when Redis is nearly full, and one when it keeps nothing on its disk', async () => {
    const full = await during(async () => {
      const used = Number(/used_memory:(\d+)/.exec(String(await askRedis('INFO', 'memory')))?.[1]);
      await askRedis('CONFIG', 'SET', 'maxmemory', String(Math.round(used / 0.85)));
      return () => askRedis('CONFIG', 'SET', 'maxmemory', '512mb');
    });
    expect(full).toEqual(['WrapupRedisNearlyFull']);
    const volatile = await during(async () => {
      await askRedis('CONFIG', 'SET', 'appendonly', 'no');
      return () => askRedis('CONFIG', 'SET', 'appendonly', 'yes');
    });
    expect(volatile).toEqual(['WrapupRedisNotDurable']);
  });

  it('raises one when Redis is away, for which webhooks are refused', async () => {
    const found = await during(async () => {
      redis.pause();
      expect((await system.post(sample())).status).toBe(503);
      return async () => {
        redis.resume();
        await vi.waitUntil(async () => (await exported('dashboard')).includes('wrapup_redis_up 1'), PATIENCE);
      };
    });
    expect(found).toEqual(['WrapupRedisDown', 'WrapupWebhooksRefused']);
  });

  it('raises one when a process is gone', async () => {
    const found = await during(async () => {
      await worker.kill();
      return undefined;
    });
    expect(found).toEqual(['WrapupProcessMissing']);
  });
});

describe.skipIf(!hasPromtool)('an installation that is set up wrongly', () => {
  it('raises one for each thing that is wrong, and for webhooks that do not arrive', async () => {
    const source = ['api_key: any-key', 'base_url: "${SYNTHFLOW_BASE_URL}"', 'trust: api'];
    source.push('reconcile: { every: 1m, grace: 0s }');
    const system = await openSystem({
      config: makeConfig({ source }),
      mapping: 'extends: hubspot/call-log\nperson: { fields: { nowhere: vars.budget } }\n',
      files: { 'clients/acme.yaml': 'nonsense: true\n' },
    });
    try {
      await system.sandbox.control.demo({ calls: 3, past: 3_600_000 });
      const [worker, ingress, dashboard] = await Promise.all([
        system.startWorker(),
        system.startIngress(),
        system.startDashboard(),
      ]);
      const exports = (pattern: RegExp) => async () =>
        pattern.test(await (await fetch(`http://127.0.0.1:${worker.port}/metrics`)).text());
      await vi.waitUntil(exports(/reconcile_runs_total\{source="main",result="complete"\} [1-9]/), PATIENCE);
      await vi.waitUntil(exports(/mapping_findings\{connection="sales",severity="error"\} [1-9]/), PATIENCE);
      system.sandbox.control.fault({ api: 'synthflow', kind: 'unauthorized', times: null });
      await system.post(sample());
      await vi.waitUntil(exports(/source_api_requests_total\{source="main",result="unauthorized"\} [2-9]/), PATIENCE);
      const nothing = { at: Date.now() / 1000, series: new Map() };
      const ports = { worker: worker.port, ingress: ingress.port, dashboard: dashboard.port };
      const found = (await firingAlarms(nothing, await scrape(ports))).filter((alarm) => !OF_MACHINE.has(alarm));
      for (const alarm of found) fired.add(alarm);
      // A property that is missing is left out of what is written, and the Redis that tests share keeps no file.
      expect(found).toEqual([
        ...['WrapupClientBroken', 'WrapupFieldsLost', 'WrapupMappingDoesNotFit', 'WrapupReconcileLate'],
        ...['WrapupRedisNotDurable', 'WrapupSourceApiRefuses', 'WrapupWebhooksMissing'],
      ]);
    } finally {
      await system.close();
    }
  });
});

it.skipIf(!hasPromtool)('every alarm has fired in one of these runs', () => {
  expect([...fired].sort()).toEqual([...EVERY_ALARM].sort());
});

it('each alarm has a runbook of its own, and each runbook an alarm', () => {
  const root = resolve(import.meta.dirname, '../..');
  for (const { alert, annotations } of readAlertRules()) {
    const page = join(root, annotations.runbook_url ?? '');
    expect(existsSync(page), `${alert}: ${page}`).toBe(true);
    expect(readFileSync(page, 'utf8')).toContain(`# ${alert}\n`);
  }
  const urls = readAlertRules().map(({ annotations }) => annotations.runbook_url);
  expect(new Set(urls).size).toBe(EVERY_ALARM.length);
});
