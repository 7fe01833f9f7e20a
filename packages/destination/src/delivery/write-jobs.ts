import type { Plan } from '@wrapup/mapping';
import type { WriteOutcome } from '../destination.ts';
import { Failure } from '../failure.ts';
import { failJobs, type Job, makeJob } from './job.ts';
import { joinEqual, shareOutcomes } from './join-equal.ts';
import { forgetGone, outcomeOf } from './outcome.ts';
import type { Session } from './session.ts';

/**
 * Writes plans through `write`, each with an outcome of its own and in their order; equal plans are written once and
 * share its requests. Never rejects: what `write` throws ends every job that has not ended by itself.
 */
export async function writeJobs(
  session: Pick<Session, 'ctx' | 'costOf'>,
  plans: Plan[],
  write: (jobs: Job[]) => Promise<void>,
): Promise<WriteOutcome[]> {
  const { distinct, placeOf } = joinEqual(plans);
  const jobs = distinct.map(makeJob);
  try {
    await write(jobs);
  } catch (thrown) {
    failJobs(jobs, Failure.of(thrown), 'person');
  }
  await forgetGone(session.ctx, jobs);
  return shareOutcomes(
    jobs.map((job) => outcomeOf(job, session.costOf(job.index))),
    placeOf,
  );
}
