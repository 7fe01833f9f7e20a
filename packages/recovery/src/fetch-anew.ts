/**
 * Fetches single calls anew, whatever the ledger knows of them: for a payload that has expired, or of which the voice
 * platform says more by now.
 *
 *   goes on still                                  ──► unfinished, nothing is changed
 *   was forgotten at somebody's wish               ──► forgotten, nothing is changed
 *   other bytes than before, or a call that is new ──► brought: a revision like any other, read and delivered
 *   the same bytes, which had expired              ──► restored: what is parked or dead can be replayed
 *   the same bytes, and they are there             ──► known, nothing is changed
 */
import type { Store } from '@wrapup/queue';
import { normalise } from '@wrapup/synthflow';
import { type BringIn, takeIn } from './bring-in.ts';
import { bytesOf } from './bytes-of.ts';

export type Fetched = 'brought' | 'restored' | 'known' | 'unfinished' | 'forgotten';

export interface FetchAnew extends Pick<BringIn, 'api' | 'source' | 'ledger_days' | 'signal'> {
  store: Pick<Store, 'accept' | 'ledger' | 'payloads'>;
  /** `retention.stopped`: days that a restored payload is kept for somebody to replay it. */
  stopped_days: number;
}

const DAY = 24 * 3600;

/** @throws SynthflowApiError `unknown_call` when the platform does not know it, the reason of the signal, or what Redis says */
export async function fetchAnew(callId: string, options: FetchAnew): Promise<Fetched> {
  const { store, api, source, signal, stopped_days } = options;
  const before = await store.ledger.read(source.name, callId);
  if (before?.forgotten !== undefined) return 'forgotten';
  const record = await api.readCall(callId, { signal });
  if (!normalise(record, { source: source.name, received_at: Date.now() }).terminal) return 'unfinished';
  const body = bytesOf(record, source.keep);
  if ((await takeIn(callId, body, { ...options, received: 'backfill' })) === 'accepted') return 'brought';
  return (await store.payloads.restore(source.name, callId, body, stopped_days * DAY)) ? 'restored' : 'known';
}
