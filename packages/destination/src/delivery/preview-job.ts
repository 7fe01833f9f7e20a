/** What `write` would do to one plan, told from reads alone. */
import type { FieldWrite, MatchStep, RecordPlan } from '@wrapup/mapping';
import type { Context } from '../context.ts';
import type { FieldChange, PersonRecord, Preview } from '../destination.ts';
import { type CallFacts, type Properties, withoutNewer } from './field-decisions.ts';
import { doneBefore, type Job, settleJob } from './job.ts';
import { watermarkOf } from './known-people.ts';
import type { Person } from './known-person.ts';
import { wantedRecords } from './outcome.ts';
import { toAnswer } from './person-answer.ts';
import { mustRead, type Question, questionOf } from './person-fields.ts';
import { type Decision, decide, type Found, type Wording } from './person-policy.ts';
import { isOwn, limitJob, settleClaim } from './said.ts';

/** What an adapter knows of an account that plans are previewed against. */
export interface Previewer<P extends Person> {
  wording: Wording;
  /** Property for when the last call ended that was written to a person. */
  watermark: string;
  /** Object of the person's record; of somebody new the one that would be created. */
  objectOf(job: Job, person: P | undefined): string;
  /** The record of ours that is there already. */
  existing(record: RecordPlan): { id: string; properties: Properties } | undefined;
  changes(object: string, fields: FieldWrite[], current: Properties | undefined, call: CallFacts): FieldChange[];
  toRecord(person: P): PersonRecord;
  /** Requests that `write` would spend on this plan alone, beyond looking the person up. */
  estimate(job: Job, records: Preview['records']): number;
  /** What a step of the look-up is asked by: steps that share a request have the same name. */
  wayOf(step: MatchStep): string;
}

/** Looks up the people of all jobs, with their values. */
export async function lookUpAll<P extends Person>(
  ctx: Context,
  jobs: Job[],
  lookUp: (questions: Question[]) => Promise<Found<P>[]>,
): Promise<(job: Job) => Found<P>> {
  const asking = jobs.filter((job) => job.plan.person !== null);
  for (const job of asking) await settleClaim(ctx, job);
  const answers = await lookUp(asking.map((job) => ({ ...questionOf(job), read: true })));
  const found = new Map(asking.map((job, index) => [job, answers[index]]));
  return (job) => found.get(job) ?? { found: 'none' };
}

/** @throws the failure of a look-up that failed */
export async function previewJob<P extends Person>(
  ctx: Context,
  job: Job,
  answer: Found<P>,
  crm: Previewer<P>,
): Promise<Preview> {
  const decision = decide(job.plan, answer, crm.wording);
  const person = decision.do === 'use' ? decision.record : undefined;
  if (decision.do === 'use' && decision.said !== undefined && !(await isOwn(ctx, job, decision.record.id)))
    limitJob(job, decision.said);
  settleJob(job, person?.properties ?? {});
  job.log_only = decision.do === 'log_only' && job.plan.person !== null;
  const call = { key: job.plan.key, ended_at: job.ended_at, watermark: undefined };
  const records: Preview['records'] = [];
  if (decision.do === 'use' || decision.do === 'create') {
    const object = crm.objectOf(job, person);
    const watermark = person && (await watermarkOf(ctx, person, crm.watermark));
    const fields = crm.changes(object, job.plan.person?.fields ?? [], person?.properties, { ...call, watermark });
    records.push(toPreview('person', object, person?.id, fields));
  }
  if (decision.do !== 'skip' && decision.do !== 'fail')
    for (const record of wantedRecords(job)) {
      const there = crm.existing(record);
      const fields = crm.changes(record.object, withoutNewer(record.fields), there?.properties, call);
      records.push(toPreview(record.name, record.object, there?.id, fields));
    }
  const looking = requestsToLookUp(job, answer, crm);
  return {
    person: toAnswer(answer, crm.toRecord),
    decision: NAMES[decision.do],
    ...(decision.do === 'fail' && decision.failure.hint ? { hint: decision.failure.hint } : {}),
    records,
    left_out: job.plan.left_out.map(({ field, reason, at }) => ({ field, reason, at })),
    requests: decision.do === 'fail' || decision.do === 'skip' ? looking : looking + crm.estimate(job, records),
  };
}

const NAMES = {
  use: 'use',
  create: 'create',
  log_only: 'log_only',
  skip: 'skip',
  fail: 'park',
} as const satisfies Record<Decision<Person>['do'], Preview['decision']>;

function toPreview(
  name: string,
  object: string,
  id: string | undefined,
  fields: FieldChange[],
): Preview['records'][number] {
  return { name, object, did: id === undefined ? 'create' : 'update', fields, ...(id === undefined ? {} : { id }) };
}

/** Steps are tried until one answers; a person whom this delivery has written before is not looked for again. */
function requestsToLookUp<P extends Person>(job: Job, answer: Found<P>, { wayOf }: Previewer<P>): number {
  const match = job.plan.person?.match ?? [];
  const by = answer.found === 'one' || answer.found === 'many' ? answer.by : undefined;
  const tried = by === undefined ? match : match.slice(0, match.findIndex((step) => step.by === by) + 1);
  const written = answer.found === 'one' && doneBefore(job, 'person') !== undefined && !mustRead([job]);
  return new Set(tried.map(wayOf)).size - (written ? 1 : 0);
}
