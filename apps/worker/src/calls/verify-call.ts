/**
 * `trust: api`: a webhook is a hint that there is something to read. The call is read again from the Synthflow API, and
 * that copy is believed: it becomes a revision of its own, verified by the API, and is delivered like any other. The
 * hint is noted and never delivered.
 *
 *   the API knows the call             ──► its copy is accepted
 *   not yet, or it still goes on there ──► again, at growing distances, for 30 minutes ──► parked as unverified
 *   analysis or transcript still come  ──► again for 5 minutes ──► its copy is accepted
 *   the API cannot answer              ──► again until it can; nothing is decided without it
 *
 * Under `trust: signature` a revision is confirmed by the same reading (`confirm-revision.ts`), for 30 minutes at most
 * also where the API cannot answer.
 *
 * A call that waits is a delayed job, at distances that grow with each reading: it holds no place in the queue.
 */
import type { Call } from '@wrapup/call';
import type { Source } from '@wrapup/config';
import { type CallJob, type LedgerEntry, revisionOf, type Store } from '@wrapup/queue';
import { payloadBytes } from '@wrapup/recovery';
import { normalise, type SynthflowApi, SynthflowApiError } from '@wrapup/synthflow';
import { contextOf } from '../payloads/read-call.ts';

export interface WaitReason {
  code: string;
  reason: string;
  hint?: string;
}

export type Verification =
  /** The API's copy is in the ledger under this revision, and on its way. */
  | { next: 'accepted'; revision: string }
  /**
   * @property asked whether the API was asked just now
   * @property pause set when the API refused: ms for which it asked not to be asked, or `true`
   */
  | { next: 'wait'; ms: number; why: WaitReason; asked: boolean; pause?: number | true }
  | { next: 'park'; why: WaitReason };

/** The API may not know a call, or may say that it still goes on, for so long; then it is parked. */
const MAX_WAIT_MS = 30 * 60_000;
/** For so long the API's copy may lack what the webhook has. */
const MAX_INCOMPLETE_MS = 5 * 60_000;
/** Bounds of the wait between two readings, which grows with how long the call has waited. */
const MIN_LOOK_MS = 2_000;
const MAX_LOOK_MS = 5 * 60_000;
/** For reading one call, all its requests together. */
const READ_WITHIN_MS = 20_000;

const LOOK =
  'Look for the call in Synthflow. A forged webhook has none there: drop it. If it is there, replay to read it.';

const UNCONFIRMED = 'The call came again and could not be confirmed within 30 minutes; what was delivered stays.';
const CONFIRM = 'Replay to ask Synthflow once more; drop to keep what was written.';

interface VerifyDeps {
  store: Pick<Store, 'accept'>;
  api: Pick<SynthflowApi, 'readCall'>;
  ledger_days: number;
  signal: AbortSignal;
  now?: number;
  random?: () => number;
}

/** @param hint what the webhook says, for knowing what to wait for; nothing of it is believed */
export async function verifyCall(
  job: CallJob,
  entry: LedgerEntry,
  source: Source,
  hint: Call,
  { store, api, ledger_days, signal, now = Date.now(), random = Math.random }: VerifyDeps,
): Promise<Verification> {
  const arrived = entry.revisions.find(({ hash }) => hash === job.revision)?.at ?? entry.ignored?.since ?? now;
  const waited = Math.max(0, now - arrived);
  const reads = entry.waiting?.reads ?? 0;
  const later = (limit: number) => nextLook(waited, reads, limit, random);
  const asked = true;
  let record: Awaited<ReturnType<SynthflowApi['readCall']>>;
  try {
    record = await api.readCall(job.call_id, { signal, deadline: Date.now() + READ_WITHIN_MS });
  } catch (error) {
    // The first signed body is believed without the API; what waits here is another one, which must not wait without end.
    const limit = source.trust === 'api' ? Number.POSITIVE_INFINITY : MAX_WAIT_MS;
    if (error instanceof SynthflowApiError) return afterFailure(error, waited, limit, later);
    throw error;
  }
  const copy = normalise(record, contextOf(source, entry));
  if (hint.terminal && !copy.terminal) {
    const reason = `Synthflow still gives the call as ${copy.status}, the webhook as ${hint.status}.`;
    if (waited < MAX_WAIT_MS)
      return { next: 'wait', asked, ms: later(MAX_WAIT_MS), why: { code: 'still_going_on', reason } };
    return { next: 'park', why: { code: 'unverified', reason, hint: LOOK } };
  }
  const missing = missingIn(copy, hint);
  if (missing.length > 0 && waited < MAX_INCOMPLETE_MS) {
    const reason = `Synthflow has no ${missing.join(' and no ')} of the call yet.`;
    return { next: 'wait', asked, ms: later(MAX_INCOMPLETE_MS), why: { code: 'incomplete', reason } };
  }
  const body = payloadBytes(record, source.keep);
  const { received } = entry;
  const { source: name, call_id } = job;
  const arrival = { source: name, call_id, body, received, verified: 'api' as const, received_at: Date.now() };
  await store.accept(arrival, ledger_days);
  return { next: 'accepted', revision: revisionOf(body) };
}

/**
 * What each failure of the API means for a call that waits for it.
 * @param limit ms for which a call waits at most while the API cannot answer
 */
function afterFailure(
  error: SynthflowApiError,
  waited: number,
  limit: number,
  later: (limit: number) => number,
): Verification {
  const why = { code: error.code, reason: error.message, ...(error.hint ? { hint: error.hint } : {}) };
  const asked = true;
  const unanswered = (ms: number, pause: number | true): Verification =>
    waited < limit
      ? { next: 'wait', asked, ms: Math.round(Math.max(MIN_LOOK_MS / 2, Math.min(ms, limit - waited))), pause, why }
      : { next: 'park', why: { code: 'unconfirmed', reason: `${error.message} ${UNCONFIRMED}`, hint: CONFIRM } };
  switch (error.code) {
    case 'unknown_call': {
      const reason = 'Synthflow does not know this call.';
      if (waited < MAX_WAIT_MS) return { next: 'wait', asked, ms: later(MAX_WAIT_MS), why: { ...why, reason } };
      return { next: 'park', why: { code: 'unverified', reason, hint: LOOK } };
    }
    case 'unknown_log':
    case 'refused':
    case 'too_large':
      return { next: 'park', why: { code: 'unverified', reason: error.message, hint: LOOK } };
    case 'unauthorized':
    case 'forbidden':
    case 'wrong_place':
      // A person has to put it right, and calls go on within moments when that is done.
      return unanswered(Math.min(60_000, later(Number.POSITIVE_INFINITY)), true);
    case 'throttled': {
      const ms = Math.min(MAX_LOOK_MS, Math.max(1_000, error.details.retry_after ?? MIN_LOOK_MS));
      return unanswered(ms, ms);
    }
    case 'unavailable':
    case 'timeout':
    case 'network':
    case 'unreadable':
      return unanswered(later(Number.POSITIVE_INFINITY), true);
  }
}

/**
 * @param reads times that the API was asked before
 * @param limit ms after the arrival at which the last look is taken
 */
function nextLook(waited: number, reads: number, limit: number, random: () => number): number {
  const grown = Math.max(MIN_LOOK_MS * 2 ** Math.min(reads, 10), waited / 2);
  const wait = Math.min(MAX_LOOK_MS, grown) * (0.8 + random() * 0.4);
  return Math.round(Math.max(MIN_LOOK_MS / 2, Math.min(wait, limit - waited)));
}

function missingIn(copy: Call, hint: Call): string[] {
  const missing: string[] = [];
  if (Object.keys(copy.analysis).length === 0 && Object.keys(hint.analysis).length > 0) missing.push('analysis');
  if (copy.transcript === undefined && hint.transcript !== undefined) missing.push('transcript');
  return missing;
}
