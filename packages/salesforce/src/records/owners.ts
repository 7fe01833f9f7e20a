/** Who can own records: the org’s active users and queues, as far as one answer holds them. */

import type { OwnerList, OwnerSource } from '@wrapup/destination/engine';
import { asObject, asText } from '@wrapup/destination/http';
import { queryTogether } from '../client/query.ts';
import { longId } from '../client/soql.ts';
import { asSalesforceFailure, unaccounted } from '../errors/classify.ts';
import { OWNER } from '../objects.ts';
import type { SalesforceSession } from '../session.ts';

/** Users that are read at most: one answer of a query. */
const MAX_OWNERS = 2_000;

/** The org’s active users and queues. */
export function ownerSource(session: SalesforceSession): OwnerSource {
  return { property: OWNER, read: (plans) => readOwners(session, plans), toSet: (ids) => new IdSet(ids) };
}

/** Ids of 15 and of 18 characters are the same. */
class IdSet extends Set<string> {
  override has(id: string): boolean {
    return super.has(longId(id));
  }
}

const USERS = `SELECT Id, Email FROM User WHERE IsActive = true AND UserType = 'Standard' ORDER BY Id LIMIT ${MAX_OWNERS}`;
const QUEUES = `SELECT Id FROM Group WHERE Type = 'Queue' ORDER BY Id LIMIT ${MAX_OWNERS}`;

async function readOwners(session: SalesforceSession, plans: number[]): Promise<OwnerList> {
  try {
    const [users, queues] = await queryTogether(
      session,
      'read the owners',
      [
        { object: 'User', soql: USERS },
        { object: 'Group', soql: QUEUES },
      ],
      plans,
    );
    if (!users || !queues) throw unaccounted('read the owners', false);
    const rows = [...users.records, ...queues.records].map(asObject);
    return {
      owners: rows.map(({ Id, Email }) => [longId(asText(Id)), asText(Email).trim().toLowerCase()]),
      whole: users.whole && queues.whole && users.records.length < MAX_OWNERS && queues.records.length < MAX_OWNERS,
    };
  } catch (thrown) {
    const failure = asSalesforceFailure(thrown);
    if (failure.next !== 'park') throw failure;
    return { why: `the org’s users cannot be read (${failure.code}: give the integration user View All Users)` };
  }
}
