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
 * Who waits is a delayed job: no place in the queue is held.
 */
import type { Call } from '@wrapup/call';
import type { Source } from '@wrapup/config';
import { type CallJob, type LedgerEntry, revisionOf, type Store } from '@wrapup/queue';
import { bytesOf } from '@wrapup/recovery';
import { normalise, type SynthflowApi, SynthflowApiError } from '@wrapup/synthflow';
import { contextOf } from './read-call.ts';

export interface Why {
  code: string;
  reason: string;
  hint?: string;
}

export type Verification =
  /** The API's copy is in the ledger under this revision, and on its way. */
  | { next: 'accepted'; revision: string }
  /** @property shut nobody need ask this source's API for a while: `true`, or for how many ms */
  | { next: 'wait'; ms: number; why: Why; shut?: number | true }
  | { next: 'park'; why: Why };

/** How long the API may not know a call, or may say that it still goes on, before a person has to look at it. */
const PATIENCE = 30 * 60_000;
/** How long what is usually there, and is in the hint, may be missing. */
const COMPLETION = 5 * 60_000;
/** Wait between two looks: a part of how long the call has been waited for, within bounds. */
const SHORTEST = 2_000;
const LONGEST = 5 * 60_000;
/** Milliseconds that reading one call may take, all its requests together. */
const WITHIN = 20_000;

const LOOK =
  'Look for the call in Synthflow. A forged webhook has none there: drop it. If it is there, replay to read it.';

export interface VerifyDeps {
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
  const arrived = entry.revisions.find(({ hash }) => hash === job.revision)?.at ?? now;
  const waited = Math.max(0, now - arrived);
  const later = (limit: number) => nextLook(waited, limit, random);
  let record: Awaited<ReturnType<SynthflowApi['readCall']>>;
  try {
    record = await api.readCall(job.call_id, { signal, deadline: Date.now() + WITHIN });
  } catch (error) {
    if (error instanceof SynthflowApiError) return afterFailure(error, waited, later);
    throw error;
  }
  const copy = normalise(record, contextOf(source, entry));
  if (hint.terminal && !copy.terminal) {
    const reason = `Synthflow still tells the call as ${copy.status}, the webhook as ${hint.status}.`;
    if (waited < PATIENCE) return { next: 'wait', ms: later(PATIENCE), why: { code: 'still_going_on', reason } };
    return { next: 'park', why: { code: 'unverified', reason, hint: LOOK } };
  }
  const missing = missingIn(copy, hint);
  if (missing.length > 0 && waited < COMPLETION) {
    const reason = `Synthflow has no ${missing.join(' and no ')} of the call yet.`;
    return { next: 'wait', ms: later(COMPLETION), why: { code: 'incomplete', reason } };
  }
  const body = bytesOf(record, source.keep);
  const { received } = entry;
  const { source: name, call_id } = job;
  const arrival = { source: name, call_id, body, received, verified: 'api' as const, received_at: Date.now() };
  await store.accept(arrival, ledger_days);
  return { next: 'accepted', revision: revisionOf(body) };
}

/** What each failure of the API means for a call that waits for it. */
function afterFailure(error: SynthflowApiError, waited: number, later: (limit: number) => number): Verification {
  const why = { code: error.code, reason: error.message, ...(error.hint ? { hint: error.hint } : {}) };
  switch (error.code) {
    case 'unknown_call': {
      const reason = 'Synthflow does not know this call.';
      if (waited < PATIENCE) return { next: 'wait', ms: later(PATIENCE), why: { ...why, reason } };
      return { next: 'park', why: { code: 'unverified', reason, hint: LOOK } };
    }
    case 'unknown_log':
    case 'refused':
    case 'too_large':
      return { next: 'park', why: { code: 'unverified', reason: error.message, hint: LOOK } };
    case 'unauthorized':
    case 'forbidden':
    case 'wrong_place':
      // A person has to mend it, and calls go on within moments when that is done.
      return { next: 'wait', ms: Math.min(60_000, later(Number.POSITIVE_INFINITY)), shut: true, why };
    case 'throttled': {
      const ms = Math.min(LONGEST, Math.max(1_000, error.details.retry_after ?? SHORTEST));
      return { next: 'wait', ms, shut: ms, why };
    }
    case 'unavailable':
    case 'timeout':
    case 'network':
    case 'unreadable':
      return { next: 'wait', ms: later(Number.POSITIVE_INFINITY), shut: true, why };
  }
}

/** @param limit ms after the arrival at which the last look is taken */
function nextLook(waited: number, limit: number, random: () => number): number {
  const wait = Math.min(LONGEST, Math.max(SHORTEST, waited / 2)) * (0.8 + random() * 0.4);
  return Math.round(Math.max(SHORTEST / 2, Math.min(wait, limit - waited)));
}

function missingIn(copy: Call, hint: Call): string[] {
  const missing: string[] = [];
  if (Object.keys(copy.analysis).length === 0 && Object.keys(hint.analysis).length > 0) missing.push('analysis');
  if (copy.transcript === undefined && hint.transcript !== undefined) missing.push('transcript');
  return missing;
}
