import type { Config } from '@wrapup/config';
import { Failure, type Log } from '@wrapup/destination';
import type { CallJob, Store } from '@wrapup/queue';
import { DelayedError, type Job } from 'bullmq';
import { asError, delay, forGood, isLast } from '../bullmq/finish-job.ts';
import { catchUp, WAIT as WAIT_FOR_CONFIG } from '../deliveries/await-config-version.ts';
import type { Coming } from '../deliveries/pending-arrivals.ts';
import type { Counts } from '../metrics.ts';
import type { PayloadRoom } from '../payloads/payload-room.ts';
import { processCall, type Verify } from './process-call.ts';
import type { Verifier } from './verifier.ts';

/** For a call that waits for something which does not say how long, in ms. */
const WAIT = 10_000;

export interface RoutingDeps {
  store: Store;
  config: () => Config;
  /** Takes over the configuration of that hash if it is there, and answers what is in force. */
  hurry(wanted: string): Promise<Config>;
  log: Log;
  count: Pick<Counts, 'call'>;
  verifier: Verifier;
  coming: Coming;
  room: PayloadRoom;
}

/**
 * Queue `calls`: one call to its routes. What may pass is waited for, with the reason in the ledger; what failed in all its
 * attempts, or for good, stops the call there.
 * @throws what tells BullMQ that the job is not done
 */
export async function routeCall(job: Job<CallJob>, token: string, deps: RoutingDeps): Promise<void> {
  const { store, config, hurry, count, verifier, coming, room } = deps;
  // What comes of a call that never got to its routes says itself why; it needs no note.
  if ((await catchUp(job.data, job.attemptsStarted, config(), hurry)) === 'wait')
    return delay(job, token, WAIT_FOR_CONFIG);
  const reading = coming.call();
  const verify: Verify = (...call) => {
    // It may take long, and others need not wait for what comes of it.
    reading.ends();
    return verifier.verify(...call);
  };
  try {
    const verdict = await processCall(job.data, store, config(), verify, reading, room);
    count.call(verdict.result);
    if (verdict.job === 'delay') await delay(job, token, verdict.ms);
  } catch (error) {
    if (error instanceof DelayedError) throw error;
    await endFailed(job, token, Failure.of(error), deps);
  } finally {
    reading.ends();
  }
}

async function endFailed(
  job: Job<CallJob>,
  token: string,
  failure: Failure,
  { store, count, log }: RoutingDeps,
): Promise<never> {
  const { source, call_id } = job.data;
  const { code, message: reason, hint, details, next } = failure;
  const why = { code, reason, ...(hint ? { hint } : {}) };
  if (next === 'throttle') {
    await store.ledger.wait(source, call_id, why);
    count.call('waits');
    return delay(job, token, details.retry_after ?? WAIT);
  }
  count.call('failed');
  log.warn({ call_id, source, code, reason }, 'a call could not be routed');
  if (next !== 'die' && !isLast(job)) throw asError(failure);
  await store.ledger.stop(source, call_id, why);
  throw forGood(failure);
}
