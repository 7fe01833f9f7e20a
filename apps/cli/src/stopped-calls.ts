import type { LedgerEntry, Store } from '@wrapup/queue';
import { hintOf } from './explain.ts';

export type Stopped = 'parked' | 'dead';

/** One delivery that waits for somebody, or a call that never got as far as its routes (`route` null). */
export interface StoppedItem {
  source: string;
  call_id: string;
  route: string | null;
  connection: string | null;
  code: string;
  reason: string;
  hint: string;
  attempts: number;
  /** ISO 8601. */
  since: string;
  outcome?: string;
}

export interface StoppedFilter {
  ids?: string[];
  source?: string;
  route?: string;
  connection?: string;
  /** Part of the reason, or its code; case does not matter. */
  reason?: string;
  /** Epoch ms: stopped since then. */
  since?: number;
}

/** Entries of the ledger's index of unfinished calls that are looked at. */
const MOST = 10_000;

/**
 * What is parked or dead, longest waiting first. The queues say where to look, and so does the index of calls that are
 * not finished yet, since filing follows a moment later; what is said comes from the ledger alone.
 */
export async function listStopped(store: Store, state: Stopped, filter: StoppedFilter = {}): Promise<StoppedItem[]> {
  const [jobs, open] = await Promise.all([
    store.operations.list(state, MOST),
    store.ledger.openSince(Number.MAX_SAFE_INTEGER, MOST),
  ]);
  const seen = new Map<string, { source: string; call_id: string }>();
  for (const { source, call_id } of [...jobs, ...open])
    seen.set(JSON.stringify([source, call_id]), { source, call_id });
  const calls = [...seen.values()];
  const items: StoppedItem[] = [];
  for (let start = 0; start < calls.length; start += 100) {
    const page = calls.slice(start, start + 100);
    const entries = await Promise.all(page.map(({ source, call_id }) => store.ledger.read(source, call_id)));
    for (const entry of entries) if (entry) items.push(...stoppedIn(entry, state));
  }
  return items.filter((item) => matches(item, filter)).sort((a, b) => a.since.localeCompare(b.since));
}

function stoppedIn(entry: LedgerEntry, state: Stopped): StoppedItem[] {
  const { source, call_id, stopped } = entry;
  const outcome = entry.outcome ? { outcome: entry.outcome } : {};
  const items: StoppedItem[] = entry.deliveries
    .filter((delivery) => delivery.state === state)
    .map((delivery) => ({
      source,
      call_id,
      route: delivery.route,
      connection: delivery.connection,
      code: delivery.code ?? state,
      reason: delivery.reason ?? '',
      hint: hintOf(delivery, state),
      attempts: delivery.attempts,
      since: new Date(delivery.since).toISOString(),
      ...outcome,
    }));
  if (stopped && state === (stopped.state ?? 'dead')) {
    const { code, reason } = stopped;
    const since = new Date(stopped.at).toISOString();
    items.push({
      source,
      call_id,
      route: null,
      connection: null,
      code,
      reason,
      hint: hintOf(stopped, state),
      attempts: 0,
      since,
      ...outcome,
    });
  }
  return items;
}

function matches(item: StoppedItem, filter: StoppedFilter): boolean {
  const { ids, source, route, connection, reason, since } = filter;
  return (
    (ids === undefined || ids.length === 0 || ids.includes(item.call_id)) &&
    (source === undefined || item.source === source) &&
    (route === undefined || item.route === route) &&
    (connection === undefined || item.connection === connection) &&
    (reason === undefined || `${item.code} ${item.reason}`.toLowerCase().includes(reason.toLowerCase())) &&
    (since === undefined || Date.parse(item.since) >= since)
  );
}
