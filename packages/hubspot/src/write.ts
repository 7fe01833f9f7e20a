import type { Context, WriteOutcome } from '@wrapup/destination';
import { Failure } from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';
import { knownAccount } from './account.ts';
import { contactSteps, type Job, makeJob } from './job.ts';
import { giveOwners } from './owners.ts';
import { writeAllPeople } from './people.ts';
import { wantedRecords, writeRecords } from './records.ts';
import { forgetPerson } from './remembered.ts';
import type { RowPolicy } from './rows.ts';
import { knownProperties } from './schema.ts';
import { Session } from './session.ts';
import type { HubSpotSettings } from './settings.ts';
import type { Transport } from './transport.ts';

/**
 * Writes plans: people first, then the records that are linked to them. Each plan ends with an outcome of its own;
 * a plan that fails takes nobody with it.
 */
export async function writePlans(
  transport: Transport,
  settings: HubSpotSettings,
  plans: Plan[],
  ctx: Context,
): Promise<WriteOutcome[]> {
  const session = new Session(transport, ctx);
  const { distinct, placeOf } = joinEqual(plans);
  const jobs = distinct.map(makeJob);
  const account = await knownAccount(ctx, settings);
  const policy: RowPolicy = {
    drop: settings.on_refused_field === 'drop',
    weaker: settings.without_key === 'id_map',
    knownProperties: (object) => knownProperties(session, object),
  };
  await giveOwners(session, jobs);
  await writeAllPeople(session, jobs, policy, account);
  await writeRecords(session, jobs, policy, account);
  await forgetGone(session, jobs);
  const outcomes = jobs.map((job) => outcomeOf(job, session));
  return placeOf.map((place) => shareOf(outcomes[place], placeOf.filter((other) => other === place).length));
}

/** Plans that say the same are written once. `placeOf` gives each plan's place among the distinct ones. */
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

/** Ids that proved dead are not recalled by the next attempt. */
async function forgetGone(session: Session, jobs: Job[]): Promise<void> {
  const gone = jobs.filter(({ outcome }) => outcome && !outcome.ok && outcome.failure.code === 'gone');
  for (const step of gone.flatMap(contactSteps)) await forgetPerson(session.ctx, step).catch(() => {});
}

function outcomeOf(job: Job, session: Session): WriteOutcome {
  if (job.outcome && !job.outcome.ok) return job.outcome;
  const requests = session.costOf(job.index);
  if (job.outcome) return { ok: true, receipt: { ...job.outcome.receipt, requests } };
  const names = ['person', ...wantedRecords(job).map((record) => record.name)];
  const records = names.flatMap((name) => job.records.get(name) ?? []);
  const missing = wantedRecords(job).find((record) => !job.records.has(record.name));
  if (missing) return { ok: false, failure: new Failure('internal', `Record ${missing.name} was not written.`) };
  return { ok: true, receipt: { records, requests, notes: [...new Set(job.notes)] } };
}
