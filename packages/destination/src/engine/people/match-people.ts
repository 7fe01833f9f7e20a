/**
 * Who the people of many calls are, in as few requests as possible.
 *
 * Every question has its own steps, tried in order: ids and e-mail addresses by reads, phones by search. Questions at the
 * same kind of step share requests. A record that has become another one is followed. A step that could not be asked
 * fails its question; it never counts as "not found".
 */

import { parsePhone } from '@wrapup/call';
import { decidePerson, type MatchStep, type PersonChoice, type Plan } from '@wrapup/mapping';
import { NEW_PERSON } from '../../port/destination.ts';
import { Failure, nameCandidates } from '../../port/failure.ts';
import { forgetPerson, personMemoryNames, recallPerson } from './person-cache.ts';
import type { CrmPerson, NewPerson, PeopleVerbs, PersonWrite } from './person-verbs.ts';
import { inOrder, joinByNames, type Question } from './person-write.ts';
import { isKeySaid } from './said-addresses.ts';

type Finder = Pick<PeopleVerbs, 'session' | 'personId' | 'byId' | 'mustRead' | 'read' | 'search'>;

interface Open {
  question: Question;
  /** Steps that are still to be tried; the first is the current one. */
  steps: MatchStep[];
  /** Id to read for the current step, instead of what it says. */
  follow?: string;
  answer?: MatchResult;
}

const MAX_ROUNDS = 12;

/** Answers all questions, in their order. Never rejects. */
export async function lookUpPeople(crm: Finder, questions: Question[], properties: string[]): Promise<MatchResult[]> {
  const open = questions.map((question): Open => ({ question, steps: usableSteps(crm, question.match) }));
  // A round ends at least one step of every open question, unless a record is followed or a remembered id vanishes.
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const asked = open.filter(({ answer }) => !answer);
    if (asked.length === 0) break;
    for (const one of asked) if (one.steps.length === 0) one.answer = { found: 'none' };
    const read = await askByIdOrEmail(crm, asked, properties);
    await askByPhone(crm, asked, properties, read);
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

/** Ids that the call names, ids remembered for its number or address, and addresses. @returns whether the CRM was asked */
async function askByIdOrEmail(crm: Finder, asked: Open[], properties: string[]): Promise<boolean> {
  const asking: Asking[] = [];
  const prepare = async (one: Open): Promise<void> => {
    const step = one.steps[0];
    if (!step) return;
    try {
      const known = one.follow || step.by === 'id' ? undefined : await recall(crm, one, step);
      const id = one.follow ?? (step.by === 'id' ? step.value : known?.id);
      if (known && !one.question.mustRead(known.set) && !crm.mustRead?.(known.id))
        one.answer = answerOf([{ ...crm.byId(known.id), set: known.set }], step, false);
      else if (id !== undefined) asking.push({ one, step, id });
      else if (step.by === 'email') asking.push({ one, step });
    } catch (thrown) {
      one.answer = { found: 'failed', failure: Failure.of(thrown) };
    }
  };
  await Promise.all(asked.map(prepare));
  if (asking.length === 0) return false;
  const byId = asking.filter(({ id }) => id !== undefined);
  const ids = askedFor(byId.map(({ one, id = '' }) => [id, [one.question.plan]]));
  const emails = askedFor(
    asking.filter((one) => !byId.includes(one)).map(({ one, step }) => [step.value, [one.question.plan]]),
  );
  const read = await crm.read({ ids, emails }, properties);
  const conclude = async ({ one, step, id }: Asking): Promise<void> => {
    const hits = id === undefined ? (read.byEmail.get(step.value) ?? []) : (read.byId.get(id) ?? []);
    if (hits instanceof Failure) one.answer = { found: 'failed', failure: hits };
    else await settle(crm, one, step, id, Array.isArray(hits) ? hits : [hits]);
  };
  await Promise.all(asking.map(conclude));
  return true;
}

/** Who is remembered for a number or address. An operator who chose among several meant those that the CRM has. */
async function recall(crm: Finder, { question }: Open, step: MatchStep): ReturnType<typeof recallPerson> {
  return question.chosen ? undefined : recallPerson(crm.session.ctx, step);
}

/** Values that are asked for, each once, with the plans that ask. */
export function askedFor(pairs: Iterable<[value: string, plans: readonly number[]]>): Map<string, number[]> {
  const asked = new Map<string, number[]>();
  for (const [value, plans] of pairs) asked.set(value, [...(asked.get(value) ?? []), ...plans]);
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

/** @param later true: time has passed since it was looked who is remembered */
async function askByPhone(crm: Finder, asked: Open[], properties: string[], later: boolean): Promise<void> {
  const seeking = new Map<Open, MatchStep>();
  const prepare = async (one: Open): Promise<void> => {
    const step = one.steps[0];
    // A number that has become remembered meanwhile needs no search: the next round reads its person.
    if (one.answer || one.follow || step?.by !== 'phone') return;
    const known = later ? await recall(crm, one, step).catch(() => undefined) : undefined;
    if (known === undefined) seeking.set(one, step);
  };
  await Promise.all(asked.map(prepare));
  if (seeking.size === 0) return;
  // A search request has a limit of length: properties that no question needs would take the place of numbers.
  const read = [...seeking.keys()].some(({ question }) => question.mustRead(new Set()));
  const phones = askedFor([...seeking].map(([one, { value }]) => [value, [one.question.plan]]));
  const results = await crm.search(phones, read ? properties : []);
  for (const [one, step] of seeking) {
    const hits = results.get(step.value) ?? [];
    if (hits instanceof Failure) one.answer = { found: 'failed', failure: hits };
    else if (hits.length === 0) one.steps.shift();
    else if (hits.length === 1 && hits[0]?.follow !== undefined) one.follow = hits[0].follow;
    else one.answer = answerOf(hits, step, read);
  }
}

function answerOf(people: CrmPerson[], { by, said }: MatchStep, read: boolean): MatchResult {
  const [first, ...others] = people;
  const how = { by, read, ...(said ? { said } : {}) };
  return first && others.length === 0 ? { found: 'one', person: first, ...how } : { found: 'many', people, ...how };
}

/* What a plan's policy makes of an answer to "who is this?", and who of the unknown are one and the same. Pure. */

/** Several come oldest first. `read`: whether their properties were. */
export type MatchResult =
  | { found: 'none' }
  | { found: 'one'; by: MatchStep['by']; said?: true; person: CrmPerson; read: boolean }
  | { found: 'many'; by: MatchStep['by']; said?: true; people: CrmPerson[]; read: boolean }
  | { found: 'failed'; failure: Failure };

export type MatchDecision =
  /**
   * `said`: the step by which the person was found, where nothing but speech vouches for it. `chosen`: an operator chose
   * the person among several.
   */
  | { do: 'use'; person: CrmPerson; read: boolean; said?: MatchStep['by']; chosen?: true }
  | { do: 'create' }
  | { do: 'log_only' | 'skip'; note: string }
  | { do: 'fail'; failure: Failure };

export function decide(plan: Plan, answer: MatchResult, crm: Pick<PeopleVerbs, 'wording' | 'urlOf'>): MatchDecision {
  const { person } = plan;
  const { person: one, crm: name } = crm.wording;
  if (!person) return { do: 'log_only', note: 'The mapping has no person.' };
  if (answer.found === 'failed') return { do: 'fail', failure: answer.failure };
  const own = choiceFor(plan, answer);
  const makesNew = own?.id === NEW_PERSON && own.of === undefined;
  const choice = makesNew ? undefined : own;
  if (choice && answer.found !== 'none') {
    const chosen = (answer.found === 'many' ? answer.people : [answer.person]).find(({ id }) => id === choice.id);
    if (chosen) return { ...use(answer, chosen), chosen: true };
  }
  if (choice) return { do: 'fail', failure: explainLost(choice, answer, crm) };
  if (answer.found === 'one') return use(answer, answer.person);
  // Without a usable number or address no person is made, whatever was chosen.
  const policy = makesNew && person.key !== null ? { ...person, unmatched: 'create' as const } : person;
  const decision = decidePerson(policy, answer.found);
  if (answer.found === 'many') {
    const preferred = person.ambiguous === 'oldest' ? answer.people[0] : answer.people.at(-1);
    if (decision === 'use' && preferred) return use(answer, preferred);
    const hint = `Choose the one it is, merge them in ${name}, or set person.ambiguous to most_recent or oldest in the mapping; then replay.`;
    return {
      do: 'fail',
      failure: new Failure('ambiguous_person', `${describeSeveral(answer, crm)}.`, {
        ...candidatesOf(answer, crm),
        hint,
      }),
    };
  }
  switch (decision) {
    case 'park':
      return {
        do: 'fail',
        failure: new Failure('unmatched_person', `No ${one} has the caller’s number or address.`, {
          hint: `Decide that a new ${one} is made, create the ${one} in ${name}, or change person.unmatched in the mapping; then replay.`,
        }),
      };
    case 'create':
      return { do: 'create' };
    case 'skip':
      return { do: 'skip', note: `Skipped: no ${one} was found, and the mapping skips such calls.` };
    default:
      return {
        do: 'log_only',
        note:
          person.unmatched === 'create'
            ? `The call has no usable number or e-mail address: logged without a ${one}.`
            : `No ${one} was found: logged without one, as the mapping says.`,
      };
  }
}

type Several = Extract<MatchResult, { found: 'many' }>;

/** What an operator chose that counts for this answer: for the call itself always, for its number only among several. */
function choiceFor({ chosen = [] }: Plan, answer: MatchResult): PersonChoice | undefined {
  const own = chosen.find(({ of }) => of === undefined);
  if (own || answer.found !== 'many' || answer.said) return own;
  return chosen.find(({ of }) => of === answer.by);
}

/** Why nothing is written although an operator chose: the person is none of those who are found now. */
function explainLost(
  { id, of }: PersonChoice,
  answer: MatchResult,
  crm: Pick<PeopleVerbs, 'wording' | 'urlOf'>,
): Failure {
  const { person } = crm.wording;
  const forWhat = of ? `calls of this ${of}` : 'this call';
  const lost = `${person} ${id}, who was chosen for ${forWhat}, is`;
  if (answer.found === 'many')
    return new Failure('ambiguous_person', `${describeSeveral(answer, crm)}, and ${lost} none of them.`, {
      ...candidatesOf(answer, crm),
      hint: 'Choose one of them, or merge them; then replay.',
    });
  const now = answer.found === 'one' ? `leads to ${person} ${answer.person.id} now` : `leads to no ${person} now`;
  return new Failure(
    'ambiguous_person',
    `The caller’s number or address ${now}, and ${person} ${id} was chosen for ${forWhat}.`,
    { hint: 'The choice is taken back: replay, and the mapping decides; or drop the delivery.' },
  );
}

function describeSeveral({ people, by, said }: Several, { wording }: Pick<PeopleVerbs, 'wording'>): string {
  return `${people.length} ${wording.people} have ${said ? `the ${by} that was said` : `the caller’s ${by}`}`;
}

function candidatesOf({ people, by, said }: Several, { urlOf }: Pick<PeopleVerbs, 'urlOf'>) {
  return { ...nameCandidates(people, urlOf), ...(said || by === 'id' ? {} : { ambiguous_by: by }) };
}

function use(
  { by, said, read }: { by: MatchStep['by']; said?: true; read: boolean },
  person: CrmPerson,
): Extract<MatchDecision, { do: 'use' }> {
  return { do: 'use', person, read, ...(said ? { said: by } : {}) };
}

/**
 * Plans that share a given number or address, or a key, are one person. The key is that of the earliest call. What was only
 * said joins no plans: a caller who says the address of another call's person need not be that person.
 */
export function groupUnknown(writes: PersonWrite[]): NewPerson[] {
  const namesOf = ({ plan }: PersonWrite) => [
    ...personMemoryNames(plan.person?.match ?? []),
    `${isKeySaid(plan) ? 'said:' : ''}${plan.person?.key ?? ''}`,
  ];
  const people = joinByNames(writes, namesOf).map((group) => inOrder(group.writes));
  return people.map((all) => ({ key: keyOf(all), writes: all }));
}

/** A key made of a number is preferred: later calls bring the number more often than the address. */
function keyOf(writes: PersonWrite[]): string {
  const byPhone = writes.find(({ plan }) => plan.person?.match.some(({ by }) => by === 'phone'));
  return (byPhone ?? writes[0])?.plan.person?.key ?? '';
}

/**
 * True when one of the values is that number. Compared in full: numbers stored without a country are read as belonging to
 * that of the number sought.
 */
export function holdsPhone(values: Iterable<unknown>, e164: string): boolean {
  // Reading a number is slow, and most candidates of a big search are other people's.
  const tail = e164.slice(-6);
  for (const stored of values) {
    if (typeof stored !== 'string' || !stored.replace(/\D/g, '').includes(tail)) continue;
    if (parsePhone(stored, parsePhone(e164)?.country)?.e164 === e164) return true;
  }
  return false;
}
