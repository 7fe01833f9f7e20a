/** From the people of many plans to written records, in rounds: look up together, apply each plan's policy, write each once. */
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { contactSteps, doneBefore, failJob, failJobs, isUnsettled, type Job, settleJob, unsettleJob } from './job.ts';
import { writeKnown } from './known-people.ts';
import { joinById, type KnownPerson, type LostPerson, type PeopleWriter, type Person } from './known-person.ts';
import { propertiesToRead, type Question, questionOf } from './person-fields.ts';
import { type Decision, decide, type Found, groupUnknown, type NewPerson, type Wording } from './person-policy.ts';
import { forgetPerson } from './remembered.ts';
import { isOwn, limitJob, settleClaim } from './said.ts';

/** How a CRM's people are found, created and written. */
export interface PeopleAdapter<P extends Person, Row> extends PeopleWriter<P, Row> {
  wording: Wording;
  /** A person of whom nothing but the id is known. */
  byId(id: string): P;
  /** Answers all questions, in their order. Never rejects. */
  lookUp(questions: Question[], properties: string[]): Promise<Found<P>[]>;
  /** Creates people, each once; those who turn out to exist are given back to be written like anybody known. Never rejects. */
  create(people: NewPerson[]): Promise<KnownPerson<P>[]>;
}

/** Ids that proved dead, by job. */
type Gone = Map<Job, Set<string>>;

/**
 * Writes the people of all jobs that have one; those whose record vanished between look-up and write are looked up once
 * more. Afterwards every job has its `person`, is `log_only`, has ended, or has no person by its mapping. Never rejects.
 */
export async function writePeople<P extends Person, Row>(
  ctx: Context,
  jobs: Job[],
  crm: PeopleAdapter<P, Row>,
): Promise<void> {
  for (const job of jobs) await settleClaim(ctx, job).catch((thrown) => failJob(job, Failure.of(thrown), 'person'));
  let open = jobs.filter((job) => job.plan.person !== null && !job.outcome);
  const gone: Gone = new Map();
  for (let round = 0; round < 2 && open.length > 0; round += 1) {
    const { known, unknown } = await findPeople(ctx, open, gone, crm);
    const created = await crm.create(groupUnknown(unknown));
    const lost = await writeKnown(ctx, [...known, ...created], crm);
    open = await takeBack(ctx, lost, gone);
  }
  failJobs(open, new Failure('gone', crm.wording.vanished), 'person');
}

async function takeBack(ctx: Context, lost: LostPerson[], gone: Gone): Promise<Job[]> {
  for (const { id, jobs } of lost)
    for (const job of jobs) {
      unsettleJob(job);
      job.person_done = false;
      gone.set(job, new Set([...(gone.get(job) ?? []), id]));
      for (const step of contactSteps(job)) await forgetPerson(ctx, step).catch(() => {});
    }
  return lost.flatMap(({ jobs }) => jobs);
}

async function findPeople<P extends Person>(
  ctx: Context,
  jobs: Job[],
  gone: Gone,
  crm: Pick<PeopleAdapter<P, never>, 'byId' | 'lookUp' | 'wording' | 'watermark'>,
): Promise<{ known: KnownPerson<P>[]; unknown: Job[] }> {
  const known: KnownPerson<P>[] = [];
  const unknown: Job[] = [];
  const asking: Job[] = [];
  for (const job of jobs) {
    const id = settledBefore(job, gone.get(job));
    job.person_done = id !== undefined;
    if (id === undefined) asking.push(job);
    else known.push({ person: crm.byId(id), jobs: [job] });
  }
  const properties = propertiesToRead(
    jobs.map((job) => job.plan),
    crm.watermark,
  );
  const questions = asking.map((job) => questionOf(job, gone.get(job)));
  const answers = await crm.lookUp(questions, properties);
  for (const [index, job] of asking.entries()) {
    const answer = answers[index];
    if (!answer) continue;
    const decision = decide(job.plan, answer, crm.wording);
    if (decision.do === 'use' && decision.said !== undefined && !(await isOwn(ctx, job, decision.record.id)))
      limitJob(job, decision.said);
    const next = follow(job, decision);
    if (next === 'create') unknown.push(job);
    else if (next)
      known.push({ person: next.record, jobs: [job], ...(next.read ? { asked: new Set(properties) } : {}) });
  }
  return { known: joinById(known), unknown };
}

/** Id of the person that an earlier attempt has written, when nothing of it is needed now. */
function settledBefore(job: Job, gone: ReadonlySet<string> = new Set()): string | undefined {
  const id = doneBefore(job, 'person');
  return id !== undefined && !gone.has(id) && !isUnsettled(job) ? id : undefined;
}

/**
 * Does to a job what its policy decided.
 * @returns the person to write to; `create` for somebody to be created; undefined when nobody is written
 */
function follow<P extends Person>(
  job: Job,
  decision: Decision<P>,
): { record: P; read: boolean } | 'create' | undefined {
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
