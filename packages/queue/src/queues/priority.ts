/** Who goes first, in queues as in quotas: live calls, then replays, then calls found missing, then history. */
import { LANES, type Lane } from '@wrapup/destination';
import type { Received } from '../ledger/entry.ts';

const BY_RECEIVED: Record<Received, Lane> = { webhook: 'live', reconciled: 'reconcile', backfill: 'backfill' };

/** The lane of a call, or of one of its deliveries. A replay is a replay however the call came. */
export function laneOf({ received, replays = 0 }: { received?: Received; replays?: number }): Lane {
  return replays > 0 ? 'replay' : BY_RECEIVED[received ?? 'webhook'];
}

/** Steps between lanes, so that one more would find room. */
const STEP = 10;

/** A lane as BullMQ orders jobs: without a priority before all that have one, and a smaller number before a larger. */
export function priorityOf(lane: Lane): { priority?: number } {
  const rank = LANES.indexOf(lane) - LANES.indexOf('live');
  return rank > 0 ? { priority: rank * STEP } : {};
}
