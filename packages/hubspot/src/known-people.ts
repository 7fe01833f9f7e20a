/** Writes what calls say onto people who exist: one write a person, read first only where a write mode asks for it. */
import { Failure } from '@wrapup/destination';
import {
  contactSteps,
  failJob,
  type Job,
  noteDropped,
  recallWatermark,
  rememberPerson,
  rememberWatermark,
  settleJob,
} from '@wrapup/destination/delivery';
import { needsWatermark } from '@wrapup/mapping';
import { asHubSpotFailure, type HubSpotFailure } from './errors.ts';
import { type Account, recordUrl, WATERMARK } from './objects.ts';
import { makePatch, mustRead, propertiesToRead } from './person-patch.ts';
import { readMany } from './read-many.ts';
import { type Row, type RowPolicy, type RowResult, sendRows } from './rows.ts';
import type { Session } from './session.ts';
import { type Properties, readTime } from './write-modes.ts';

export interface KnownPerson {
  id: string;
  jobs: Job[];
  /** The contact's values; absent when it was not read. */
  current?: Properties;
  /** Names of the properties that were asked for. */
  read?: ReadonlySet<string>;
  /** It was made just now, with everything that its jobs say. */
  created?: boolean;
  /** Another look-up was made because this contact was gone. */
  rematched?: boolean;
}

/** Writes them, and returns those whose contact turned out to be gone. */
export async function writePeople(
  session: Session,
  people: KnownPerson[],
  policy: RowPolicy,
  account: Account | undefined,
): Promise<KnownPerson[]> {
  const gone: KnownPerson[] = [];
  // Two ids may turn out to be one contact when it is read under a merged id.
  let waiting = joinById(await readWhereNeeded(session, joinById(people), gone));
  for (const person of waiting) settle(person);
  // A plan may write more properties once it knows the person: those are read as well.
  waiting = joinById(await readWhereNeeded(session, waiting, gone));
  // A second round only for those who shared a write with a job whose field was refused.
  for (let round = 0; round < 3 && waiting.length > 0; round += 1) {
    const rows = new Map<Row, KnownPerson>();
    for (const person of waiting) {
      try {
        const patch = person.created
          ? {}
          : makePatch(person.jobs, person.current ?? {}, await watermarkOf(session, person));
        if (Object.keys(patch).length > 0) rows.set(rowOf(person, patch), person);
        else finish(person, person.created ? 'created' : 'unchanged', account);
      } catch (thrown) {
        for (const job of person.jobs) failJob(job, asHubSpotFailure(thrown), 'person');
      }
    }
    const again: KnownPerson[] = [];
    for (const [row, result] of await sendRows(session, 'update', 'contacts', [...rows.keys()], policy)) {
      const person = rows.get(row);
      if (person) await conclude(session, person, row, result, { again, gone, policy, account });
    }
    waiting = again;
  }
  return gone;
}

/** One entry a contact: HubSpot refuses a batch in which an id stands twice. */
export function joinById(people: KnownPerson[]): KnownPerson[] {
  const joined = new Map<string, KnownPerson>();
  for (const person of people) {
    const known = joined.get(person.id);
    if (!known) joined.set(person.id, { ...person });
    else {
      known.jobs = [...known.jobs, ...person.jobs];
      if (!known.current && person.current) {
        known.current = person.current;
        if (person.read) known.read = person.read;
      }
      known.created = known.created === true && person.created === true;
      known.rematched = known.rematched === true || person.rematched === true;
    }
  }
  return [...joined.values()];
}

/** Reads those who cannot be written without their values. */
async function readWhereNeeded(session: Session, people: KnownPerson[], gone: KnownPerson[]): Promise<KnownPerson[]> {
  const unread = people.filter(isUnread);
  if (unread.length === 0) return people;
  const plansOf = (id: string) => unread.filter((person) => person.id === id).flatMap(plansOfPerson);
  const properties = unread.flatMap(neededOf);
  const ids = unread.map((person) => person.id);
  const reading = await readMany(session, 'contacts', ids, properties, plansOf);
  return people.filter((person) => {
    if (!unread.includes(person)) return true;
    const record = reading.found.get(person.id);
    const failure = reading.failed.get(person.id);
    if (record) {
      // A merged contact answers under the id that it has now.
      person.id = record.id;
      person.current = record.properties;
      person.read = new Set(properties);
      return true;
    }
    if (failure) for (const job of person.jobs) failJob(job, failure, 'person');
    else gone.push(person);
    return false;
  });
}

function isUnread(person: KnownPerson): boolean {
  if (person.created || !mustRead(person.jobs)) return false;
  return !person.current || neededOf(person).some((name) => !person.read?.has(name));
}

function neededOf(person: KnownPerson): string[] {
  return propertiesToRead(person.jobs.map((job) => job.plan));
}

async function watermarkOf(session: Session, person: KnownPerson): Promise<number | undefined> {
  const writing = person.jobs.filter((job) => !job.person_done);
  if (!writing.some((job) => needsWatermark(job.plan.person?.fields ?? []))) return undefined;
  return readTime(person.current?.[WATERMARK]) ?? readTime(await recallWatermark(session.ctx, person.id));
}

interface Settling {
  again: KnownPerson[];
  gone: KnownPerson[];
  policy: RowPolicy;
  account: Account | undefined;
}

/** Fills in what the mappings read of the person. A new one was written with what they say of somebody new. */
function settle(person: KnownPerson): void {
  if (person.current && !person.created) for (const job of person.jobs) settleJob(job, person.current);
}

async function conclude(
  session: Session,
  person: KnownPerson,
  row: Row,
  result: RowResult,
  { again, gone, policy, account }: Settling,
): Promise<void> {
  for (const job of person.jobs) noteDropped(job, 'person', result.dropped);
  if (result.ok) {
    await rememberWritten(
      session,
      person,
      row,
      result.dropped.some(({ property }) => property === WATERMARK),
    );
    finish({ ...person, id: result.id }, 'updated', account);
    return;
  }
  const { failure } = result;
  if (failure.code === 'gone') {
    gone.push(person);
    return;
  }
  if (failure.code === 'conflict') {
    conflict(person, row, failure, { again, policy });
    return;
  }
  const guilty = guiltyJobs(person, failure);
  for (const job of guilty) failJob(job, failure, 'person');
  const rest = person.jobs.filter((job) => !guilty.includes(job));
  if (rest.length > 0) again.push({ ...person, jobs: rest });
}

/** Jobs that wrote the refused field; all of them when the refusal names none. */
function guiltyJobs(person: KnownPerson, failure: HubSpotFailure): Job[] {
  const field = failure.details.field;
  if (field === undefined) return person.jobs;
  const guilty = person.jobs.filter((job) => job.plan.person?.fields.some(({ name }) => name === field));
  return guilty.length > 0 ? guilty : person.jobs;
}

/** The address that a call gave belongs to another contact. The rest is written without it. */
function conflict(
  person: KnownPerson,
  row: Row,
  failure: HubSpotFailure,
  { again, policy }: { again: KnownPerson[]; policy: RowPolicy },
): void {
  const owner = failure.vendor?.owner;
  const hint = `Contact ${person.id} and contact ${owner ?? 'another one'} claim the same unique value, mostly an e-mail address: merge them in HubSpot, then replay.`;
  if (policy.drop && 'email' in row.properties) {
    for (const job of person.jobs) {
      job.notes.push(`person.email was left out. ${hint}`);
      const plan = job.plan;
      if (plan.person)
        job.plan = {
          ...plan,
          person: { ...plan.person, fields: plan.person.fields.filter((field) => field.name !== 'email') },
        };
    }
    again.push(person);
    return;
  }
  for (const job of person.jobs)
    failJob(job, failure.with({ next: 'park', hint, ...(owner ? { candidates: [person.id, owner] } : {}) }), 'person');
}

async function rememberWritten(session: Session, person: KnownPerson, row: Row, noWatermark: boolean): Promise<void> {
  try {
    // Its number or address changed, and the search will not know for a while.
    if (['phone', 'mobilephone', 'email'].some((name) => name in row.properties))
      await rememberPerson(session.ctx, person.jobs.flatMap(contactSteps), person.id);
    if (noWatermark) {
      const latest = Math.max(...person.jobs.map((job) => job.ended_at));
      await rememberWatermark(session.ctx, person.id, new Date(latest).toISOString());
    }
  } catch (thrown) {
    session.ctx.log.warn({ error: Failure.of(thrown).message }, 'a written contact could not be remembered');
  }
}

function finish(person: KnownPerson, did: 'created' | 'updated' | 'unchanged', account: Account | undefined): void {
  const url = recordUrl(account, 'contacts', person.id);
  for (const job of person.jobs) {
    if (job.outcome) continue;
    job.person = person.id;
    job.records.set('person', { name: 'person', object: 'contacts', id: person.id, did, ...(url ? { url } : {}) });
  }
}

function rowOf(person: KnownPerson, patch: Record<string, string>): Row {
  return {
    trace: `person-${person.jobs[0]?.index ?? 0}`,
    id: person.id,
    properties: patch,
    links: [],
    plans: plansOfPerson(person),
    required: new Set(),
  };
}

function plansOfPerson(person: KnownPerson): number[] {
  return person.jobs.map((job) => job.index);
}
