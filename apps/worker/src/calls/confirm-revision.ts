/**
 * A revision of a source that has an `api_key` is confirmed before anything is made of it: a signature covers the call id
 * only, Synthflow's API knows the call. The API's copy becomes a revision of its own, which is judged as proved.
 *
 *   the API cannot answer                     ──► again for 30 minutes ──► parked
 *   its copy is not judged yet                ──► again in a moment
 *   its copy contradicts the revision         ──► parked
 *   its copy, or the call, says all of it     ──► equal
 *   the revision says more than the API does  ──► the rules without a key hold for the rest
 *
 * The answer is noted in the ledger, so that a rerun does not ask again.
 */
import type { Call } from '@wrapup/call';
import type { CallJob, LedgerEntry } from '@wrapup/queue';
import type { StandingCall } from '@wrapup/synthflow';
import {
  callAt,
  deliveredBefore,
  isRepeat,
  judgeByCopy,
  judgeProved,
  judgeRevision,
  lastDelivered,
  type ReadRevision,
  type RevisionVerdict,
} from '../payloads/revisions.ts';
import { type ApiReading, type NotVerified, readFromApi } from './verifier.ts';

/** Wait until the API's copy has been judged. */
const JUDGE_AGAIN_MS = 1_000;

/** The call as it stands now, and what the revision does to it. */
export interface Confirmed {
  verdict: RevisionVerdict;
  standing: StandingCall | undefined;
  /** Epoch ms: the revision stands after everything up to then. */
  after: number;
  /** Hashes of the delivered revisions that it was judged by. */
  compared: string[];
}

interface Confirming extends ApiReading {
  read: ReadRevision;
  digest: string;
}

export async function confirmRevision(
  job: CallJob,
  entry: LedgerEntry,
  call: Call,
  parts: Confirming,
): Promise<Confirmed | NotVerified> {
  const { store, source, read, digest } = parts;
  const { call_id, revision } = job;
  const noted = entry.revisions.find(({ hash }) => hash === revision);
  let by = noted?.confirmed_by;
  if (by === undefined) {
    const answer = await readFromApi(job, entry, call, parts);
    if ('job' in answer) return answer;
    by = answer.revision;
    if (by !== revision) await store.ledger.confirm(job, by);
  }

  const now = (await store.ledger.read(source.name, call_id)) ?? entry;
  const copied = now.revisions.find(({ hash }) => hash === by);
  if (by !== revision && copied && !copied.effect) {
    const reason = 'What Synthflow’s API says of the call is judged first.';
    await store.ledger.wait(source.name, call_id, { code: 'confirming', reason });
    return { job: 'delay', ms: JUDGE_AGAIN_MS, result: 'waits' };
  }
  const last = lastDelivered(now, revision);
  const standing = last && (await callAt(now, last.hash, read));
  const before = last && (standing ?? 'gone');
  const compared = deliveredBefore(now, revision);
  const repeats = isRepeat(now, digest);
  if (by === revision)
    return { verdict: judgeProved(before, call, source.revisions, repeats), standing, after: 0, compared };

  const copy = await read(by);
  const verdict = (copy && judgeByCopy(copy, call)) ?? judgeRevision(before, call, source.revisions, repeats);
  return { verdict, standing, after: (last?.at ?? 0) + 1, compared };
}
