/**
 * Writes plans, in as few trips to the CRM as it allows: between trips only ids flow, and every record has its own key.
 *
 *   find people, beside it read what may be there -> create people -> write to people, beside it their records -> outcomes
 *
 * So a person may turn out to be gone when a call log is there already: the person is looked up once more, and the log goes
 * along. Where the CRM locks people while their records are written, records follow people. Each plan ends with an outcome of
 * its own; a plan that fails takes no other with it.
 */
import type { Plan } from '@wrapup/mapping';
import type { ApiSession } from '../http/transport.ts';
import type { Context, Memory } from '../port/context.ts';
import type { Destination, WriteOutcome } from '../port/destination.ts';
import { Failure, parkedBy } from '../port/failure.ts';
import { distinctNotes, omissionsOf } from '../port/omission.ts';
import type { RecordReceipt } from '../port/receipt.ts';
import type { CrmAdapter } from './adapter.ts';
import { OWNERS_MEMORY } from './owners/owners.ts';
import { beginPeople, identifyPeople, leasePeople } from './people/identify-people.ts';
import { forgetFormer, forgetPerson, personMemoryNames, rememberFormer } from './people/person-cache.ts';
import type { PersonWrite } from './people/person-verbs.ts';
import { asResumed, contactSteps, resetWrite } from './people/person-write.ts';
import { updatePeople } from './people/update-people.ts';
import {
  beginPlan,
  type PlanReport,
  type PlanWrite,
  reportFailure,
  reportFailures,
  wantedRecords,
} from './plan/plan-write.ts';
import { readAhead } from './records/read-ahead.ts';
import { writeRecords } from './records/write-records.ts';
import { recordMemory } from './rows/written-values.ts';

/**
 * As many outcomes as plans, in their order; equal plans are written once and share its requests. Never rejects.
 * @param open what the adapter brings for these plans; whatever it throws fails them all
 */
export async function writePlans(
  session: Pick<ApiSession, 'ctx' | 'costOf' | 'calls'>,
  plans: Plan[],
  open: (writes: PlanWrite[]) => Promise<CrmAdapter>,
): Promise<WriteOutcome[]> {
  const { distinct, placeOf } = joinEqual(plans);
  session.calls = distinct.map(({ key }) => key);
  const writes = distinct.map(beginPlan);
  const leased = await leasePeople(session.ctx, writes);
  try {
    const { known, reports } = await writeHeld(leased.held, open);
    const byPlan = Map.groupBy([...leased.reports, ...reports], ({ plan }) => plan);
    const end = async (write: PlanWrite): Promise<WriteOutcome> => {
      const last = known.get(write.index) ?? write;
      const mine = byPlan.get(write.index) ?? [];
      const outcome = outcomeOf(last, mine, (plan) => session.costOf(plan));
      await noteForNext(session.ctx, last, outcome, mine);
      return outcome;
    };
    return shareOutcomes(await Promise.all(writes.map(end)), placeOf);
  } finally {
    // Not before it is noted what the next delivery of a person has to know.
    await leased.release();
  }
}

/** Never rejects. */
async function writeHeld(
  writes: PlanWrite[],
  open: (writes: PlanWrite[]) => Promise<CrmAdapter>,
): Promise<WrittenPlans> {
  try {
    const crm = await open(writes);
    const begun = await beginPeople(crm.people, crm.owners, writes);
    const { known, reports } = await writeAll(crm, begun.writes);
    return { known, reports: [...begun.reports, ...reports] };
  } catch (thrown) {
    return { known: new Map(), reports: reportFailures(writes, 'person', thrown) };
  }
}

/** What the next attempt has to know of this one. Never rejects. */
async function noteForNext(
  ctx: Context,
  write: PlanWrite,
  outcome: WriteOutcome,
  reports: PlanReport[],
): Promise<void> {
  try {
    if (outcome.ok) {
      // A delivery that found no one takes the records off no one: the next one may.
      if (write.plan.resume && write.person) await forgetFormer(ctx, write.plan.key);
      return;
    }
    // Ids that proved dead are not recalled.
    if (outcome.failure.code === 'gone') await Promise.all(contactSteps(write).map((step) => forgetPerson(ctx, step)));
    if (write.person && isPersonOpen(reports) && reports.some(isRecord))
      await rememberFormer(ctx, write.plan.key, write.person.id);
  } catch (thrown) {
    ctx.log.warn({ error: Failure.of(thrown).message }, 'what the next attempt should know could not be noted');
  }
}

/** A plan whose record of a person vanished is begun once more, no more often. */
const MAX_ROUNDS = 2;

interface WrittenPlans {
  /** What was learnt of the plans, by their number. */
  known: ReadonlyMap<number, PlanWrite>;
  reports: PlanReport[];
}

/** Never rejects, unless an adapter does what it must not. */
async function writeAll({ people, records }: CrmAdapter, all: PersonWrite[]): Promise<WrittenPlans> {
  const known = new Map<number, PlanWrite>();
  const dead = new Map<number, ReadonlySet<string>>();
  const parked = all.map((write) => [write, write.resolved ? parkedBy(write.plan) : undefined] as const);
  const reports = parked.flatMap(([write, failure]) => (failure ? [reportFailure(write, 'person', failure)] : []));
  let waiting = parked.flatMap(([write, failure]) => (failure ? [] : [write]));
  for (let round = 1; round <= MAX_ROUNDS && waiting.length > 0; round += 1) {
    const ahead = readAhead(records, waiting);
    const [asking, alone] = [waiting.filter(hasPerson), waiting.filter((write) => !hasPerson(write))];
    const found = await identifyPeople(people, asking, dead);
    const others = [...alone, ...found.log_only];
    const updating = updatePeople(people, found.people);
    // Where a record locks its person, two requests at once would refuse each other's rows, or wait for each other.
    const writes = [...others, ...(people.limits.shrinks ? (await updating).writes : found.writes)];
    const both = [updating, writeRecords(records, writes, ahead)] as const;
    // Neither goes on once outcomes and leases are given back.
    await Promise.allSettled(both);
    const [updated, written] = await Promise.all([...both, found.noted]);
    for (const write of [...writes, ...updated.writes]) known.set(write.index, write);
    const said = [
      ...alone.flatMap(({ index, notes }) => notes.map((note) => ({ plan: index, note }))),
      ...[...found.reports, ...updated.reports, ...written],
    ];
    waiting = [];
    const lost = new Set<number>();
    for (const { id, writes: vanished } of [...found.gone, ...updated.gone])
      for (const write of vanished) {
        lost.add(write.index);
        dead.set(write.index, new Set([...(dead.get(write.index) ?? []), id]));
        const begun = await beginAnew(people.session.ctx, write, id, said);
        known.set(begun.index, begun);
        waiting.push(begun);
      }
    reports.push(...said.flatMap((report) => (lost.has(report.plan) ? leftBehind(report) : [report])));
  }
  const vanished = new Failure('gone', people.wording.vanished);
  return { known, reports: [...reports, ...reportFailures(waiting, 'person', vanished)] };
}

const hasPerson = ({ plan }: PersonWrite) => plan.person !== null;

/** A plan whose person vanished: records that were written with it are there, and are taken along to the one who is found now. */
async function beginAnew(ctx: Context, write: PersonWrite, id: string, said: PlanReport[]): Promise<PersonWrite> {
  const made = said.filter(({ plan }) => plan === write.index).filter(isRecord);
  try {
    await Promise.all(contactSteps(write).map((step) => forgetPerson(ctx, step)));
    if (made.length > 0) await rememberFormer(ctx, write.plan.key, id);
  } catch (thrown) {
    ctx.log.warn({ error: Failure.of(thrown).message }, 'that a person vanished could not be noted');
  }
  return made.length > 0 || write.plan.resume ? resetWrite(asResumed(write, made)) : resetWrite(write);
}

/** Reports of records that are there. */
function isRecord(report: PlanReport): report is PlanReport & { receipt: RecordReceipt } {
  return 'receipt' in report && report.receipt.name !== 'person';
}

/** What is said still of a plan that is begun anew. */
function leftBehind(report: PlanReport): PlanReport[] {
  return isRecord(report) ? [{ plan: report.plan, left: report.receipt }] : [];
}

/** Whether it may be another person to whom the next attempt links what is there. */
function isPersonOpen(reports: PlanReport[]): boolean {
  const ended = reports.find((report) => 'failure' in report);
  return ended !== undefined && (ended.record === 'person' || ended.failure.code === 'gone');
}

/* How plans end: outcomes, put together from what the stages reported; plans that say the same share one. Pure. */

/** @param costOf requests that a plan has cost */
function outcomeOf(write: PlanWrite, reports: PlanReport[], costOf: (plan: number) => number): WriteOutcome {
  const mine = reports.filter(({ plan }) => plan === write.index);
  const receipts = new Map<string, RecordReceipt>();
  for (const report of mine) if ('receipt' in report) receipts.set(report.receipt.name, report.receipt);
  const ended = mine.find((report) => 'failure' in report);
  if (ended) return { ok: false, failure: withRecords(withDone(write, ended.failure, receipts, mine), mine) };
  const requests = costOf(write.index);
  const skipped = mine.find((report) => 'skipped' in report);
  if (skipped) return { ok: true, receipt: { records: [], requests, notes: [skipped.skipped] } };
  const without = mine.flatMap((report) => ('note' in report && report.without ? [report.without] : []));
  const wanted = wantedRecords(write).filter(({ name }) => !without.includes(name));
  const names = ['person', ...wanted.map(({ name }) => name)];
  const missing = names.slice(1).find((name) => !receipts.has(name));
  if (missing !== undefined)
    return { ok: false, failure: new Failure('internal', `Record ${missing} was not written.`, { next: 'retry' }) };
  const notes = [...omissionsOf(write.plan), ...mine.flatMap((report) => ('note' in report ? [report.note] : []))];
  const records = names.flatMap((name) => receipts.get(name) ?? []);
  return { ok: true, receipt: { records, requests, notes: distinctNotes(notes) }, plan: write.plan };
}

/** The failure with what is in the CRM all the same, whatever a retry makes of it: a plan that ends here leaves it there. */
function withRecords(failure: Failure, reports: PlanReport[]): Failure {
  const there = reports.flatMap((report) =>
    'receipt' in report ? [report.receipt] : 'left' in report ? [report.left] : [],
  );
  const records = [...new Map(there.map((receipt) => [receipt.name, receipt])).values()];
  return records.length > 0 ? failure.with({ records }) : failure;
}

/** The failure with what had been written before it: a retry need not repeat that. */
function withDone(
  { plan }: PlanWrite,
  failure: Failure,
  receipts: ReadonlyMap<string, RecordReceipt>,
  reports: PlanReport[],
): Failure {
  if (isPersonOpen(reports)) {
    // The person who is found next time gets all of what this attempt wrote; an attempt that wrote nothing leaves done what was.
    const { done = [] } = plan.resume ?? {};
    const isFresh = ({ receipt }: { receipt: RecordReceipt }) => !done.includes(receipt.name);
    const forgets = failure.code === 'gone' || done.length === 0 || reports.filter(isRecord).some(isFresh);
    return forgets && plan.resume?.done ? failure.with({ done: {} }) : failure;
  }
  // A person whom only speech named is looked up afresh next time.
  const anew = reports.some((report) => 'receipt' in report && report.limited);
  const done = [...receipts].filter(([name]) => name !== 'person' || !anew).map(([name, { id }]) => [name, id]);
  return done.length > 0 ? failure.with({ done: Object.fromEntries(done) }) : failure;
}

/** `placeOf` gives each plan's place among the distinct ones. */
function joinEqual(plans: Plan[]): { distinct: Plan[]; placeOf: number[] } {
  const places = new Map<string, number[]>();
  const distinct: Plan[] = [];
  const placeOf = plans.map((plan) => {
    const name = `${plan.route} ${plan.key}`;
    const candidates = places.get(name) ?? [];
    const same = candidates.find((place) => distinct[place] && sayTheSame(distinct[place], plan));
    if (same !== undefined) return same;
    const place = distinct.push(plan) - 1;
    places.set(name, [...candidates, place]);
    return place;
  });
  return { distinct, placeOf };
}

/** An outcome for each plan, in the order of the plans; those who shared one share its requests. */
function shareOutcomes(outcomes: WriteOutcome[], placeOf: number[]): WriteOutcome[] {
  return placeOf.map((place) => shareOf(outcomes[place], placeOf.filter((other) => other === place).length));
}

function sayTheSame(a: Plan, b: Plan): boolean {
  const said = ({ mapping, ended_at, person, records, resume, chosen }: Plan) =>
    JSON.stringify([mapping, ended_at, person, records, resume, chosen]);
  return a === b || said(a) === said(b);
}

function shareOf(outcome: WriteOutcome | undefined, sharers: number): WriteOutcome {
  if (!outcome) return { ok: false, failure: new Failure('internal', 'A plan was left without an outcome.') };
  if (!outcome.ok || sharers === 1) return outcome;
  return { ...outcome, receipt: { ...outcome.receipt, requests: outcome.receipt.requests / sharers } };
}

/**
 * The part of a destination that the engine makes of an adapter.
 * @param begin the session of one call, which counts what the plans cost
 * @param open what the adapter brings for these plans. `for_reader`: a human looks at the answers and wants to open the records
 * @param recalls what the adapter is sure to ask of memory when it writes these plans
 */
export function throughEngine<Opened extends ApiSession>(
  begin: (ctx: Context) => Opened,
  open: (session: Opened, writes: PlanWrite[], for_reader: boolean) => Promise<CrmAdapter>,
  recalls: (plans: readonly Plan[]) => string[] = () => [],
): Pick<Destination, 'find' | 'preview' | 'write'> {
  return {
    find: async (persons, ctx) => {
      const adapter = await open(
        begin(ctx),
        [],
        persons.some(({ identify }) => identify),
      );
      return (await import('./preview.ts')).findPersons(adapter, persons);
    },
    preview: async (plans, ctx) =>
      (await import('./preview.ts')).previewPlans(plans, (writes) => open(begin(ctx), writes, true)),
    write: (plans, ctx) => {
      const memory = new MemoryAhead(ctx.memory, [...memoriesOfPlans(plans), ...recalls(plans)]);
      const session = begin({ ...ctx, memory });
      return writePlans(session, plans, (writes) => open(session, writes, false));
    },
  };
}

/**
 * What a write is sure to ask of memory, asked all at once when it begins: one after the other, each is a round trip to
 * Redis. Each answer is given once. Who asks a second time wants to know what has become of it meanwhile, and so does who
 * asks after it was written.
 */
export class MemoryAhead implements Memory {
  readonly #memory: Memory;
  readonly #asked: Map<string, Promise<string | undefined>>;

  /** @param names what is asked at once */
  constructor(memory: Memory, names: Iterable<string>) {
    this.#memory = memory;
    this.#asked = new Map([...new Set(names)].map((name) => [name, memory.get(name)]));
    // It fails those that ask for it; what is not asked for is no failure.
    for (const answer of this.#asked.values()) answer.catch(() => {});
  }

  get(key: string): Promise<string | undefined> {
    const asked = this.#asked.get(key);
    this.#asked.delete(key);
    return asked ?? this.#memory.get(key);
  }

  set(key: string, value: string, ttl: number | 'ledger'): Promise<void> {
    this.#asked.delete(key);
    return this.#memory.set(key, value, ttl);
  }

  delete(key: string): Promise<void> {
    this.#asked.delete(key);
    return this.#memory.delete(key);
  }

  digester(): Promise<(value: string) => string> {
    return this.#memory.digester();
  }
}

/** What the engine is sure to ask of memory about these plans. Records that other calls can mean are asked for in their turn. */
function memoriesOfPlans(plans: readonly Plan[]): string[] {
  return plans.flatMap(({ person, records, needs, chosen }) => {
    const own = records.filter(({ find, own_key }) => !find && !own_key);
    const isOwned = needs.length > 0 || person?.owner || records.some(({ owner }) => owner);
    return [
      ...(isOwned ? [OWNERS_MEMORY] : []),
      ...(chosen?.length ? [] : personMemoryNames(person?.match.slice(0, 1) ?? [])),
      ...own.map(recordMemory),
    ];
  });
}
