/** Finds people for the port: one answer per question and in their order. */
import type { PersonAnswer, PersonQuestion } from '../../port/destination.ts';
import { lookUpPeople } from '../people/look-up-people.ts';
import type { Found } from '../people/person-policy.ts';
import type { PeopleVerbs } from '../people/person-verbs.ts';

/** @throws the failure of a look-up that failed */
export async function findPersons(crm: PeopleVerbs, persons: PersonQuestion[]): Promise<PersonAnswer[]> {
  const wanted = persons.flatMap(({ properties, identify }) => [...properties, ...(identify ? crm.identifying : [])]);
  const questions = persons.map(({ match }, plan) => ({ match, plan, read: true }));
  const found = await lookUpPeople(crm, questions, [...new Set(wanted)]);
  const answers = found.map((one) => toAnswer(crm, one));
  const addRelated = async (answer: PersonAnswer, index: number) => {
    const related = persons[index]?.related;
    const one = found[index];
    if (answer.found !== 'one' || one?.found !== 'one' || !related || !crm.related) return;
    const records = await crm.related(one.person, related);
    if (records) answer.person.related = records;
  };
  await Promise.all(answers.map(addRelated));
  return answers;
}

/** What was found, as the port tells it. @throws the failure of a look-up that failed */
export function toAnswer(crm: Pick<PeopleVerbs, 'toRecord'>, found: Found): PersonAnswer {
  if (found.found === 'failed') throw found.failure;
  if (found.found === 'none') return { found: 'none' };
  const how = { by: found.by, ...(found.said ? { said: found.said } : {}) };
  return found.found === 'one'
    ? { found: 'one', ...how, person: crm.toRecord(found.person) }
    : { found: 'many', ...how, candidates: found.people.map((person) => crm.toRecord(person)) };
}
