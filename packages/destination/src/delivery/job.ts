import type { Place } from '@wrapup/findings';
import { limitToSaid, type MatchStep, type Plan, type Value } from '@wrapup/mapping';
import type { RecordReceipt, WriteOutcome } from '../destination.ts';
import type { Dropped } from '../engine/plan-write.ts';
import type { Failure } from '../failure.ts';
import { assignOwners, type Directory } from './owner-choice.ts';

/** One plan on its way through `write`. */
export interface Job {
  /** Number of the plan in the call of `write`. */
  index: number;
  plan: Plan;
  /** The plan as it came, while `plan` is settled: filled in with what the mapping reads of the person. */
  unsettled?: Plan;
  /**
   * The plan before it was limited, while `plan` holds what a person gets who was found only by what was said
   * (`said.ts`).
   */
  limited?: Plan;
  /** Epoch ms. */
  ended_at: number;
  /** True: the call is logged without a person, and nothing else is written. */
  log_only: boolean;
  /** True: an earlier attempt has written the person, who is only linked to. */
  person_done: boolean;
  /** Id of the person, once it is known and written. */
  person?: string;
  /** Id of the account that the person belongs to, in CRMs that have such, where it is known. */
  account?: string;
  /** Receipts by record name. */
  records: Map<string, RecordReceipt>;
  notes: string[];
  /** Who can own what it writes; absent while nothing asks for an owner. */
  owners?: Directory;
  outcome?: WriteOutcome;
}

export function makeJob(plan: Plan, index: number): Job {
  const ended = Date.parse(plan.ended_at);
  return {
    index,
    plan,
    ended_at: Number.isFinite(ended) ? ended : 0,
    log_only: false,
    person_done: false,
    records: new Map(),
    notes: [],
  };
}

/** True while the plan waits for what its mapping reads of the person. */
export function isUnsettled(job: Job): boolean {
  return job.plan.needs.length > 0 && job.unsettled === undefined;
}

/** Fills in what the mapping reads of the person; nothing of somebody who is new. */
export function settleJob(job: Job, person: Record<string, Value>): void {
  if (!isUnsettled(job)) return;
  const { plan } = job;
  const whole = plan.settle(person);
  const settled = job.limited ? limitToSaid(whole) : whole;
  job.unsettled = plan;
  job.plan = plan.resume ? { ...settled, resume: plan.resume } : settled;
  applyOwners(job);
}

/** Fills in who owns what the job writes, where that is known. Once for a plan: afterwards owners are fields like others. */
export function applyOwners(job: Job): void {
  if (!job.owners) return;
  const { plan, notes } = assignOwners(job.plan, job.owners);
  job.plan = plan;
  job.notes.push(...notes);
}

/** Back to before: the person is another than was thought. */
export function unsettleJob(job: Job): void {
  const before = job.limited ?? job.unsettled;
  if (!before) return;
  job.plan = before;
  delete job.unsettled;
  delete job.limited;
}

/** Id of a record that this very delivery has written before, and that need not be written again. */
export function doneBefore({ plan: { resume } }: Job, name: string): string | undefined {
  return resume?.done?.includes(name) ? resume.records[name] : undefined;
}

/** Ends a job with a failure that says which record it was, which mapping line, and what had been written before. */
export function failJob(job: Job, failure: Failure, record: string): void {
  if (job.outcome) return;
  const place = failure.details.field === undefined ? undefined : placeOf(job, record, failure.details.field);
  // A person to whom nothing could be linked is looked up afresh next time.
  if (failure.code === 'gone') job.records.delete('person');
  // Whom only speech named is looked for anew, so that the next attempt knows how they were found.
  const done = Object.fromEntries(
    [...job.records].flatMap(([name, { id }]) => (job.limited && name === 'person' ? [] : [[name, id]])),
  );
  job.outcome = {
    ok: false,
    failure: failure.with({
      record,
      ...(place ? { at: place } : {}),
      ...(Object.keys(done).length > 0 ? { done } : {}),
    }),
  };
}

/** Ends several jobs with the same failure. */
export function failJobs(jobs: Job[], failure: Failure, record: string): void {
  for (const job of jobs) failJob(job, failure, record);
}

/** Notes fields that the account refused and that were left out. */
export function noteDropped(job: Job, record: string, dropped: Dropped[]): void {
  for (const { property, failure } of dropped)
    if (placeOf(job, record, property)) noteLeftOut(job, record, property, failure);
}

/** Notes a field that was left out, and why. */
export function noteLeftOut(job: Job, record: string, property: string, failure: Failure): void {
  job.notes.push(`${record}.${property} was left out: ${failure.message}${failure.hint ? ` ${failure.hint}` : ''}`);
}

function placeOf(job: Job, record: string, property: string): Place | undefined {
  const fields =
    record === 'person'
      ? job.plan.person?.fields
      : job.plan.records.find((candidate) => candidate.name === record)?.fields;
  return fields?.find((field) => field.name === property)?.at;
}

/** Numbers and addresses by which the job's person is found. */
export function contactSteps(job: Job): MatchStep[] {
  return (job.plan.person?.match ?? []).filter((step) => step.by !== 'id');
}

/** Jobs in the order in which their calls ended. */
export function inOrder(jobs: Job[]): Job[] {
  return [...jobs].sort((a, b) => a.ended_at - b.ended_at || a.index - b.index);
}
