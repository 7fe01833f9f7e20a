import type { Context, WriteOutcome } from '@wrapup/destination';
import { giveOwners, writeJobs } from '@wrapup/destination/delivery';
import type { Plan } from '@wrapup/mapping';
import { knownAccount } from './account/account.ts';
import { knownProperties } from './account/schema.ts';
import type { Transport } from './client/transport.ts';
import { ownerSource } from './owners.ts';
import { writeAllPeople } from './people.ts';
import { writeRecords } from './records.ts';
import type { RowPolicy } from './rows.ts';
import { Session } from './session.ts';
import type { HubSpotSettings } from './settings.ts';

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
  return writeJobs(session, plans, async (jobs) => {
    const account = await knownAccount(ctx, settings);
    const policy: RowPolicy = {
      drop: settings.on_refused_field === 'drop',
      weaker: settings.without_key === 'id_map',
      knownProperties: (object) => knownProperties(session, object),
    };
    await giveOwners(ctx, jobs, ownerSource(session));
    await writeAllPeople(session, jobs, policy, account);
    await writeRecords(session, jobs, policy, account);
  });
}
