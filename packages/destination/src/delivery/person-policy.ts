/** What a plan's policy makes of an answer to "who is this?", and who of the unknown are one and the same. Pure. */
import { decidePerson, type MatchStep, type Plan } from '@wrapup/mapping';
import { Failure } from '../failure.ts';
import { contactSteps, type Job } from './job.ts';

/** @typeParam Person a person as the adapter reads it; several come oldest first */
export type Found<Person extends { id: string }, Broken extends Failure = Failure> =
  | { found: 'none' }
  | { found: 'one'; by: MatchStep['by']; record: Person; read: boolean }
  | { found: 'many'; by: MatchStep['by']; records: Person[]; read: boolean }
  | { found: 'failed'; failure: Broken };

export type Decision<Person> =
  | { do: 'use'; record: Person; read: boolean }
  | { do: 'create' }
  | { do: 'log_only' | 'skip'; note: string }
  | { do: 'fail'; failure: Failure };

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
  if (answer.found === 'one') return { do: 'use', record: answer.record, read: answer.read };
  const decision = decidePerson(person, answer.found);
  if (answer.found === 'many') {
    const chosen = person.ambiguous === 'oldest' ? answer.records[0] : answer.records.at(-1);
    if (decision === 'use' && chosen) return { do: 'use', record: chosen, read: answer.read };
    const candidates = answer.records.map((record) => record.id);
    return {
      do: 'fail',
      failure: new Failure('ambiguous_person', `${candidates.length} ${people} have the caller’s ${answer.by}.`, {
        candidates,
        hint: `Merge them in ${crm}, or set person.ambiguous to most_recent or oldest in the mapping; then replay.`,
      }),
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

export interface NewPerson {
  key: string;
  jobs: Job[];
}

/** Jobs that share a number, an address or a key are one person. The key is that of the earliest call. */
export function groupUnknown(jobs: Job[]): NewPerson[] {
  const groups: { names: Set<string>; jobs: Job[] }[] = [];
  for (const job of jobs) {
    const names = new Set(contactSteps(job).map((step) => `${step.by}:${step.value.toLowerCase()}`));
    names.add(job.plan.person?.key ?? '');
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
