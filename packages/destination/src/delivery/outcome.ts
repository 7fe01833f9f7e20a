/** How jobs end. */
import type { RecordPlan } from '@wrapup/mapping';
import type { Context } from '../context.ts';
import type { WriteOutcome } from '../destination.ts';
import { Failure } from '../failure.ts';
import { contactSteps, failJob, type Job } from './job.ts';
import { forgetPerson } from './remembered.ts';

/** Log only: the call log, and nothing that would need a person. */
export function wantedRecords(job: Job): RecordPlan[] {
  return job.log_only ? job.plan.records.filter((record) => record.type === 'call_log') : job.plan.records;
}

/** After the last wave: a record that still waits for another one waits for something that the plan does not write. */
export function failWaiting(jobs: Job[]): void {
  for (const job of jobs) {
    const missing = job.outcome ? undefined : wantedRecords(job).find((record) => !job.records.has(record.name));
    if (missing)
      failJob(
        job,
        new Failure('mapping', `Record ${missing.name} is linked to a record that the plan does not write.`, {
          hint: 'Correct its `associate` in the mapping, then replay.',
        }),
        missing.name,
      );
  }
}

/** Ids that proved dead are not recalled by the next attempt. */
export async function forgetGone(ctx: Context, jobs: Job[]): Promise<void> {
  const gone = jobs.filter(({ outcome }) => outcome && !outcome.ok && outcome.failure.code === 'gone');
  for (const step of gone.flatMap(contactSteps)) await forgetPerson(ctx, step).catch(() => {});
}

/** @param requests that the job has cost */
export function outcomeOf(job: Job, requests: number): WriteOutcome {
  if (job.outcome && !job.outcome.ok) return job.outcome;
  if (job.outcome) return { ok: true, receipt: { ...job.outcome.receipt, requests } };
  const names = ['person', ...wantedRecords(job).map(({ name }) => name)];
  const records = names.flatMap((name) => job.records.get(name) ?? []);
  const missing = wantedRecords(job).find((record) => !job.records.has(record.name));
  if (missing) return { ok: false, failure: new Failure('internal', `Record ${missing.name} was not written.`) };
  return { ok: true, receipt: { records, requests, notes: [...new Set(job.notes)] } };
}
