/**
 * Creates people that nobody knows, each once.
 *
 * A lease keeps other workers off the person meanwhile, memory bridges the lag of HubSpot's search, and the unique key
 * gives the guarantee. The first attempt creates with the key, so that a contact that exists after all is never
 * overwritten past its write modes: HubSpot refuses the second holder of a key and names the first. Whatever is in
 * doubt (a retry, a lost answer, somebody else's unfinished attempt) is read by key first and then upserted by it.
 */
import { Failure, type Held } from '@wrapup/destination';
import { asHubSpotFailure, type HubSpotFailure } from './errors.ts';
import { contactSteps, failJob, type Job, noteDropped, settleJob, unsettleJob } from './job.ts';
import type { KnownPerson } from './known-people.ts';
import { keyProperty, WATERMARK } from './objects.ts';
import { addIdentity, makePatch, propertiesToRead } from './person-patch.ts';
import { readMany } from './read-many.ts';
import {
  markStarted,
  personLeases,
  recallPerson,
  rememberPerson,
  rememberWatermark,
  wasStarted,
} from './remembered.ts';
import { type Row, type RowPolicy, type RowResult, sendRows } from './rows.ts';
import type { Session } from './session.ts';

export interface NewPerson {
  key: string;
  jobs: Job[];
}

const KEY = keyProperty('contacts');
/** Ms that a lease lasts when its holder dies. */
const LEASE = 30_000;
/** Ms after which a person that somebody else is creating is tried again. */
const BUSY = 1000;

/** Creates them; those who turn out to exist are handed back with their id, to be written like anybody known. */
export async function createPeople(session: Session, people: NewPerson[], policy: RowPolicy): Promise<KnownPerson[]> {
  const leases: Held[] = [];
  try {
    const mine: NewPerson[] = [];
    for (const person of people) {
      const held = await takeLease(session, person);
      if (!held) continue;
      leases.push(held);
      mine.push(person);
    }
    const known: KnownPerson[] = [];
    const absent = await recallOrRead(session, mine, known);
    await createAbsent(session, absent, policy, known);
    return known;
  } finally {
    // A lease that cannot be given back falls free by itself.
    for (const held of leases) await held.release().catch(() => {});
  }
}

async function takeLease(session: Session, person: NewPerson): Promise<Held | undefined> {
  try {
    const held = await session.ctx.lease.take(personLeases(person.key, person.jobs.flatMap(contactSteps)), LEASE);
    if (held) return held;
    const failure = new Failure('busy', 'Another delivery is creating the same person at this moment.', {
      retry_after: BUSY,
      hint: 'Nothing to do: the delivery goes on by itself.',
    });
    for (const job of person.jobs) failJob(job, failure, 'person');
  } catch (thrown) {
    failAll(person.jobs, asHubSpotFailure(thrown));
  }
  return undefined;
}

/** People who are remembered by now, or whose earlier creation may have come through, are known after all. */
async function recallOrRead(session: Session, people: NewPerson[], known: KnownPerson[]): Promise<NewPerson[]> {
  const unknown: NewPerson[] = [];
  const doubtful: NewPerson[] = [];
  for (const person of people) {
    try {
      const id = await recallAny(session, person);
      if (id !== undefined) known.push({ id, jobs: person.jobs });
      else if (person.jobs.some((job) => job.plan.resume) || (await wasStarted(session.ctx, person.key)))
        doubtful.push(person);
      else unknown.push(person);
    } catch (thrown) {
      failAll(person.jobs, asHubSpotFailure(thrown));
    }
  }
  const still = await readByKey(session, doubtful, known);
  return [...unknown, ...still];
}

async function recallAny(session: Session, person: NewPerson): Promise<string | undefined> {
  for (const step of person.jobs.flatMap(contactSteps)) {
    const id = await recallPerson(session.ctx, step);
    if (id !== undefined) return id;
  }
  return undefined;
}

/** Hands those who exist to `known` and returns those who certainly do not. */
async function readByKey(session: Session, people: NewPerson[], known: KnownPerson[]): Promise<NewPerson[]> {
  if (people.length === 0) return [];
  const plansOf = (key: string) => people.filter((person) => person.key === key).flatMap(plansOfPerson);
  const keys = people.map((person) => person.key);
  const properties = propertiesToRead(people.flatMap((person) => person.jobs.map((job) => job.plan)));
  const reading = await readMany(session, 'contacts', keys, properties, plansOf, KEY);
  return people.filter((person) => {
    const record = reading.found.get(person.key);
    const failure = reading.failed.get(person.key);
    if (record) handBack(person, { id: record.id, current: record.properties, read: new Set(properties) }, known);
    else if (failure) failAll(person.jobs, failure);
    return !record && !failure;
  });
}

async function createAbsent(
  session: Session,
  people: NewPerson[],
  policy: RowPolicy,
  known: KnownPerson[],
): Promise<void> {
  if (people.length === 0) return;
  const rows = new Map<Row, NewPerson>();
  for (const person of people) {
    try {
      await markStarted(session.ctx, person.key);
      rows.set(rowOf(person), person);
    } catch (thrown) {
      failAll(person.jobs, asHubSpotFailure(thrown));
    }
  }
  const doubtful: NewPerson[] = [];
  for (const [row, result] of await sendRows(session, 'create', 'contacts', [...rows.keys()], policy)) {
    const person = rows.get(row);
    if (person && !(await settle(session, person, row, result, known))) doubtful.push(person);
  }
  if (doubtful.length === 0) return;
  const absent = new Map((await readByKey(session, doubtful, known)).map((person) => [rowOf(person), person]));
  for (const [row, result] of await sendRows(session, 'upsert', 'contacts', [...absent.keys()], policy)) {
    const person = absent.get(row);
    if (!person || (await settle(session, person, row, result, known))) continue;
    if (!result.ok) failAll(person.jobs, contested(result.failure));
  }
}

/** Somebody who exists after all is written like anybody known, and what the mappings read of them is read. */
function handBack(person: NewPerson, found: Omit<KnownPerson, 'jobs'>, known: KnownPerson[]): void {
  for (const job of person.jobs) unsettleJob(job);
  known.push({ ...found, jobs: person.jobs });
}

/** @returns false when it is open whether the person exists now */
async function settle(
  session: Session,
  person: NewPerson,
  row: Row,
  result: RowResult,
  known: KnownPerson[],
): Promise<boolean> {
  for (const job of person.jobs) noteDropped(job, 'person', result.dropped);
  if (result.ok) {
    known.push({ id: result.id, current: row.properties, jobs: person.jobs, created: true });
    await rememberNew(session, person, result);
    return true;
  }
  const { failure } = result;
  if (failure.code === 'conflict') {
    const owner = failure.vendor?.owner;
    if (owner === undefined) return false;
    handBack(person, { id: owner }, known);
    return true;
  }
  if (failure.doubt && session.usable) return false;
  failAll(person.jobs, keyMissing(failure));
  return true;
}

/** HubSpot says that somebody has one of the person's unique values, and not who: a person has to look. */
function contested(failure: HubSpotFailure): Failure {
  if (failure.code !== 'conflict') return failure;
  return failure.with({
    next: 'park',
    hint: 'Another contact holds this e-mail address or key, and HubSpot does not say which: find it in HubSpot, then replay.',
  });
}

async function rememberNew(session: Session, person: NewPerson, result: RowResult & { ok: true }): Promise<void> {
  try {
    await rememberPerson(session.ctx, person.jobs.flatMap(contactSteps), result.id);
    if (result.dropped.some(({ property }) => property === WATERMARK)) {
      const latest = Math.max(...person.jobs.map((job) => job.ended_at));
      await rememberWatermark(session.ctx, result.id, new Date(latest).toISOString());
    }
  } catch (thrown) {
    // The contact exists and its key finds it; only the short cut is lost.
    session.ctx.log.warn({ error: asHubSpotFailure(thrown).message }, 'a new contact could not be remembered');
  }
}

function rowOf(person: NewPerson): Row {
  for (const job of person.jobs) settleJob(job, {});
  return {
    trace: `person-${person.jobs[0]?.index ?? 0}`,
    key: { property: KEY, value: person.key },
    properties: addIdentity(makePatch(person.jobs, undefined, undefined), person.jobs),
    links: [],
    plans: plansOfPerson(person),
    required: new Set([KEY]),
  };
}

function plansOfPerson(person: NewPerson): number[] {
  return person.jobs.map((job) => job.index);
}

function failAll(jobs: Job[], failure: Failure): void {
  for (const job of jobs) failJob(job, failure, 'person');
}

/** Without the unique key nobody is created: a repeat could not be told from a first time. */
export function keyMissing(failure: HubSpotFailure): Failure {
  if (failure.code !== 'missing_property') return failure;
  return failure.with({ hint: 'Run `wrapup provision` (or create the property by hand), then replay.' });
}
