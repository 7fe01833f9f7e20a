/**
 * Who the people of many calls are, in as few requests as possible.
 *
 * Every question has its own steps, tried in order: id and e-mail by batch reads, phone by search. Questions at the same
 * kind of step share requests. A step that could not be asked fails its question; it never counts as "nobody found".
 */
import {
  bySaid,
  forgetPerson,
  type Question,
  recallPerson,
  type Found as SharedFound,
} from '@wrapup/destination/delivery';
import type { MatchStep } from '@wrapup/mapping';
import { type CrmRecord, readMany } from './client/batch-read.ts';
import { asHubSpotFailure, type HubSpotFailure, unaccounted } from './errors/classify.ts';
import { CANDIDATE_PROPERTIES, type Sought, searchPeople } from './person-search.ts';
import type { Session } from './session.ts';

export type Found = SharedFound<CrmRecord, HubSpotFailure>;

interface Open {
  question: Question;
  /** Steps that are still to be tried; the first is the current one. */
  steps: MatchStep[];
  answer?: Found;
}

const ROUNDS = 10;
/** Characters of property names that still go into a search. */
const MOST_IN_SEARCH = 1_500;

/** Answers all questions, in their order. Never rejects. */
export async function lookUp(session: Session, questions: Question[], properties: string[]): Promise<Found[]> {
  const open = questions.map((question): Open => ({ question, steps: usableSteps(question.match) }));
  const wanted = [...new Set([...properties, ...CANDIDATE_PROPERTIES])];
  // A round ends at least one step of every open question, unless a remembered id appears or vanishes meanwhile.
  for (let round = 0; round < ROUNDS; round += 1) {
    const asked = open.filter((one) => !one.answer);
    if (asked.length === 0) break;
    for (const one of asked) if (one.steps.length === 0) one.answer = { found: 'none' };
    await askById(session, asked, wanted);
    await askByEmail(session, asked, wanted);
    await askByPhone(session, asked, wanted);
  }
  return open.map(({ answer, steps: [step] }) =>
    answer ? bySaid(answer, step) : { found: 'failed', failure: unaccounted('read contacts') },
  );
}

/** HubSpot's ids are numbers; anything else would fail the whole batch. */
function usableSteps(steps: MatchStep[]): MatchStep[] {
  return steps
    .map((step) => ({ ...step, value: step.by === 'email' ? step.value.trim().toLowerCase() : step.value.trim() }))
    .filter((step) => step.value !== '' && (step.by !== 'id' || /^\d{1,20}$/.test(step.value)));
}

/** Ids that the call names, and ids remembered for its number or address. */
async function askById(session: Session, asked: Open[], properties: string[]): Promise<void> {
  const ids = new Map<Open, { id: string; step: MatchStep }>();
  for (const one of asked) {
    const step = one.steps[0];
    if (one.answer || !step) continue;
    try {
      const id = step.by === 'id' ? step.value : await recallPerson(session.ctx, step);
      if (id === undefined) continue;
      if (step.by !== 'id' && !one.question.read)
        one.answer = { found: 'one', by: step.by, record: { id, properties: {} }, read: false };
      else ids.set(one, { id, step });
    } catch (thrown) {
      one.answer = { found: 'failed', failure: asHubSpotFailure(thrown) };
    }
  }
  if (ids.size === 0) return;
  const plansOf = (id: string) => [...ids].filter(([, asked]) => asked.id === id).map(([one]) => one.question.plan);
  const wanted = [...ids.values()].map(({ id }) => id);
  const reading = await readMany(session, { object: 'contacts', ids: wanted, properties, plansOf });
  for (const [one, { id, step }] of ids) {
    const failure = reading.failed.get(id);
    const record = reading.found.get(id);
    if (failure) one.answer = { found: 'failed', failure };
    else if (record) one.answer = { found: 'one', by: step.by, record, read: true };
    else if (step.by === 'id') one.steps.shift();
    else await forgetPerson(session.ctx, step);
  }
}

/** Main and additional addresses alike: HubSpot's read by address knows both. */
async function askByEmail(session: Session, asked: Open[], properties: string[]): Promise<void> {
  const atEmail = asked.filter((one) => !one.answer && one.steps[0]?.by === 'email');
  if (atEmail.length === 0) return;
  const emailOf = (one: Open) => one.steps[0]?.value ?? '';
  const plansOf = (email: string) => atEmail.filter((one) => emailOf(one) === email).map((one) => one.question.plan);
  const reading = await readMany(session, {
    object: 'contacts',
    ids: atEmail.map(emailOf),
    properties,
    plansOf,
    by: 'email',
  });
  for (const one of atEmail) {
    const email = emailOf(one);
    const failure = reading.failed.get(email);
    const record = reading.found.get(email);
    if (failure) one.answer = { found: 'failed', failure };
    else if (record) one.answer = { found: 'one', by: 'email', record, read: true };
    else one.steps.shift();
  }
}

async function askByPhone(session: Session, asked: Open[], properties: string[]): Promise<void> {
  const sought = new Map<Open, Sought>();
  for (const one of asked) {
    const step = one.steps[0];
    // A number that has become remembered meanwhile needs no search: the next round reads its contact.
    if (one.answer || step?.by !== 'phone' || (await isRemembered(session, step))) continue;
    sought.set(one, { plans: [one.question.plan], phone: step.value });
  }
  if (sought.size === 0) return;
  // The body of a search is limited: many properties would leave no room for numbers, and are read apart.
  const slim = JSON.stringify(properties).length > MOST_IN_SEARCH;
  const results = await searchPeople(session, [...sought.values()], slim ? [] : properties);
  for (const [one, what] of sought) {
    const result = results.get(what);
    if (!result) continue;
    if (!result.ok) one.answer = { found: 'failed', failure: result.failure };
    else if (result.records.length > 0) one.answer = answerOf(result.records, 'phone', !slim);
    else one.steps.shift();
  }
  if (slim) await readFound(session, [...sought.keys()], properties);
}

/** Reads the properties of those who were found without them. */
async function readFound(session: Session, asked: Open[], properties: string[]): Promise<void> {
  const unread = new Map<Open, string[]>();
  for (const one of asked) {
    const { answer } = one;
    if (!one.question.read || !answer || !('read' in answer) || answer.read) continue;
    unread.set(one, answer.found === 'one' ? [answer.record.id] : answer.records.map(({ id }) => id));
  }
  if (unread.size === 0) return;
  const plansOf = (id: string) => [...unread].filter(([, ids]) => ids.includes(id)).map(([one]) => one.question.plan);
  const reading = await readMany(session, {
    object: 'contacts',
    ids: [...unread.values()].flat(),
    properties,
    plansOf,
  });
  for (const [one, ids] of unread) {
    const records = ids.flatMap((id) => reading.found.get(id) ?? []);
    const failure = ids.map((id) => reading.failed.get(id)).find((found) => found !== undefined);
    // Found and gone within the same breath: whatever it is, it is not "nobody".
    if (failure || records.length < ids.length)
      one.answer = { found: 'failed', failure: failure ?? unaccounted('read contacts') };
    else one.answer = answerOf(records, 'phone', true);
  }
}

async function isRemembered(session: Session, step: MatchStep): Promise<boolean> {
  try {
    return (await recallPerson(session.ctx, step)) !== undefined;
  } catch {
    return false;
  }
}

function answerOf(records: CrmRecord[], by: MatchStep['by'], read: boolean): Found {
  const [first, ...others] = records;
  if (first && others.length === 0) return { found: 'one', by, record: first, read };
  return { found: 'many', by, records, read };
}
