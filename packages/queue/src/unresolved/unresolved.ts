/**
 * Which deliveries and calls are parked or dead: counts, pages and single ones, for the command line, the dashboard and
 * metrics alike. Counts and pages come from the index (`unresolved-index.ts`), what is said of an item from the ledger.
 */
import { clientOf, spoken } from '@wrapup/call';
import { FAILURE_CODES } from '@wrapup/destination';
import type { DeliveryEntry, LedgerEntry } from '../ledger/entry.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { RedisClient } from '../redis/client.ts';
import { type Cursor, readCursor, writeCursor } from '../redis/cursor.ts';
import type { Keys } from '../redis/keys.ts';
import { isSearch, type UnresolvedFilter, type UnresolvedState } from './unresolved-filter.ts';
import { countPartitions, type ReadItems, readItems, trimIndex } from './unresolved-index.ts';

/** One delivery that waits for a person, or a call that never got as far as its routes (`route` null). */
export interface UnresolvedItem {
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
  /** Whom an ambiguous caller could be. `lasting`: a choice can hold for later calls, too. */
  candidates?: { id: string; url?: string }[];
  lasting?: true;
  /** Its place in the list: `after` this one the list goes on. */
  cursor: string;
}

/** How many items of one kind there are. */
export interface Partition {
  source: string;
  /** Empty for calls that never got as far as their routes; the connection likewise. */
  route: string;
  connection: string;
  code: string;
  count: number;
}

interface PageOptions {
  /** Items at most; default 50. */
  limit?: number;
  /** Cursor of the item after which the page begins. */
  after?: string | undefined;
  /** Cursor of the item before which the page ends; wins over `after`. */
  before?: string | undefined;
  /** Milliseconds after which a search for text stops with what it has; default 1,000. */
  within?: number;
}

export interface UnresolvedPage {
  /** Newest first. */
  items: UnresolvedItem[];
  /** For `after`: older items follow. */
  next?: string;
  /** For `before`: newer items came first. */
  previous?: string;
  /** A search for text stopped at `next` before its page was full, so as not to take too long. */
  cut: boolean;
}

/** Entries that Redis looks at in one step: some milliseconds. */
const STEP_SIZE = 250;
const LATEST = Number.MAX_SAFE_INTEGER;
/** Ids that a cursor of this list holds, beside the time: call id and partition. */
const CURSOR_IDS = 2;

/** Codes of calls and revisions that wait for a person, beside those of failures. */
const CALL_CODES = [
  'unverified',
  'unconfirmed',
  'unrecognised',
  'too_complex',
  'revision',
  'revision_limit',
  'contradiction',
  'expired',
];

/**
 * What a person means by a reason: all codes that contain the text, as they are written or as pages show them, and where no
 * code does, what the reasons say. Which of the two does not depend on what happens to be parked now.
 */
export function reasonFilter(reason: string): Pick<UnresolvedFilter, 'codes' | 'text'> {
  const text = reason.trim().toLowerCase();
  const codes = [...Object.keys(FAILURE_CODES), ...CALL_CODES].filter(
    (code) => code.includes(text) || spoken(code).includes(text),
  );
  return codes.length > 0 ? { codes } : { text };
}

export class Unresolved {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #ledger: Ledger;

  constructor(redis: RedisClient, keys: Keys, ledger: Ledger) {
    this.#redis = redis;
    this.#keys = keys;
    this.#ledger = ledger;
  }

  /** Counts by source, route, connection and code. Text and digest of a filter are ignored. */
  partitions(state: UnresolvedState, filter: UnresolvedFilter = {}): Promise<Partition[]> {
    return this.#count(state, filter);
  }

  async #count(state: UnresolvedState, filter: UnresolvedFilter, after?: Cursor): Promise<Partition[]> {
    const { since, until, source, client } = filter;
    const answer = await countPartitions(
      this.#redis,
      [this.#keys.unresolved],
      [
        ...[state, since === undefined ? '' : Math.max(0, since), until ?? ''],
        ...[after?.at ?? '', after?.ids[0] ?? '', after?.ids[1] ?? ''],
        source === undefined ? (client === undefined ? '' : `${client}.`) : `${source}|`,
      ],
    );
    const found: Partition[] = [];
    for (let index = 0; index < answer.length; index += 2) {
      found.push(readPartition(answer[index] as string, Number(answer[index + 1])));
    }
    return found.filter((partition) => matches(partition, filter));
  }

  /** How many there are. Text and digest of a filter are ignored. */
  async count(state: UnresolvedState, filter: UnresolvedFilter = {}): Promise<number> {
    return total(await this.partitions(state, filter));
  }

  /** How many come after a cursor; without one, all. Text and digest of a filter are ignored. */
  async countAfter(state: UnresolvedState, filter: UnresolvedFilter, after: string | undefined): Promise<number> {
    return total(await this.#count(state, filter, readCursor(after, CURSOR_IDS)));
  }

  /**
   * As `count`, with text and digest of the filter: each item is read for them.
   * @param within milliseconds for that
   * @returns `exact` false: there were so many when the time was over, and there may be more
   */
  async countMatches(
    state: UnresolvedState,
    filter: UnresolvedFilter,
    within: number,
  ): Promise<{ count: number; exact: boolean }> {
    if (!isSearch(filter)) return { count: await this.count(state, filter), exact: true };
    const deadline = Date.now() + within;
    let count = 0;
    for (let after: string | undefined; ; ) {
      const left = Math.max(0, deadline - Date.now());
      const { items, next } = await this.page(state, filter, { limit: STEP_SIZE, after, within: left });
      count += items.length;
      if (next === undefined || left === 0) return { count, exact: next === undefined };
      after = next;
    }
  }

  /** Newest first. What moves while a list is read is listed once at most, and what stays is never left out. */
  async page(
    state: UnresolvedState,
    filter: UnresolvedFilter = {},
    { limit = 50, after, before, within = 1000 }: PageOptions = {},
  ): Promise<UnresolvedPage> {
    const [newer, older] = [readCursor(before, CURSOR_IDS), readCursor(after, CURSOR_IDS)];
    const deadline = Date.now() + within;
    if (newer) {
      const { items, last, more } = await this.#read(state, filter, 'newer', newer, limit, deadline);
      // Too few for a page: the newest have been reached, and a whole page begins there.
      if (more || items.length === limit) {
        const page = items.reverse();
        const first = page[0]?.cursor ?? writeCursor(last ?? newer);
        const end = page.at(-1)?.cursor ?? writeCursor(newer);
        return { items: page, next: end, ...(more ? { previous: first } : {}), cut: page.length < limit };
      }
    }
    const from = newer ? undefined : older;
    const { items, last, more } = await this.#read(state, filter, 'older', from, limit, deadline);
    const first = items[0]?.cursor ?? (from && writeCursor(from));
    return {
      items,
      ...(more && last ? { next: writeCursor(last) } : {}),
      ...(from && first ? { previous: first } : {}),
      cut: more && items.length < limit,
    };
  }

  /** When the one that has waited longest stopped, epoch ms. Text and digest of a filter are ignored. */
  async oldest(state: UnresolvedState, filter: UnresolvedFilter = {}): Promise<number | undefined> {
    const { text: _, digest: __, ...indexed } = filter;
    const { items } = await this.#read(state, indexed, 'newer', undefined, 1, Date.now() + 1000);
    return items[0] && Date.parse(items[0].since);
  }

  /** All that match, newest first, however many. @param after cursor of the item after which to begin */
  async *all(state: UnresolvedState, filter: UnresolvedFilter = {}, after?: string): AsyncGenerator<UnresolvedItem> {
    for (let from = after; ; ) {
      const { items, next } = await this.page(state, filter, { limit: STEP_SIZE, after: from });
      yield* items;
      if (next === undefined) return;
      from = next;
    }
  }

  /** Those of calls that are named, whatever their sources. */
  async named(
    state: UnresolvedState,
    ids: readonly string[],
    filter: UnresolvedFilter = {},
  ): Promise<UnresolvedItem[]> {
    const { client, source } = filter;
    const sources = [...new Set((await this.partitions(state, { client, source })).map(({ source }) => source))];
    const items: UnresolvedItem[] = [];
    for (const id of ids) {
      for (const entry of await this.#ledger.find(id, sources)) items.push(...itemsOf(entry, state));
    }
    return items.filter((item) => {
      const at = Date.parse(item.since);
      const { since = 0, until = LATEST } = filter;
      return matches(item, filter) && mentions(item, filter.text) && at >= since && at <= until;
    });
  }

  /** Removes what stopped before a time (epoch ms): the ledger keeps it no longer. Answers how many. */
  async trim(before: number): Promise<number> {
    let removed = 0;
    for (const state of ['parked', 'dead']) {
      removed += await trimIndex(this.#redis, [this.#keys.unresolved], [state, Math.max(0, before)]);
    }
    return removed;
  }

  async #read(
    state: UnresolvedState,
    filter: UnresolvedFilter,
    order: 'older' | 'newer',
    from: Cursor | undefined,
    limit: number,
    deadline: number,
  ): Promise<{ items: UnresolvedItem[]; last: Cursor | undefined; more: boolean }> {
    const partitions = (await this.partitions(state, filter)).map(writePartition);
    const items: UnresolvedItem[] = [];
    let last = from;
    for (;;) {
      const [found, more, place]: ReadItems = await readItems(
        this.#redis,
        [this.#keys.unresolved],
        [
          ...[state, order, limit - items.length, STEP_SIZE],
          ...[Math.max(0, filter.since ?? 0), filter.until ?? LATEST, toLower(filter.text ?? '')],
          ...[filter.digest ?? '', this.#keys.ledgers],
          ...[last?.at ?? '', last?.ids[0] ?? '', last?.ids[1] ?? ''],
          ...partitions,
        ],
      );
      for (const row of found) items.push(readItem(row, state));
      if (place.length > 0) last = { at: Number(place[0]), ids: place.slice(1) };
      const done = more === 0 || items.length >= limit || Date.now() > deadline;
      if (done) return { items, last, more: more === 1 };
    }
  }
}

/** What to do about a delivery that is parked or dead; never empty. */
export function hintOf(delivery: Pick<DeliveryEntry, 'hint'>, state: UnresolvedState): string {
  if (delivery.hint) return delivery.hint;
  return state === 'parked'
    ? 'Fix what the reason names, then replay it.'
    : 'Replay it once the CRM works again; wrapup doctor says whether it does.';
}

/** Sum of the counts. */
export function total(partitions: readonly Partition[]): number {
  return partitions.reduce((sum, { count }) => sum + count, 0);
}

function itemsOf(entry: LedgerEntry, state: UnresolvedState): UnresolvedItem[] {
  const { source, call_id, stopped, outcome } = entry;
  const items = entry.deliveries
    .filter((delivery) => delivery.state === state)
    .map((delivery) => makeItem({ source, call_id, outcome }, delivery.route, delivery, delivery.since, state));
  if (stopped && state === (stopped.state ?? 'dead'))
    items.push(makeItem({ source, call_id, outcome }, null, stopped, stopped.at, state));
  return items;
}

function readItem([score, call_id, partition, json, outcome]: ReadItems[0][number], state: UnresolvedState) {
  const { source, route } = readPartition(partition, 1);
  const item = JSON.parse(json) as DeliveryEntry;
  return makeItem({ source, call_id, outcome: outcome || undefined }, route || null, item, Number(score), state);
}

function makeItem(
  { source, call_id, outcome }: { source: string; call_id: string; outcome?: string | undefined },
  route: string | null,
  why: Partial<DeliveryEntry>,
  at: number,
  state: UnresolvedState,
): UnresolvedItem {
  const { connection = null, code = state, reason = '', attempts = 0 } = why;
  const partition = writePartition({ source, route: route ?? '', connection: connection ?? '', code });
  return {
    ...{ source, call_id, route, connection, code, reason },
    hint: hintOf(why.hint === undefined ? {} : { hint: why.hint }, state),
    attempts,
    since: new Date(at).toISOString(),
    ...(outcome ? { outcome } : {}),
    ...choiceOf(why),
    cursor: writeCursor({ at, ids: [call_id, partition] }),
  };
}

function choiceOf({ code, candidates = [], candidate_urls: urls = {}, ambiguous }: Partial<DeliveryEntry>) {
  if (code !== 'ambiguous_person' || candidates.length === 0) return {};
  return {
    candidates: candidates.map((id) => ({ id, ...(urls[id] ? { url: urls[id] } : {}) })),
    ...(ambiguous ? { lasting: true as const } : {}),
  };
}

function readPartition(name: string, count: number): Partition {
  const [source = '', route = '', connection = '', ...code] = name.split('|');
  return { source, route, connection, code: code.join('|'), count };
}

function writePartition({ source, route, connection, code }: Omit<Partition, 'count'>): string {
  return [source, route, connection, code].join('|');
}

function matches(
  one: { source: string; route: string | null; connection: string | null; code: string },
  { client, source, route, connection, codes }: UnresolvedFilter,
): boolean {
  return (
    (client === undefined || clientOf(one.source) === client) &&
    (source === undefined || one.source === source) &&
    (route === undefined || one.route === route) &&
    (connection === undefined || one.connection === connection) &&
    (codes === undefined || codes.includes(one.code))
  );
}

function mentions({ code, reason }: UnresolvedItem, text = ''): boolean {
  return toLower(`${code} ${reason}`).includes(toLower(text));
}

/** As Lua does it: ASCII only. */
function toLower(text: string): string {
  return text.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
}
