import type { Context, WriteOutcome } from '@wrapup/destination';
import { giveOwners, writeJobRecords, writeJobs } from '@wrapup/destination/delivery';
import type { Plan } from '@wrapup/mapping';
import { knownAccount } from './account/account.ts';
import type { Transport } from './client/transport.ts';
import { writeAllPeople } from './people.ts';
import { ownerSource } from './records/owners.ts';
import { recordVerbs } from './records/record-verbs.ts';
import { Session } from './session.ts';
import type { HubSpotSettings } from './settings.ts';

/**
 * Writes plans: people first, then the records that are linked to them. Each plan ends with an outcome of its own;
 * a plan that fails takes no other with it.
 */
export async function writePlans(
  transport: Transport,
  settings: HubSpotSettings,
  plans: Plan[],
  ctx: Context,
): Promise<WriteOutcome[]> {
  const session = new Session(transport, ctx);
  return writeJobs(session, plans, async (jobs) => {
    const account = await knownAccount(ctx, settings);
    const crm = recordVerbs(session, settings, account);
    await giveOwners(ctx, jobs, ownerSource(session));
    await writeAllPeople(session, jobs, crm, settings.without_key === 'id_map', account);
    await writeJobRecords(crm, jobs);
  });
}
