/**
 * Creates people that nobody knows, each once.
 *
 * A lease keeps other workers off the person meanwhile, memory bridges the lag of Salesforce's search, and the unique key
 * gives the guarantee: Salesforce refuses the second holder of a key and names the first, so that somebody who exists
 * after all is written within the write modes. Whatever is in doubt (a retry, a lost answer, somebody else's unfinished
 * attempt) is read first. In an org without the key people are read by the very number and address that they would be
 * created with, which queries see at once: that holds against repeats, and against two workers as long as the lease does.
 */
import type { Failure } from '@wrapup/destination';
import {
  asText,
  type Claim,
  contactSteps,
  dropUnproved,
  failJob,
  failJobs,
  handBack,
  type Job,
  judgeClaim,
  type KnownPerson,
  markStarted,
  type NewPerson,
  noteDropped,
  propertiesToRead,
  rememberNew,
  settleJob,
  sortByMemory,
  withLeases,
} from '@wrapup/destination/delivery';
import { type Row, type RowResult, writeRows } from '@wrapup/destination/engine';
import type { SObject } from './account/schema.ts';
import { bestOf, fieldsToAsk, type Person, peopleObjects, phoneFieldsOf, readPeople } from './candidates.ts';
import { queryTogether } from './client/query.ts';
import { isIn, select } from './client/soql.ts';
import { asSalesforceFailure, SalesforceFailure } from './errors/classify.ts';
import { isUniqueKey } from './keys/key-ladder.ts';
import { knownById } from './look-up.ts';
import { KEY, WATERMARK } from './objects.ts';
import { addIdentity, createdAs, makePatch, REQUIRED_OF_NEW } from './person-patch.ts';
import type { Work } from './work.ts';

/** Creates them; those who turn out to exist are handed back, to be written like anybody known. */
export async function createPeople(work: Work, people: NewPerson[]): Promise<KnownPerson<Person>[]> {
  const known: KnownPerson<Person>[] = [];
  await withLeases(work.session.ctx, people, async (mine) => {
    await createAbsent(work, await recallOrRead(work, mine, known), known);
  });
  return known;
}

/** People who are remembered by now, or whose earlier creation may have come through, are known after all. */
async function recallOrRead(work: Work, people: NewPerson[], known: KnownPerson<Person>[]): Promise<NewPerson[]> {
  const { ctx } = work.session;
  const { remembered, doubtful, unknown } = await sortByMemory(ctx, people, (person) => !isKeyed(work, person));
  for (const { person, id } of remembered) handBack(person, { person: knownById(id), verify: true }, known);
  return [...unknown, ...(await readThose(work, doubtful, known))];
}

function isKeyed({ org }: Work, { jobs }: NewPerson): boolean {
  return isUniqueKey(org.object(createdAs(jobs)), KEY);
}

/** Hands those who exist to `known` and returns those who certainly do not. */
async function readThose(work: Work, people: NewPerson[], known: KnownPerson<Person>[]): Promise<NewPerson[]> {
  if (people.length === 0) return [];
  const { session, org } = work;
  const names = propertiesToRead(
    people.flatMap(({ jobs }) => jobs.map((job) => job.plan)),
    WATERMARK,
  );
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
      const [mine] = bestOf(found.filter((one) => isSame(one, person, isUniqueKey(org.object(one.object), KEY))));
      if (!mine) return true;
      const follow = mine.converted_to === undefined ? mine : knownById(mine.converted_to);
      const isWhole = follow === mine && !mine.unread;
      const whom = { person: follow, verify: !isWhole, ...(isWhole ? { asked: new Set(names) } : {}) };
      handBack(person, whom, known, claimOn(mine, person, isUniqueKey(org.object(mine.object), KEY)));
      return false;
    });
  } catch (thrown) {
    for (const person of people) failJobs(person.jobs, asSalesforceFailure(thrown), 'person');
    return [];
  }
}

/** By key where the object has it, else by the number and address that a new record would get. */
function whoseKeyOrIdentity(object: SObject, people: NewPerson[]): string | undefined {
  if (object.name === 'Account') return undefined;
  if (isUniqueKey(object, KEY))
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

/** What tells that it is the same person: the key, or what the record holds of the person's numbers and addresses. */
function claimOn(one: Person, { key, jobs }: NewPerson, keyed: boolean): Claim {
  if (keyed) return judgeClaim(jobs, [key]);
  const held = new Set(Object.values(one.properties).map((value) => asText(value).toLowerCase()));
  const isGiven = (job: Job) => contactSteps(job).some(({ said, value }) => !said && held.has(value.toLowerCase()));
  return jobs.every(isGiven) ? 'same' : 'limit';
}

function isSame(one: Person, { key, jobs }: NewPerson, keyed: boolean): boolean {
  if (keyed) return one.properties[KEY] === key;
  const held = new Set(Object.values(one.properties).map((value) => asText(value).toLowerCase()));
  return jobs.flatMap(contactSteps).some(({ value }) => held.has(value.toLowerCase()));
}

async function createAbsent(work: Work, people: NewPerson[], known: KnownPerson<Person>[]): Promise<void> {
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
        failJobs(person.jobs, asSalesforceFailure(thrown), 'person');
      }
    }
    const doubtful: NewPerson[] = [];
    for (const [row, result] of await writeRows(work.crm, 'create', [...rows.keys()])) {
      const person = rows.get(row);
      if (!person) continue;
      if (await settle(work, person, row, result, known)) continue;
      if (round === 0 && work.session.usable) doubtful.push(person);
      else if (!result.ok) failJobs(person.jobs, contested(asSalesforceFailure(result.failure)), 'person');
    }
    open = doubtful.length > 0 ? await readThose(work, doubtful, known) : [];
  }
}

/** @returns false when it is open whether the person exists now */
async function settle(
  work: Work,
  person: NewPerson,
  row: Row,
  result: RowResult,
  known: KnownPerson<Person>[],
): Promise<boolean> {
  for (const job of person.jobs) noteDropped(job, 'person', result.dropped);
  if (result.ok) {
    known.push({ person: knownById(result.id), jobs: person.jobs, created: true });
    await rememberNew(work.session.ctx, person, result.id, result.fields, WATERMARK);
    return true;
  }
  const failure = asSalesforceFailure(result.failure);
  if (failure.code === 'conflict') {
    const holder = failure.vendor?.holder;
    const held = (failure.vendor?.fields ?? []).map((field) => row.fields[field]);
    const claim = judgeClaim(person.jobs, held.length > 0 ? held : Object.values(row.fields));
    if (claim === 'without') dropUnproved(person.jobs);
    if (holder === undefined || claim === 'without') return false;
    handBack(person, { person: knownById(holder), verify: true }, known, claim);
    return true;
  }
  if (failure.code === 'ambiguous_person') return takeMatch(work, person, row, failure, known);
  if (failure.doubt) return false;
  failJobs(person.jobs, failure, 'person');
  return true;
}

/** A duplicate rule stopped the new person and named those who look alike. */
function takeMatch(
  { settings }: Work,
  person: NewPerson,
  row: Row,
  failure: SalesforceFailure,
  known: KnownPerson<Person>[],
): boolean {
  const claim = judgeClaim(person.jobs, Object.values(row.fields));
  if (claim === 'without') {
    dropUnproved(person.jobs);
    return false;
  }
  const matches = (failure.vendor?.matches ?? []).map(({ id }) => knownById(id));
  const alike = bestOf(matches);
  const candidates = alike.map(({ id }) => id);
  const policy = person.jobs[0]?.plan.person?.ambiguous ?? 'park';
  const chosen =
    alike.length === 1 || policy === 'oldest' ? alike[0] : policy === 'most_recent' ? alike.at(-1) : undefined;
  if (settings.duplicates === 'use_match' && chosen) {
    for (const job of person.jobs)
      job.notes.push(`A duplicate rule of the org names ${chosen.id} as the same person: the call was written there.`);
    handBack(person, { person: chosen, verify: true }, known, claim);
  } else failJobs(person.jobs, failure.with({ candidates }), 'person');
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

/** What is to be created; undefined when none of the jobs may be written. @throws SalesforceFailure */
function rowOf({ org, crm }: Work, person: NewPerson): Row | undefined {
  const name = createdAs(person.jobs);
  const object = org.object(name);
  if (!object)
    throw new SalesforceFailure('refused', `The org has no ${name}s, or the integration user may not see them.`, {
      hint: 'Give the user access, or set person.create_as in the mapping; then replay.',
    });
  for (const job of person.jobs) settleJob(job, {});
  const patch = makePatch(person.jobs, {
    org,
    object,
    drop: crm.drops_fields,
    current: undefined,
    watermark: undefined,
  });
  for (const [job, dropped] of patch.dropped) noteDropped(job, 'person', dropped);
  for (const [job, failure] of patch.refused) failJob(job, failure, 'person');
  person.jobs = person.jobs.filter((job) => !job.outcome);
  if (person.jobs.length === 0) return undefined;
  const key = isUniqueKey(object, KEY) ? { [KEY]: person.key } : {};
  return {
    object: name,
    fields: { ...addIdentity(patch.fields, person.jobs, object), ...key },
    plans: person.jobs.map((job) => job.index),
    required: REQUIRED_OF_NEW,
  };
}
