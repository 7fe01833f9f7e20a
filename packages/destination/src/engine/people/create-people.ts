/**
 * Creates people whom the CRM does not have, each once.
 *
 * A lease keeps other deliveries off the person meanwhile, memory bridges the lag of the CRM's search, and the unique key
 * gives the guarantee: the CRM refuses the second holder of a key and names the first, so that a person who exists after
 * all is written within the write modes. What is in doubt (a retry, a lost answer, another delivery's unfinished attempt)
 * is looked for first. What takes the key's place where an account has none is its `PersonKey`'s.
 */

import type { RequestFailure } from '../../http/request-failure.ts';
import type { Context } from '../../port/context.ts';
import { Failure, parkedBy } from '../../port/failure.ts';
import {
  type PlanReport,
  type Properties,
  reportDropped,
  reportFailure,
  reportFailures,
  withFirstCause,
} from '../plan/plan-write.ts';
import { withAlong } from '../records/draft-along.ts';
import type { SteppedDown } from '../records/record-verbs.ts';
import type { CrmRow, RowResult } from '../rows/row.ts';
import { writeRows } from '../rows/write-rows.ts';
import { newPersonMemory, personMemory, recallWritten, settleRow, type WrittenValues } from '../rows/written-values.ts';
import {
  creationLeases,
  leaseEach,
  markStarted,
  recallPerson,
  rememberMade,
  rememberPerson,
  rememberWatermark,
  startedAt,
} from './person-cache.ts';
import type { Claim, CrmPerson, KnownPerson, NewPerson, PeopleVerbs, PersonKey, PersonWrite } from './person-verbs.ts';
import {
  contactSteps,
  inOrder,
  latestOf,
  makePatch,
  namesOfSet,
  propertiesToRead,
  resetWrite,
  resolvePlan,
  withNote,
} from './person-write.ts';
import { isKeySaid, judgeClaim, limitWrite, withoutUnproved } from './said-addresses.ts';

/** What became of new people. Each is in one of the first three, or failed in a report. */
interface Creation {
  /** Created, or found to exist after all: those are written like any other. */
  known: KnownPerson[];
  /** The account refused their key. `sure`: they cannot have been created before. */
  refused: { person: NewPerson; failure: RequestFailure; began: 'not' | 'with_key' | 'perhaps' }[];
  /** Whether they exist now is open. */
  unsure: { person: NewPerson; failure: RequestFailure }[];
  reports: PlanReport[];
  /** Notes on people who were created, under way. None rejects. */
  noted: Promise<void>[];
}

const nothing = (): Creation => ({ known: [], refused: [], unsure: [], reports: [], noted: [] });

function join(one: Creation, other: Partial<Creation>): Creation {
  return {
    known: [...one.known, ...(other.known ?? [])],
    refused: [...one.refused, ...(other.refused ?? [])],
    unsure: other.unsure ?? [],
    reports: [...one.reports, ...(other.reports ?? [])],
    noted: [...one.noted, ...(other.noted ?? [])],
  };
}

interface CreatedPeople {
  known: KnownPerson[];
  reports: PlanReport[];
  /** Resolves once the next delivery knows of them: their records need not wait for that. Never rejects. */
  noted: Promise<void>;
}

/** Never rejects. */
export async function createPeople(crm: PeopleVerbs, people: NewPerson[]): Promise<CreatedPeople> {
  if (people.length === 0) return { known: [], reports: [], noted: Promise.resolve() };
  const namesOf = ({ key, writes }: NewPerson) => creationLeases(key, writes.flatMap(contactSteps));
  const { held, failed, release } = await leaseEach(crm.session.ctx, people, namesOf);
  const { known, reports, noted } = await createByLadder(crm, held);
  return {
    known,
    reports: [...reports, ...[...failed].flatMap(([person, failure]) => fail(person, failure))],
    noted: Promise.all(noted).then(release),
  };
}

function fail({ writes }: NewPerson, thrown: unknown): PlanReport[] {
  return reportFailures(writes, 'person', thrown);
}

/** By the first key that the account allows. */
async function createByLadder(crm: PeopleVerbs, people: NewPerson[]): Promise<Creation> {
  let done = nothing();
  let open = people.map((person) => ({ person, sure: false }));
  try {
    let key: PersonKey | undefined = await crm.keys.inForce();
    while (key && open.length > 0) {
      const { refused, ...rest }: Creation = await createBy(crm, key, open);
      done = join(done, rest);
      if (refused.length === 0) break;
      const down: SteppedDown<PersonKey> | undefined = await crm.keys.stepDown?.(key);
      key = down?.next;
      // Where the property does not exist, no request that carried it can have succeeded.
      open = refused.map(({ person, began }) => ({
        person,
        sure: began === 'not' || (began === 'with_key' && down?.absent === true),
      }));
      if (!key) done.reports.push(...refused.flatMap(({ person, failure }) => fail(person, crm.keys.explain(failure))));
    }
  } catch (thrown) {
    done.reports.push(...open.flatMap(({ person }) => fail(person, thrown)));
  }
  return done;
}

async function createBy(
  crm: PeopleVerbs,
  key: PersonKey,
  people: { person: NewPerson; sure: boolean }[],
): Promise<Creation> {
  const sorted = await sortByMemory(crm, key, people);
  const before = await find(crm, key, sorted.doubtful, new Map());
  let done = join(join(nothing(), sorted.known), before.creation);
  let open = [...sorted.unknown, ...before.absent];
  // What is in doubt after the first time is looked for, and created once more where it is certainly not there.
  for (const last of [false, true]) {
    if (open.length === 0) break;
    const { unsure, ...rest } = await create(crm, key, open, last && key.upserts ? 'upsert' : 'create');
    done = join(done, rest);
    if (last || !crm.session.usable) {
      done.reports.push(...unsure.flatMap(({ person, failure }) => fail(person, crm.keys.explain(failure))));
      break;
    }
    const lost = new Map(unsure.map(({ person, failure }) => [person, failure]));
    const after = await find(crm, key, [...lost.keys()], lost);
    done = join(done, after.creation);
    open = after.absent;
  }
  return done;
}

/** What is known of them without asking the CRM: who was written of late, whose creation may have succeeded, who is new. */
async function sortByMemory(crm: PeopleVerbs, key: PersonKey, people: { person: NewPerson; sure: boolean }[]) {
  const { ctx } = crm.session;
  const known = nothing();
  const doubtful: NewPerson[] = [];
  const unknown: NewPerson[] = [];
  const sort = async ({ person, sure }: { person: NewPerson; sure: boolean }) => {
    try {
      const [id, began] = await Promise.all([recallAny(ctx, person), startedAt(ctx, person.key)]);
      const tried = began !== undefined || !key.isUnique(person) || person.writes.some(({ plan }) => plan.resume);
      if (id !== undefined) known.known.push(reclassifyAsExisting(crm, person, crm.byId(id), 'same'));
      else if (!sure && tried) doubtful.push(person);
      else unknown.push(person);
    } catch (thrown) {
      known.reports.push(...fail(person, thrown));
    }
  };
  await Promise.all(people.map(sort));
  return { known, doubtful, unknown };
}

/** Id of the person to whom one of the plans' numbers or addresses was written of late. */
async function recallAny(ctx: Context, { writes }: NewPerson): Promise<string | undefined> {
  const known = await Promise.all(writes.flatMap(contactSteps).map((step) => recallPerson(ctx, step)));
  return known.find((one) => one !== undefined)?.id;
}

/** Hands back those who exist; the others are certainly not there. */
async function find(
  crm: PeopleVerbs,
  key: PersonKey,
  people: NewPerson[],
  lost: ReadonlyMap<NewPerson, RequestFailure>,
): Promise<{ creation: Creation; absent: NewPerson[] }> {
  const creation = nothing();
  if (people.length === 0) return { creation, absent: [] };
  const plans = people.flatMap(({ writes }) => writes.map(({ plan }) => plan));
  const properties = propertiesToRead(plans, crm.watermark);
  const found = await key.find(people, properties, lost);
  const absent = people.filter((person) => {
    const one = found.get(person);
    if (one instanceof Failure) {
      const failure = one as RequestFailure;
      if (crm.keys.isKeyRefused?.(failure))
        creation.refused.push({ person, failure, began: lost.has(person) ? 'with_key' : 'perhaps' });
      else creation.reports.push(...fail(person, failure));
    } else if (one) {
      const asked = one.read ? { asked: new Set(properties), verify: false } : {};
      creation.known.push({ ...reclassifyAsExisting(crm, person, one.person, one.claim), ...asked });
    }
    return one === undefined;
  });
  return { creation, absent };
}

/**
 * A person who exists after all is written like any other.
 * @param claim `limit` where nothing but what was said tells that it is the same person
 */
function reclassifyAsExisting(crm: PeopleVerbs, { writes }: NewPerson, person: CrmPerson, claim: Claim): KnownPerson {
  const reset = writes.map(resetWrite);
  const verify = crm.mustRead !== undefined;
  return { person, verify, writes: claim === 'limit' ? reset.map((write) => limitWrite(write)) : reset };
}

async function create(
  crm: PeopleVerbs,
  key: PersonKey,
  people: NewPerson[],
  verb: 'create' | 'upsert',
): Promise<Creation> {
  const drafts = people.map((person): NewRow => {
    try {
      return newRow(crm, key, person);
    } catch (thrown) {
      return { created: person, reports: fail(person, thrown), remembered: new Map() };
    }
  });
  let done = { ...nothing(), reports: drafts.flatMap(({ reports }) => reports) };
  const rows = new Map<CrmRow, NewPerson>();
  let values: WrittenValues;
  try {
    const noted = drafts.filter(({ row, remembered }) => row && remembered.size > 0);
    values = await recallWritten(
      crm.session.ctx,
      noted.map(({ created }) => newPersonMemory(created.key)),
    );
  } catch (thrown) {
    return { ...nothing(), reports: people.flatMap((person) => fail(person, thrown)) };
  }
  const begin = async ({ row, created, remembered }: NewRow): Promise<boolean> => {
    const last = inOrder(created.writes).at(-1);
    if (!row || !last) return false;
    const call = { key: last.plan.key, ended_at: last.ended_at };
    try {
      await Promise.all([
        markStarted(crm.session.ctx, created.key),
        values.intend(newPersonMemory(created.key), remembered, call),
      ]);
      return true;
    } catch (thrown) {
      done.reports.push(...fail(created, thrown));
      return false;
    }
  };
  const begun = await Promise.all(drafts.map(begin));
  const ready = drafts.flatMap(({ row, created }, index) =>
    row && begun[index] ? [{ row, created, writes: created.writes }] : [],
  );
  const whole = await withAlong(crm.along, ready);
  for (const [index, { row, created }] of ready.entries()) rows.set(whole[index] ?? row, created);
  const conclude = async ([row, result]: [CrmRow, RowResult]): Promise<Partial<Creation>> => {
    const person = rows.get(row);
    if (!person) return {};
    const noting = Promise.all([
      settleNew(crm, values, person, row, result),
      result.ok && rememberNew(crm, person.writes, result),
    ]).then(() => {});
    // One who was not created may be written next, by what is noted of them.
    if (!result.ok) await noting;
    const settled = settle(crm, person, row, result);
    const dropped = person.writes.flatMap((write) => reportDropped(write, 'person', result.dropped));
    return { ...settled, reports: [...(settled.reports ?? []), ...dropped], noted: [noting] };
  };
  const concluded = await Promise.all([...(await writeRows(crm, verb, [...rows.keys()]))].map(conclude));
  for (const one of concluded) done = join(done, one);
  return { ...done, unsure: concluded.flatMap(({ unsure = [] }) => unsure) };
}

/** Notes what stands now of a person who was to be created: of one who was, under the name of their record. */
async function settleNew(
  { fields }: PeopleVerbs,
  values: WrittenValues,
  person: NewPerson,
  { object }: CrmRow,
  result: RowResult,
): Promise<void> {
  const name = newPersonMemory(person.key);
  await settleRow(values, fields, { name, object }, result);
  if (result.ok) await values.rename(name, personMemory({ object, id: result.id }));
}

/** What is to be created, and the person with those of its plans that may be written; no row when there are none. */
interface NewRow {
  row?: CrmRow;
  created: NewPerson;
  reports: PlanReport[];
  /** Values that have to be known again, by property, in canonical form. */
  remembered: ReadonlyMap<string, string>;
}

/** @throws Failure */
function newRow(crm: PeopleVerbs, key: PersonKey, person: NewPerson): NewRow {
  const object = crm.newObject(person.writes);
  const all = person.writes.map((write) => resolvePlan(write, {}));
  const waiting = new Map(all.flatMap((write) => [[write, parkedBy(write.plan)] as const]));
  const resolved = all.filter((write) => !waiting.get(write));
  const { fields, dropped, refused, remembered } = makePatch(crm, object, resolved, undefined, undefined);
  const reports = [
    ...[...waiting].flatMap(([write, failure]) => (failure ? [reportFailure(write, 'person', failure)] : [])),
    ...[...dropped].flatMap(([write, all]) => reportDropped(write, 'person', all)),
    ...[...refused].map(([write, failure]) => reportFailure(write, 'person', failure)),
  ];
  const writes = resolved.filter((write) => !refused.has(write));
  const created = { ...person, writes };
  if (writes.length === 0) return { created, reports, remembered };
  const row: CrmRow = {
    object,
    fields: crm.complete(object, fields, writes),
    plans: writes.map(({ index }) => index),
    required: crm.required_of_new,
  };
  return { row: key.keyed(row, person), created, reports, remembered };
}

function settle(crm: PeopleVerbs, person: NewPerson, row: CrmRow, result: RowResult): Partial<Creation> {
  if (result.ok) return { known: [{ person: crm.byId(result.id), writes: person.writes, created: true }] };
  const { failure } = result;
  if (failure.code === 'conflict') {
    const holder = crm.holderOf(failure, row);
    return whoHolds(crm, person, failure, holder.values, holder.id === undefined ? undefined : crm.byId(holder.id));
  }
  if (failure.code === 'ambiguous_person' && crm.duplicatesOf) return takeDuplicate(crm, person, row, failure);
  if (failure.outcome_unknown) return { unsure: [{ person, failure }] };
  if (crm.keys.isKeyRefused?.(failure)) return { refused: [{ person, failure, began: 'not' }] };
  return { reports: fail(person, withFirstCause(failure, result.dropped)) };
}

/** Another record holds a value of the new person: it is that person, unless only speech says so. */
function whoHolds(
  crm: PeopleVerbs,
  person: NewPerson,
  failure: RequestFailure,
  values: unknown[],
  holder: CrmPerson | undefined,
): Partial<Creation> {
  const claim = judgeClaim(person.writes, values);
  if (claim === 'without') {
    const without = { ...person, writes: person.writes.map(withoutUnproved) };
    return { unsure: [{ person: without, failure }] };
  }
  return holder ? { known: [reclassifyAsExisting(crm, person, holder, claim)] } : { unsure: [{ person, failure }] };
}

/** A rule of the account stopped the new person and named those who look alike. */
function takeDuplicate(crm: PeopleVerbs, person: NewPerson, row: CrmRow, failure: RequestFailure): Partial<Creation> {
  const values = Object.values(row.fields);
  const { people = [], use = false } = crm.duplicatesOf?.(failure) ?? {};
  const policy = person.writes[0]?.plan.person?.ambiguous ?? 'park';
  const first = people.length === 1 || policy === 'oldest' ? people[0] : undefined;
  const chosen = first ?? (policy === 'most_recent' ? people.at(-1) : undefined);
  if (judgeClaim(person.writes, values) === 'without') return whoHolds(crm, person, failure, values, undefined);
  if (!use || !chosen) return { reports: fail(person, failure.with({ candidates: people.map(({ id }) => id) })) };
  const { known = [] } = whoHolds(crm, person, failure, values, chosen);
  const note = `A duplicate rule of the org names ${chosen.id} as the same person: the call was written there.`;
  return { known: known.map((one) => ({ ...one, writes: one.writes.map((write) => withNote(write, note)) })) };
}

/** Search will not show the new person for a while. */
async function rememberNew(
  crm: PeopleVerbs,
  writes: readonly PersonWrite[],
  { id, fields }: { id: string; fields: CrmRow['fields'] },
): Promise<void> {
  const { ctx } = crm.session;
  try {
    const latest = latestOf(writes);
    await Promise.all([
      rememberPerson(ctx, writes.flatMap(contactSteps), id, namesOfSet(crm, writes, fields as Properties)),
      ...writes.map(({ plan }) => isKeySaid(plan) && rememberMade(ctx, plan.key, id)),
      latest !== undefined && !(crm.watermark in fields) && rememberWatermark(ctx, id, new Date(latest).toISOString()),
    ]);
  } catch (thrown) {
    // The person exists and its key finds it; only the short cut is lost.
    ctx.log.warn({ error: Failure.of(thrown).message }, 'a new person could not be remembered');
  }
}
