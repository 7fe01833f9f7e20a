/** Carries out how a job ends, in BullMQ's terms; `process-call` and `process-delivery` decide it. */
import { type Failure, withoutQuotes } from '@wrapup/destination';
import { DelayedError, type Job, UnrecoverableError } from 'bullmq';

/** Characters of a message in the job's `failedReason`: it is copied into the event stream. */
const MAX_REASON_LENGTH = 200;

/** Returns the job to the queue for later: it takes no place meanwhile, and its attempt is not counted. @throws DelayedError */
export async function delayJob(job: Job, token: string, ms: number): Promise<never> {
  await job.moveToDelayed(Date.now() + ms, token);
  throw new DelayedError();
}

/** Whether the queue makes no further attempt after this one. */
export function isLastAttempt(job: Job): boolean {
  return job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
}

/** The error that fails an attempt. Without cause and stack: both would be copied into Redis. */
export function attemptError({ code, message }: Failure): Error {
  const error = new Error(withoutQuotes(message).slice(0, MAX_REASON_LENGTH));
  error.name = code;
  return error;
}

/** The error that fails a job, whatever attempts it has left. */
export function finalError({ message }: Failure): Error {
  return new UnrecoverableError(withoutQuotes(message).slice(0, MAX_REASON_LENGTH));
}
