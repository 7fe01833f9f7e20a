import type { Context, WriteOutcome } from '@wrapup/destination';
import { Failure } from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';
import { knownAccount } from './account.ts';
import { type Job, makeJob } from './job.ts';
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
  const jobs = plans.map(makeJob);
  const account = await knownAccount(ctx, settings);
  const policy: RowPolicy = {
    drop: settings.on_refused_field === 'drop',
    knownProperties: (object) => knownProperties(session, object),
  };
  await writeAllPeople(session, jobs, policy, account);
  await writeRecords(session, jobs, policy, account);
  return jobs.map((job) => outcomeOf(job, session));
}

function outcomeOf(job: Job, session: Session): WriteOutcome {
  if (job.outcome && !job.outcome.ok) return job.outcome;
  const requests = session.costOf(job.index);
  if (job.outcome) return { ok: true, receipt: { ...job.outcome.receipt, requests } };
  const names = ['person', ...wantedRecords(job).map((record) => record.name)];
  const records = names.flatMap((name) => job.records.get(name) ?? []);
  const missing = wantedRecords(job).find((record) => !job.records.has(record.name));
  if (missing) return { ok: false, failure: new Failure('internal', `Record ${missing.name} was not written.`) };
  return { ok: true, receipt: { records, requests, notes: job.notes } };
}
