import { clientOf } from '@wrapup/call';
import type { DeliveryState, LedgerEntry } from './entry.ts';

export interface CallFilter {
  /** Calls with at least one delivery in this state; `received` means not routed yet, `unrouted` that no route matched. */
  state?: DeliveryState | 'received' | 'unrouted';
  route?: string;
  connection?: string;
  /** Full name. */
  source?: string;
  /** Calls of all its sources. */
  client?: string;
  /** Epoch ms. */
  since?: number;
  /** At most so many, newest first; default 50. */
  limit?: number;
  /** Cursor of the call after which to begin (`cursorOf`). */
  after?: string;
}

export function matches(entry: LedgerEntry, filter: CallFilter): boolean {
  if (filter.source && entry.source !== filter.source) return false;
  if (filter.client && clientOf(entry.source) !== filter.client) return false;
  if (filter.state === 'received') return !entry.routed;
  if (filter.state === 'unrouted') return entry.routed && entry.deliveries.length === 0;
  if (!filter.state && !filter.route && !filter.connection) return true;
  return entry.deliveries.some(
    (delivery) =>
      (!filter.state || delivery.state === filter.state) &&
      (!filter.route || delivery.route === filter.route) &&
      (!filter.connection || delivery.connection === filter.connection),
  );
}
