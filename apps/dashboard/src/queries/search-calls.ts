import { isOmission } from '@wrapup/destination';
import { cursorOf, type DeliveryState, type LedgerEntry, type Store } from '@wrapup/queue';

/** What a call as a whole is in: a state of its deliveries, or one it has before it has any. */
export const CALL_STATES = [
  'received',
  'queued',
  'written',
  'skipped',
  'parked',
  'dead',
  'dropped',
  'unrouted',
  'stopped',
] as const;
export type CallState = (typeof CALL_STATES)[number];

export interface CallSearch {
  state?: CallState;
  route?: string;
  connection?: string;
  source?: string;
  outcome?: string;
  /** `1`: only calls of which a field was left out. */
  omitted?: '1';
  /** Part of a call id. */
  id?: string;
  /** Cursor of the last call that the page before read. */
  after?: string;
}

export interface CallPage {
  entries: LedgerEntry[];
  /** Absent at the end of the ledger. */
  next?: string;
  /** The search reached its time limit before it had a full page; `next` continues it. */
  cut: boolean;
}

export const PAGE_SIZE = 50;
/** A search with a rare hit must not read the whole ledger in one request. */
const MAX_READ = 20_000;
const MAX_SEARCH_MS = 2_000;

/** Newest first. @param client whose calls are searched; undefined for all */
export async function searchCalls(store: Store, query: CallSearch, client?: string): Promise<CallPage> {
  const entries: LedgerEntry[] = [];
  const until = Date.now() + MAX_SEARCH_MS;
  let cursor: string | undefined;
  let read = 0;
  const options = { ...(query.after === undefined ? {} : { after: query.after }), ...(client && { client }) };
  for await (const entry of store.ledger.scan(options)) {
    if (cursor && (entries.length === PAGE_SIZE || read >= MAX_READ || Date.now() > until)) {
      return { entries, next: cursor, cut: entries.length < PAGE_SIZE };
    }
    read += 1;
    cursor = cursorOf(entry);
    if (matches(entry, query)) entries.push(entry);
  }
  return { entries, cut: false };
}

function matches(entry: LedgerEntry, query: CallSearch): boolean {
  if (query.source && entry.source !== query.source) return false;
  if (query.outcome && entry.outcome !== query.outcome) return false;
  if (query.id && !entry.call_id.includes(query.id)) return false;
  if (query.state === 'received' || query.state === 'unrouted' || query.state === 'stopped') {
    return statesOf(entry).includes(query.state);
  }
  if (!query.state && !query.route && !query.connection && !query.omitted) return true;
  return entry.deliveries.some(
    ({ state, route, connection, notes }) =>
      (!query.state || state === query.state) &&
      (!query.route || route === query.route) &&
      (!query.connection || connection === query.connection) &&
      (!query.omitted || notes.some(isOmission)),
  );
}

/** The states that a call counts under: those of its deliveries, or the one it has before it has any. */
export function statesOf(entry: LedgerEntry): CallState[] {
  if (entry.stopped) return ['stopped'];
  if (!entry.routed) return ['received'];
  if (entry.deliveries.length === 0) return ['unrouted'];
  return [...new Set<DeliveryState>(entry.deliveries.map(({ state }) => state))];
}
