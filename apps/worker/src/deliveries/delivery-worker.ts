import type { Config } from '@wrapup/config';
import { type Log, withoutQuotes } from '@wrapup/destination';
import type { DeliveryJob, Store } from '@wrapup/queue';
import type { Tracing } from '@wrapup/telemetry';
import type { Job } from 'bullmq';
import { attemptError, delayJob, finalError, isLastAttempt } from '../bullmq/finish-job.ts';
import { configForJob } from '../bullmq/job-config.ts';
import type { QueueService } from '../bullmq/queue-lines.ts';
import type { WorkCounts } from '../metrics.ts';
import type { PayloadRoom } from '../payloads/payload-room.ts';
import type { RecentCalls } from '../payloads/recent-calls.ts';
import { moveFailedDeliveries } from '../upkeep/failed-jobs.ts';
import { type CircuitMonitor, PAUSED_WAIT_MS } from './circuit-monitor.ts';
import type { DeliveryWriter } from './delivery-writer.ts';
import { describeFailure } from './describe-failure.ts';
import type { PendingArrivals } from './pending-arrivals.ts';
import { type DeliveryVerdict, processDelivery } from './process-delivery.ts';

/** Deliveries in hand per plan of a batch: enough that the next batch fills while one is under way. */
const BATCHES_IN_HAND = 3;

interface DeliveryWorkerParts {
  store: Store;
  config: () => Config;
  /** Takes over what the files of the configuration say now, and returns what is in force. */
  reload(): Promise<Config>;
  log: Log;
  tracing: Tracing;
  count: Pick<WorkCounts, 'delivery' | 'latency' | 'omission'>;
  writer: DeliveryWriter;
  monitor: CircuitMonitor;
  pending: PendingArrivals;
  room: PayloadRoom;
  recent: RecentCalls;
}

/** Queues `deliveries.<connection>`: brings each delivery to its connection. */
export class DeliveryWorker {
  readonly #parts: DeliveryWorkerParts;
  /** Connections whose failed jobs are being moved, and whether more have failed since the pass began. */
  readonly #failed = new Map<string, boolean>();

  constructor(parts: DeliveryWorkerParts) {
    this.#parts = parts;
  }

  /** For the queue of a connection. @param size plans in one batch, at most */
  service(connection: string, size: number): QueueService {
    return {
      concurrency: size * BATCHES_IN_HAND,
      run: (job, token) => this.#process(connection, job, token),
      onFailed: () => void this.#moveFailed(connection),
    };
  }

  /** At once rather than at the next sweep, which does it where this process dies here. One pass at a time: each sees all that failed. */
  async #moveFailed(connection: string): Promise<void> {
    const { store, config, log } = this.#parts;
    const isMoving = this.#failed.has(connection);
    this.#failed.set(connection, true);
    if (isMoving) return;
    while (this.#failed.get(connection)) {
      this.#failed.set(connection, false);
      try {
        await moveFailedDeliveries(store, config(), connection);
      } catch (err) {
        log.warn({ connection, err }, 'failed deliveries could not be moved; the sweep will do it');
      }
    }
    this.#failed.delete(connection);
  }

  /** @throws the error by which BullMQ knows that the job is not done */
  async #process(connection: string, job: Job<DeliveryJob>, token: string): Promise<void> {
    const { store, reload, count, log, tracing, writer, monitor, room, recent } = this.#parts;
    // Taken just before the queue was paused.
    if (monitor.refusal(connection)) return delayJob(job, token, PAUSED_WAIT_MS);
    const configured = await configForJob(job.data, this.#parts.config(), reload);
    const planned = this.#parts.pending.delivery(connection);
    const { source, call_id, route } = job.data;
    const named = { 'wrapup.source': source, 'wrapup.call_id': call_id, 'wrapup.route': route };
    const span = tracing.begin({
      ...{ name: 'deliver', kind: 'consumer', parent: tracing.rootOf(job.data) },
      attributes: { ...named, 'wrapup.connection': connection },
    });
    const verdict = await processDelivery(job.data, isLastAttempt(job), {
      ...{ store, room, recent, queued: job.timestamp, ...configured },
      write: (name, plan, priority, hand) => {
        planned();
        return writer.write(name, { plan, ...hand, span }, priority);
      },
      isPaused: (name) => monitor.refusal(name) !== undefined,
      trace_id: span.ref?.traceId,
    }).finally(planned);
    const code = 'failure' in verdict ? verdict.failure?.code : undefined;
    span.set({
      'wrapup.result': verdict.result,
      ...('attempts' in verdict && { 'wrapup.attempts': verdict.attempts }),
    });
    span.end(code);
    count.delivery(connection, route, verdict.result, code);
    if ('omissions' in verdict) {
      for (const code of verdict.omissions) count.omission(connection, code);
      if (verdict.result === 'written') count.latency(connection, verdict.priority, verdict.took);
    }
    report(log, connection, job.data, verdict, span.ref?.traceId);
    await applyVerdict(verdict, job, token);
  }
}

/** @throws the error by which BullMQ knows that the job is not done */
async function applyVerdict(verdict: DeliveryVerdict, job: Job, token: string): Promise<void> {
  switch (verdict.job) {
    case 'complete':
      return;
    case 'delay':
      return delayJob(job, token, verdict.ms);
    case 'retry':
      throw attemptError(verdict.failure);
    case 'fail':
      throw finalError(verdict.failure);
  }
}

function report(
  log: Log,
  connection: string,
  job: DeliveryJob,
  verdict: DeliveryVerdict,
  trace_id: string | undefined,
): void {
  const { source, call_id, route } = job;
  const failure = 'failure' in verdict ? verdict.failure : undefined;
  const fields = {
    ...{ source, call_id, route, connection, result: verdict.result },
    ...(trace_id && { trace_id }),
    ...(failure && { code: failure.code, reason: withoutQuotes(describeFailure(failure)), hint: failure.hint }),
  };
  if ('omissions' in verdict) {
    const { omissions, priority, took, attempts, requests } = verdict;
    const spent = { priority, ms: took, attempts, requests };
    log.info({ ...fields, ...spent, ...(omissions.length > 0 ? { omissions } : {}) }, 'delivered');
  } else if (verdict.result === 'outdated') log.info(fields, 'delivered');
  else if (verdict.job === 'delay') log.info({ ...fields, wait_ms: verdict.ms }, 'waits');
  else log.warn(fields, 'not delivered');
}
