/**
 * Creates people that nobody knows, each once.
 *
 * A lease keeps other workers off the person meanwhile, memory bridges the lag of Salesforce's search, and the unique key
 * gives the guarantee: Salesforce refuses the second holder of a key and names the first, so that somebody who exists
 * after all is written within the write modes. Whatever is in doubt (a retry, a lost answer, somebody else's unfinished
 * attempt) is read first. In an org without the key people are read by the very number and address that they would be
 * created with, which queries see at once: that holds against repeats, and against two workers as long as the lease does.
 */
import { Failure, type Held } from '@wrapup/destination';
import {
  asText,
  contactSteps,
  failJob,
  markStarted,
  type NewPerson,
  noteDropped,
  personLeases,
  recallPerson,
  rememberPerson,
  rememberWatermark,
  settleJob,
  unsettleJob,
  wasStarted,
} from '@wrapup/destination/delivery';
import { bestOf, fieldsToAsk, type Person, peopleObjects, phoneFieldsOf, readPeople } from './candidates.ts';
import { asSalesforceFailure, SalesforceFailure } from './errors.ts';
import { type KnownPerson, latestEnd } from './known-people.ts';
import { knownById } from './look-up.ts';
import { KEY, WATERMARK } from './objects.ts';
import { addIdentity, createdAs, makePatch, propertiesToRead, REQUIRED_OF_NEW } from './person-patch.ts';
import { queryTogether } from './query.ts';
import { type Row, type RowResult, sendRows } from './rows.ts';
import type { SObject } from './schema.ts';
import { isIn, select } from './soql.ts';
import type { Work } from './work.ts';

/** Ms that a lease lasts when its holder dies. */
const LEASE = 30_000;
/** Ms after which a person that somebody else is creating is tried again. */
const BUSY = 1000;

/** Creates them; those who turn out to exist are handed back, to be written like anybody known. */
export async function createPeople(work: Work, people: NewPerson[]): Promise<KnownPerson[]> {
  const leases: Held[] = [];
  try {
    const mine: NewPerson[] = [];
    for (const person of people) {
      const held = await takeLease(work, person);
      if (!held) continue;
      leases.push(held);
      mine.push(person);
    }
    const known: KnownPerson[] = [];
    const absent = await recallOrRead(work, mine, known);
    await createAbsent(work, absent, known);
    return known;
  } finally {
    // A lease that cannot be given back falls free by itself.
    for (const held of leases) await held.release().catch(() => {});
  }
}

async function takeLease({ session }: Work, person: NewPerson): Promise<Held | undefined> {
  try {
    const held = await session.ctx.lease.take(personLeases(person.key, person.jobs.flatMap(contactSteps)), LEASE);
    if (held) return held;
    failAll(
      person,
      new Failure('busy', 'Another delivery is creating the same person at this moment.', {
        retry_after: BUSY,
        hint: 'Nothing to do: the delivery goes on by itself.',
      }),
    );
  } catch (thrown) {
    failAll(person, asSalesforceFailure(thrown));
  }
  return undefined;
}

/** People who are remembered by now, or whose earlier creation may have come through, are known after all. */
async function recallOrRead(work: Work, people: NewPerson[], known: KnownPerson[]): Promise<NewPerson[]> {
  const unknown: NewPerson[] = [];
  const doubtful: NewPerson[] = [];
  for (const person of people) {
    try {
      const id = await recallAny(work, person);
      const tried = person.jobs.some((job) => job.plan.resume) || !isKeyed(work, person);
      if (id !== undefined) handBack(person, { person: knownById(id), read: false, verify: true }, known);
      else if (tried || (await wasStarted(work.session.ctx, person.key))) doubtful.push(person);
      else unknown.push(person);
    } catch (thrown) {
      failAll(person, asSalesforceFailure(thrown));
    }
  }
  return [...unknown, ...(await readThose(work, doubtful, known))];
}

async function recallAny({ session }: Work, { jobs }: NewPerson): Promise<string | undefined> {
  for (const step of jobs.flatMap(contactSteps)) {
    const id = await recallPerson(session.ctx, step);
    if (id !== undefined) return id;
  }
  return undefined;
}

function isKeyed({ org }: Work, { jobs }: NewPerson): boolean {
  return isUniqueKey(org.object(createdAs(jobs)));
}

export function isUniqueKey(object: SObject | undefined): boolean {
  const key = object?.fields.get(KEY);
  return key?.unique === true && key.createable;
}

/** Hands those who exist to `known` and returns those who certainly do not. */
async function readThose(work: Work, people: NewPerson[], known: KnownPerson[]): Promise<NewPerson[]> {
  if (people.length === 0) return [];
  const { session, org } = work;
  const names = propertiesToRead(people.flatMap(({ jobs }) => jobs.map((job) => job.plan)));
  const queries = peopleObjects(org).flatMap((object) => {
    const where = whoseKeyOrIdentity(object, people);
    if (!where) return [];
    const fields = [...fieldsToAsk(object, names), ...(object.fields.has(KEY) ? [KEY] : [])];
    return [{ object: object.name, soql: select(object.name, fields, where) }];
  });
  try {
    const plans = people.flatMap(({ jobs }) => jobs.map((job) => job.index));
    const sent = people.flatMap(({ jobs }) => jobs.flatMap(contactSteps).map(({ value }) => value));
    const results = await queryTogether(session, 'look new people up', queries, plans, sent);
    const found = results.flatMap(({ records }) => readPeople(records));
    return people.filter((person) => {
      const [mine] = bestOf(found.filter((one) => isSame(one, person, isUniqueKey(org.object(one.object)))));
      if (!mine) return true;
      const follow = mine.converted_to === undefined ? mine : knownById(mine.converted_to);
      const isWhole = follow === mine && !mine.unread;
      handBack(person, { person: follow, read: isWhole, verify: !isWhole, asked: new Set(names) }, known);
      return false;
    });
  } catch (thrown) {
    for (const person of people) failAll(person, asSalesforceFailure(thrown));
    return [];
  }
}

/** By key where the object has it, else by the number and address that a new record would get. */
function whoseKeyOrIdentity(object: SObject, people: NewPerson[]): string | undefined {
  if (object.name === 'Account') return undefined;
  if (isUniqueKey(object))
    return isIn(
      KEY,
      people.map(({ key }) => key),
    );
  const steps = people.flatMap(({ jobs }) => jobs.flatMap(contactSteps));
  const values = (by: string) => [...new Set(steps.filter((step) => step.by === by).map(({ value }) => value))];
  const [phones, emails] = [values('phone'), values('email')];
  const clauses = [
    ...(phones.length > 0 ? phoneFieldsOf(object).map((name) => isIn(name, phones)) : []),
    ...(emails.length > 0 && object.fields.has('Email') ? [isIn('Email', emails)] : []),
  ];
  return clauses.length > 0 ? clauses.join(' OR ') : undefined;
}

function isSame(one: Person, { key, jobs }: NewPerson, keyed: boolean): boolean {
  if (keyed) return one.properties[KEY] === key;
  const held = new Set(Object.values(one.properties).map((value) => asText(value).toLowerCase()));
  return jobs.flatMap(contactSteps).some(({ value }) => held.has(value.toLowerCase()));
}

async function createAbsent(work: Work, people: NewPerson[], known: KnownPerson[]): Promise<void> {
  let open = people;
  // What is in doubt after the first time is read, and created once more where it is certainly not there.
  for (let round = 0; round < 2 && open.length > 0; round += 1) {
    const rows = new Map<Row, NewPerson>();
    for (const person of open) {
      try {
        await markStarted(work.session.ctx, person.key);
        const row = rowOf(work, person);
        if (row) rows.set(row, person);
      } catch (thrown) {
        failAll(person, asSalesforceFailure(thrown));
      }
    }
    const doubtful: NewPerson[] = [];
    for (const [row, result] of await sendRows(work.session, 'create', [...rows.keys()], work.policy)) {
      const person = rows.get(row);
      if (!person) continue;
      if (await settle(work, person, row, result, known)) continue;
      if (round === 0 && work.session.usable) doubtful.push(person);
      else if (!result.ok) failAll(person, contested(result.failure));
    }
    open = doubtful.length > 0 ? await readThose(work, doubtful, known) : [];
  }
}

/** Somebody who exists after all is written like anybody known, and what the mappings read of them is read. */
function handBack(person: NewPerson, found: Omit<KnownPerson, 'jobs'>, known: KnownPerson[]): void {
  for (const job of person.jobs) {
    unsettleJob(job);
    if (found.read) settleJob(job, found.person.properties);
  }
  known.push({ ...found, jobs: person.jobs });
}

/** @returns false when it is open whether the person exists now */
async function settle(
  work: Work,
  person: NewPerson,
  row: Row,
  result: RowResult,
  known: KnownPerson[],
): Promise<boolean> {
  for (const job of person.jobs) noteDropped(job, 'person', result.dropped);
  if (result.ok) {
    known.push({ person: knownById(result.id), read: true, jobs: person.jobs, created: true });
    await rememberNew(work, person, row, result.id);
    return true;
  }
  const { failure } = result;
  if (failure.code === 'conflict') {
    const holder = failure.vendor?.holder;
    if (holder === undefined) return false;
    handBack(person, { person: knownById(holder), read: false, verify: true }, known);
    return true;
  }
  if (failure.code === 'ambiguous_person') return takeMatch(work, person, failure, known);
  if (failure.doubt) return false;
  failAll(person, failure);
  return true;
}

/** A duplicate rule stopped the new person and named those who look alike. */
function takeMatch({ settings }: Work, person: NewPerson, failure: SalesforceFailure, known: KnownPerson[]): true {
  const matches = (failure.vendor?.matches ?? []).map(({ id }) => knownById(id));
  const alike = bestOf(matches);
  const candidates = alike.map(({ id }) => id);
  const policy = person.jobs[0]?.plan.person?.ambiguous ?? 'park';
  const chosen =
    alike.length === 1 || policy === 'oldest' ? alike[0] : policy === 'most_recent' ? alike.at(-1) : undefined;
  if (settings.duplicates === 'use_match' && chosen) {
    for (const job of person.jobs)
      job.notes.push(`A duplicate rule of the org names ${chosen.id} as the same person: the call was written there.`);
    handBack(person, { person: chosen, read: false, verify: true }, known);
  } else failAll(person, failure.with({ candidates }));
  return true;
}

/** Salesforce says that somebody holds the person's key, and not who: a person has to look. */
function contested(failure: SalesforceFailure): Failure {
  if (failure.code !== 'conflict') return failure;
  return failure.with({
    next: 'park',
    hint: 'Another record holds this unique value, and the integration user may not see it: find it in Salesforce, then replay.',
  });
}

async function rememberNew({ session }: Work, { jobs }: NewPerson, row: Row, id: string): Promise<void> {
  try {
    await rememberPerson(session.ctx, jobs.flatMap(contactSteps), id);
    if (!(WATERMARK in row.fields)) await rememberWatermark(session.ctx, id, latestEnd(jobs));
  } catch (thrown) {
    // The person exists and its key finds it; only the short cut is lost.
    session.ctx.log.warn({ error: asSalesforceFailure(thrown).message }, 'a new person could not be remembered');
  }
}

/** What is to be created; undefined when none of the jobs may be written. @throws SalesforceFailure */
function rowOf({ org, policy }: Work, person: NewPerson): Row | undefined {
  const name = createdAs(person.jobs);
  const object = org.object(name);
  if (!object)
    throw new SalesforceFailure('refused', `The org has no ${name}s, or the integration user may not see them.`, {
      hint: 'Give the user access, or set person.create_as in the mapping; then replay.',
    });
  for (const job of person.jobs) settleJob(job, {});
  const patch = makePatch(person.jobs, { org, object, drop: policy.drop, current: undefined, watermark: undefined });
  for (const [job, dropped] of patch.dropped) noteDropped(job, 'person', dropped);
  for (const [job, failure] of patch.refused) failJob(job, failure, 'person');
  person.jobs = person.jobs.filter((job) => !job.outcome);
  if (person.jobs.length === 0) return undefined;
  const key = isUniqueKey(object) ? { [KEY]: person.key } : {};
  return {
    object: name,
    fields: { ...addIdentity(patch.fields, person.jobs, object), ...key },
    plans: person.jobs.map((job) => job.index),
    required: REQUIRED_OF_NEW,
  };
}

function failAll({ jobs }: NewPerson, failure: Failure): void {
  for (const job of jobs) failJob(job, failure, 'person');
}
