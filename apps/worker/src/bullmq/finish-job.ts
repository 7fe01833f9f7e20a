/** How a job of a line ends, in BullMQ's terms. */
import type { Failure } from '@wrapup/destination';
import { DelayedError, type Job, UnrecoverableError } from 'bullmq';
import type { Verdict } from '../deliveries/process-delivery.ts';

/** Characters of a message in the job's `failedReason`: it is copied into the event stream. */
const REASON = 200;

/** @throws what tells BullMQ that the job is not done */
export async function obey(verdict: Verdict, job: Job, token: string): Promise<void> {
  switch (verdict.job) {
    case 'complete':
      return;
    case 'delay':
      return delay(job, token, verdict.ms);
    case 'retry':
      throw asError(verdict.failure);
    case 'fail':
      throw forGood(verdict.failure);
  }
}

/** Lets a job come again later without burning an attempt or holding a place. */
export async function delay(job: Job, token: string, ms: number): Promise<never> {
  await job.moveToDelayed(Date.now() + ms, token);
  throw new DelayedError();
}

/** Is this the last attempt that the queue makes? */
export function isLast(job: Job): boolean {
  return job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
}

/** Fails the attempt. Without the cause and its stack: both would be copied into Redis. */
export function asError({ code, message }: Failure): Error {
  const error = new Error(message.slice(0, REASON));
  error.name = code;
  return error;
}

/** Fails the job, whatever attempts it has left. */
export function forGood({ message }: Failure): Error {
  return new UnrecoverableError(message.slice(0, REASON));
}
