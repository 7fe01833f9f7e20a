import { type Config, retentionOf } from '@wrapup/config';
import type { Store } from '@wrapup/queue';

/**
 * Once nothing of a call is on its way any more: its payloads get their end of life (`retention.delivered`, or
 * `retention.stopped` while it may still be replayed), and the sweep need not look at it again. The end of a delivery that was
 * written does the same in one step with its outcome.
 */
export async function scheduleExpiry(store: Store, config: Config, source: string, callId: string): Promise<void> {
  await store.ledger.endCall(source, callId, retentionOf(config, source));
}
