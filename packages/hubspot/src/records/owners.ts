/** Who can own records: the account’s active owners. */

import type { OwnerList, OwnerSource } from '@wrapup/destination/engine';
import { asObject } from '@wrapup/destination/http';
import { listOwners } from '../client/api.ts';
import { asHubSpotFailure, unaccounted } from '../errors/classify.ts';
import { OWNER } from '../objects.ts';
import type { HubSpotSession } from '../session.ts';

/** Pages of 500 owners that are read at most. */
const MAX_PAGES = 20;

/** The account’s active owners. */
export function ownerSource(session: HubSpotSession): OwnerSource {
  return { property: OWNER, read: (plans) => readOwners(session, plans) };
}

async function readOwners(session: HubSpotSession, plans: number[]): Promise<OwnerList> {
  const owners: [string, string][] = [];
  let after: string | undefined;
  try {
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const body = asObject((await session.send(listOwners(after), plans)).body);
      if (!Array.isArray(body.results)) throw unaccounted('read the owners');
      for (const item of body.results.map(asObject))
        if (item.id !== undefined && item.archived !== true)
          owners.push([String(item.id), typeof item.email === 'string' ? item.email.trim().toLowerCase() : '']);
      const next = asObject(asObject(body.paging).next).after;
      if (next === undefined) break;
      after = String(next);
    }
    return { owners };
  } catch (thrown) {
    const failure = asHubSpotFailure(thrown);
    if (failure.code === 'missing_scope' || failure.next === 'park')
      return { why: `the account’s owners cannot be read (${failure.code}: add the scope crm.objects.owners.read)` };
    throw failure;
  }
}
