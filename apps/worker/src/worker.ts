/**
 * What one worker process does: `calls` become deliveries, each connection's deliveries are written, and `maintenance`
 * sweeps up. How the queues are served is in `bullmq/queue-workers.ts`.
 */
import type { Config } from '@wrapup/config';
import { Failure, type Log } from '@wrapup/destination';
import {
  ALERTS_QUEUE,
  CALLS_QUEUE,
  type DeliveryJob,
  deliveriesQueue,
  MAINTENANCE_QUEUE,
  RedisLease,
  type Store,
} from '@wrapup/queue';
import { LogThrottle, type Metrics } from '@wrapup/telemetry';
import type { Job } from 'bullmq';
import { asError, delay, isLast, obey } from './bullmq/finish-job.ts';
import { Lines } from './bullmq/queue-workers.ts';
import { routeCall } from './calls/call-worker.ts';
import { Verifier } from './calls/verifier.ts';
import { catchUp, WAIT as WAIT_FOR_CONFIG } from './deliveries/await-config-version.ts';
import { Guard, HELD } from './deliveries/circuit-monitor.ts';
import { Destinations } from './deliveries/connections.ts';
import { processDelivery, type Verdict } from './deliveries/process-delivery.ts';
import { countWork } from './metrics.ts';
import { PayloadRoom } from './payloads/payload-room.ts';
import { type AlertJob, queueAlert } from './upkeep/alerts.ts';
import { Reconciler } from './upkeep/reconciler.ts';
import { Examiner } from './upkeep/schema-drift-check.ts';
import { fileFailedDeliveries, sweep } from './upkeep/sweep.ts';

export interface WorkerDeps {
  store: Store;
  /** The configuration as it is now; reloads replace it whole. */
  config: () => Config;
  /** Looks for the configuration of that hash at once, takes it over if it is there, and answers what is in force. */
  hurry?(wanted: string): Promise<Config>;
  log: Log;
  metrics: Metrics;
  /** Milliseconds from the start to the first comparison of mappings and accounts; for tests. */
  examine_after?: number;
  /** Hears of connection errors, which the queues and the connection both report. */
  onError(error: Error): void;
}

export interface RunningWorker {
  /** Starts lines for connections that a reload brought. Those of removed connections end; their calls are kept. */
  reconfigure(): Promise<void>;
  /** Names of queues with work that nothing has finished for `ms`. */
  stuck(ms: number): Promise<string[]>;
  /** Takes no new job and finishes those in hand, or gives up at `deadline` ms; what is left is redelivered. */
  close(deadline?: number): Promise<void>;
}

const CALLS_AT_ONCE = 50;
/** Deliveries in hand per batch that may fly: enough that the next batch fills while one is in flight. */
const BATCHES_IN_HAND = 3;
const SWEEP_EVERY = 60_000;
/** Sources that one process reconciles at once. */
const RECONCILIATIONS = 2;

export async function startWorker({
  store,
  config,
  hurry = async () => config(),
  log,
  metrics,
  onError,
  examine_after,
}: WorkerDeps): Promise<RunningWorker> {
  const count = countWork(metrics);
  const destinations = new Destinations(store, config, log, count.batch);
  const guard = new Guard({
    store,
    log,
    count: count.circuit,
    probe: (connection) => destinations.probe(connection),
    onChange: (connection, change) => queueAlert(store, config(), connection, change),
  });
  destinations.guard = guard;
  const lease = new RedisLease(store.redis, store.keys);
  const unanswered = new LogThrottle(60_000);
  const verifier = new Verifier(store, config, (source, refused) => {
    count.api(source, refused?.code);
    if (!refused || unanswered.admit(`${source} ${refused.code}`) === undefined) return;
    log.error({ source, ...refused }, 'calls wait, because Synthflow does not let them be read');
  });
  const room = new PayloadRoom();
  const lines = new Lines(store, config, onError);

  lines.start(CALLS_QUEUE, CALLS_AT_ONCE, (job, token) =>
    routeCall(job, token, { store, config, hurry, log, count, verifier, coming: destinations.coming, room }),
  );

  const startLine = (connection: string, size: number): void => {
    const worker = lines.start(
      deliveriesQueue(connection),
      size * BATCHES_IN_HAND,
      async (job: Job<DeliveryJob>, token) => {
        // Taken just before the queue was stopped: handed back unasked.
        if (guard.refusal(connection)) return delay(job, token, HELD);
        const caughtUp = await catchUp(job.data, job.attemptsStarted, config(), hurry);
        if (caughtUp === 'wait') return delay(job, token, WAIT_FOR_CONFIG);
        const planned = destinations.coming.delivery(connection);
        const verdict = await processDelivery(job.data, isLast(job), {
          store,
          config: config(),
          room,
          ...(caughtUp === 'ready' ? {} : { note: caughtUp.note }),
          write: (name, plan, priority) => {
            planned();
            return destinations.write(name, plan, priority);
          },
          lease: (keys, ttl) => lease.take(keys, ttl),
          stopped: (name) => guard.refusal(name) !== undefined,
        }).finally(planned);
        count.delivery(connection, job.data.route, verdict.result);
        report(log, job.data, verdict);
        await obey(verdict, job, token);
      },
    );
    // Filed at once rather than at the next sweep; the sweep is there for when this process dies here.
    worker.on('failed', (job) => {
      if (!job?.finishedOn) return;
      fileFailedDeliveries(store, config(), connection).catch((error) =>
        log.warn({ connection, err: error }, 'dead letters could not be filed now; the sweep will'),
      );
    });
  };

  const reconciler = new Reconciler({ store, config, log, options: lines.options(RECONCILIATIONS), onError, count });

  const examiner = new Examiner(
    {
      ...{ store, config, log, metrics, onError, options: lines.options(1) },
      check: (connection, mappings) => destinations.check(connection, mappings),
    },
    examine_after,
  );

  const reconfigure = async (): Promise<void> => {
    await reconciler.schedule();
    const wanted = new Set(Object.keys(config().connections));
    for (const connection of wanted) {
      try {
        // Also for one that has its line: this is where its new settings are taken over.
        const size = await destinations.batchSize(connection);
        if (!lines.has(deliveriesQueue(connection))) startLine(connection, size);
      } catch (error) {
        const { message, hint } = Failure.of(error);
        log.error({ connection, reason: message, hint }, 'a connection could not be opened; its calls wait');
      }
    }
    const served = new Set([...wanted].map(deliveriesQueue));
    await lines.end((queue) => queue.startsWith(deliveriesQueue('')) && !served.has(queue));
    await guard.watch([...wanted]);
    await examiner.schedule();
  };

  lines.start(ALERTS_QUEUE, 1, async (job: Job<AlertJob>) => {
    const { alerts } = config();
    if (!alerts) return;
    try {
      await destinations.notify(alerts.to, job.data);
      count.alert('sent');
    } catch (error) {
      const failure = Failure.of(error);
      count.alert('failed');
      log.warn({ connection: alerts.to, code: failure.code, reason: failure.message }, 'an alert was not taken');
      throw asError(failure);
    }
  });

  lines.start(MAINTENANCE_QUEUE, 1, async () => {
    const { dead, revived } = await sweep(store, config());
    if (dead + revived > 0) log.info({ dead, revived }, 'the sweep found work');
  });
  const maintenance = store.queues.get(MAINTENANCE_QUEUE);
  await maintenance.upsertJobScheduler(
    'sweep',
    { every: SWEEP_EVERY },
    {
      name: 'sweep',
      opts: { removeOnComplete: { count: 10 }, removeOnFail: { count: 10 } },
    },
  );
  await reconfigure();

  return {
    reconfigure,
    stuck: (ms) => lines.stuck(ms),
    async close(deadline = 25_000) {
      guard.close();
      const closing = Promise.all([examiner.close(), reconciler.close(), lines.close()]);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(() => resolve('late'), deadline);
      });
      if ((await Promise.race([closing, late])) === 'late') {
        log.warn({ deadline_ms: deadline }, 'the batch in hand did not finish in time; it will be redelivered');
        destinations.abort();
        verifier.abort();
        await lines.drop();
      }
      clearTimeout(timer);
      await destinations.close();
      verifier.close();
    },
  };
}

function report(log: Log, job: DeliveryJob, verdict: Verdict): void {
  const fields = { source: job.source, call_id: job.call_id, route: job.route, result: verdict.result };
  if (verdict.job === 'complete' && verdict.result !== 'parked') log.info(fields, 'delivered');
  else if (verdict.job === 'delay') log.info({ ...fields, wait_ms: verdict.ms }, 'waits');
  else {
    const failure = 'failure' in verdict ? verdict.failure : undefined;
    log.warn({ ...fields, code: failure?.code, reason: failure?.message, hint: failure?.hint }, 'not delivered');
  }
}
