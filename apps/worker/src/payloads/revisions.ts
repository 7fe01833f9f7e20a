/**
 * Revisions: the same call id with other bytes.
 *
 * `equal`    says nothing new once normalised: noted, nothing written
 * `applied`  the first one; one that ends a call that was still going on, with the same people; any under `revisions: apply`
 * `added`    fills in what was absent, contradicts nothing (`revisions: additive`)
 * `parked`   contradicts what was delivered, or cannot be compared with it any more, or `revisions: park`: a person
 *            decides, by replaying or dropping it
 */
import type { Call } from '@wrapup/call';
import type { Source } from '@wrapup/config';
import type { LedgerEntry, ParkReason, Revision } from '@wrapup/queue';
import {
  combineRevisions,
  contradicts,
  contradictsParties,
  equalCalls,
  mergeCalls,
  type StandingCall,
} from '@wrapup/synthflow';

/** One revision, normalised; undefined when its bytes are gone. */
export type ReadRevision = (hash: string) => Promise<Call | undefined>;

export interface RevisionVerdict {
  effect: NonNullable<Revision['effect']>;
  /** Why its deliveries are parked. */
  park?: ParkReason;
}

/** The call as it was delivered so far; `gone` when it was, and its payload has expired since. Undefined for a new call. */
export type Before = StandingCall | 'gone' | undefined;

const HINT = 'Compare the two in `wrapup calls show`; replay to write the newer one, drop to keep what was written.';

/**
 * Decides what a revision does to the call.
 * @param repeats whether it says what an earlier revision said, by its digest: all that can be compared of one that is gone
 */
export function judgeRevision(
  before: Before,
  call: Call,
  policy: Source['revisions'],
  repeats = false,
): RevisionVerdict {
  if (!before) return { effect: 'applied' };
  if (before === 'gone') return repeats ? { effect: 'equal' } : { effect: 'parked', park: GONE };
  const known = before.call;
  if (equalCalls(known, call)) return { effect: 'equal' };
  const ends = !known.terminal && call.terminal;
  // What an unproved revision made of the beginning must not stand against the real end.
  const paths = ends ? contradictsParties(before.proved, call) : contradicts(known, call);
  // What only repeats a part of what is known says nothing new either.
  if (paths.length === 0 && equalCalls(known, mergeCalls(known, call))) return { effect: 'equal' };
  if ((ends && paths.length === 0) || policy === 'apply') return { effect: 'applied' };
  if (policy === 'park') {
    const reason = 'The call came again with other content, and the source parks revisions.';
    return { effect: 'parked', park: { code: 'revision', reason, hint: HINT } };
  }
  if (paths.length === 0) return { effect: 'added' };
  const reason = `The call came again and contradicts what was delivered, in ${paths.slice(0, 8).join(', ')}.`;
  return { effect: 'parked', park: { code: 'contradiction', reason, hint: HINT } };
}

const GONE = {
  code: 'expired',
  reason: 'The call came again after its earlier payload had expired, so that the two cannot be compared.',
  hint: 'A captured signature looks like this: compare it with the record in the CRM. `wrapup backfill --call <id>` writes what Synthflow says of the call; drop to keep what was written, replay to write this one.',
};

/** The same for a revision that the API itself gave: what it contradicts was wrong, unless the source parks revisions. */
export function judgeProved(before: Before, call: Call, policy: Source['revisions'], repeats = false): RevisionVerdict {
  const verdict = judgeRevision(before, call, policy, repeats);
  return verdict.effect === 'parked' && policy !== 'park' ? { effect: 'applied' } : verdict;
}

/** A revision that Synthflow's API was asked to confirm, and that it contradicts. Undefined when it does not. */
export function judgeByCopy(copy: Call, call: Call): RevisionVerdict | undefined {
  const paths = contradicts(copy, call);
  if (paths.length === 0) return undefined;
  const reason = `The call came again, and Synthflow’s API says otherwise, in ${paths.slice(0, 8).join(', ')}.`;
  const hint = 'A captured signature looks like this: drop it to keep what was written. Replay writes it all the same.';
  return { effect: 'parked', park: { code: 'contradiction', reason, hint } };
}

/**
 * The call with the last revision that replaced it, and what was added since.
 * @returns undefined when it has none, or when the bytes of one of them are gone: half a call would overwrite the whole
 */
export async function callAt(
  entry: LedgerEntry,
  revision: string,
  read: ReadRevision,
): Promise<StandingCall | undefined> {
  const revisions: { call: Call; proved: boolean }[] = [];
  for (const { hash, verified } of chainTo(entry, revision)) {
    const call = await read(hash);
    if (!call) return undefined;
    revisions.push({ call, proved: verified === 'api' });
  }
  const [first, ...added] = revisions;
  return first && combineRevisions(first.call, added);
}

/** Revisions that make up the call with this one: the last that replaced it first, then those that added to it. */
export function chainTo(entry: LedgerEntry, revision: string): Revision[] {
  const upTo = entry.revisions.findIndex(({ hash }) => hash === revision);
  const delivered = entry.revisions.slice(0, upTo + 1).filter(isDelivered);
  return delivered.slice(
    Math.max(
      0,
      delivered.findLastIndex(({ effect }) => effect === 'applied'),
    ),
  );
}

/** The revision whose content was delivered, or is being, before a new one came. */
export function lastDelivered(entry: LedgerEntry, except: string): Revision | undefined {
  return entry.revisions.findLast((one) => one.hash !== except && isDelivered(one));
}

/** Whether a revision with this digest says what was said since the call was last replaced. */
export function isRepeat(entry: LedgerEntry, digest: string): boolean {
  const from = entry.revisions.findLastIndex(({ effect }) => effect === 'applied');
  return entry.revisions
    .slice(Math.max(0, from))
    .some((one) => one.digest === digest && (isDelivered(one) || one.effect === 'equal'));
}

/** Hashes of the revisions whose content was delivered, or is being, this one aside. */
export function deliveredBefore(entry: LedgerEntry, except: string): string[] {
  return entry.revisions.filter((one) => one.hash !== except && isDelivered(one)).map(({ hash }) => hash);
}

function isDelivered({ effect }: Revision): boolean {
  return effect === 'applied' || effect === 'added';
}
