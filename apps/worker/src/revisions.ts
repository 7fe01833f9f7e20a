/**
 * Revisions: the same call id with other bytes.
 *
 * `equal`    says nothing new once normalised: noted, nothing written
 * `applied`  the first one; one that ends a call that was still going on; any under `revisions: apply`
 * `added`    fills in what was absent, contradicts nothing (`revisions: additive`)
 * `parked`   contradicts what was delivered, or `revisions: park`: a person decides, by replaying or dropping it
 */
import type { Call } from '@wrapup/call';
import type { Source } from '@wrapup/config';
import type { LedgerEntry, Revision } from '@wrapup/queue';
import { contradicts, equalCalls, mergeCalls } from '@wrapup/synthflow';

export type ReadRevision = (hash: string) => Promise<Call | undefined>;

export interface Verdict {
  effect: NonNullable<Revision['effect']>;
  park?: { code: string; reason: string; hint: string };
}

const HINT = 'Compare the two in `wrapup calls show`; replay to write the newer one, drop to keep what was written.';

/** Decides what a revision does to the call as it was delivered so far (`before`; undefined for the first one). */
export function judgeRevision(before: Call | undefined, call: Call, policy: Source['revisions']): Verdict {
  if (!before) return { effect: 'applied' };
  if (equalCalls(before, call)) return { effect: 'equal' };
  const paths = contradicts(before, call);
  // What only repeats a part of what is known says nothing new either.
  if (paths.length === 0 && equalCalls(before, mergeCalls(before, call))) return { effect: 'equal' };
  if (!before.terminal && call.terminal) return { effect: 'applied' };
  if (policy === 'apply') return { effect: 'applied' };
  if (policy === 'park') {
    const reason = 'The call came again with other content, and the source parks revisions.';
    return { effect: 'parked', park: { code: 'revision', reason, hint: HINT } };
  }
  if (paths.length === 0) return { effect: 'added' };
  const reason = `The call came again and contradicts what was delivered, in ${paths.slice(0, 8).join(', ')}.`;
  return { effect: 'parked', park: { code: 'contradiction', reason, hint: HINT } };
}

/** The same for a revision that the API itself gave: what it contradicts was wrong, unless the source parks revisions. */
export function judgeProved(before: Call | undefined, call: Call, policy: Source['revisions']): Verdict {
  const verdict = judgeRevision(before, call, policy);
  return verdict.effect === 'parked' && policy !== 'park' ? { effect: 'applied' } : verdict;
}

/** The call as it stands with one of its revisions: the last one that replaced it, and what was added since. */
export async function callAt(entry: LedgerEntry, revision: string, read: ReadRevision): Promise<Call | undefined> {
  const upTo = entry.revisions.findIndex(({ hash }) => hash === revision);
  const told = entry.revisions.slice(0, upTo + 1).filter(({ effect }) => effect === 'applied' || effect === 'added');
  const from = told.findLastIndex(({ effect }) => effect === 'applied');
  let call: Call | undefined;
  for (const { hash } of told.slice(Math.max(0, from))) {
    const next = await read(hash);
    if (!next) continue;
    call = call ? mergeCalls(call, next) : next;
  }
  return call;
}

/** The revision whose content was delivered, or is being, before a new one came. */
export function lastTold(entry: LedgerEntry, except: string): string | undefined {
  return entry.revisions.findLast(({ hash, effect }) => hash !== except && (effect === 'applied' || effect === 'added'))
    ?.hash;
}
