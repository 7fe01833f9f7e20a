/** What goes first, in queues as in quotas: live calls, then replays, then calls that reconciliation found, then backfills. */
import { PRIORITIES, type Priority } from '@wrapup/destination';
import type { Received } from '../ledger/entry.ts';

const BY_RECEIVED: Record<Received, Priority> = { webhook: 'live', reconciled: 'reconcile', backfill: 'backfill' };

/** The priority of a call, or of one of its deliveries. A replay is a replay however the call came. */
export function priorityOf({ received, replays = 0 }: { received?: Received; replays?: number }): Priority {
  return replays > 0 ? 'replay' : BY_RECEIVED[received ?? 'webhook'];
}

/** Distance between priorities, which leaves room for further ones. */
const PRIORITY_STEP = 10;

/** A priority in BullMQ's terms: jobs without one come first, then smaller numbers before larger ones. */
export function bullPriority(priority: Priority): { priority?: number } {
  const rank = PRIORITIES.indexOf(priority) - PRIORITIES.indexOf('live');
  return rank > 0 ? { priority: rank * PRIORITY_STEP } : {};
}
