/**
 * Creates people in an account that refuses the unique key (`key-steps.ts`, step `map`): the lease, the memory of who was
 * created of late, and HubSpot's search are what is left. An address is unique in HubSpot by itself. After a creation of
 * which nothing was heard, search is given time to show the person before anybody is created again.
 */
import { Failure } from '@wrapup/destination';
import {
  contactSteps,
  failJobs,
  handBack,
  type KnownPerson,
  markStarted,
  type NewPerson,
  recallAny,
  startedAt,
} from '@wrapup/destination/delivery';
import { type Row, writeRows } from '@wrapup/destination/engine';
import type { CrmRecord } from './client/batch-read.ts';
import { asHubSpotFailure } from './errors/classify.ts';
import { lookUp } from './look-up.ts';
import type { PeoplePolicy } from './new-people.ts';
import { knownById, type RefusedPeople, rowOf, settle } from './new-person.ts';
import type { Session } from './session.ts';

/** Ms after which search is believed to know everybody who was created before. HubSpot says "a few moments". */
const SETTLES = 30_000;

/** @param people `sure`: nobody can have begun to create the person before */
export async function createUnkeyed(
  session: Session,
  people: { person: NewPerson; sure: boolean }[],
  policy: PeoplePolicy,
  known: KnownPerson<CrmRecord>[],
): Promise<void> {
  const rows = new Map<Row, NewPerson>();
  for (const { person, sure } of people) {
    try {
      const id = await recallAny(session.ctx, person.jobs);
      if (id !== undefined) {
        handBack(person, { person: knownById(id) }, known);
        continue;
      }
      const begun = sure ? undefined : await startedAt(session.ctx, person.key);
      if (begun !== undefined && Date.now() - begun < SETTLES) throw unsettled(begun);
      await markStarted(session.ctx, person.key);
      rows.set(unkeyedRow(person), person);
    } catch (thrown) {
      failJobs(person.jobs, asHubSpotFailure(thrown), 'person');
    }
  }
  const refused: RefusedPeople = [];
  const shorter = new Map<Row, NewPerson>();
  for (const [row, result] of await writeRows(policy.crm, 'create', [...rows.keys()])) {
    const person = rows.get(row);
    if (!person || (await settle(session, person, row, result, known, refused)) || result.ok) continue;
    const next = unkeyedRow(person);
    // Refused for an address that was only said, and that the person can go without.
    if (Object.keys(next.fields).length < Object.keys(row.fields).length) shorter.set(next, person);
    else await lookAgain(session, person, result.failure, known);
  }
  for (const [row, result] of await writeRows(policy.crm, 'create', [...shorter.keys()])) {
    const person = shorter.get(row);
    if (!person || (await settle(session, person, row, result, known, refused)) || result.ok) continue;
    await lookAgain(session, person, result.failure, known);
  }
  for (const { person, failure } of refused) failJobs(person.jobs, failure, 'person');
}

function unkeyedRow(person: NewPerson): Row {
  const { key: _, ...row } = rowOf(person);
  return { ...row, required: new Set() };
}

/** Perhaps search knows already; if not, the next attempt waits for it. */
async function lookAgain(
  session: Session,
  person: NewPerson,
  failure: Failure,
  known: KnownPerson<CrmRecord>[],
): Promise<void> {
  const [answer] = await lookUp(
    session,
    [{ match: person.jobs.flatMap(contactSteps), plan: person.jobs[0]?.index ?? 0, read: false }],
    [],
  );
  if (answer?.found === 'one')
    handBack(person, { person: knownById(answer.record.id) }, known, answer.said ? 'limit' : 'same');
  else failJobs(person.jobs, failure, 'person');
}

function unsettled(begun: number): Failure {
  return new Failure('busy', 'The person may have been created a moment ago: HubSpot’s search has to show it first.', {
    retry_after: Math.max(1000, begun + SETTLES - Date.now()),
    hint: 'Nothing to do: the delivery goes on by itself.',
  });
}
