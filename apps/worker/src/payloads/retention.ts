import { type Config, retentionOf } from '@wrapup/config';
import type { DeliveryState, Store } from '@wrapup/queue';

const DAY_S = 24 * 3600;
const FINISHED: ReadonlySet<DeliveryState> = new Set(['written', 'skipped', 'dropped']);

/**
 * Once nothing of a call is on its way any more: its payloads get their end of life (`retention.delivered`, or
 * `retention.stopped` while it may still be replayed), and the sweep need not look at it again.
 */
export async function scheduleExpiry(store: Store, config: Config, source: string, callId: string): Promise<void> {
  const entry = await store.ledger.read(source, callId);
  if (!entry?.routed) return;
  if (entry.revisions.some(({ effect }) => !effect)) return;
  if (entry.deliveries.some(({ state }) => state === 'queued')) return;
  const waits = entry.stopped !== undefined && entry.stopped.state !== 'dropped';
  const finished = !waits && entry.deliveries.every(({ state }) => FINISHED.has(state));
  const { delivered_days, stopped_days } = retentionOf(config, source);
  const days = finished ? delivered_days : stopped_days;
  for (const { hash } of entry.revisions) await store.payloads.expire(source, callId, hash, days * DAY_S);
  await store.ledger.close(source, callId);
}
