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
import { type Person, phoneFieldsOf } from './candidates.ts';
import { asSalesforceFailure, type SalesforceFailure } from './errors.ts';
import { readPeopleById } from './look-up.ts';
import { recordUrl, WATERMARK } from './objects.ts';
import { makePatch, mustRead, onAccount, propertiesToRead } from './person-patch.ts';
import { type Row, type RowResult, sendRows } from './rows.ts';
import type { SObject } from './schema.ts';
import { readTime } from './values.ts';
import type { Work } from './work.ts';

export interface KnownPerson {
  person: Person;
  /** False: nothing but the id is known of it. */
  read: boolean;
  /** Names of the fields that were asked for. */
  asked?: ReadonlySet<string>;
  jobs: Job[];
  /** Made just now, with everything that its jobs say. */
  created?: boolean;
  /** The id was only told: whoever it is has to be read. */
  verify?: boolean;
}

/** Writes them, and returns those whose record turned out to be gone. */
export async function writePeople(work: Work, people: KnownPerson[]): Promise<{ id: string; jobs: Job[] }[]> {
  const gone: { id: string; jobs: Job[] }[] = [];
  // Two ids may turn out to be one person when they are read: a lead and the contact that it became.
  let waiting = joinById(await readWhereNeeded(work, joinById(people), gone));
  for (const person of waiting) settle(person);
  // A plan may write more fields once it knows the person: those are read as well.
  waiting = joinById(await readWhereNeeded(work, waiting, gone));
  // A second round only for those who shared a write with a job whose field was refused.
  for (let round = 0; round < 3 && waiting.length > 0; round += 1) {
    const rows = new Map<Row, KnownPerson>();
    for (const known of waiting) {
      try {
        const row = await rowOf(work, known);
        if (row) rows.set(row, known);
        else finish(work, known, known.created ? 'created' : 'unchanged');
      } catch (thrown) {
        for (const job of known.jobs) failJob(job, asSalesforceFailure(thrown), 'person');
      }
    }
    const again: KnownPerson[] = [];
    for (const [row, result] of await sendRows(work.session, 'update', [...rows.keys()], work.policy)) {
      const known = rows.get(row);
      if (known) await conclude(work, known, row, result, { again, gone });
    }
    waiting = again;
  }
  return gone;
}

/** One entry a person: a collection in which an id stands twice fails its second row. */
export function joinById(people: KnownPerson[]): KnownPerson[] {
  const joined = new Map<string, KnownPerson>();
  for (const one of people) {
    const known = joined.get(one.person.id);
    if (!known) {
      joined.set(one.person.id, { ...one });
      continue;
    }
    known.jobs = [...known.jobs, ...one.jobs];
    if (!known.read && one.read) {
      known.person = one.person;
      known.read = true;
      if (one.asked) known.asked = one.asked;
    }
    known.created = known.created === true && one.created === true;
    known.verify = known.verify === true && one.verify === true;
  }
  return [...joined.values()];
}

/** Reads those who cannot be written without their values. */
async function readWhereNeeded(
  { session, org }: Work,
  people: KnownPerson[],
  gone: { id: string; jobs: Job[] }[],
): Promise<KnownPerson[]> {
  const unread = people.filter(isUnread);
  if (unread.length === 0) return people;
  const names = [...new Set(unread.flatMap(neededOf))];
  const ids = unread.map(({ person }) => person.id);
  try {
    const plans = unread.map(({ jobs }) => jobs[0]?.index ?? 0);
    const found = await readPeopleById(session, org, ids, names, plans);
    return people.flatMap((known): KnownPerson[] => {
      if (!unread.includes(known)) return [known];
      const person = found.get(known.person.id);
      if (!person) {
        gone.push({ id: known.person.id, jobs: known.jobs });
        return [];
      }
      return [{ ...known, person, read: true, asked: new Set(names), verify: false }];
    });
  } catch (thrown) {
    for (const { jobs } of unread) for (const job of jobs) failJob(job, asSalesforceFailure(thrown), 'person');
    return people.filter((known) => !unread.includes(known));
  }
}

function isUnread(known: KnownPerson): boolean {
  if (known.created) return false;
  if (known.verify) return true;
  if (!mustRead(known.jobs)) return false;
  return !known.read || neededOf(known).some((name) => !known.asked?.has(name));
}

function neededOf({ jobs }: KnownPerson): string[] {
  return propertiesToRead(jobs.map((job) => job.plan));
}

/** Fills in what the mappings read of the person. A new one was written with what they say of somebody new. */
function settle({ person, read, created, jobs }: KnownPerson): void {
  if (read && !created) for (const job of jobs) settleJob(job, person.properties);
}

/** What is to be written; undefined when that is nothing. @throws SalesforceFailure */
async function rowOf(work: Work, known: KnownPerson): Promise<Row | undefined> {
  const { person, jobs } = known;
  const writing = jobs.filter((job) => !job.person_done && !job.outcome);
  if (known.created || writing.length === 0) return undefined;
  const object = work.org.object(person.object);
  if (!object) return undefined;
  if (person.object === 'Account') {
    // A company: what the call says of a person is not said of it.
    for (const job of writing) job.notes.push('The caller’s number is that of an account: the call is logged there.');
    return undefined;
  }
  const patch = makePatch(writing, {
    org: work.org,
    object,
    drop: work.policy.drop,
    current: person.properties,
    watermark: await watermarkOf(work, known),
  });
  for (const [job, dropped] of patch.dropped) noteDropped(job, 'person', dropped);
  for (const [job, failure] of patch.refused) failJob(job, failure, 'person');
  if (Object.keys(patch.fields).length === 0) return undefined;
  const target = targetOf(work, person, patch.fields);
  return {
    ...target,
    // The account of a contact is locked with it.
    parent: person.account ?? person.id,
    plans: jobs.map((job) => job.index),
    required: new Set(),
  };
}

/** A person account is written as the account that it is. */
function targetOf(
  { org }: Work,
  person: Person,
  fields: Record<string, unknown>,
): Pick<Row, 'object' | 'id' | 'fields'> {
  const account = person.person_account === undefined ? undefined : org.object('Account');
  if (!account || person.person_account === undefined) return { object: person.object, id: person.id, fields };
  return { object: 'Account', id: person.person_account, fields: asAccount(account, fields) };
}

function asAccount(account: SObject, fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => {
      const there = onAccount(account, name);
      return there === undefined ? [] : [[there, value]];
    }),
  );
}

async function watermarkOf({ session }: Work, { person, jobs }: KnownPerson): Promise<number | undefined> {
  const writing = jobs.filter((job) => !job.person_done);
  if (!writing.some((job) => needsWatermark(job.plan.person?.fields ?? []))) return undefined;
  return readTime(person.properties[WATERMARK]) ?? readTime(await recallWatermark(session.ctx, person.id));
}

async function conclude(
  work: Work,
  known: KnownPerson,
  row: Row,
  result: RowResult,
  { again, gone }: { again: KnownPerson[]; gone: { id: string; jobs: Job[] }[] },
): Promise<void> {
  for (const job of known.jobs) noteDropped(job, 'person', result.dropped);
  if (result.ok) {
    await rememberWritten(work, known, row);
    finish(work, known, 'updated');
    return;
  }
  const { failure } = result;
  if (failure.code === 'gone') {
    gone.push({ id: known.person.id, jobs: known.jobs });
    return;
  }
  const guilty = guiltyJobs(known, failure);
  for (const job of guilty) failJob(job, contested(known, failure), 'person');
  const rest = known.jobs.filter((job) => !guilty.includes(job));
  if (rest.length > 0) again.push({ ...known, jobs: rest });
}

/** Jobs that wrote the refused field; all of them when the refusal names none. */
function guiltyJobs({ jobs }: KnownPerson, failure: SalesforceFailure): Job[] {
  const { field } = failure.details;
  if (field === undefined) return jobs;
  const guilty = jobs.filter((job) => job.plan.person?.fields.some(({ name }) => name === field));
  return guilty.length > 0 ? guilty : jobs;
}

/** Somebody else has what the call says of this person: a person has to look. */
function contested({ person }: KnownPerson, failure: SalesforceFailure): Failure {
  if (failure.code !== 'conflict' && failure.code !== 'ambiguous_person') return failure;
  const others = [failure.vendor?.holder ?? [], failure.vendor?.matches.map(({ id }) => id) ?? []].flat();
  return failure.with({
    next: 'park',
    candidates: [person.id, ...others],
    hint: `Record ${person.id} and ${others[0] ?? 'another one'} claim the same value: merge them in Salesforce, then replay.`,
  });
}

async function rememberWritten({ session, org }: Work, { person, jobs }: KnownPerson, row: Row): Promise<void> {
  try {
    const object = org.object(person.object);
    const reached = [...(object ? phoneFieldsOf(object) : []), 'Email'];
    // Its number or address changed, and the search will not know for a while.
    if (reached.some((name) => name in row.fields))
      await rememberPerson(session.ctx, jobs.flatMap(contactSteps), person.id);
    if (!(WATERMARK in row.fields) && jobs.some((job) => needsWatermark(job.plan.person?.fields ?? [])))
      await rememberWatermark(session.ctx, person.id, latestEnd(jobs));
  } catch (thrown) {
    session.ctx.log.warn({ error: Failure.of(thrown).message }, 'a written person could not be remembered');
  }
}

/** UTC, of the call that ended last. */
export function latestEnd(jobs: Job[]): string {
  return new Date(Math.max(...jobs.map((job) => job.ended_at))).toISOString();
}

function finish({ org_url }: Work, { person, jobs }: KnownPerson, did: 'created' | 'updated' | 'unchanged'): void {
  const url = recordUrl(org_url, person.id);
  for (const job of jobs) {
    if (job.outcome) continue;
    job.person = person.id;
    delete job.account;
    if (person.account !== undefined) job.account = person.account;
    job.records.set('person', { name: 'person', object: person.object, id: person.id, did, ...(url ? { url } : {}) });
  }
}
