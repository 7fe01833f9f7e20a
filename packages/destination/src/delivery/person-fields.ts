/** What several calls say of one person, and what has to be known of the person to write it. Pure. */
import { type MatchStep, needsReading, needsWatermark, type Plan } from '@wrapup/mapping';
import type { CallFacts, Properties } from './field-decisions.ts';
import { doneBefore, inOrder, isUnsettled, type Job } from './job.ts';

/** "Who is this?", asked for one plan. */
export interface Question {
  match: MatchStep[];
  /** Number of the plan that asks. */
  plan: number;
  /** False: an id that is remembered is enough, its record need not be read. */
  read: boolean;
}

/** @param gone ids that proved dead */
export function questionOf(job: Job, gone?: ReadonlySet<string>): Question {
  return { plan: job.index, match: stepsOf(job, gone), read: mustRead([job]) };
}

/** How a job's person is looked for: first by what an earlier attempt has written, never by an id that is gone. */
function stepsOf(job: Job, gone: ReadonlySet<string> = new Set()): MatchStep[] {
  const id = doneBefore(job, 'person');
  const match = job.plan.person?.match ?? [];
  const steps = id === undefined ? match : [{ by: 'id' as const, value: id }, ...match];
  return steps.filter((step) => step.by !== 'id' || !gone.has(step.value));
}

/** True when the jobs cannot be written without the person's values. */
export function mustRead(jobs: Job[]): boolean {
  return jobs.some((job) => isUnsettled(job) || (!job.person_done && needsReading(job.plan.person?.fields ?? [])));
}

/**
 * Properties that deciding the plans' fields takes, and those that their mappings read.
 * @param watermark the CRM's property for when the last call ended that was written to a person
 */
export function propertiesToRead(plans: Plan[], watermark: string): string[] {
  const names = new Set<string>();
  for (const { person, needs } of plans) {
    for (const name of needs) names.add(name);
    for (const field of person?.fields ?? []) names.add(field.name);
    if (needsWatermark(person?.fields ?? [])) names.add(watermark);
  }
  return [...names];
}

/** Epoch ms when the latest of the calls ended that ask who wrote last; undefined when none asks. */
export function latestOf(jobs: Job[]): number | undefined {
  const asking = jobs.filter((job) => !job.person_done && needsWatermark(job.plan.person?.fields ?? []));
  return asking.length > 0 ? Math.max(...asking.map((job) => job.ended_at)) : undefined;
}

/**
 * Goes through the calls in the order in which they ended: later ones see what earlier ones wrote. Calls whose person an
 * earlier attempt has written are passed over.
 * @param current the person's values; undefined for one to be created
 * @param watermark epoch ms when the last call ended that was written to the person, where that is known
 * @param write gives what a call writes, or undefined when it writes nothing and leaves no trace
 * @returns epoch ms of the new watermark; undefined while the old one holds
 */
export function takeTurns(
  jobs: Job[],
  current: Properties | undefined,
  watermark: number | undefined,
  write: (job: Job, state: Properties | undefined, call: CallFacts) => Properties | undefined,
): number | undefined {
  let state = current;
  let latest = watermark;
  for (const job of inOrder(jobs).filter((one) => !one.person_done)) {
    const written = write(job, state, { key: job.plan.key, ended_at: job.ended_at, watermark: latest });
    if (!written) continue;
    // From here on the person exists, whether or not it did before.
    state = { ...state, ...written };
    if (needsWatermark(job.plan.person?.fields ?? []) && (latest === undefined || job.ended_at > latest))
      latest = job.ended_at;
  }
  return latest === watermark ? undefined : latest;
}
