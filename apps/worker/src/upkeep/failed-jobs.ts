/**
 * What becomes of failed jobs. The failed set is the durable source of dead deliveries: a processor notes in the ledger that a
 * delivery or a call is dead, then fails the job, which is moved to `dead` here.
 *
 * A job fails without a word in the ledger where workers died or hung at it (`maxStalledCount`), be it the cause of that or only in
 * the same hands. That counts as an attempt like any other: the job comes back after a backoff, so that it is no longer in hand
 * together with what failed beside it, until its attempts are used up.
 */
import { attemptsOf, type Config } from '@wrapup/config';
import { scrub } from '@wrapup/destination';
import type { CallJob, DeliveryJob, Store, TakenDelivery } from '@wrapup/queue';
import type { Job, Queue } from 'bullmq';
import { backoff, CALL_RETRIES, retriesOf } from '../bullmq/backoff.ts';
import { LEASE_MS } from '../deliveries/process-delivery.ts';
import { scheduleExpiry } from '../payloads/retention.ts';

export interface Moved {
  dead: number;
  /** Back in their queue. */
  again: number;
}

const PAGE_SIZE = 100;

/** Moves the failed jobs of one connection's queue to `dead`, or back into the queue. */
export function moveFailedDeliveries(store: Store, config: Config, connection: string): Promise<Moved> {
  return moveFailed(store.queues.deliveries(connection), (job) => moveFailedDelivery(store, config, job));
}

/** Moves the failed jobs of a queue of calls to `dead`, or back into the queue. */
export function moveFailedCalls(store: Store, queue: Queue<CallJob>): Promise<Moved> {
  return moveFailed(queue, (job) => moveFailedCall(store, queue, job));
}

/** @param move answers `busy` for a job that has to stay as it is for now, and nothing for one that another process moved */
async function moveFailed<Data>(
  queue: Queue<Data>,
  move: (job: Job<Data>) => Promise<keyof Moved | 'busy' | undefined>,
): Promise<Moved> {
  const moved: Moved = { dead: 0, again: 0 };
  for (let left = 0; ; ) {
    const jobs = (await queue.getFailed(left, left + PAGE_SIZE - 1)) as Job<Data>[];
    if (jobs.length === 0) return moved;
    for (const job of jobs) {
      const to = await move(job);
      if (to === 'busy') left += 1;
      else if (to) moved[to] += 1;
    }
  }
}

async function moveFailedDelivery(
  store: Store,
  config: Config,
  job: Job<DeliveryJob>,
): Promise<keyof Moved | 'busy' | undefined> {
  const { source, call_id, route } = job.data;
  const taken = await store.ledger.take(job.data, undefined, { ttl: LEASE_MS, withEntry: false });
  // A process that hung goes on, and has not yet said what becomes of it; or another one is at this here.
  if (taken === 'busy') return 'busy';
  if (taken) {
    try {
      const to = await endStalled(store, config, job, taken);
      if (to !== 'dead') return to;
    } finally {
      // What holds it renews it for as long as this process lives.
      await taken.lease.release().catch(() => {});
    }
  }
  const entry = await store.ledger.read(source, call_id);
  const delivery = entry?.deliveries.find((one) => one.route === route && one.state === 'dead');
  if (delivery) await store.operations.addUnresolved(job.data, delivery);
  await job.remove();
  await scheduleExpiry(store, config, source, call_id);
  return 'dead';
}

/** Of a delivery whose job failed without a word in the ledger. @returns `dead` when its attempts are used up */
async function endStalled(
  store: Store,
  config: Config,
  job: Job<DeliveryJob>,
  { delivery: { attempts: made, connection } }: TakenDelivery,
): Promise<keyof Moved | undefined> {
  // Another process has moved it since it was listed: what it counted is enough.
  if (!(await job.isFailed())) {
    await store.ledger.recordOutcome(job.data, {}, { refundAttempt: true });
    return undefined;
  }
  const attempts = attemptsOf(config, job.data.route);
  const isDead = made >= attempts;
  await store.ledger.recordOutcome(job.data, { ...stalled(job, isDead), ...(isDead && { state: 'dead' }) });
  if (isDead) return 'dead';
  const delay = backoff(made, retriesOf(config, job.data));
  await addAgain(store.queues.deliveries(connection), job, { attempts: attempts - made, delay });
  return 'again';
}

async function moveFailedCall(store: Store, queue: Queue<CallJob>, job: Job<CallJob>): Promise<keyof Moved> {
  const { source, call_id } = job.data;
  const known = (await store.ledger.read(source, call_id))?.stopped;
  // Each time that it stalled was an attempt, too.
  const attempts = (job.opts.attempts ?? 1) - job.attemptsMade - job.stalledCounter;
  if (!known && job.stalledCounter > 0 && attempts > 0) {
    await addAgain(queue, job, { attempts, delay: backoff(CALL_RETRIES.attempts - attempts, CALL_RETRIES) });
    return 'again';
  }
  const stopped = known ?? { at: job.finishedOn ?? Date.now(), ...stalled(job, true) };
  await store.ledger.stop(source, call_id, stopped);
  await store.operations.addUnresolvedCall(job.data, stopped, job.attemptsMade);
  await job.remove();
  await store.ledger.close(source, call_id);
  return 'dead';
}

function stalled({ failedReason }: Job, isDead: boolean): { code: string; reason: string; hint: string } {
  const reason = scrub(failedReason ?? 'The job failed without a reason.');
  const what = 'Workers died or hung while they were at it, more than once: look at their log.';
  return { code: 'internal', reason, hint: isDead ? `${what} Then replay.` : `${what} It is tried again.` };
}

/** A crash between the two leaves no job, which the sweep notices of what is open (`reviveOpenCalls`). */
async function addAgain<Data>(
  queue: Queue<Data>,
  job: Job<Data>,
  { attempts, delay }: { attempts: number; delay: number },
): Promise<void> {
  const { id, name, data, opts } = job;
  await job.remove();
  const { priority } = opts;
  const kept = { ...(id && { jobId: id }), ...(priority && { priority }) };
  await (queue as Queue).add(name, data, { ...kept, attempts, delay });
}
