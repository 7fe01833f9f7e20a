/**
 * Creates people that nobody knows, each once.
 *
 * A lease keeps other workers off the person meanwhile, memory bridges the lag of HubSpot's search, and the unique key
 * gives the guarantee. The first attempt creates with the key, so that a contact that exists after all is never
 * overwritten past its write modes: HubSpot refuses the second holder of a key and names the first. Whatever is in
 * doubt (a retry, a lost answer, somebody else's unfinished attempt) is read by key first and then upserted by it. What
 * takes the key's place where the account refuses it is in `key-steps.ts`.
 */
import type { Failure } from '@wrapup/destination';
import {
  failJobs,
  handBack,
  judgeClaim,
  type KnownPerson,
  markStarted,
  type NewPerson,
  propertiesToRead,
  sortByMemory,
  withLeases,
} from '@wrapup/destination/delivery';
import { type RecordVerbs, type Row, writeRows } from '@wrapup/destination/engine';
import { type CrmRecord, readMany } from './client/batch-read.ts';
import { asHubSpotFailure, type HubSpotFailure } from './errors/classify.ts';
import { isKeyRefused, type KeyStep, type SteppedDown, stepDown, stepOf } from './keys/key-ladder.ts';
import { KEY, keyMissing, knownById, plansOfPerson, type RefusedPeople, rowOf, settle } from './new-person.ts';
import { WATERMARK } from './objects.ts';
import type { Session } from './session.ts';
import { createUnkeyed } from './unkeyed-people.ts';

export interface PeoplePolicy {
  crm: RecordVerbs;
  weaker: boolean;
}

/** Creates them; those who turn out to exist are handed back with their id, to be written like anybody known. */
export async function createPeople(
  session: Session,
  people: NewPerson[],
  policy: PeoplePolicy,
): Promise<KnownPerson<CrmRecord>[]> {
  const known: KnownPerson<CrmRecord>[] = [];
  await withLeases(session.ctx, people, (mine) => createLeased(session, mine, policy, known));
  return known;
}

async function createLeased(
  session: Session,
  people: NewPerson[],
  policy: PeoplePolicy,
  known: KnownPerson<CrmRecord>[],
): Promise<void> {
  if (people.length === 0) return;
  let step: KeyStep | undefined;
  try {
    step = await stepOf(session, 'contacts');
  } catch (thrown) {
    for (const person of people) failJobs(person.jobs, asHubSpotFailure(thrown), 'person');
    return;
  }
  let open: { person: NewPerson; sure: boolean }[] = people.map((person) => ({ person, sure: false }));
  while (step && open.length > 0) {
    const refused: RefusedPeople = [];
    if (step === 'map') await createUnkeyed(session, open, policy, known);
    else {
      const all = open.map(({ person }) => person);
      const absent = await recallOrRead(session, all, known, refused);
      await createAbsent(session, step, absent, policy, known, refused);
    }
    if (refused.length === 0) return;
    const down: SteppedDown | undefined = await stepDown(session, 'contacts', step, policy.weaker).catch(
      () => undefined,
    );
    step = down?.step;
    // Where the property does not exist, no request that carried it can have come through.
    open = refused.map(({ person, begun }) => ({
      person,
      sure: begun === 'not' || (begun === 'with_key' && down?.absent === true),
    }));
    if (!step) for (const { person, failure } of refused) failJobs(person.jobs, keyMissing(failure), 'person');
  }
}

/** People who are remembered by now, or whose earlier creation may have come through, are known after all. */
async function recallOrRead(
  session: Session,
  people: NewPerson[],
  known: KnownPerson<CrmRecord>[],
  refused: RefusedPeople,
): Promise<NewPerson[]> {
  const { remembered, doubtful, unknown } = await sortByMemory(session.ctx, people);
  for (const { person, id } of remembered) handBack(person, { person: knownById(id) }, known);
  const still = await readByKey(session, doubtful, known, refused, 'perhaps');
  return [...unknown, ...still];
}

/** Hands those who exist to `known` and returns those who certainly do not. */
async function readByKey(
  session: Session,
  people: NewPerson[],
  known: KnownPerson<CrmRecord>[],
  refused: RefusedPeople,
  begun: RefusedPeople[number]['begun'],
): Promise<NewPerson[]> {
  if (people.length === 0) return [];
  const plansOf = (key: string) => people.filter((person) => person.key === key).flatMap(plansOfPerson);
  const keys = people.map((person) => person.key);
  const properties = propertiesToRead(
    people.flatMap((person) => person.jobs.map((job) => job.plan)),
    WATERMARK,
  );
  const reading = await readMany(session, { object: 'contacts', ids: keys, properties, plansOf, by: KEY });
  return people.filter((person) => {
    const record = reading.found.get(person.key);
    const failure = reading.failed.get(person.key);
    if (record)
      handBack(person, { person: record, asked: new Set(properties) }, known, judgeClaim(person.jobs, [person.key]));
    else if (failure && isKeyRefused('contacts', failure)) refused.push({ person, failure, begun });
    else if (failure) failJobs(person.jobs, failure, 'person');
    return !record && !failure;
  });
}

/** Whatever is in doubt after that is read by key, and created again by the step that is in force. */
async function createAbsent(
  session: Session,
  step: 'upsert' | 'read',
  people: NewPerson[],
  policy: PeoplePolicy,
  known: KnownPerson<CrmRecord>[],
  refused: RefusedPeople,
): Promise<void> {
  if (people.length === 0) return;
  const rows = new Map<Row, NewPerson>();
  for (const person of people) {
    try {
      await markStarted(session.ctx, person.key);
      rows.set(rowOf(person), person);
    } catch (thrown) {
      failJobs(person.jobs, asHubSpotFailure(thrown), 'person');
    }
  }
  const doubtful: NewPerson[] = [];
  for (const [row, result] of await writeRows(policy.crm, 'create', [...rows.keys()])) {
    const person = rows.get(row);
    if (person && !(await settle(session, person, row, result, known, refused))) doubtful.push(person);
  }
  if (doubtful.length === 0) return;
  const again = step === 'upsert' ? 'upsert' : 'create';
  const absent = new Map(
    (await readByKey(session, doubtful, known, refused, 'with_key')).map((person) => [rowOf(person), person]),
  );
  for (const [row, result] of await writeRows(policy.crm, again, [...absent.keys()])) {
    const person = absent.get(row);
    if (!person || (await settle(session, person, row, result, known, refused))) continue;
    if (!result.ok) failJobs(person.jobs, contested(asHubSpotFailure(result.failure)), 'person');
  }
}

/** HubSpot says that somebody has one of the person's unique values, and not who: a person has to look. */
function contested(failure: HubSpotFailure): Failure {
  if (failure.code !== 'conflict') return failure;
  return failure.with({
    next: 'park',
    hint: 'Another contact holds this e-mail address or key, and HubSpot does not say which: find it in HubSpot, then replay.',
  });
}
