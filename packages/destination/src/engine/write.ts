/**
 * Writes plans: people first, then the records that are linked to them.
 *
 *   match people -> resolve plans -> write people -> write records -> associate -> outcomes
 *
 * Each plan ends with an outcome of its own; a plan that fails takes no other with it.
 */
import type { Plan } from '@wrapup/mapping';
import type { Session } from '../http/session.ts';
import type { WriteOutcome } from '../port/destination.ts';
import { Failure } from '../port/failure.ts';
import type { CrmAdapter } from './adapter.ts';
import { joinEqual, outcomeOf, shareOutcomes } from './outcomes.ts';
import { ownersFor } from './owners/owners.ts';
import { forgetPerson } from './people/person-cache.ts';
import { beginWrite, contactSteps, type PersonWrite } from './people/person-write.ts';
import { settleClaim } from './people/said.ts';
import { writePeople } from './people/write-people.ts';
import { beginPlan, type PlanWrite, type Report, reportFailure } from './plan-write.ts';
import { writeRecords } from './records/write-records.ts';

/**
 * As many outcomes as plans, in their order; equal plans are written once and share its requests. Never rejects.
 * @param open what the adapter brings for these plans; whatever it throws fails them all
 */
export async function writePlans(
  session: Pick<Session, 'ctx' | 'costOf'>,
  plans: Plan[],
  open: (writes: PlanWrite[]) => Promise<CrmAdapter>,
): Promise<WriteOutcome[]> {
  const { distinct, placeOf } = joinEqual(plans);
  const writes = distinct.map(beginPlan);
  const reports: Report[] = [];
  let last = writes;
  try {
    const crm = await open(writes);
    const begun = await begin(crm, writes);
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

/** Plans with the owners that they may name, and with the ids that may be looked for. Never rejects. */
export async function begin(
  { people, owners }: CrmAdapter,
  writes: PlanWrite[],
): Promise<{ writes: PersonWrite[]; reports: Report[] }> {
  const { ctx } = people.session;
  const { directory, asking, reports } = await ownersFor(ctx, writes, owners);
  const ended = new Set(reports.map(({ plan }) => plan));
  const begun: PersonWrite[] = [];
  for (const write of writes.filter(({ index }) => !ended.has(index))) {
    try {
      const plan = await settleClaim(ctx, write.plan);
      begun.push(beginWrite({ ...write, plan }, asking.has(write) ? directory : undefined));
    } catch (thrown) {
      reports.push(reportFailure(write, 'person', Failure.of(thrown)));
    }
  }
  return { writes: begun, reports };
}
