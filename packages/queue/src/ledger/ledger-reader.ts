/** What is read from the ledger: entries, lists of them and counts, in hashes of their own or packed. */
import { clientOf } from '@wrapup/call';
import { newestFirst, PackedEntries, type PlacedEntry } from '../packed/packed-entries.ts';
import type { RedisClient } from '../redis/client.ts';
import { readCursor, writeCursor } from '../redis/cursor.ts';
import { type Keys, memberOf, splitMember } from '../redis/keys.ts';
import { type CallFilter, matches } from './call-filter.ts';
import { countByClient } from './call-index.ts';
import { isHelpless, type LedgerEntry, parseEntry } from './entry.ts';
import { readIndex } from './scripts.ts';

type ScanOptions = Pick<CallFilter, 'after' | 'since' | 'client'>;

/** How many calls of a client there are. */
export interface ClientCalls extends CallCounts {
  client: string;
}

interface CallCounts {
  /** In the ledger. */
  calls: number;
  /** Those that came since the time that was asked for. */
  recent: number;
  /** Epoch ms; absent where none came by webhook. */
  last_webhook?: number;
}

interface LedgerPage {
  entries: LedgerEntry[];
  /** Cursor of the last call; absent at the end of the ledger. */
  next?: string;
}

/** A call in a list; with its fields where these are packed. */
type ListedCall = Pick<PlacedEntry, 'member' | 'at'> & Partial<PlacedEntry>;

/** How often a page is read again while entries are taken out of their buckets, as by a replay of many. */
const MAX_TRIES = 5;
/** Calls that are read at once. */
const PAGE_SIZE = 100;

/** The place of a call in the list of all calls, for `after`. */
export function cursorOf({ received_at, source, call_id }: LedgerEntry): string {
  return writeCursor({ at: received_at, ids: [memberOf(source, call_id)] });
}

export class LedgerReader {
  protected readonly redis: RedisClient;
  protected readonly keys: Keys;
  /** Entries that have come to their end, in less memory. */
  readonly packed: PackedEntries;

  constructor(redis: RedisClient, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
    this.packed = new PackedEntries(redis, keys);
  }

  async read(source: string, callId: string): Promise<LedgerEntry | undefined> {
    return parseEntry(await this.readFields(source, callId));
  }

  /** The fields of an entry as they are kept; none where there is no entry. */
  async readFields(source: string, callId: string): Promise<Record<string, string>> {
    const read = () => this.redis.hgetall(this.keys.ledger(source, callId));
    const fields = await read();
    if (fields.source) return fields;
    // Between the two reads it may have come out of its bucket again.
    return (await this.packed.read(source, callId))?.fields ?? read();
  }

  /** Milliseconds that an entry is kept from now; -1: for good, -2: there is none. */
  async ttl(source: string, callId: string): Promise<number> {
    const left = await this.redis.pttl(this.keys.ledger(source, callId));
    const packed = left === -2 ? await this.packed.read(source, callId) : undefined;
    if (!packed) return left;
    return packed.ends === 0 ? -1 : Math.max(0, packed.ends - Date.now());
  }

  /** The entries of a call id in all sources: ids are unique within one only. */
  async find(callId: string, sources: string[]): Promise<LedgerEntry[]> {
    const entries = await Promise.all(sources.map((source) => this.read(source, callId)));
    return entries.filter((entry) => entry !== undefined);
  }

  /**
   * A page of all calls, or of those of one client, newest first.
   * @param after text of a cursor: the page begins behind that call; one that cannot be read begins with the newest
   * @param since epoch ms: no calls that came before
   */
  async page(options: ScanOptions & { limit?: number } = {}): Promise<LedgerPage> {
    const { found, next } = await this.#page(options);
    const entries = await Promise.all(
      found.map(async ({ member, fields }) => {
        if (fields) return parseEntry(fields);
        const { source, call_id } = splitMember(member);
        return this.read(source, call_id);
      }),
    );
    // Entries expire a moment before the index forgets them.
    return { entries: entries.filter((entry) => entry !== undefined), ...(next === undefined ? {} : { next }) };
  }

  /** As `page`, without the entries. */
  async pageOfIds(options: ScanOptions & { limit?: number } = {}): Promise<{
    calls: { source: string; call_id: string }[];
    next?: string;
  }> {
    const { found, next } = await this.#page(options);
    return { calls: found.map(({ member }) => splitMember(member)), ...(next === undefined ? {} : { next }) };
  }

  async #page({ after, since = 0, client, limit = PAGE_SIZE }: ScanOptions & { limit?: number }): Promise<{
    found: ListedCall[];
    next?: string;
  }> {
    const cursor = readCursor(after, 1);
    for (let tries = 1; ; tries += 1) {
      const version = await this.packed.version();
      const rows = await readIndex(
        this.redis,
        [client === undefined ? this.keys.index : this.keys.clientIndex(client)],
        [cursor?.at ?? '', cursor?.ids[0] ?? '', since, limit],
      );
      const calls = new Map<string, ListedCall>();
      for (let row = 0; row < rows.length; row += 2) {
        const member = rows[row] as string;
        calls.set(member, { member, at: Number(rows[row + 1]) });
      }
      // What is packed between the two is in both; what is taken out of its bucket might be in neither.
      for (const entry of await this.packed.list({ cursor, since, client, limit })) calls.set(entry.member, entry);
      if (tries < MAX_TRIES && (await this.packed.version()) !== version) continue;
      const found = [...calls.values()].sort(newestFirst).slice(0, limit);
      const last = found.at(-1);
      if (!last || found.length < limit) return { found };
      return { found, next: writeCursor({ at: last.at, ids: [last.member] }) };
    }
  }

  /** All calls, newest first, read page by page so that a long ledger costs no memory. @param options as for `page` */
  async *scan({ after, ...options }: ScanOptions = {}): AsyncGenerator<LedgerEntry> {
    for (let next = after; ; ) {
      const page = await this.page({ ...options, ...(next === undefined ? {} : { after: next }) });
      yield* page.entries;
      if (page.next === undefined) return;
      next = page.next;
    }
  }

  async list(filter: CallFilter = {}): Promise<LedgerEntry[]> {
    const found: LedgerEntry[] = [];
    const limit = filter.limit ?? 50;
    const { source, since, after, client = source && clientOf(source) } = filter;
    const scanned = {
      ...(since === undefined ? {} : { since }),
      ...(after === undefined ? {} : { after }),
      ...(client === undefined ? {} : { client }),
    };
    for await (const entry of this.scan(scanned)) {
      if (found.length >= limit) break;
      if (matches(entry, filter)) found.push(entry);
    }
    return found;
  }

  /** How many calls the ledger holds, or holds of one client. */
  async count(client?: string): Promise<number> {
    const [listed, packed] = await Promise.all([
      this.redis.zcard(client === undefined ? this.keys.index : this.keys.clientIndex(client)),
      this.packed.counts(),
    ]);
    const counted = [...packed].filter(([source]) => client === undefined || clientOf(source) === client);
    return counted.reduce((sum, [, count]) => sum + count, listed);
  }

  /**
   * The clients with calls in the ledger, also those that are not in the configuration any more.
   * @param since epoch ms; default: none of them is recent
   */
  async clients(since?: number): Promise<ClientCalls[]> {
    return (await this.overview(since)).clients;
  }

  /** The same, and of the sources in wrapup.yaml itself. @param since epoch ms; default: none of them is recent */
  async overview(since = Number.MAX_SAFE_INTEGER): Promise<{ own: CallCounts; clients: ClientCalls[] }> {
    const [found, bySource, packedSince] = await Promise.all([
      countByClient(this.redis, [this.keys.index], [since]),
      this.packed.counts(),
      this.packed.countSince(since),
    ]);
    const packed = new Map<string, number>();
    for (const [source, count] of bySource) {
      const client = clientOf(source) ?? '';
      packed.set(client, (packed.get(client) ?? 0) + count);
    }
    const [own = { client: '', calls: 0, recent: 0 }, ...clients] = found.map(([client, calls, recent, at]) => {
      const counts = {
        calls: calls + (packed.get(client) ?? 0),
        recent: recent + (packedSince.get(client) ?? 0),
      };
      const last = Number(at);
      return { client, ...counts, ...(last > 0 ? { last_webhook: last } : {}) };
    });
    const { client: _, ...counts } = own;
    return { own: counts, clients };
  }

  /** Epoch ms of the last webhook of each of these sources; undefined where none came. */
  async lastWebhooks(sources: readonly string[]): Promise<Map<string, number | undefined>> {
    if (sources.length === 0) return new Map();
    const times = await this.redis.zmscore(this.keys.webhooks, ...sources);
    return new Map(sources.map((source, index) => [source, times[index] ? Number(times[index]) : undefined]));
  }

  /**
   * Which of these calls the ledger holds. Left out are those that were parked because nothing proved them, or because they
   * could not be read: what their platform says of them now would resolve them.
   */
  async known(source: string, callIds: string[]): Promise<Set<string>> {
    const read = async (ids: readonly string[]) => {
      const pipeline = this.redis.pipeline();
      for (const id of ids) pipeline.hmget(this.keys.ledger(source, id), 'call_id', 'stopped', 'forgotten');
      const answers = (await pipeline.exec()) ?? [];
      return ids.map((id, index) => {
        const [error, fields] = answers[index] ?? [new Error('Redis did not answer for every call')];
        if (error) throw error;
        const [there, stopped, forgotten] = fields as (string | null)[];
        return { id, isThere: there !== null, isKnown: there !== null && (Boolean(forgotten) || !isHelpless(stopped)) };
      });
    };
    const found = await read(callIds);
    const missing = found.filter(({ isThere }) => !isThere).map(({ id }) => id);
    // What is packed has come to its end.
    const packed = await this.packed.known(source, missing);
    // Between the two reads it may have come out of its bucket again.
    const again = await read(missing.filter((id) => !packed.has(id)));
    const known = [...found, ...again].filter(({ isKnown }) => isKnown).map(({ id }) => id);
    return new Set([...known, ...packed]);
  }
}
