/**
 * Who the people of many calls are, in as few requests as possible.
 *
 * Every question has its own steps, tried in order: ids and e-mail addresses by queries that share one request, phones by
 * search. A lead that was converted is its contact. A step that could not be asked fails its question; it never counts as
 * "nobody found".
 */
import {
  asText,
  bySaid,
  type Found as FoundPerson,
  forgetPerson,
  type Question,
  recallPerson,
} from '@wrapup/destination/delivery';
import type { MatchStep } from '@wrapup/mapping';
import type { Org } from './account/schema.ts';
import {
  bestOf,
  fieldsToAsk,
  isConverted,
  type Person,
  peopleObjects,
  readPeople,
  whoseIdOrEmail,
} from './candidates.ts';
import { queryTogether } from './client/query.ts';
import { isRecordId, longId, select } from './client/soql.ts';
import { asSalesforceFailure, SalesforceFailure, unaccounted } from './errors/classify.ts';
import { personObjectOf } from './objects.ts';
import { type Sought, searchPeople } from './person-search.ts';
import type { Session } from './session.ts';

export type Found = FoundPerson<Person, SalesforceFailure>;

interface Open {
  question: Question;
  /** Steps that are still to be tried; the first is the current one. */
  steps: MatchStep[];
  /** Id to read for the current step: of a contact that a lead became, or of somebody only met by id. */
  follow?: string;
  answer?: Found;
}

const ROUNDS = 12;

/** Answers all questions, in their order. Never rejects. */
export async function lookUp(
  session: Session,
  org: Org,
  questions: Question[],
  properties: string[],
): Promise<Found[]> {
  const open = questions.map((question): Open => ({ question, steps: usableSteps(question.match) }));
  // A round ends at least one step of every open question, unless a lead is followed or a remembered id vanishes.
  for (let round = 0; round < ROUNDS; round += 1) {
    const asked = open.filter((one) => !one.answer);
    if (asked.length === 0) break;
    for (const one of asked) if (one.steps.length === 0) one.answer = { found: 'none' };
    await askByIdOrEmail(session, org, asked, properties);
    await askByPhone(session, org, asked, properties);
  }
  return open.map(({ answer, steps: [step] }) =>
    answer ? bySaid(answer, step) : { found: 'failed', failure: unaccounted('look people up', false) },
  );
}

/** Ids of something else than people are none here. */
function usableSteps(steps: MatchStep[]): MatchStep[] {
  return steps.flatMap((step): MatchStep[] => {
    const value = step.by === 'email' ? step.value.trim().toLowerCase() : step.value.trim();
    if (value === '') return [];
    if (step.by !== 'id') return [{ ...step, value }];
    return isRecordId(value) && personObjectOf(value) ? [{ ...step, value: longId(value) }] : [];
  });
}

interface Asking {
  one: Open;
  step: MatchStep;
  id?: string;
  email?: string;
}

async function askByIdOrEmail(session: Session, org: Org, asked: Open[], properties: string[]): Promise<void> {
  const asking: Asking[] = [];
  for (const one of asked) {
    const step = one.steps[0];
    if (one.answer || !step) continue;
    try {
      const id = one.follow ?? (step.by === 'id' ? step.value : await recallPerson(session.ctx, step));
      if (id !== undefined && step.by !== 'id' && !one.follow && canStayUnread(one, id, org))
        one.answer = { found: 'one', by: step.by, record: knownById(id), read: false };
      else if (id !== undefined) asking.push({ one, step, id });
      else if (step.by === 'email') asking.push({ one, step, email: step.value });
    } catch (thrown) {
      one.answer = { found: 'failed', failure: asSalesforceFailure(thrown) };
    }
  }
  await askTogether(session, org, asking, properties);
}

function canStayUnread({ question }: Open, id: string, org: Org): boolean {
  if (question.read) return false;
  // A contact may turn out to be a person account, which is written elsewhere.
  return personObjectOf(id) !== 'Contact' || !org.object('Contact')?.fields.has('IsPersonAccount');
}

/** A person of whom nothing but the id is known. */
export function knownById(id: string): Person {
  return { id, object: personObjectOf(id) ?? 'Contact', properties: {} };
}

async function askTogether(session: Session, org: Org, asking: Asking[], properties: string[]): Promise<void> {
  if (asking.length === 0) return;
  const ids = [...new Set(asking.flatMap(({ id }) => id ?? []))];
  const emails = [...new Set(asking.flatMap(({ email }) => email ?? []))];
  const queries = peopleObjects(org).flatMap((object) => {
    const where = whoseIdOrEmail(object, ids, emails);
    return where ? [{ object: object.name, soql: select(object.name, fieldsToAsk(object, properties), where) }] : [];
  });
  try {
    const plans = asking.map(({ one }) => one.question.plan);
    const results = await queryTogether(session, 'look people up', queries, plans, emails);
    if (results.some(({ whole }) => !whole)) return await inHalves(session, org, asking, properties);
    const people = results.flatMap(({ records }) => readPeople(records));
    for (const one of asking) await settle(session, one, people);
  } catch (thrown) {
    for (const { one } of asking) one.answer = { found: 'failed', failure: asSalesforceFailure(thrown) };
  }
}

async function inHalves(session: Session, org: Org, asking: Asking[], properties: string[]): Promise<void> {
  if (asking.length === 1)
    throw new SalesforceFailure('refused', 'look people up: more than 2,000 records have this e-mail address.', {
      hint: 'Clean up the records that share this address, then replay.',
    });
  const middle = Math.ceil(asking.length / 2);
  await askTogether(session, org, asking.slice(0, middle), properties);
  await askTogether(session, org, asking.slice(middle), properties);
}

async function settle(session: Session, { one, step, id, email }: Asking, people: Person[]): Promise<void> {
  const hits =
    id === undefined
      ? bestOf(people.filter(({ properties }) => asText(properties.Email).toLowerCase() === email))
      : people.filter((person) => person.id === id);
  delete one.follow;
  const [first] = hits;
  if (!first) {
    if (id !== undefined && step.by !== 'id') await forgetPerson(session.ctx, step);
    else one.steps.shift();
    return;
  }
  if (isConverted(first)) {
    // The remembered lead is one no more; where it became nobody, the next step is tried.
    if (step.by !== 'id') await forgetPerson(session.ctx, step);
    if (first.converted_to !== undefined) one.follow = first.converted_to;
    else if (step.by === 'id') one.steps.shift();
    return;
  }
  if (hits.length === 1 && first.unread) one.follow = first.id;
  else one.answer = answerOf(hits, step.by);
}

async function askByPhone(session: Session, org: Org, asked: Open[], properties: string[]): Promise<void> {
  const sought = new Map<Open, Sought>();
  for (const one of asked) {
    const step = one.steps[0];
    // A number that has become remembered meanwhile needs no search: the next round reads its person.
    if (one.answer || one.follow || step?.by !== 'phone' || (await isRemembered(session, step))) continue;
    sought.set(one, { plans: [one.question.plan], phone: step.value });
  }
  if (sought.size === 0) return;
  const results = await searchPeople(session, org, [...sought.values()], properties);
  for (const [one, what] of sought) {
    const result = results.get(what);
    if (!result) continue;
    const [first] = result.ok ? result.people : [];
    if (!result.ok) one.answer = { found: 'failed', failure: result.failure };
    else if (!first) one.steps.shift();
    else if (result.people.length === 1 && first.unread) one.follow = first.id;
    else one.answer = answerOf(result.people, 'phone');
  }
}

async function isRemembered(session: Session, step: MatchStep): Promise<boolean> {
  try {
    return (await recallPerson(session.ctx, step)) !== undefined;
  } catch {
    return false;
  }
}

function answerOf(people: Person[], by: MatchStep['by']): Found {
  const [first, ...others] = people;
  if (first && others.length === 0) return { found: 'one', by, record: first, read: true };
  return { found: 'many', by, records: people, read: true };
}

/** Reads people by id, and whom they have become. An id that is neither found nor failed is gone. Never rejects. */
export async function readPeopleById(
  session: Session,
  org: Org,
  ids: string[],
  properties: string[],
  plansOf: (id: string) => number[],
): Promise<{ found: Map<string, Person>; failed: Map<string, SalesforceFailure> }> {
  const found = new Map<string, Person>();
  const failed = new Map<string, SalesforceFailure>();
  const questions = ids.map(
    (id): Question => ({ match: [{ by: 'id', value: id }], plan: plansOf(id)[0] ?? 0, read: true }),
  );
  for (const [index, answer] of (await lookUp(session, org, questions, properties)).entries()) {
    const id = ids[index] ?? '';
    if (answer.found === 'failed') failed.set(id, answer.failure);
    else if (answer.found === 'one') found.set(id, answer.record);
  }
  return { found, failed };
}
