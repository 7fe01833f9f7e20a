/** What a plan's policy makes of an answer to "who is this?", and who of the unknown are one and the same. Pure. */
import { decidePerson, type MatchStep, type Plan } from '@wrapup/mapping';
import { Failure } from '../failure.ts';
import { contactSteps, type Job } from './job.ts';
import { isKeySaid } from './said.ts';

/** @typeParam Person a person as the adapter reads it; several come oldest first */
export type Found<Person extends { id: string }, Broken extends Failure = Failure> =
  | { found: 'none' }
  | { found: 'one'; by: MatchStep['by']; said?: true; record: Person; read: boolean }
  | { found: 'many'; by: MatchStep['by']; said?: true; records: Person[]; read: boolean }
  | { found: 'failed'; failure: Broken };

export type Decision<Person> =
  /** `said`: the step by which the person was found, where nothing but speech vouches for it. */
  | { do: 'use'; record: Person; read: boolean; said?: MatchStep['by'] }
  | { do: 'create' }
  | { do: 'log_only' | 'skip'; note: string }
  | { do: 'fail'; failure: Failure };

/** The answer with what is known of the step that gave it. */
export function bySaid<Answer extends { found: string }>(answer: Answer, step: MatchStep | undefined): Answer {
  return step?.said && (answer.found === 'one' || answer.found === 'many') ? { ...answer, said: true } : answer;
}

/** How people are called in one CRM, for what is said of them. */
export interface Wording {
  /** `HubSpot` */
  crm: string;
  /** `contact` */
  person: string;
  /** `contacts` */
  people: string;
  /** What is said of somebody who vanished twice while being written. */
  vanished: string;
}

export function decide<Person extends { id: string }>(
  { person }: Plan,
  answer: Found<Person>,
  { crm, person: one, people }: Wording,
): Decision<Person> {
  if (!person) return { do: 'log_only', note: 'The mapping has no person.' };
  if (answer.found === 'failed') return { do: 'fail', failure: answer.failure };
  if (answer.found === 'one') return use(answer, answer.record);
  const decision = decidePerson(person, answer.found);
  if (answer.found === 'many') {
    const chosen = person.ambiguous === 'oldest' ? answer.records[0] : answer.records.at(-1);
    if (decision === 'use' && chosen) return use(answer, chosen);
    const candidates = answer.records.map((record) => record.id);
    return {
      do: 'fail',
      failure: new Failure(
        'ambiguous_person',
        `${candidates.length} ${people} have ${answer.said ? `the ${answer.by} that was said` : `the caller’s ${answer.by}`}.`,
        {
          candidates,
          hint: `Merge them in ${crm}, or set person.ambiguous to most_recent or oldest in the mapping; then replay.`,
        },
      ),
    };
  }
  switch (decision) {
    case 'park':
      return {
        do: 'fail',
        failure: new Failure('unmatched_person', `No ${one} has the caller’s number or address.`, {
          hint: `Create the ${one} in ${crm}, or change person.unmatched in the mapping; then replay.`,
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

function use<Person>(
  { by, said, read }: { by: MatchStep['by']; said?: true; read: boolean },
  record: Person,
): Decision<Person> {
  return { do: 'use', record, read, ...(said ? { said: by } : {}) };
}

export interface NewPerson {
  key: string;
  jobs: Job[];
}

/**
 * Jobs that share a given number or address, or a key, are one person. The key is that of the earliest call. What was only
 * said joins no calls: a caller who says the address of another call's person need not be that person.
 */
export function groupUnknown(jobs: Job[]): NewPerson[] {
  const groups: { names: Set<string>; jobs: Job[] }[] = [];
  for (const job of jobs) {
    const given = contactSteps(job).filter(({ said }) => !said);
    const names = new Set(given.map((step) => `${step.by}:${step.value.toLowerCase()}`));
    names.add(`${isKeySaid(job.plan) ? 'said:' : ''}${job.plan.person?.key ?? ''}`);
    const same = groups.filter((group) => [...names].some((name) => group.names.has(name)));
    const merged = {
      names: new Set([...names, ...same.flatMap((group) => [...group.names])]),
      jobs: [...same.flatMap((group) => group.jobs), job].sort((a, b) => a.ended_at - b.ended_at || a.index - b.index),
    };
    for (const group of same) groups.splice(groups.indexOf(group), 1);
    groups.push(merged);
  }
  return groups.map((group) => ({ key: keyOf(group.jobs), jobs: group.jobs }));
}

/** A key made of a number is preferred: later calls bring the number more often than the address. */
function keyOf(jobs: Job[]): string {
  const byPhone = jobs.find((job) => job.plan.person?.match.some((step) => step.by === 'phone'));
  return (byPhone ?? jobs[0])?.plan.person?.key ?? '';
}
