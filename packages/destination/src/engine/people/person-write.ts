/** One plan whose person is looked for, created or written. Read-only: what is learnt of it gives a new one. Pure. */
import {
  type FieldWrite,
  isRemembered,
  limitToSaid,
  type MatchStep,
  needsReading,
  needsWatermark,
  type Plan,
  type Value,
} from '@wrapup/mapping';
import type { Failure } from '../../port/failure.ts';
import type { ReceiptNote } from '../../port/omission.ts';
import type { RecordReceipt } from '../../port/receipt.ts';
import { assignOwners, type Directory } from '../owners/owners.ts';
import {
  type CallStanding,
  type DecidedField,
  type Dropped,
  decideFields,
  doneBefore,
  type PlanWrite,
  type Properties,
} from '../plan/plan-write.ts';
import type { FieldRules, FittedFields } from '../rows/row.ts';
import {
  canonicalOf,
  type NoteNames,
  newPersonMemory,
  personMemory,
  type WrittenValues,
} from '../rows/written-values.ts';
import type { CrmPerson, KnownPerson, PeopleVerbs, PersonWrite } from './person-verbs.ts';

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
    chosen: false,
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
  return { ...write, plan, notes, resolved: plan.needs.length === 0, limited: false, chosen: false, done: false };
}

/** The plan as one of which an earlier attempt has made these records, which are gone over again. */
export function asResumed(write: PersonWrite, made: { receipt: RecordReceipt }[]): PersonWrite {
  const records = Object.fromEntries(made.map(({ receipt: { name, id } }) => [name, id]));
  const { plan, notes } = write.start;
  const { attempts = 1, records: before = {} } = plan.resume ?? {};
  const resume = { attempts, records: { ...before, ...records }, done: [] };
  return { ...write, start: { plan: { ...plan, resume }, notes } };
}

export function withNote(write: PersonWrite, note: ReceiptNote): PersonWrite {
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

/** Plans that share a name, or are joined by others that do: each group with its names. One without names is alone. */
export function joinByNames<Write>(
  writes: readonly Write[],
  namesOf: (write: Write) => string[],
): { names: Set<string>; writes: Write[] }[] {
  const groups = new Set<{ names: Set<string>; writes: Write[] }>();
  const byName = new Map<string, { names: Set<string>; writes: Write[] }>();
  for (const write of writes) {
    const names = namesOf(write);
    const same = [...new Set(names.flatMap((name) => byName.get(name) ?? []))];
    const joined = {
      names: new Set([...names, ...same.flatMap((group) => [...group.names])]),
      writes: [...same.flatMap((group) => group.writes), write],
    };
    for (const group of same) groups.delete(group);
    groups.add(joined);
    for (const name of joined.names) byName.set(name, joined);
  }
  return [...groups];
}

/* What several calls say of one person, and what has to be known of the person to write it. Pure. */

/** "Who is this?", asked for one plan. */
export interface Question {
  match: MatchStep[];
  /** Number of the plan that asks. */
  plan: number;
  /** Whether the record of a person who is remembered has to be read. @param set names of fields that have a value */
  mustRead(set: ReadonlySet<string>): boolean;
  /** True: an operator chose who it is. */
  chosen?: boolean;
}

/** @param dead ids that proved so */
export function questionOf(write: PersonWrite, gone: ReadonlySet<string> = new Set()): Question {
  // First by what an earlier attempt has written, never by an id that is gone.
  const id = writtenBefore(write);
  const match = write.plan.person?.match ?? [];
  const steps = id === undefined ? match : [{ by: 'id' as const, value: id }, ...match];
  const usable = steps.filter(({ by, value }) => by !== 'id' || !gone.has(value));
  const chosen = (write.plan.chosen ?? []).length > 0;
  return { plan: write.index, match: usable, mustRead: (set) => mustRead([write], set), chosen };
}

/**
 * True when the plans cannot be written without the person's values.
 * @param set names of fields that are known to have one: what fills gaps alone need not know more
 */
export function mustRead(writes: readonly PersonWrite[], set?: ReadonlySet<string>): boolean {
  return writes.some(({ resolved, done, plan }) => !resolved || (!done && needsReading(fieldsToDecide(plan, set))));
}

/** Of a call that comes again all of them: what colleagues may have changed meanwhile is read. */
function fieldsToDecide({ person, resume }: Plan, set: ReadonlySet<string> = new Set()): FieldWrite[] {
  return (person?.fields ?? []).filter(({ name, write }) => resume || write !== 'if_empty' || !set.has(name));
}

/** Names of the fields of these plans that have a value, of those that are known. */
export function namesOfSet(
  crm: Pick<PeopleVerbs, 'withoutPlaceholders'>,
  writes: readonly PersonWrite[],
  known: Properties,
): string[] {
  const values = crm.withoutPlaceholders?.(known, writes) ?? known;
  const names = new Set(writes.flatMap(({ plan }) => plan.person?.fields.map(({ name }) => name) ?? []));
  return [...names].filter((name) => (values[name] ?? '') !== '');
}

/**
 * Properties that deciding the plans' fields takes, and those that their mappings read.
 * @param watermark the CRM's property for when the last call ended that was written to a person
 */
export function propertiesToRead(plans: readonly Plan[], watermark: string): string[] {
  const names = new Set<string>();
  for (const { person, needs } of plans) {
    for (const name of needs) names.add(name);
    for (const field of person?.fields ?? []) names.add(field.name);
    if (needsWatermark(person?.fields ?? [])) names.add(watermark);
  }
  return [...names];
}

/** Epoch ms when the latest of the calls ended that ask who wrote last; undefined when none asks. */
export function latestOf(writes: readonly PersonWrite[]): number | undefined {
  const asking = writes.filter(({ done, plan }) => !done && needsWatermark(plan.person?.fields ?? []));
  return asking.length > 0 ? Math.max(...asking.map(({ ended_at }) => ended_at)) : undefined;
}

/** Under which names it is noted what was written to a person: one who was created a moment ago may be noted under their key. */
export function notesOfPerson(person: CrmPerson, writes: readonly PersonWrite[]): NoteNames {
  const keys = writes.flatMap(({ plan }) => plan.person?.key ?? []);
  return { name: personMemory(person), others: keys.map(newPersonMemory) };
}

interface PersonPatch {
  fields: Record<string, unknown>;
  /** Fields that were left out, by plan. */
  dropped: Map<PersonWrite, Dropped[]>;
  /** Plans of which a field was refused that may not be left out. */
  refused: Map<PersonWrite, Failure>;
  /** What was decided of each field, by plan. */
  decided: Map<PersonWrite, DecidedField[]>;
  /** Values that have to be known again, by property, in canonical form. */
  remembered: Map<string, string>;
}

/** A person who exists, and what is noted of what was written to them. */
interface WrittenPerson extends Pick<CrmPerson, 'object' | 'id' | 'converted' | 'set'> {
  values: WrittenValues;
}

/**
 * What `if_newer` and `if_ours` ask about a person.
 * @param patched properties that this very write sets already
 */
export function standingOf(
  rules: FieldRules,
  { plan, ended_at }: Pick<PersonWrite, 'plan' | 'ended_at'>,
  watermark: number | undefined,
  { object, id, converted, values }: WrittenPerson,
  patched: ReadonlySet<string> = new Set(),
): CallStanding {
  const name = personMemory({ object, id });
  const { key, resume } = plan;
  // Another delivery of the same call, or a call that has ended since it was written, says a field for the first time.
  const isFirst = values.isLast(name, { key }) && (!resume || (values.endedOf(name) ?? ended_at) < ended_at);
  return {
    key,
    ended_at,
    watermark,
    repeated:
      watermark === ended_at ||
      resume?.records.person === id ||
      (converted === true && resume?.records.person !== undefined),
    originOf({ name: property, write }, from, to) {
      const canonical = (value: Value | undefined) => canonicalOf(rules, object, property, value);
      const origin = values.originOf(name, property, canonical(from), canonical(to));
      if (origin === 'same') return origin;
      if (patched.has(property)) return 'ours';
      return origin === 'unknown' && isFirst && write === 'if_newer' ? 'ours' : origin;
    },
  };
}

/** Fields as the CRM takes them of a person. */
export function fitPerson(
  { fields }: Pick<PeopleVerbs, 'fields'>,
  object: string,
  wanted: FieldWrite[],
  verb: 'create' | 'update',
): FittedFields | undefined {
  return fields.fit?.(object, wanted, { verb, required: new Set(), person: true });
}

/**
 * What the calls make of one person: one write, in the order in which they ended, so that later ones see what earlier ones
 * wrote. Plans whose person an earlier attempt has written are passed over.
 * @param current the person's values; undefined for one to be created
 * @param watermark epoch ms when the last call ended that was written to the person, where that is known
 * @param known of a person who exists
 */
export function makePatch(
  crm: Pick<PeopleVerbs, 'fields' | 'watermark' | 'withoutPlaceholders'>,
  object: string,
  writes: readonly PersonWrite[],
  current: Properties | undefined,
  watermark: number | undefined,
  known?: WrittenPerson,
): PersonPatch {
  const patch: PersonPatch = {
    fields: {},
    dropped: new Map(),
    refused: new Map(),
    decided: new Map(),
    remembered: new Map(),
  };
  const verb = current === undefined ? 'create' : 'update';
  let state = current && (crm.withoutPlaceholders?.(current, writes) ?? current);
  let latest = watermark;
  for (const write of inOrder(writes).filter(({ done }) => !done)) {
    const { plan, ended_at } = write;
    const wanted = fieldsToDecide(plan, known?.set);
    const fitted = fitPerson(crm, object, wanted, verb);
    patch.dropped.set(write, fitted?.dropped ?? []);
    if (fitted?.refused) {
      patch.refused.set(write, fitted.refused);
      continue;
    }
    const patched = new Set(Object.keys(patch.fields));
    const call = known
      ? standingOf(crm.fields, write, latest, known, patched)
      : { key: plan.key, ended_at, watermark: latest };
    const limitOf = (name: string) => crm.fields.limitOf(object, name);
    const written: Properties = {};
    const decided = decideFields(fitted?.fields ?? wanted, state, call, limitOf);
    patch.decided.set(write, decided);
    for (const { applies, field, to } of decided) {
      if (!applies) continue;
      const value = crm.fields.encode(object, field, to);
      written[field.name] = value;
      if (isRemembered(field)) patch.remembered.set(field.name, canonicalOf(crm.fields, object, field.name, value));
      else patch.remembered.delete(field.name);
    }
    Object.assign(patch.fields, written);
    // From here on the person exists, whether or not it did before.
    state = { ...state, ...written };
    if (needsWatermark(wanted) && (latest === undefined || ended_at > latest)) latest = ended_at;
  }
  if (latest !== undefined && latest !== watermark && crm.fields.has?.(object, crm.watermark) !== false)
    patch.fields[crm.watermark] = new Date(latest).toISOString();
  return patch;
}
