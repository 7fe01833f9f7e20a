/**
 * Whom records are given to. The account's active owners are read once, remembered for a while by all processes, and a
 * plan's steps are looked up in them; the first that is active is written, where the record has no owner yet.
 *
 * An owner never fails a delivery for good: one that is unknown or inactive is passed over and noted, and where owners
 * may not be read at all, ids are taken as they are and addresses are passed over. Only while HubSpot does not answer is
 * the delivery tried again, a few times, so that a follow-up does not end up with nobody.
 */
import type { Context } from '@wrapup/destination';
import { asObject, type Directory, giveOwners as give, type Job } from '@wrapup/destination/delivery';
import { listOwners } from './api.ts';
import { OWNER } from './dialect.ts';
import { asHubSpotFailure } from './errors.ts';
import { unaccounted } from './read-many.ts';
import type { Session } from './session.ts';

const KEY = 'owners';
/** Ms that owners are remembered, and that a refusal to tell them is. */
const KEPT = 10 * 60_000;
/** Pages of 500 owners that are read at most. */
const PAGES = 20;

/** Gives every job that needs it the account's owners. Never rejects. */
export function giveOwners(session: Session, jobs: Job[]): Promise<void> {
  return give(jobs, { property: OWNER, read: (plans) => knownOwners(session, plans), toFailure: asHubSpotFailure });
}

/** Active owners, from memory or from HubSpot. @throws the failure of a request that may succeed another time */
export async function knownOwners(session: Session, plans: number[] = [], fresh = false): Promise<Directory> {
  const kept = fresh ? undefined : await session.ctx.memory.get(KEY);
  if (kept !== undefined) return toDirectory(JSON.parse(kept) as Kept);
  const read = await readOwners(session, plans);
  await session.ctx.memory.set(KEY, JSON.stringify(read), KEPT);
  return toDirectory(read);
}

/** After HubSpot refused one: who is remembered as active may not be any more. */
export async function forgetOwners(ctx: Context): Promise<void> {
  await ctx.memory.delete(KEY);
}

type Kept = { owners: [id: string, email: string][] } | { why: string };

function toDirectory(kept: Kept): Directory {
  if ('why' in kept) return { byEmail: new Map(), why: kept.why };
  return {
    ids: new Set(kept.owners.map(([id]) => id)),
    byEmail: new Map(kept.owners.filter(([, email]) => email !== '').map(([id, email]) => [email, id])),
  };
}

async function readOwners(session: Session, plans: number[]): Promise<Kept> {
  const owners: [string, string][] = [];
  let after: string | undefined;
  try {
    for (let page = 0; page < PAGES; page += 1) {
      const body = asObject((await session.send(listOwners(after), plans)).body);
      if (!Array.isArray(body.results)) throw unaccounted('owners');
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
