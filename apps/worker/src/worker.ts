/**
 * What one worker process does: `calls` become deliveries, each connection's deliveries are written, and upkeep runs. How
 * the queues are served is in `bullmq/queue-workers.ts`.
 */
import { type Config, goodClientTexts } from '@wrapup/config';
import { Failure, type Log, withDeadline } from '@wrapup/destination';
import { ClientFiles, deliveriesQueue, type Store } from '@wrapup/queue';
import { LogThrottle, type Metrics } from '@wrapup/telemetry';
import { QueueWorkers } from './bullmq/queue-workers.ts';
import { CallWorker } from './calls/call-worker.ts';
import { Verifier } from './calls/verifier.ts';
import { CircuitMonitor } from './deliveries/circuit-monitor.ts';
import { ConnectionPool } from './deliveries/connection-pool.ts';
import { DeliveryWorker } from './deliveries/delivery-worker.ts';
import { DeliveryWriter } from './deliveries/delivery-writer.ts';
import { PendingArrivals } from './deliveries/pending-arrivals.ts';
import { countWork, type WorkCounts } from './metrics.ts';
import { PayloadRoom } from './payloads/payload-room.ts';
import { alertBrokenClient, queueAlert, startAlerts } from './upkeep/alerts.ts';
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
  /** Milliseconds from the start to the first comparison of mappings and accounts; for tests. */
  first_schema_check?: number;
  /** Called for connection errors, which the queues and the connection both report. */
  onError(error: Error): void;
}

export interface RunningWorker {
  /** Serves the connections that a reload brought. The queues of removed ones are left, with their calls. */
  reconfigure(): Promise<void>;
  /** Names of queues with waiting jobs of which none has been finished for `ms`. */
  stuck(ms: number): Promise<string[]>;
  /** Takes no new job and finishes those in hand, or gives up at `deadline` ms; what is left is redelivered. */
  close(deadline?: number): Promise<void>;
}

/** Between two log lines about one source that does not let its calls be read. */
const REFUSED_LOG_EVERY_MS = 60_000;

export async function startWorker(parts: WorkerParts): Promise<RunningWorker> {
  const { store, config, reload = async () => config(), log, metrics, onError, first_schema_check } = parts;
  const count = countWork(metrics);
  const workers = new QueueWorkers(store, config, onError);
  const pool = new ConnectionPool({
    ...{ store, config, log },
    // If the connection is paused, its old settings may be why.
    onSettingsChanged: (connection) => void store.connections.probeNow(connection).catch(() => {}),
  });
  const monitor = new CircuitMonitor({
    ...{ store, log, count: count.circuit },
    probe: (connection) => pool.probe(connection),
    onChange: (connection, change) => queueAlert(store, config(), connection, change),
  });
  const pending = new PendingArrivals();
  const room = new PayloadRoom();
  const verifier = openVerifier(store, config, count, log);
  const calls = new CallWorker({ store, config, reload, log, count: count.call, verifier, pending, room });
  const writer = new DeliveryWriter({ pool, monitor, pending, onBatch: count.batch });
  const deliveries = new DeliveryWorker({
    ...{ store, config, reload, log, writer, monitor, pending, room },
    count: count.delivery,
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
  count.clients(() => Object.values(config().clients));
  const reconfigure = async (): Promise<void> => {
    await clientFiles.keep(goodClientTexts(config()));
    await clientFiles.forgetOthers(Object.keys(config().clients));
    for (const client of Object.values(config().clients)) await alertBrokenClient(store, config(), client);
    await reconciler.schedule();
    const connections = Object.keys(config().connections);
    for (const connection of connections) {
      try {
        // Also where its queue is served already: this is where its new settings are taken over.
        const { destination } = await pool.open(connection);
        if (!workers.has(deliveriesQueue(connection))) deliveries.start(workers, connection, destination.batch);
      } catch (error) {
        const { message, hint } = Failure.of(error);
        log.error({ connection, reason: message, hint }, 'a connection could not be opened; its calls wait');
      }
    }
    const served = new Set(connections.map(deliveriesQueue));
    await workers.closeUnwanted((queue) => queue.startsWith(deliveriesQueue('')) && !served.has(queue));
    await monitor.watch(connections);
    await schemaDriftCheck.schedule();
  };

  calls.start(workers);
  startAlerts(workers, { config, log, count: count.alert, notify: (to, notice) => pool.notify(to, notice) });
  await startSweep(workers, { store, config, log });
  await reconfigure();

  return {
    reconfigure,
    stuck: (ms) => workers.stuck(ms),
    async close(deadline = 25_000) {
      monitor.close();
      schemaDriftCheck.stop();
      reconciler.stop();
      const late = new Error('The batch in hand did not finish in time.');
      await withDeadline(workers.close(), deadline, () => late).catch(async (error) => {
        if (error !== late) throw error;
        log.warn({ deadline_ms: deadline }, 'the batch in hand did not finish in time; it will be redelivered');
        pool.abort();
        verifier.abort();
        await workers.drop();
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
