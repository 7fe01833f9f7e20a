/** Plans that say the same are written once. Pure. */
import type { Plan } from '@wrapup/mapping';
import type { WriteOutcome } from '../port/destination.ts';
import { Failure } from '../port/failure.ts';

/** `placeOf` gives each plan's place among the distinct ones. */
export function joinEqual(plans: Plan[]): { distinct: Plan[]; placeOf: number[] } {
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
export function shareOutcomes(outcomes: WriteOutcome[], placeOf: number[]): WriteOutcome[] {
  return placeOf.map((place) => shareOf(outcomes[place], placeOf.filter((other) => other === place).length));
}

function sayTheSame(a: Plan, b: Plan): boolean {
  const said = ({ mapping, ended_at, person, records, resume }: Plan) =>
    JSON.stringify([mapping, ended_at, person, records, resume]);
  return a === b || said(a) === said(b);
}

function shareOf(outcome: WriteOutcome | undefined, sharers: number): WriteOutcome {
  if (!outcome) return { ok: false, failure: new Failure('internal', 'A plan was left without an outcome.') };
  if (!outcome.ok || sharers === 1) return outcome;
  return { ok: true, receipt: { ...outcome.receipt, requests: outcome.receipt.requests / sharers } };
}
