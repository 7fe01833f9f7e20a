import type { Context, WriteOutcome } from '@wrapup/destination';
import { Failure } from '@wrapup/destination';
import { contactSteps, forgetPerson, type Job, joinEqual, makeJob, shareOutcomes } from '@wrapup/destination/delivery';
import type { Plan } from '@wrapup/mapping';
import { knownAccount } from './account.ts';
import { giveOwners } from './owners.ts';
import { writeAllPeople } from './people.ts';
import { wantedRecords, writeRecords } from './records.ts';
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
  return shareOutcomes(
    jobs.map((job) => outcomeOf(job, session)),
    placeOf,
  );
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
