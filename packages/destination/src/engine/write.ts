/**
 * Writes plans: people first, then the records that are linked to them.
 *
 *   match people -> resolve plans -> write people -> write records -> associate -> outcomes
 *
 * Each plan ends with an outcome of its own; a plan that fails takes no other with it.
 */
import type { Plan } from '@wrapup/mapping';
import type { ApiSession } from '../http/transport.ts';
import type { Context } from '../port/context.ts';
import type { Destination, RecordReceipt, WriteOutcome } from '../port/destination.ts';
import { Failure } from '../port/failure.ts';
import { distinctNotes, omissionsOf } from '../port/omission.ts';
import type { CrmAdapter } from './adapter.ts';
import { forgetPerson } from './people/person-cache.ts';
import { contactSteps } from './people/person-write.ts';
import { beginPeople, writePeople } from './people/write-people.ts';
import { beginPlan, type PlanReport, type PlanWrite, reportFailure, wantedRecords } from './plan/plan-write.ts';
import { writeRecords } from './records/write-records.ts';

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
  const reports: PlanReport[] = [];
  let last = writes;
  try {
    const crm = await open(writes);
    const begun = await beginPeople(crm.people, crm.owners, writes);
    const people = await writePeople(crm.people, begun.writes);
    reports.push(...begun.reports, ...people.reports);
    // What a stage learnt of a plan counts, in the order in which it was learnt.
    const known = new Map(people.writes.map((write) => [write.index, write]));
    last = writes.map((write) => known.get(write.index) ?? write);
    reports.push(...(await writeRecords(crm.records, people.writes)));
  } catch (thrown) {
    reports.push(...writes.map((write) => reportFailure(write, 'person', Failure.of(thrown))));
  }
  const byPlan = Map.groupBy(reports, ({ plan }) => plan);
  const outcomes = last.map((write) => outcomeOf(write, byPlan.get(write.index) ?? [], (plan) => session.costOf(plan)));
  // Ids that proved dead are not recalled by the next attempt.
  for (const [index, outcome] of outcomes.entries()) {
    const gone = !outcome.ok && outcome.failure.code === 'gone' ? last[index] : undefined;
    for (const step of gone ? contactSteps(gone) : []) await forgetPerson(session.ctx, step).catch(() => {});
  }
  return shareOutcomes(outcomes, placeOf);
}

/* How plans end: outcomes, put together from what the stages reported; plans that say the same share one. Pure. */

/** @param costOf requests that a plan has cost */
function outcomeOf(write: PlanWrite, reports: PlanReport[], costOf: (plan: number) => number): WriteOutcome {
  const mine = reports.filter(({ plan }) => plan === write.index);
  const receipts = new Map<string, RecordReceipt>();
  for (const report of mine) if ('receipt' in report) receipts.set(report.receipt.name, report.receipt);
  const ended = mine.find((report) => 'failure' in report);
  if (ended) return { ok: false, failure: withDone(ended.failure, receipts, mine) };
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

/** The failure with what had been written before it: a retry need not repeat that. */
function withDone(failure: Failure, receipts: ReadonlyMap<string, RecordReceipt>, reports: PlanReport[]): Failure {
  // A person to whom nothing could be linked, or whom only speech named, is looked up afresh next time.
  const anew = failure.code === 'gone' || reports.some((report) => 'receipt' in report && report.limited);
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
 */
export function throughEngine<Opened extends ApiSession>(
  begin: (ctx: Context) => Opened,
  open: (session: Opened, writes: PlanWrite[], for_reader: boolean) => Promise<CrmAdapter>,
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
      const session = begin(ctx);
      return writePlans(session, plans, (writes) => open(session, writes, false));
    },
  };
}
