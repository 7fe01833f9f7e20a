/** The logical processes: what each is made of is the product's own code, put together as its `main.ts` does. */
import { type Config, loadConfig } from '@wrapup/config';
import type { Log } from '@wrapup/destination';
import { NO_TRACING } from '@wrapup/telemetry';
import { Worker } from 'bullmq';
import { workerOptions } from '../../../apps/worker/src/bullmq/installation-workers.ts';
import type { QueueService } from '../../../apps/worker/src/bullmq/queue-lines.ts';
import { CallWorker } from '../../../apps/worker/src/calls/call-worker.ts';
import { Verifier } from '../../../apps/worker/src/calls/verifier.ts';
import { CircuitMonitor } from '../../../apps/worker/src/deliveries/circuit-monitor.ts';
import { ConnectionPool } from '../../../apps/worker/src/deliveries/connection-pool.ts';
import { DeliveryWorker } from '../../../apps/worker/src/deliveries/delivery-worker.ts';
import { DeliveryWriter } from '../../../apps/worker/src/deliveries/delivery-writer.ts';
import { PendingArrivals } from '../../../apps/worker/src/deliveries/pending-arrivals.ts';
import { PayloadRoom } from '../../../apps/worker/src/payloads/payload-room.ts';
import { RecentCalls } from '../../../apps/worker/src/payloads/recent-calls.ts';
import { type Intake, openIntake, openStore, RungBackend, type Store } from '../../../packages/queue/src/index.ts';
import { makeConfig } from '../../support/config.ts';
import { PREFIX } from '../world/redis-gate.ts';

/** Of the processes, never connected to: what they send is held before. */
const ADDRESS = { url: 'redis://127.0.0.1:1', prefix: PREFIX, index_key: Buffer.alloc(32, 7).toString('base64') };

const nothing = () => {};
const silent: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Jobs of one queue in hand at once. */
const AT_ONCE = 2;

export const CONNECTION = 'sales';
export const ROUTE = 'sales-calls';

/** What is in force where: a deployment takes the second in place of the first. */
const MAPPINGS = [
  `
extends: hubspot/call-log
person:
  fields:
    jobtitle: vars.title
`,
  `
extends: hubspot/call-log
person:
  fields:
    jobtitle: vars.title
call_log:
  title: "Other: {{ call.outcome }}"
`,
];

/** @param crm address of the CRM */
export function loadConfigs(crm: string): Promise<Config[]> {
  const routes = [`- { name: ${ROUTE}, to: ${CONNECTION}, mapping: mapping.yaml, retries: { base: 500ms, cap: 5s } }`];
  const env = { SYNTHFLOW_WEBHOOK_SECRET: 'a-secret-to-explore-with', HUBSPOT_ACCESS_TOKEN: 'pat-na1-explore' };
  return Promise.all(
    MAPPINGS.map(async (mapping) => {
      const unsaved = new Map([
        ['/explore/wrapup.yaml', makeConfig({ routes })],
        ['/explore/mapping.yaml', mapping],
      ]);
      const { config, findings } = await loadConfig({
        file: '/explore/wrapup.yaml',
        unsaved,
        env: { ...env, HUBSPOT_BASE_URL: crm },
      });
      if (!config) throw new Error(findings.map(({ message }) => message).join('\n'));
      return config;
    }),
  );
}

export function openLogicalStore(role: 'worker' | 'producer'): Store {
  return openStore({ ...ADDRESS, role, onError: nothing });
}

export function openLogicalIntake(): Intake {
  return openIntake({ ...ADDRESS, onError: nothing });
}

export interface LogicalWorker {
  store: Store;
  config: Config;
  /** Its lines, each of which can be made to look at its queue. */
  lines: { queue: string; backend: RungBackend }[];
  /** Jobs in hand. */
  inHand: number;
}

/**
 * A worker without what serves an operator: the queues of calls and of one connection, the circuit, and BullMQ's own loops.
 * @param files what the configuration's files say now
 */
export async function openLogicalWorker(config: Config, files: () => Config): Promise<LogicalWorker> {
  const store = openLogicalStore('worker');
  const worker: LogicalWorker = { store, config, lines: [], inHand: 0 };
  const inForce = () => worker.config;
  const reload = async () => {
    worker.config = files();
    return worker.config;
  };
  const log = silent;
  const pool = new ConnectionPool({
    ...{ store, log, tracing: NO_TRACING },
    config: inForce,
    count: nothing,
    onSettingsChanged: nothing,
  });
  const monitor = new CircuitMonitor({
    ...{ store, log, count: { change: nothing, probe: nothing } },
    probe: (connection) => pool.probe(connection),
    onChange: async () => {},
  });
  const pending = new PendingArrivals();
  const room = new PayloadRoom();
  const shared = { store, reload, log, tracing: NO_TRACING, pending, room, recent: new RecentCalls(), config: inForce };
  const calls = new CallWorker({ ...shared, count: nothing, verifier: new Verifier(store, inForce) });
  const writer = new DeliveryWriter({
    pool,
    monitor,
    pending,
    ledger: store.ledger,
    tracing: NO_TRACING,
    onBatch: nothing,
  });
  const deliveries = new DeliveryWorker({
    ...{ ...shared, writer, monitor },
    count: { delivery: nothing, latency: nothing, omission: nothing },
  });
  const { destination } = await pool.open(CONNECTION);
  const serve = (queue: string, service: QueueService) => {
    let backend: RungBackend | undefined;
    const line = new Worker(
      queue,
      async (job, token = '') => {
        worker.inHand += 1;
        try {
          await service.run(job, token);
        } finally {
          worker.inHand -= 1;
          backend?.ring();
        }
      },
      { ...workerOptions(store, inForce), concurrency: AT_ONCE },
      (name, options) => {
        backend = new RungBackend(name, options);
        return backend;
      },
    );
    line.on('error', nothing);
    line.on('failed', (job) => {
      if (job?.finishedOn) service.onFailed?.();
    });
    worker.lines.push({ queue, backend: backend as unknown as RungBackend });
  };
  serve('calls', calls.service);
  serve(`deliveries.${CONNECTION}`, deliveries.service(CONNECTION, destination.batch));
  await monitor.watch([CONNECTION]);
  return worker;
}
