import { isOmission } from '@wrapup/destination';
import {
  type CallRef,
  clientsToCount,
  cursorOf,
  type DeliveryState,
  type LedgerEntry,
  readHourlyStats,
  type Store,
  writeCursor,
} from '@wrapup/queue';
import { isInScope } from '../security/client-scope.ts';
import { DAY_MS } from './time-range.ts';

/** What a delivery can be in, as filters list it. */
export const DELIVERY_STATES = [
  'queued',
  'written',
  'skipped',
  'parked',
  'dead',
  'dropped',
] as const satisfies readonly DeliveryState[];
/** What a call as a whole is in: a state of its deliveries, or one it has before it has any. */
export const CALL_STATES = ['received', ...DELIVERY_STATES, 'unrouted', 'stopped'] as const;
export type CallState = (typeof CALL_STATES)[number];

export interface CallSearch {
  state?: CallState;
  route?: string;
  connection?: string;
  source?: string;
  outcome?: string;
  direction?: string;
  /** Id; `other` is no filter, as the counts have put several together under it. */
  agent?: string;
  /** What a delivery of it came to. */
  result?: string;
  /** Why a delivery of it stopped. */
  code?: string;
  /** Epoch ms: calls that ended in this time, `until` not with it. */
  from?: number;
  until?: number;
  /** Id of an omission line: calls that lack what it stands for still. */
  line?: string;
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

/** Calls that are named one by one, as far as they are in the scope. */
export async function readCalls(store: Store, calls: readonly CallRef[], client?: string): Promise<LedgerEntry[]> {
  const own = calls.filter(({ source }) => isInScope({ client }, source));
  const entries = await Promise.all(own.map(({ source, call_id }) => store.ledger.read(source, call_id)));
  return entries.filter((entry) => entry !== undefined);
}

/** Newest first. @param client whose calls are searched; undefined for all @param since epoch ms: no calls that came before */
export async function searchCalls(
  store: Store,
  query: CallSearch,
  client?: string,
  { since = 0, limit = PAGE_SIZE }: { since?: number; limit?: number } = {},
): Promise<CallPage> {
  const entries: LedgerEntry[] = [];
  const deadline = Date.now() + MAX_SEARCH_MS;
  let cursor: string | undefined;
  let read = 0;
  const after = query.after ?? (await placeBehind(store, query, client));
  const options = {
    ...(after === undefined ? {} : { after }),
    // None arrives before it has ended.
    since: Math.max(since, query.from ?? 0),
    ...(client && { client }),
  };
  for await (const entry of store.ledger.scan(options)) {
    if (cursor && (entries.length === limit || read >= MAX_READ || Date.now() > deadline)) {
      return { entries, next: cursor, cut: entries.length < limit };
    }
    read += 1;
    cursor = cursorOf(entry);
    if (matches(entry, query)) entries.push(entry);
  }
  return { entries, cut: false };
}

/** A webhook comes within seconds, or is sent again for some hours. */
const LATEST_WEBHOOK_MS = DAY_MS;

/**
 * Where in the list of arrivals a search for an earlier time begins: behind everything that came long after. Only where all calls
 * of that time came by webhook; what was found later may stand anywhere.
 */
async function placeBehind(store: Store, { from, until }: CallSearch, client?: string): Promise<string | undefined> {
  if (from === undefined || until === undefined || until + LATEST_WEBHOOK_MS > Date.now()) return undefined;
  if (until - from > MOST_COUNTED_MS) return undefined;
  const clients = await clientsToCount(store.ledger, client, { from, until });
  if (!clients) return undefined;
  const { calls } = await readHourlyStats(store.redis, store.keys, { clients, from, until });
  if (calls.some(({ received }) => received !== 'webhook')) return undefined;
  return writeCursor({ at: until + LATEST_WEBHOOK_MS, ids: [''] });
}

/** Above this counting costs more than reading. */
const MOST_COUNTED_MS = 32 * DAY_MS;

/** When a call ended; for one that was not read yet, and where it cannot be right, when it came. */
export function endOf({ ended_at, received_at }: LedgerEntry): number {
  return Math.min(ended_at ?? received_at, received_at);
}

function matches(entry: LedgerEntry, query: CallSearch): boolean {
  if (query.from !== undefined && endOf(entry) < query.from) return false;
  if (query.until !== undefined && endOf(entry) >= query.until) return false;
  if (query.agent && query.agent !== 'other' && entry.agent_id !== query.agent) return false;
  if (query.direction && entry.direction !== query.direction) return false;
  if (query.source && entry.source !== query.source) return false;
  if (query.outcome && entry.outcome !== query.outcome) return false;
  if (query.id && !entry.call_id.includes(query.id)) return false;
  if (query.state === 'received' || query.state === 'unrouted' || query.state === 'stopped') {
    return statesOf(entry).includes(query.state);
  }
  const { state, route, connection, omitted, result, code } = query;
  if (!state && !route && !connection && !omitted && !result && !code) return true;
  return entry.deliveries.some(
    ({ state, route, connection, notes, ...delivery }) =>
      (!query.state || state === query.state) &&
      (!query.result || isNamed(delivery.result, query.result)) &&
      (!query.code || isNamed(delivery.code, query.code)) &&
      (!query.route || route === query.route) &&
      (!query.connection || connection === query.connection) &&
      (!query.omitted || notes.some(isOmission)),
  );
}

/** Pages show `not_interested` as “not interested”: both are found. */
function isNamed(name: string | undefined, asked: string): boolean {
  return name === asked || name === asked.trim().toLowerCase().replaceAll(' ', '_');
}

/** The states that a call counts under: those of its deliveries, or the one it has before it has any. */
export function statesOf(entry: LedgerEntry): CallState[] {
  if (entry.stopped) return ['stopped'];
  if (!entry.routed) return ['received'];
  if (entry.deliveries.length === 0) return ['unrouted'];
  return [...new Set<DeliveryState>(entry.deliveries.map(({ state }) => state))];
}
