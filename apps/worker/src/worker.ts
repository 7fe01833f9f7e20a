/**
 * The BullMQ workers of one process: `calls`, one per connection, and `maintenance` for the sweep.
 *
 * Settings that matter: a crashed process's jobs are taken over after about 11 s (lock 10 s, looked at every 5 s); three
 * crashes in a row do not fail a healthy job; a wait (throttled, busy) moves the job to delayed and burns no attempt.
 */
import type { Config } from '@wrapup/config';
import { Failure, type Log } from '@wrapup/destination';
import {
  ALERTS_QUEUE,
  CALLS_QUEUE,
  type CallJob,
  type DeliveryJob,
  deliveriesQueue,
  MAINTENANCE_QUEUE,
  RedisLease,
  type Store,
} from '@wrapup/queue';
import { type Metrics, Sparingly } from '@wrapup/telemetry';
import { type ConnectionOptions, DelayedError, type Job, UnrecoverableError, Worker, type WorkerOptions } from 'bullmq';
import { type AlertJob, queueAlert } from './alerts.ts';
import { backoff, CALL_RETRIES } from './backoff.ts';
import { catchUp, WAIT as WAIT_FOR_CONFIG } from './catch-up.ts';
import { Destinations } from './destinations.ts';
import { Examiner } from './examiner.ts';
import { Guard, HELD } from './guard.ts';
import { countWork } from './metrics.ts';
import { processCall, type Verify } from './process-call.ts';
import { processDelivery, type Verdict } from './process-delivery.ts';
import { Reconciler } from './reconciler.ts';
import { fileFailedDeliveries, sweep } from './sweep.ts';
import { Verifier } from './verifier.ts';

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
/** A delivery's message in the job's `failedReason` is cut: it is copied into the event stream. */
const REASON = 200;
/** What is left of the workers is waited for so long, once they were told to drop everything, in ms. */
const FORCED = 2_000;
/** For a call that waits for something which does not say how long, in ms. */
const WAIT = 10_000;

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
  const unanswered = new Sparingly(60_000);
  const verifier = new Verifier(store, config, (source, refused) => {
    count.api(source, refused?.code);
    if (!refused || unanswered.admit(`${source} ${refused.code}`) === undefined) return;
    log.error({ source, ...refused }, 'calls wait, because Synthflow does not let them be read');
  });
  const lines = new Map<string, Worker>();
  const progress = new Map<string, number>();

  const options = (concurrency: number): WorkerOptions => ({
    connection: store.redis as ConnectionOptions,
    prefix: store.keys.prefix,
    concurrency,
    lockDuration: 10_000,
    stalledInterval: 5_000,
    maxStalledCount: 3,
    skipVersionCheck: true,
    settings: {
      backoffStrategy: (attempt: number, _type?: string, _error?: Error, job?: { data: unknown }) =>
        backoff(attempt, retriesOf(config(), job?.data)),
    },
  });

  const start = (name: string, concurrency: number, run: (job: Job, token: string) => Promise<void>): Worker => {
    progress.set(name, Date.now());
    const worker = new Worker(
      name,
      async (job, token = '') => {
        try {
          await run(job, token);
        } finally {
          progress.set(name, Date.now());
        }
      },
      options(concurrency),
    );
    worker.on('error', onError);
    lines.set(name, worker);
    return worker;
  };

  start(CALLS_QUEUE, CALLS_AT_ONCE, async (job: Job<CallJob>, token) => {
    // What comes of a call that never got to its routes says itself why; it needs no note.
    if ((await catchUp(job.data, job.attemptsStarted, config(), hurry)) === 'wait')
      return delay(job, token, WAIT_FOR_CONFIG);
    const routed = destinations.coming.call();
    const verify: Verify = (...call) => {
      // It may take long, and others need not wait for what comes of it.
      routed();
      return verifier.verify(...call);
    };
    try {
      const verdict = await processCall(job.data, store, config(), verify, routed);
      count.call(verdict.result);
      if (verdict.job === 'delay') await delay(job, token, verdict.ms);
    } catch (error) {
      if (error instanceof DelayedError) throw error;
      const failure = Failure.of(error);
      if (failure.next === 'throttle') {
        const { code, message: reason, hint, details } = failure;
        await store.ledger.wait(job.data.source, job.data.call_id, { code, reason, ...(hint ? { hint } : {}) });
        count.call('waits');
        return delay(job, token, details.retry_after ?? WAIT);
      }
      count.call('failed');
      log.warn(
        { call_id: job.data.call_id, source: job.data.source, code: failure.code, reason: failure.message },
        'a call could not be routed',
      );
      const final = failure.next === 'die' || job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
      if (!final) throw asError(failure);
      await store.ledger.stop(job.data.source, job.data.call_id, {
        code: failure.code,
        reason: failure.message,
        ...(failure.hint ? { hint: failure.hint } : {}),
      });
      throw new UnrecoverableError(failure.message.slice(0, REASON));
    } finally {
      routed();
    }
  });

  const startLine = (connection: string, size: number): void => {
    const worker = start(deliveriesQueue(connection), size * BATCHES_IN_HAND, async (job: Job<DeliveryJob>, token) => {
      // Taken just before the queue was stopped: handed back unasked.
      if (guard.refusal(connection)) return delay(job, token, HELD);
      const caughtUp = await catchUp(job.data, job.attemptsStarted, config(), hurry);
      if (caughtUp === 'wait') return delay(job, token, WAIT_FOR_CONFIG);
      const last = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
      const planned = destinations.coming.delivery(connection);
      const verdict = await processDelivery(job.data, last, {
        store,
        config: config(),
        ...(caughtUp === 'ready' ? {} : { note: caughtUp.note }),
        write: (name, plan, lane) => {
          planned();
          return destinations.write(name, plan, lane);
        },
        lease: (keys, ttl) => lease.take(keys, ttl),
        stopped: (name) => guard.refusal(name) !== undefined,
      }).finally(planned);
      count.delivery(connection, job.data.route, verdict.result);
      report(log, job.data, verdict);
      await obey(verdict, job, token);
    });
    // Filed at once rather than at the next sweep; the sweep is there for when this process dies here.
    worker.on('failed', (job) => {
      if (!job?.finishedOn) return;
      fileFailedDeliveries(store, config(), connection).catch((error) =>
        log.warn({ connection, err: error }, 'dead letters could not be filed now; the sweep will'),
      );
    });
  };

  const reconciler = new Reconciler({ store, config, log, options: options(RECONCILIATIONS), onError, count });

  const examiner = new Examiner(
    {
      ...{ store, config, log, metrics, onError, options: options(1) },
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
    for (const [name, worker] of lines) {
      if (!name.startsWith(deliveriesQueue(''))) continue;
      if ([...wanted].some((connection) => deliveriesQueue(connection) === name)) continue;
      lines.delete(name);
      await worker.close();
    }
    await guard.watch([...wanted]);
    await examiner.schedule();
  };

  start(ALERTS_QUEUE, 1, async (job: Job<AlertJob>) => {
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

  start(MAINTENANCE_QUEUE, 1, async () => {
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
    async stuck(ms) {
      const names: string[] = [];
      for (const name of lines.keys()) {
        const queue = store.queues.get(name);
        if (Date.now() - (progress.get(name) ?? 0) < ms || (await queue.isPaused())) continue;
        const { waiting = 0, prioritized = 0 } = await queue.getJobCounts('waiting', 'prioritized');
        if (waiting + prioritized > 0) names.push(name);
      }
      return names;
    },
    async close(deadline = 25_000) {
      guard.close();
      const closing = Promise.all([
        examiner.close(),
        reconciler.close(),
        ...[...lines.values()].map((worker) => worker.close()),
      ]);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(() => resolve('late'), deadline);
      });
      if ((await Promise.race([closing, late])) === 'late') {
        log.warn({ deadline_ms: deadline }, 'the batch in hand did not finish in time; it will be redelivered');
        destinations.abort();
        verifier.abort();
        // A worker that is closing already has but one end, which may be a connection to a Redis that is gone.
        const forced = Promise.all([...lines.values()].map((worker) => worker.close(true)));
        await Promise.race([forced, new Promise((resolve) => setTimeout(resolve, FORCED))]);
      }
      clearTimeout(timer);
      await destinations.close();
      verifier.close();
    },
  };
}

function retriesOf(config: Config, data: unknown): { base: number; cap: number } {
  const name = (data as { route?: string } | undefined)?.route;
  return config.routes.find((route) => route.name === name)?.retries ?? CALL_RETRIES;
}

async function obey(verdict: Verdict, job: Job, token: string): Promise<void> {
  switch (verdict.job) {
    case 'complete':
      return;
    case 'delay':
      return delay(job, token, verdict.ms);
    case 'retry':
      throw asError(verdict.failure);
    case 'fail':
      throw new UnrecoverableError(verdict.failure.message.slice(0, REASON));
  }
}

/** Lets a job come again later without burning an attempt or holding a place. */
async function delay(job: Job, token: string, ms: number): Promise<never> {
  await job.moveToDelayed(Date.now() + ms, token);
  throw new DelayedError();
}

/** Without the cause and its stack: both would be copied into Redis. */
function asError({ code, message }: Failure): Error {
  const error = new Error(message.slice(0, REASON));
  error.name = code;
  return error;
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
