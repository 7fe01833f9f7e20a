import type { Call } from '@wrapup/call';
import type { Source } from '@wrapup/config';
import type { LedgerEntry, Store } from '@wrapup/queue';
import { type NormaliseContext, normalise, readCallId } from '@wrapup/synthflow';
import { UnrecognisedBody } from './unrecognised.ts';

/** What a source says about its payloads beyond what they say themselves. */
export function contextOf(source: Source, entry: Pick<LedgerEntry, 'received_at'>): NormaliseContext {
  return {
    source: source.name,
    agents: source.agents,
    received_at: entry.received_at,
    ...(source.default_country ? { default_country: source.default_country } : {}),
  };
}

/**
 * One revision of a call, normalised; undefined when its bytes are gone.
 * @throws UnrecognisedBody
 */
export async function readCall(
  store: Pick<Store, 'payloads'>,
  source: Source,
  entry: Pick<LedgerEntry, 'source' | 'call_id' | 'received_at'>,
  revision: string,
): Promise<Call | undefined> {
  const body = await store.payloads.read(entry.source, entry.call_id, revision);
  if (!body) return undefined;
  const payload: unknown = JSON.parse(body.toString('utf8'));
  if (readCallId(payload) === undefined) throw new UnrecognisedBody();
  return normalise(payload, contextOf(source, entry));
}
