/** Between the port's questions about people and an adapter's look-up. Pure. */
import type { PersonAnswer, PersonQuestion, PersonRecord } from '../destination.ts';
import type { Person } from './known-person.ts';
import type { Question } from './person-fields.ts';
import type { Found } from './person-policy.ts';

/**
 * The port's questions as look-ups, and the properties to read for all of them.
 * @param identifying properties that a person knows people by
 */
export function toQuestions(
  persons: PersonQuestion[],
  identifying: readonly string[],
): { questions: Question[]; properties: string[] } {
  const wantedOf = ({ properties, identify }: PersonQuestion) =>
    identify ? [...properties, ...identifying] : properties;
  return {
    questions: persons.map(({ match }, plan) => ({ match, plan, read: true })),
    properties: [...new Set(persons.flatMap(wantedOf))],
  };
}

/** What was found, as the port tells it. @throws the failure of a look-up that failed */
export function toAnswer<P extends Person>(found: Found<P>, toRecord: (person: P) => PersonRecord): PersonAnswer {
  switch (found.found) {
    case 'failed':
      throw found.failure;
    case 'none':
      return { found: 'none' };
    case 'one':
      return { found: 'one', by: found.by, ...saidOf(found), person: toRecord(found.record) };
    case 'many':
      return { found: 'many', by: found.by, ...saidOf(found), candidates: found.records.map(toRecord) };
  }
}

function saidOf({ said }: { said?: true }): { said?: true } {
  return said ? { said } : {};
}
