import type { Config } from '@wrapup/config';
import { Failure, type Log } from '@wrapup/destination';
import type { CallJob, Store } from '@wrapup/queue';
import type { Tracing } from '@wrapup/telemetry';
import { DelayedError, type Job } from 'bullmq';
import { attemptError, delayJob, finalError, isLastAttempt } from '../bullmq/finish-job.ts';
import { configForJob } from '../bullmq/job-config.ts';
import type { QueueService } from '../bullmq/queue-lines.ts';
import type { PendingArrivals } from '../deliveries/pending-arrivals.ts';
import type { PayloadRoom } from '../payloads/payload-room.ts';
import type { RecentCalls } from '../payloads/recent-calls.ts';
import { processCall } from './process-call.ts';
import type { Verifier, Verify } from './verifier.ts';

/**
 * Calls of one queue that a process has in hand: enough to keep it busy while Redis is a network away, and so few that
 * each step of another client's call waits for few of theirs.
 */
const CALLS_AT_ONCE = 16;
/** Wait of a call for something that does not say how long. */
const DEFAULT_WAIT_MS = 10_000;

interface CallWorkerParts {
  store: Store;
  config: () => Config;
  /** Takes over what the files of the configuration say now, and returns what is in force. */
  reload(): Promise<Config>;
  log: Log;
  tracing: Tracing;
  /** Counts what became of a call. */
  count(source: string, result: string, outcome?: string): void;
  verifier: Verifier;
  pending: PendingArrivals;
  room: PayloadRoom;
  recent: RecentCalls;
}

/**
 * Queues `calls` and `calls.<client>`: brings each call to its routes. A call that has to wait comes again, with the reason in
 * the ledger; one that failed in all its attempts, or for good, is stopped there.
 */
export class CallWorker {
  readonly #parts: CallWorkerParts;

  constructor(parts: CallWorkerParts) {
    this.#parts = parts;
  }

  /** For any of the queues. */
  get service(): QueueService {
    return { concurrency: CALLS_AT_ONCE, run: (job, token) => this.#process(job, token) };
  }

  /** @throws the error by which BullMQ knows that the job is not done */
  async #process(job: Job<CallJob>, token: string): Promise<void> {
    const { store, reload, count, tracing, verifier, room, recent } = this.#parts;
    const { config } = await configForJob(job.data, this.#parts.config(), reload);
    const pending = this.#parts.pending.call(job.data.source);
    const verify: Verify = (...call) => {
      // The API may take long, and no batch is to wait for its answer.
      pending.ends();
      return verifier.verify(...call);
    };
    const { source, call_id } = job.data;
    const span = tracing.begin({
      ...{ name: 'route call', kind: 'consumer', parent: tracing.rootOf(job.data) },
      attributes: { 'wrapup.source': source, 'wrapup.call_id': call_id },
    });
    let failed: Failure | undefined;
    try {
      const verdict = await processCall(job.data, { store, config, verify, pending, room, recent });
      count(source, verdict.result, 'outcome' in verdict ? verdict.outcome : '');
      span.set({ 'wrapup.result': verdict.result });
      if (verdict.job === 'delay') await delayJob(job, token, verdict.ms);
    } catch (error) {
      if (error instanceof DelayedError) throw error;
      failed = Failure.of(error);
      await this.#endFailed(job, token, failed);
    } finally {
      span.end(failed?.code);
      pending.ends();
    }
  }

  async #endFailed(job: Job<CallJob>, token: string, failure: Failure): Promise<never> {
    const { store, count, log } = this.#parts;
    const { source, call_id } = job.data;
    const { code, message: reason, hint, details, next } = failure;
    const why = { code, reason, ...(hint ? { hint } : {}) };
    if (next === 'throttle') {
      await store.ledger.wait(source, call_id, why);
      count(source, 'waits');
      return delayJob(job, token, details.retry_after ?? DEFAULT_WAIT_MS);
    }
    count(source, 'failed');
    log.warn({ call_id, source, code, reason }, 'a call could not be routed');
    if (next !== 'die' && !isLastAttempt(job)) throw attemptError(failure);
    await store.ledger.stop(source, call_id, why);
    throw finalError(failure);
  }
}
