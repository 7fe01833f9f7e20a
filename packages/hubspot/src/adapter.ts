/** What HubSpot brings to the write engine. */
import type { Context, Preview } from '@wrapup/destination';
import type { CrmAdapter, PlanWrite } from '@wrapup/destination/engine';
import { accountForReader, knownAccount } from './account/account.ts';
import { peopleVerbs } from './people/people-verbs.ts';
import { ownerSource } from './records/owners.ts';
import { recordVerbs } from './records/record-verbs.ts';
import type { HubSpotSession } from './session.ts';
import type { HubSpotSettings } from './settings.ts';

/** @param forReader a human looks at the answers and wants to open the records: the account is asked for where it is not known */
export async function openAdapter(
  session: HubSpotSession,
  settings: HubSpotSettings,
  ctx: Context,
  forReader: boolean,
): Promise<CrmAdapter> {
  const account = forReader ? await accountForReader(session, settings) : await knownAccount(ctx, settings);
  const records = recordVerbs(session, settings, account);
  return {
    records,
    people: peopleVerbs(session, records, settings.without_key === 'id_map'),
    owners: ownerSource(session),
    estimate,
    reads_together: false,
  };
}

/** One request for each object that is written, and those for links and for what is there already. */
function estimate({ log_only }: PlanWrite, records: Preview['records']): number {
  let requests = 0;
  for (const { name, object, did, fields } of records) {
    const applies = fields.some((field) => field.applies);
    if (did === 'update' && name === 'person' && !applies) continue;
    if (object === 'companies') {
      // Looked for by its domain; what is there is updated where a field applies, and linked apart.
      requests += did === 'create' || !applies ? 2 : 3;
      continue;
    }
    requests += 1;
    // A log that exists is found out by a refused creation, then upserted and linked.
    if (did === 'update' && name !== 'person') requests += log_only ? 1 : 2;
  }
  return requests;
}
