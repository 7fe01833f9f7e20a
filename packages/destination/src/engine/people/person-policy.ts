/** What a plan's policy makes of an answer to "who is this?", and who of the unknown are one and the same. Pure. */
import { decidePerson, type MatchStep, type Plan } from '@wrapup/mapping';
import { Failure } from '../../port/failure.ts';
import type { CrmPerson } from './person-verbs.ts';
import { contactSteps, inOrder, type PersonWrite } from './person-write.ts';
import { isKeySaid } from './said.ts';

/** Several come oldest first. `read`: whether their properties were. */
export type Found =
  | { found: 'none' }
  | { found: 'one'; by: MatchStep['by']; said?: true; person: CrmPerson; read: boolean }
  | { found: 'many'; by: MatchStep['by']; said?: true; people: CrmPerson[]; read: boolean }
  | { found: 'failed'; failure: Failure };

export type Decision =
  /** `said`: the step by which the person was found, where nothing but speech vouches for it. */
  | { do: 'use'; person: CrmPerson; read: boolean; said?: MatchStep['by'] }
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
  /** What is said of a person whose record vanished twice while being written. */
  vanished: string;
}

export function decide({ person }: Plan, answer: Found, { crm, person: one, people }: Wording): Decision {
  if (!person) return { do: 'log_only', note: 'The mapping has no person.' };
  if (answer.found === 'failed') return { do: 'fail', failure: answer.failure };
  if (answer.found === 'one') return use(answer, answer.person);
  const decision = decidePerson(person, answer.found);
  if (answer.found === 'many') {
    const chosen = person.ambiguous === 'oldest' ? answer.people[0] : answer.people.at(-1);
    if (decision === 'use' && chosen) return use(answer, chosen);
    const candidates = answer.people.map(({ id }) => id);
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

function use({ by, said, read }: { by: MatchStep['by']; said?: true; read: boolean }, person: CrmPerson): Decision {
  return { do: 'use', person, read, ...(said ? { said: by } : {}) };
}

/** A person whom the CRM does not have, with all the plans that are about them. */
export interface NewPerson {
  readonly key: string;
  readonly writes: readonly PersonWrite[];
}

/**
 * Plans that share a given number or address, or a key, are one person. The key is that of the earliest call. What was only
 * said joins no plans: a caller who says the address of another call's person need not be that person.
 */
export function groupUnknown(writes: PersonWrite[]): NewPerson[] {
  const groups: { names: Set<string>; writes: PersonWrite[] }[] = [];
  for (const write of writes) {
    const given = contactSteps(write).filter(({ said }) => !said);
    const names = new Set(given.map(({ by, value }) => `${by}:${value.toLowerCase()}`));
    names.add(`${isKeySaid(write.plan) ? 'said:' : ''}${write.plan.person?.key ?? ''}`);
    const same = groups.filter((group) => [...names].some((name) => group.names.has(name)));
    const merged = {
      names: new Set([...names, ...same.flatMap((group) => [...group.names])]),
      writes: inOrder([...same.flatMap((group) => group.writes), write]),
    };
    for (const group of same) groups.splice(groups.indexOf(group), 1);
    groups.push(merged);
  }
  return groups.map((group) => ({ key: keyOf(group.writes), writes: group.writes }));
}

/** A key made of a number is preferred: later calls bring the number more often than the address. */
function keyOf(writes: PersonWrite[]): string {
  const byPhone = writes.find(({ plan }) => plan.person?.match.some(({ by }) => by === 'phone'));
  return (byPhone ?? writes[0])?.plan.person?.key ?? '';
}
