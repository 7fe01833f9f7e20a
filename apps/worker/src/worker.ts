/**
 * What one worker process does: `calls` become deliveries, each connection's deliveries are written, and upkeep runs. How
 * the queues are served is in `bullmq/queue-lines.ts` and `bullmq/installation-workers.ts`.
 */
import { own } from '@wrapup/call';
import { type Config, goodFiles, retentionOf } from '@wrapup/config';
import { type Log, withDeadline } from '@wrapup/destination';
import { ClientFiles, callsQueues, connectionOf, deliveriesQueue, type Store } from '@wrapup/queue';
import { LogThrottle, type Metrics, NO_TRACING, type Tracing, watchClients } from '@wrapup/telemetry';
import { InstallationWorkers, workerOptions } from './bullmq/installation-workers.ts';
import { QueueLines } from './bullmq/queue-lines.ts';
import { CallWorker } from './calls/call-worker.ts';
import { Verifier } from './calls/verifier.ts';
import { CircuitMonitor } from './deliveries/circuit-monitor.ts';
import { ConnectionPool } from './deliveries/connection-pool.ts';
import { DeliveryWorker } from './deliveries/delivery-worker.ts';
import { DeliveryWriter } from './deliveries/delivery-writer.ts';
import { PendingArrivals } from './deliveries/pending-arrivals.ts';
import { countWork, type WorkCounts } from './metrics.ts';
import { PayloadRoom } from './payloads/payload-room.ts';
import { RecentCalls } from './payloads/recent-calls.ts';
import { alertBrokenClient, queueAlert, startAlerts } from './upkeep/alerts.ts';
import { startDigests } from './upkeep/digests.ts';
import { Reconciler } from './upkeep/reconciler.ts';
import { SchemaDriftCheck } from './upkeep/schema-drift-check.ts';
import { startSweep } from './upkeep/sweep.ts';

interface WorkerParts {
  store: Store;
  /** The configuration in force; a reload replaces it whole. */
  config: () => Config;
  /** Takes over what the files of the configuration say now, and returns what is in force. */
  reload?(): Promise<Config>;
  log: Log;
  metrics: Metrics;
  /** Default: no traces. */
  tracing?: Tracing;
  /** Where browsers reach the dashboard: digests link to it. Default: they link to nothing. */
  dashboard?: string | undefined;
  /** Milliseconds from the start to the first comparison of mappings and accounts; for tests. */
  first_schema_check?: number;
  /** Called for connection errors, which the queues and the connection both report. */
  onError(error: Error): void;
}

export interface RunningWorker {
  /** Serves the clients and connections that a reload brought. The queues of removed ones are left, with their calls. */
  reconfigure(): Promise<void>;
  /** Names of queues with waiting jobs of which none has been finished for `ms`. */
  stuck(ms: number): Promise<string[]>;
  /** Takes no new job and finishes those in hand, or gives up at `deadline` ms; what is left is redelivered. */
  close(deadline?: number): Promise<void>;
}

/** Between two log lines about one source that does not let its calls be read. */
const REFUSED_LOG_EVERY_MS = 60_000;

/** Milliseconds until files of clients are kept that ingress had not settled: it mostly does a moment later. */
const KEEP_AGAIN_MS = { first: 500, most: 20_000 };

export async function startWorker(parts: WorkerParts): Promise<RunningWorker> {
  const {
    store,
    config,
    reload = async () => config(),
    log,
    metrics,
    onError,
    first_schema_check,
    dashboard,
    tracing = NO_TRACING,
  } = parts;
  const count = countWork(metrics);
  const workers = new InstallationWorkers(store, config, onError);
  const pool = new ConnectionPool({
    ...{ store, config, log, tracing, count: count.request },
    onSettingsChanged: (connection) => {
      writer.letGo(connection);
      // If the connection is paused, its old settings may be why.
      store.connections.probeNow(connection).catch(() => {});
    },
  });
  const monitor = new CircuitMonitor({
    ...{ store, log, count: count.circuit },
    probe: (connection) => pool.probe(connection),
    onChange: (connection, change) => queueAlert(store, config(), connection, change),
  });
  const pending = new PendingArrivals();
  const room = new PayloadRoom();
  const recent = new RecentCalls();
  const verifier = openVerifier(store, config, count, log);
  const calls = new CallWorker({
    ...{ store, config, reload, log, tracing, count: count.call, verifier, pending, room, recent },
  });
  const writer = new DeliveryWriter({
    ...{ pool, monitor, pending, tracing, onBatch: count.batch },
    ledger: store.ledger,
    gatherOf: (connection) => own(config().connections, connection)?.gather ?? 0,
    handsOf: (connection) => lines.handsOf(deliveriesQueue(connection)),
    keepTiming: (sent, at, requests) => {
      const days = (source: string) => retentionOf(config(), source).delivered_days;
      store.timings.note(sent, { sent: at, requests }, days).catch((error: unknown) => {
        log.debug({ err: error }, 'the times of a batch were not kept');
      });
    },
  });
  const deliveries = new DeliveryWorker({
    ...{ store, config, reload, log, tracing, writer, monitor, pending, room, recent },
    count,
  });
  const reconciler = new Reconciler({ store, config, log, workers, count });
  const schemaDriftCheck = new SchemaDriftCheck(
    {
      ...{ store, config, log, metrics, workers },
      check: (connection, mappings) => pool.check(connection, mappings),
    },
    first_schema_check,
  );

  const clientFiles = new ClientFiles(store);
  watchClients(metrics, () => Object.values(config().clients));
  const lines = new QueueLines({
    ...{ store, log, onError },
    options: workerOptions(store, config),
    served: () => [
      ...callsQueues(Object.keys(config().sources)),
      ...Object.keys(config().connections).map(deliveriesQueue),
    ],
    prepare: async (queue) => {
      const connection = connectionOf(queue);
      if (connection === undefined) return calls.service;
      const { destination } = await pool.open(connection);
      return deliveries.service(connection, destination.batch);
    },
  });
  let keepAgain: NodeJS.Timeout | undefined;
  let isClosing = false;
  /** Ingress takes the same change over a moment earlier or later, or refuses it. */
  const keepFiles = async (wait = KEEP_AGAIN_MS.first): Promise<void> => {
    clearTimeout(keepAgain);
    const unsettled = await clientFiles.keep(goodFiles(config()));
    if (unsettled.length > 0) keepLater(wait);
  };
  const keepLater = (wait: number): void => {
    if (isClosing) return;
    const longer = Math.min(wait * 2, KEEP_AGAIN_MS.most);
    keepAgain = setTimeout(() => keepFiles(longer).catch(() => keepLater(longer)), wait).unref();
  };
  const reconfigure = async (): Promise<void> => {
    await keepFiles();
    await clientFiles.forgetOthers(Object.keys(config().clients));
    for (const client of Object.values(config().clients)) await alertBrokenClient(store, config(), client);
    await reconciler.schedule();
    await pool.reopen();
    lines.reconfigure();
    await monitor.watch(Object.keys(config().connections));
    await schemaDriftCheck.schedule();
  };

  startAlerts(workers, { config, log, count: count.alert, notify: (to, notice) => pool.notify(to, notice) });
  startDigests(workers, {
    ...{ store, config, log, dashboard, count: count.digest },
    send: (to, plan) => pool.send(to, plan),
  });
  await startSweep(workers, { store, config, log });
  await reconfigure();

  return {
    reconfigure,
    stuck: async (ms) => [...(await lines.stuck(ms)), ...(await workers.stuck(ms))],
    async close(deadline = 25_000) {
      isClosing = true;
      clearTimeout(keepAgain);
      writer.stopGathering();
      monitor.close();
      schemaDriftCheck.stop();
      reconciler.stop();
      const late = new Error('The batch in hand did not finish in time.');
      const closed = Promise.all([lines.close(), workers.close()]);
      await withDeadline(closed, deadline, () => late).catch(async (error) => {
        if (error !== late) throw error;
        log.warn({ deadline_ms: deadline }, 'the batch in hand did not finish in time; it will be redelivered');
        pool.abort();
        verifier.abort();
        await Promise.all([lines.drop(), workers.drop()]);
      });
      await pool.close();
      verifier.close();
    },
  };
}

/** A verifier that counts each answer, and logs now and then that a source does not let its calls be read. */
function openVerifier(store: Store, config: () => Config, count: WorkCounts, log: Log): Verifier {
  const throttle = new LogThrottle(REFUSED_LOG_EVERY_MS);
  return new Verifier(store, config, (source, refused) => {
    count.api(source, refused?.code);
    if (!refused || throttle.admit(`${source} ${refused.code}`) === undefined) return;
    log.error({ source, ...refused }, 'calls wait, because Synthflow does not let them be read');
  });
}
