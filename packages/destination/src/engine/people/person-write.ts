/** One plan whose person is looked for, created or written. Read-only: what is learnt of it gives a new one. Pure. */
import { limitToSaid, type MatchStep, type Plan, type Value } from '@wrapup/mapping';
import { assignOwners, type Directory } from '../owners/owners.ts';
import { doneBefore, type PlanWrite } from '../plan-write.ts';
import type { KnownPerson } from './person-verbs.ts';

export interface PersonWrite extends PlanWrite {
  /** The plan before anything was known of the person, and what was noted by then. */
  readonly start: { readonly plan: Plan; readonly notes: readonly string[] };
  /** Who can own what it writes; absent while nothing asks for an owner. */
  readonly owners?: Directory;
  /** True: the plan is filled in with what its mapping reads of the person. */
  readonly resolved: boolean;
  /** True: the person was found only by what was said, so that little is written (`said.ts`). */
  readonly limited: boolean;
  /** True: an earlier attempt has written the person, who is only linked to. */
  readonly done: boolean;
  readonly notes: readonly string[];
}

/** @param owners of the account, where the plan asks for them */
export function beginWrite(write: PlanWrite, owners: Directory | undefined): PersonWrite {
  const waits = write.plan.needs.length > 0;
  const { plan, notes } = owners && !waits ? assignOwners(write.plan, owners) : { plan: write.plan, notes: [] };
  return {
    ...write,
    plan,
    start: { plan, notes },
    resolved: !waits,
    limited: false,
    done: false,
    notes,
    ...(owners ? { owners } : {}),
  };
}

/** Fills in what the mapping reads of the person; of a new one nothing. */
export function resolvePlan(write: PersonWrite, person: Record<string, Value>): PersonWrite {
  if (write.resolved) return write;
  const { plan, owners, notes } = write;
  const whole = plan.settle(person);
  const kept = write.limited ? limitToSaid(whole) : whole;
  const resumed = plan.resume ? { ...kept, resume: plan.resume } : kept;
  const owned = owners ? assignOwners(resumed, owners) : { plan: resumed, notes: [] };
  return { ...write, plan: owned.plan, resolved: true, notes: [...notes, ...owned.notes] };
}

/** Back to before: the person is another than was thought. */
export function resetWrite(write: PersonWrite): PersonWrite {
  const { plan, notes } = write.start;
  return { ...write, plan, notes, resolved: plan.needs.length === 0, limited: false, done: false };
}

export function withNote(write: PersonWrite, note: string): PersonWrite {
  return { ...write, notes: [...write.notes, note] };
}

/** Id of the person that an earlier attempt has written. */
export function writtenBefore({ plan }: PersonWrite): string | undefined {
  return doneBefore(plan, 'person');
}

/** Numbers and addresses by which the person is found. */
export function contactSteps({ plan }: Pick<PlanWrite, 'plan'>): MatchStep[] {
  return (plan.person?.match ?? []).filter(({ by }) => by !== 'id');
}

/** In the order in which the calls ended. */
export function inOrder<Write extends PlanWrite>(writes: readonly Write[]): Write[] {
  return writes.toSorted((a, b) => a.ended_at - b.ended_at || a.index - b.index);
}

/** One entry a person: a request in which an id stands twice is refused. */
export function joinById(people: KnownPerson[]): KnownPerson[] {
  const joined = new Map<string, KnownPerson>();
  for (const one of people) {
    const known = joined.get(one.person.id);
    const read = known && !known.asked && one.asked ? { person: one.person, asked: one.asked } : {};
    joined.set(
      one.person.id,
      known
        ? {
            ...known,
            ...read,
            writes: [...known.writes, ...one.writes],
            created: known.created === true && one.created === true,
            verify: known.verify === true && one.verify === true,
          }
        : one,
    );
  }
  return [...joined.values()];
}
