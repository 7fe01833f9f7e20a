/**
 * Reads single calls again from the voice platform, whatever the ledger has of them: for a payload that has expired, or
 * of which the platform has more by now.
 *
 *   still going on                             ──► unfinished, nothing changes
 *   forgotten by `wrapup forget`               ──► forgotten, nothing changes
 *   a new call, or other bytes than before     ──► brought: a revision like any other, read and delivered
 *   the same bytes, which had expired          ──► restored: what is parked or dead can be replayed
 *   the same bytes, and the payload is there   ──► known, nothing changes
 */
import { type Store, secondsOfDays } from '@wrapup/queue';
import { normalise } from '@wrapup/synthflow';
import { type EnqueueOptions, enqueueCall, payloadBytes } from './find-missing.ts';

export type RefetchResult = 'brought' | 'restored' | 'known' | 'unfinished' | 'forgotten';

export interface RefetchOptions extends Pick<EnqueueOptions, 'api' | 'source' | 'ledger_days' | 'signal'> {
  store: Pick<Store, 'accept' | 'ledger' | 'payloads'>;
  /** `retention.stopped`: days that a restored payload is kept for a replay. */
  stopped_days: number;
}

/** @throws SynthflowApiError `unknown_call` when the platform does not know it, the reason of the signal, or what Redis says */
export async function refetchCall(callId: string, options: RefetchOptions): Promise<RefetchResult> {
  const { store, api, source, signal, stopped_days } = options;
  const before = await store.ledger.read(source.name, callId);
  if (before?.forgotten !== undefined) return 'forgotten';
  const record = await api.readCall(callId, { signal });
  if (!normalise(record, { source: source.name, received_at: Date.now() }).terminal) return 'unfinished';
  const body = payloadBytes(record, source.keep);
  if ((await enqueueCall(callId, body, { ...options, received: 'backfill' })) === 'accepted') return 'brought';
  return (await store.payloads.restore(source.name, callId, body, secondsOfDays(stopped_days))) ? 'restored' : 'known';
}
