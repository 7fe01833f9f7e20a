/**
 * Whom records are given to. The org's active users and queues are asked for as far as plans name them, remembered for a
 * while by all processes; the first that is active is written, where the record has no owner yet. An owner never fails a
 * delivery for good: only while Salesforce does not answer is the delivery tried again, a few times.
 */
import { asObject, asText, type Directory, giveOwners as give, type Job } from '@wrapup/destination/delivery';
import { asSalesforceFailure, unaccounted } from './errors.ts';
import { OWNER } from './objects.ts';
import { OWNERS } from './owner-memory.ts';
import { queryTogether } from './query.ts';
import type { Session } from './session.ts';
import { longId } from './soql.ts';

/** Ms that users are remembered. */
const KEPT = 10 * 60_000;
/** Users that are read at most: one answer of a query. */
const MOST = 2_000;

/** Gives every job that needs it the account's owners. Never rejects. */
export function giveOwners(session: Session, jobs: Job[]): Promise<void> {
  return give(jobs, { property: OWNER, read: (plans) => knownOwners(session, plans), toFailure: asSalesforceFailure });
}

type Kept = { owners: [id: string, email: string][]; whole: boolean } | { why: string };

/** Active users and queues, from memory or from Salesforce. @throws the failure of a request that may succeed another time */
export async function knownOwners(session: Session, plans: number[] = [], fresh = false): Promise<Directory> {
  const kept = fresh ? undefined : await session.ctx.memory.get(OWNERS);
  if (kept !== undefined) return toDirectory(JSON.parse(kept) as Kept);
  const read = await readOwners(session, plans);
  await session.ctx.memory.set(OWNERS, JSON.stringify(read), KEPT);
  return toDirectory(read);
}

function toDirectory(kept: Kept): Directory {
  if ('why' in kept) return { byEmail: new Map(), why: kept.why };
  return {
    // An org with more users than one answer holds: ids are then taken as they are, and Salesforce says when one is wrong.
    ...(kept.whole ? { ids: new IdSet(kept.owners.map(([id]) => id)) } : {}),
    byEmail: new Map(kept.owners.filter(([, email]) => email !== '').map(([id, email]) => [email, id])),
  };
}

/** Ids of 15 and of 18 characters are the same. */
class IdSet extends Set<string> {
  override has(id: string): boolean {
    return super.has(longId(id));
  }
}

const USERS = `SELECT Id, Email FROM User WHERE IsActive = true AND UserType = 'Standard' ORDER BY Id LIMIT ${MOST}`;
const QUEUES = `SELECT Id FROM Group WHERE Type = 'Queue' ORDER BY Id LIMIT ${MOST}`;

async function readOwners(session: Session, plans: number[]): Promise<Kept> {
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
      whole: users.whole && queues.whole && users.records.length < MOST && queues.records.length < MOST,
    };
  } catch (thrown) {
    const failure = asSalesforceFailure(thrown);
    if (failure.next !== 'park') throw failure;
    return { why: `the org’s users cannot be read (${failure.code}: give the integration user View All Users)` };
  }
}
