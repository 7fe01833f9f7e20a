/** From the people of many plans to written records, in rounds: what is the same for every CRM of it. */
import type { MatchStep } from '@wrapup/mapping';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { contactSteps, doneBefore, failJob, isUnsettled, type Job, settleJob, unsettleJob } from './job.ts';
import type { Decision } from './person-policy.ts';
import { forgetPerson } from './remembered.ts';

/** Ids that proved dead, by job. */
export type Gone = Map<Job, Set<string>>;

/**
 * Writes the people of all jobs that have one; those whose record vanished between look-up and write are looked up once
 * more. Afterwards every job has its `person`, is `log_only`, has ended, or has no person by its mapping.
 * @param round writes what it is given, and returns whose record is gone
 * @param vanished what is said of somebody who vanished twice
 */
export async function writeInRounds(
  ctx: Context,
  jobs: Job[],
  vanished: string,
  round: (open: Job[], gone: Gone) => Promise<{ id: string; jobs: Job[] }[]>,
): Promise<void> {
  let open = jobs.filter((job) => job.plan.person !== null && !job.outcome);
  const gone: Gone = new Map();
  for (let count = 0; count < 2 && open.length > 0; count += 1) {
    const lost = await round(open, gone);
    open = [];
    for (const { id, jobs: theirs } of lost)
      for (const job of theirs) {
        unsettleJob(job);
        job.person_done = false;
        gone.set(job, new Set([...(gone.get(job) ?? []), id]));
        for (const step of contactSteps(job)) await forgetPerson(ctx, step).catch(() => {});
        open.push(job);
      }
  }
  for (const job of open) failJob(job, new Failure('gone', vanished), 'person');
}

/** How a job's person is looked for: first by what an earlier attempt has written, never by an id that is gone. */
export function stepsOf(job: Job, gone: ReadonlySet<string> = new Set()): MatchStep[] {
  const id = doneBefore(job, 'person');
  const match = job.plan.person?.match ?? [];
  const steps = id === undefined ? match : [{ by: 'id' as const, value: id }, ...match];
  return steps.filter((step) => step.by !== 'id' || !gone.has(step.value));
}

/** Id of the person that an earlier attempt has written, when nothing of it is needed now. */
export function settledBefore(job: Job, gone: ReadonlySet<string> = new Set()): string | undefined {
  const id = doneBefore(job, 'person');
  return id !== undefined && !gone.has(id) && !isUnsettled(job) ? id : undefined;
}

/**
 * Does to a job what its policy decided.
 * @returns the person to write to; `create` for somebody to be created; undefined when nobody is written
 */
export function follow<Person extends { id: string; properties: Parameters<typeof settleJob>[1] }>(
  job: Job,
  decision: Decision<Person>,
): { record: Person; read: boolean } | 'create' | undefined {
  if (decision.do === 'create') return 'create';
  if (decision.do === 'use') {
    const { record, read } = decision;
    job.person_done = record.id === doneBefore(job, 'person');
    if (read) settleJob(job, record.properties);
    return { record, read };
  }
  if (decision.do === 'fail') failJob(job, decision.failure, 'person');
  else if (decision.do === 'skip')
    job.outcome = { ok: true, receipt: { records: [], requests: 0, notes: [decision.note] } };
  else {
    settleJob(job, {});
    job.log_only = true;
    job.notes.push(decision.note);
  }
  return undefined;
}
