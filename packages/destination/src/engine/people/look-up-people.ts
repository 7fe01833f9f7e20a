/**
 * Who the people of many calls are, in as few requests as possible.
 *
 * Every question has its own steps, tried in order: ids and e-mail addresses by reads, phones by search. Questions at the
 * same kind of step share requests. A record that has become another one is followed. A step that could not be asked
 * fails its question; it never counts as "not found".
 */
import type { MatchStep } from '@wrapup/mapping';
import { Failure } from '../../port/failure.ts';
import { forgetPerson, recallPerson } from './person-cache.ts';
import type { Question } from './person-fields.ts';
import type { Found } from './person-policy.ts';
import type { CrmPerson, PeopleVerbs } from './person-verbs.ts';

type Finder = Pick<PeopleVerbs, 'session' | 'personId' | 'byId' | 'mustRead' | 'read' | 'search'>;

interface Open {
  question: Question;
  /** Steps that are still to be tried; the first is the current one. */
  steps: MatchStep[];
  /** Id to read for the current step, instead of what it says. */
  follow?: string;
  answer?: Found;
}

const MAX_ROUNDS = 12;

/** Answers all questions, in their order. Never rejects. */
export async function lookUpPeople(crm: Finder, questions: Question[], properties: string[]): Promise<Found[]> {
  const open = questions.map((question): Open => ({ question, steps: usableSteps(crm, question.match) }));
  // A round ends at least one step of every open question, unless a record is followed or a remembered id vanishes.
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const asked = open.filter(({ answer }) => !answer);
    if (asked.length === 0) break;
    for (const one of asked) if (one.steps.length === 0) one.answer = { found: 'none' };
    await askByIdOrEmail(crm, asked, properties);
    await askByPhone(crm, asked, properties);
  }
  const endless = new Failure('unaccounted', 'look people up: the answers lead to no end.');
  return open.map(({ answer }) => answer ?? { found: 'failed', failure: endless });
}

function usableSteps(crm: Finder, steps: MatchStep[]): MatchStep[] {
  return steps.flatMap((step): MatchStep[] => {
    const text = step.value.trim();
    const value = step.by === 'id' ? crm.personId(text) : step.by === 'email' ? text.toLowerCase() : text;
    return value ? [{ ...step, value }] : [];
  });
}

interface Asking {
  one: Open;
  step: MatchStep;
  id?: string;
}

/** Ids that the call names, ids remembered for its number or address, and addresses. */
async function askByIdOrEmail(crm: Finder, asked: Open[], properties: string[]): Promise<void> {
  const asking: Asking[] = [];
  const prepare = async (one: Open): Promise<void> => {
    const step = one.steps[0];
    if (one.answer || !step) return;
    try {
      const id = one.follow ?? (step.by === 'id' ? step.value : await recallPerson(crm.session.ctx, step));
      const unread = id !== undefined && step.by !== 'id' && !one.follow && !one.question.read && !crm.mustRead?.(id);
      if (unread) one.answer = answerOf([crm.byId(id)], step, false);
      else if (id !== undefined) asking.push({ one, step, id });
      else if (step.by === 'email') asking.push({ one, step });
    } catch (thrown) {
      one.answer = { found: 'failed', failure: Failure.of(thrown) };
    }
  };
  await Promise.all(asked.map(prepare));
  if (asking.length === 0) return;
  const byId = asking.filter(({ id }) => id !== undefined);
  const ids = askedFor(byId.map(({ one, id = '' }) => [id, one]));
  const emails = askedFor(asking.filter((one) => !byId.includes(one)).map(({ one, step }) => [step.value, one]));
  const read = await crm.read({ ids, emails }, properties);
  for (const { one, step, id } of asking) {
    const hits = id === undefined ? (read.byEmail.get(step.value) ?? []) : (read.byId.get(id) ?? []);
    if (hits instanceof Failure) one.answer = { found: 'failed', failure: hits };
    else await settle(crm, one, step, id, Array.isArray(hits) ? hits : [hits]);
  }
}

function askedFor(pairs: [value: string, one: Open][]): Map<string, number[]> {
  const asked = new Map<string, number[]>();
  for (const [value, { question }] of pairs) asked.set(value, [...(asked.get(value) ?? []), question.plan]);
  return asked;
}

async function settle(
  crm: Finder,
  one: Open,
  step: MatchStep,
  id: string | undefined,
  hits: CrmPerson[],
): Promise<void> {
  const remembered = id !== undefined && step.by !== 'id';
  delete one.follow;
  const [first] = hits;
  if (remembered && (!first || first.converted)) await forgetPerson(crm.session.ctx, step).catch(() => {});
  if (!first) {
    // A remembered id that is gone leaves its step to be asked in the usual way.
    if (!remembered) one.steps.shift();
  } else if (hits.length === 1 && first.follow !== undefined) one.follow = first.follow;
  else one.answer = answerOf(hits, step, true);
}

async function askByPhone(crm: Finder, asked: Open[], properties: string[]): Promise<void> {
  const seeking = new Map<Open, MatchStep>();
  const prepare = async (one: Open): Promise<void> => {
    const step = one.steps[0];
    // A number that has become remembered meanwhile needs no search: the next round reads its person.
    if (one.answer || one.follow || step?.by !== 'phone') return;
    const known = await recallPerson(crm.session.ctx, step).catch(() => undefined);
    if (known === undefined) seeking.set(one, step);
  };
  await Promise.all(asked.map(prepare));
  if (seeking.size === 0) return;
  // Properties that no question needs would leave a search less room for numbers.
  const read = [...seeking.keys()].some(({ question }) => question.read);
  const phones = askedFor([...seeking].map(([one, { value }]) => [value, one]));
  const results = await crm.search(phones, read ? properties : []);
  for (const [one, step] of seeking) {
    const hits = results.get(step.value) ?? [];
    if (hits instanceof Failure) one.answer = { found: 'failed', failure: hits };
    else if (hits.length === 0) one.steps.shift();
    else if (hits.length === 1 && hits[0]?.follow !== undefined) one.follow = hits[0].follow;
    else one.answer = answerOf(hits, step, read);
  }
}

function answerOf(people: CrmPerson[], { by, said }: MatchStep, read: boolean): Found {
  const [first, ...others] = people;
  const how = { by, read, ...(said ? { said } : {}) };
  return first && others.length === 0 ? { found: 'one', person: first, ...how } : { found: 'many', people, ...how };
}
