/**
 * Which deliveries are parked or dead, and which of them somebody means: for the command line and the dashboard alike.
 * The queues say where to look, and so does the index of calls that are not finished yet, since filing follows a moment
 * later; what is said comes from the ledger alone.
 */
import type { DeliveryEntry, LedgerEntry } from './ledger-entry.ts';
import type { Replayed } from './operations.ts';
import type { Store } from './store.ts';

export type Stopped = 'parked' | 'dead';

/** One delivery that waits for somebody, or a call that never got as far as its routes (`route` null). */
export interface StoppedItem {
  source: string;
  call_id: string;
  route: string | null;
  connection: string | null;
  code: string;
  reason: string;
  /** Never empty. */
  hint: string;
  attempts: number;
  /** ISO 8601. */
  since: string;
  outcome?: string;
}

export interface StoppedFilter {
  ids?: string[] | undefined;
  source?: string | undefined;
  route?: string | undefined;
  connection?: string | undefined;
  /** Part of the reason, or its code; case does not matter. */
  reason?: string | undefined;
  /** Epoch ms: stopped since then. */
  since?: number | undefined;
  /** Epoch ms: stopped until then. */
  until?: number | undefined;
}

/** Entries of the queues and of the ledger's index that are looked at, each. */
export const MOST_STOPPED = 10_000;
const PAGE = 100;

/** What is parked or dead, longest waiting first. */
export async function listStopped(store: Store, state: Stopped, filter: StoppedFilter = {}): Promise<StoppedItem[]> {
  const [jobs, open] = await Promise.all([
    store.operations.list(state, MOST_STOPPED),
    store.ledger.openSince(Number.MAX_SAFE_INTEGER, MOST_STOPPED),
  ]);
  const seen = new Map<string, { source: string; call_id: string }>();
  for (const { source, call_id } of [...jobs, ...open])
    seen.set(JSON.stringify([source, call_id]), { source, call_id });
  const calls = [...seen.values()];
  const items: StoppedItem[] = [];
  for (let start = 0; start < calls.length; start += PAGE) {
    const page = calls.slice(start, start + PAGE);
    const entries = await Promise.all(page.map(({ source, call_id }) => store.ledger.read(source, call_id)));
    for (const entry of entries) if (entry) items.push(...stoppedIn(entry, state));
  }
  return items.filter((item) => matches(item, filter)).sort((a, b) => a.since.localeCompare(b.since));
}

/** Sends one of them on its way again. @param options as for `Operations.replay` */
export async function replayStopped(
  { operations }: Pick<Store, 'operations'>,
  state: Stopped,
  { source, call_id, route }: Pick<StoppedItem, 'source' | 'call_id' | 'route'>,
  { attempts, config }: { attempts: (route: string) => number; config?: string | undefined },
): Promise<Replayed> {
  if (route === null) return (await operations.replayCall(source, call_id, config)) ? 'replayed' : 'moved';
  return operations.replay(source, call_id, route, { attempts: attempts(route), from: [state], config });
}

/** Gives one of them up; the reason stays in the ledger. False when it has moved on meanwhile. */
export async function dropStopped(
  { operations }: Pick<Store, 'operations'>,
  { source, call_id, route }: Pick<StoppedItem, 'source' | 'call_id' | 'route'>,
  reason: string,
): Promise<boolean> {
  if (route === null) return operations.dropCall(source, call_id, reason);
  return (await operations.drop(source, call_id, route, reason)) !== undefined;
}

/** What to do about a stopped delivery; never empty. */
export function hintOf(delivery: Pick<DeliveryEntry, 'hint'>, state: Stopped): string {
  if (delivery.hint) return delivery.hint;
  return state === 'parked'
    ? 'Mend what the reason names, then replay it.'
    : 'Replay it once the CRM works again; wrapup doctor says whether it does.';
}

function stoppedIn(entry: LedgerEntry, state: Stopped): StoppedItem[] {
  const { source, call_id, stopped } = entry;
  const call = { source, call_id, ...(entry.outcome ? { outcome: entry.outcome } : {}) };
  const items: StoppedItem[] = entry.deliveries
    .filter((delivery) => delivery.state === state)
    .map((delivery) => ({
      ...call,
      route: delivery.route,
      connection: delivery.connection,
      code: delivery.code ?? state,
      reason: delivery.reason ?? '',
      hint: hintOf(delivery, state),
      attempts: delivery.attempts,
      since: new Date(delivery.since).toISOString(),
    }));
  if (stopped && state === (stopped.state ?? 'dead')) {
    const { code, reason, at } = stopped;
    const since = new Date(at).toISOString();
    const hint = hintOf(stopped, state);
    items.push({ ...call, route: null, connection: null, code, reason, hint, attempts: 0, since });
  }
  return items;
}

function matches(item: StoppedItem, filter: StoppedFilter): boolean {
  const { ids, source, route, connection, reason, since, until } = filter;
  const at = Date.parse(item.since);
  return (
    (ids === undefined || ids.length === 0 || ids.includes(item.call_id)) &&
    (source === undefined || item.source === source) &&
    (route === undefined || item.route === route) &&
    (connection === undefined || item.connection === connection) &&
    (reason === undefined || `${item.code} ${item.reason}`.toLowerCase().includes(reason.toLowerCase())) &&
    (since === undefined || at >= since) &&
    (until === undefined || at <= until)
  );
}
