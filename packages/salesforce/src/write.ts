import type { Context, WriteOutcome } from '@wrapup/destination';
import { giveOwners, type Job, writeJobRecords, writeJobs } from '@wrapup/destination/delivery';
import type { Plan } from '@wrapup/mapping';
import { type Org, readOrg } from './account/schema.ts';
import type { Transport } from './client/transport.ts';
import { keyStepOf } from './keys/key-ladder.ts';
import { CALL_OBJECT } from './objects.ts';
import { writeAllPeople } from './people.ts';
import { ownerSource } from './records/owners.ts';
import { recordVerbs } from './records/record-verbs.ts';
import { orgUrl, Session } from './session.ts';
import type { SalesforceSettings } from './settings.ts';

/**
 * Writes plans: people first, then the records that point at them. Each plan ends with an outcome of its own; a plan that
 * fails takes nobody with it.
 */
export async function writePlans(
  transport: Transport,
  settings: SalesforceSettings,
  plans: Plan[],
  ctx: Context,
): Promise<WriteOutcome[]> {
  const session = new Session(transport, ctx);
  return writeJobs(session, plans, async (jobs) => {
    const org = await readOrgFor(session, jobs);
    const org_url = await orgUrl(transport, settings, ctx);
    const work = { session, org, settings, org_url, crm: recordVerbs(session, settings, org, org_url) };
    await giveOwners(ctx, jobs, ownerSource(session));
    await writeAllPeople(work, jobs);
    await writeJobRecords(work.crm, jobs);
  });
}

/** The definitions that these jobs need. @throws SalesforceFailure */
export async function readOrgFor(session: Session, jobs: Job[]): Promise<Org> {
  const objects = jobs.flatMap(({ plan }) => plan.records.map(({ object }) => object));
  const plans = jobs.map(({ index }) => index);
  const org = await readOrg(session, objects, { plans });
  const task = org.object('Task');
  // Only an org whose tasks take no key of their own may have something that stands for them.
  if (!task || keyStepOf(org, task)?.step === 'key') return org;
  return readOrg(session, [...objects, CALL_OBJECT], { plans });
}
