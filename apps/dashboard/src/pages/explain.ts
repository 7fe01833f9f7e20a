import type { DeliveryEntry, LedgerEntry } from '@wrapup/queue';

/** What happens next, or what to press. */
export function whatNext(delivery: DeliveryEntry, payloadKept: boolean): string {
  switch (delivery.state) {
    case 'queued':
      return delivery.reason
        ? 'On its way: it waits and is tried again by itself. Nothing to do.'
        : 'On its way. Nothing to do.';
    case 'written':
      return 'Done. Nothing to do.';
    case 'skipped':
      return payloadKept
        ? 'A policy of the mapping said not to write. After changing the mapping, press Replay.'
        : 'A policy of the mapping said not to write. The payload is gone, so that it cannot be replayed.';
    case 'dropped':
      return payloadKept
        ? 'Given up by a person. Press Replay to try it after all.'
        : 'Given up by a person. The payload is gone, so that it cannot be replayed.';
    case 'parked':
      return payloadKept
        ? 'Waits for a person. Fix what the reason names, then press Replay; or Drop it.'
        : 'The payload is gone, so that a replay cannot write it: fetch the call again with `backfill --call` and its id, or Drop it.';
    case 'dead':
      return payloadKept
        ? 'Given up after its attempts. When the cause is fixed, press Replay; or Drop it.'
        : 'The payload is gone, so that a replay cannot write it: fetch the call again with `backfill --call` and its id, or Drop it.';
  }
}

/** The call as a whole, when it has no deliveries to speak for it. */
export function explainCall(entry: LedgerEntry): string | undefined {
  if (entry.stopped?.state === 'parked')
    return 'The call waits for a person. When what the reason names is fixed, press Replay the call.';
  if (entry.stopped) return 'The call could not be read or routed. When the cause is fixed, press Replay the call.';
  if (entry.waiting) return `It waits and is tried again by itself: ${entry.waiting.reason}`;
  if (!entry.routed) return 'Received, and not read by a worker yet. If this stays, check that one runs.';
  if (entry.deliveries.length === 0) return 'No route matched, so nothing was written.';
  return undefined;
}
