/**
 * The packed part of the ledger. An entry that has come to its end hardly changes any more: half a day after the call came it
 * moves out of its hash into a bucket of some fifty of the same client and hours (`bucket.ts`), which takes a tenth of the
 * memory. Lists, counts and look-ups know both forms; whatever changes an entry takes it out of its bucket first.
 *
 * An entry is in one form only, as each move is one step in Redis. Where it were in both, its hash would count.
 */
import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { clientOf } from '@wrapup/call';
import type { RedisClient } from '../redis/client.ts';
import type { Cursor } from '../redis/cursor.ts';
import { type Keys, memberOf } from '../redis/keys.ts';
import { decodeBucket, encodeBucket, type StoredEntry } from './bucket.ts';
import * as scripts from './scripts.ts';

/** Calls of one bucket arrived within so many ms: a list that begins in between has few buckets to look at. */
export const BUCKET_SPAN_MS = 6 * 3600_000;
/** Entries of a bucket, at most. */
export const BUCKET_SIZE = 50;
/** A bucket outlives its last entry by so much where no worker removes it sooner, in ms. */
const GRACE_MS = 7 * 24 * 3600_000;
/** Buckets that are listed by one step. */
const PAGE_SIZE = 64;
/** Buckets that are looked at for room. */
const BUCKETS_FOR_ROOM = 4;
/** Tries of what others may change in between: of those who change one bucket at once, one gets through each time. */
const MAX_TRIES = 200;
/** Longest pause before a further try, in ms. */
const PAUSE_MS = 20;

/** A packed entry with its place in lists. */
export interface PlacedEntry extends StoredEntry {
  at: number;
  member: string;
}

/** An entry that may be packed, as it was read. */
export interface PackableEntry extends PlacedEntry {
  source: string;
  call_id: string;
}

/** A bucket as it is listed. */
interface ListedBucket {
  name: string;
  number: string;
  /** Empty: calls of no client. */
  client: string;
  newest: number;
}

interface ListOptions {
  /** Begins behind this one. */
  cursor: Cursor | undefined;
  /** Epoch ms: none that came before. */
  since: number;
  client: string | undefined;
  limit: number;
}

export class PackedEntries {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  /** The last entry that is being taken out. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async read(source: string, callId: string): Promise<StoredEntry | undefined> {
    const bucket = await this.#bucketOf(memberOf(source, callId));
    return bucket?.entries.find(isEntryOf(source, callId));
  }

  /** Which of these calls of a source are packed; also those that have ended and are not removed yet. */
  async known(source: string, callIds: readonly string[]): Promise<Set<string>> {
    if (callIds.length === 0) return new Set();
    const numbers = await scripts.findBuckets(
      this.#redis,
      [this.#keys.packed],
      callIds.map((id) => memberOf(source, id)),
    );
    return new Set(callIds.filter((_, index) => numbers[index] !== null));
  }

  /**
   * Puts an entry back into a hash of its own, where it is packed.
   * @returns whether it was
   * @throws Error when it cannot be taken out
   */
  unpack(source: string, callId: string): Promise<boolean> {
    // One after the other within a process: each writes its bucket anew, and all but one of a bucket would do so in vain.
    const turn = this.#turn.then(() => this.#takeOut(source, callId));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #takeOut(source: string, callId: string): Promise<boolean> {
    const { packed, index, open, ledger } = this.#keys;
    const member = memberOf(source, callId);
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const bucket = await this.#bucketOf(member, 'with those that have ended');
      if (!bucket) return false;
      const entry = bucket.entries.find(isEntryOf(source, callId));
      const rest = bucket.entries.filter((one) => one !== entry);
      const at = Number(entry?.fields.received_at ?? 0);
      const isEnded = !entry || hasEnded(entry);
      const isLast = bucket.bytes !== undefined && rest.length === 0;
      const done = await scripts.unpackEntry(
        this.#redis,
        [packed, index, open, ledger(source, callId)],
        [
          ...[bucket.number, bucket.sha, bucket.bytes === undefined || isLast ? '' : encodeBucket(rest)],
          ...[member, source, at, Date.now(), entry?.ends ?? 0],
          isLast ? ((await this.#listedAs(bucket.number, source, at)) ?? '') : '',
          ...(isEnded ? [] : Object.entries(entry.fields).flat()),
        ],
      );
      if (done === 1) return !isEnded;
      await sleep(Math.random() * PAUSE_MS);
    }
    throw new Error(`Call ${callId} cannot be taken out of the packed entries: they keep changing.`);
  }

  /**
   * Packs entries of one client that arrived within one span, into a bucket of their own or, where it has room, into one that
   * is there.
   * @returns how many were packed: those that have changed meanwhile stay
   */
  async pack(entries: readonly PackableEntry[]): Promise<number> {
    let rest = [...entries].sort((a, b) => a.at - b.at);
    for (let tries = 0; tries < MAX_TRIES && rest.length > 0; tries += 1) {
      const room = await this.#bucketWithRoom(rest);
      const together: PlacedEntry[] = [...(room?.entries.map(placed) ?? []), ...rest];
      const against = await scripts.packEntries(
        this.#redis,
        [this.#keys.packed, this.#keys.index, this.#keys.open],
        [
          ...listingOf(together, clientOf(rest[0]?.source ?? '') ?? ''),
          ...[GRACE_MS, room?.name ?? '', room?.sha ?? ''],
          ...rest.flatMap((entry) => this.#argumentsOf(entry)),
        ],
      );
      if (against.length === 0) return rest.length;
      const left = new Set(against);
      rest = rest.filter((_, index) => !left.has(index + 1));
    }
    return 0;
  }

  #argumentsOf({ member, source, call_id, fields }: PackableEntry): (string | number)[] {
    const pairs = Object.entries(fields);
    const key = this.#keys.ledger(source, call_id);
    return [member, source, key, pairs.length, ...pairs.flat()];
  }

  /** One of the same span that these fit into. */
  async #bucketWithRoom(entries: readonly PackableEntry[]) {
    const [first] = entries;
    if (!first || entries.length > BUCKET_SIZE / 2) return undefined;
    const from = spanOf(first.at);
    const to = from + BUCKET_SPAN_MS - 1;
    const client = clientOf(first.source);
    const listed = await this.#listBuckets(client, { upper: to, at: to, since: from });
    const own = listed.filter((one) => one.client === (client ?? ''));
    for (const { number, name } of own.slice(0, BUCKETS_FOR_ROOM)) {
      // Those that have ended stay in it until it is removed, since with their bytes their ids would be lost.
      const bucket = await this.#readBucket(number, 'with those that have ended');
      if (bucket && bucket.entries.length + entries.length <= BUCKET_SIZE) return { ...bucket, name };
    }
    return undefined;
  }

  /** Packed entries, the newest arrival first. */
  async list({ cursor, since, client, limit }: ListOptions): Promise<PlacedEntry[]> {
    const found: PlacedEntry[] = [];
    const looked = new Set<string>();
    const at = cursor?.at;
    let upper = at === undefined ? undefined : at + BUCKET_SPAN_MS;
    for (;;) {
      const listed = await this.#listBuckets(client, { upper, at, since });
      const buckets = listed.filter(({ number }) => !looked.has(number));
      for (const { number, newest } of buckets) {
        // All that are left arrived before what has been found.
        if (found.length >= limit && newest < (found[limit - 1] as PlacedEntry).at) return found.slice(0, limit);
        looked.add(number);
        const entries = ((await this.#readBucket(number))?.entries ?? []).map(placed);
        found.push(...entries.filter((entry) => !hasEnded(entry) && entry.at >= since && isBehind(entry, cursor)));
        found.sort(newestFirst);
      }
      if (buckets.length === 0) return found.slice(0, limit);
      upper = buckets.at(-1)?.newest;
    }
  }

  /** Changes whenever an entry is taken out of its bucket. */
  async version(): Promise<string> {
    return (await this.#redis.hget(this.#keys.packed, 'changes')) ?? '';
  }

  /** How many entries there are of each source. */
  async counts(): Promise<Map<string, number>> {
    const state = await this.#redis.hgetall(this.#keys.packed);
    const counts = Object.entries(state).filter(([name]) => name.startsWith('of:'));
    return new Map(counts.map(([name, count]) => [name.slice('of:'.length), Number(count)]));
  }

  /** How many of each client arrived since then (epoch ms); under no name, those of no client. */
  async countSince(since: number): Promise<Map<string, number>> {
    const [sizes, cut] = await scripts.countBuckets(this.#redis, [this.#keys.packed], [since]);
    const counts = new Map<string, number>();
    const add = (client: string, more: number) => counts.set(client, (counts.get(client) ?? 0) + more);
    for (let at = 0; at < sizes.length; at += 2) add(sizes[at] as string, Number(sizes[at + 1]));
    // Of those that begin before, only some of the entries count.
    await Promise.all(
      cut.map(async (name) => {
        const [number = '', , client = ''] = name.split(':');
        const entries = ((await this.#readBucket(number))?.entries ?? []).map(placed);
        add(client, entries.filter(({ at }) => at >= since).length);
      }),
    );
    return counts;
  }

  /** Removes buckets all of whose entries have ended. @returns how many, `limit` at most */
  async removeEnded(limit: number): Promise<number> {
    const { packed, index } = this.#keys;
    const names = await this.#redis.zrangebyscore(`${packed}-ends`, 0, Date.now(), 'LIMIT', 0, limit);
    for (const name of names) {
      const bucket = await this.#readBucket(name.slice(0, name.indexOf(':')), 'with those that have ended');
      const members = (bucket?.entries ?? []).flatMap(({ fields: { source = '', call_id = '' } }) => [
        memberOf(source, call_id),
        source,
      ]);
      await scripts.dropBucket(this.#redis, [packed, index], [name, bucket?.sha ?? '', ...members]);
    }
    return names.length;
  }

  async #bucketOf(member: string, ended?: 'with those that have ended') {
    const [number] = await scripts.findBuckets(this.#redis, [this.#keys.packed], [member]);
    if (number == null) return undefined;
    return (await this.#readBucket(number, ended)) ?? openBucket(number, undefined);
  }

  async #readBucket(number: string, ended?: 'with those that have ended') {
    const bytes = await this.#redis.getBuffer(`${this.#keys.packed}:${number}`);
    return bytes ? openBucket(number, bytes, ended) : undefined;
  }

  async #listedAs(number: string, source: string, at: number): Promise<string | undefined> {
    for (let upper = at + BUCKET_SPAN_MS; ; ) {
      const listed = await this.#listBuckets(clientOf(source), { upper, at, since: at });
      const found = listed.find((one) => one.number === number);
      const last = listed.at(-1)?.newest ?? upper;
      if (found || last >= upper) return found?.name;
      upper = last;
    }
  }

  async #listBuckets(
    client: string | undefined,
    { upper, at, since }: { upper: number | undefined; at: number | undefined; since: number },
  ): Promise<ListedBucket[]> {
    const list = `${this.#keys.packed}-index${client === undefined ? '' : `:${client}`}`;
    const found = await scripts.listBuckets(this.#redis, [list], [upper ?? '', at ?? '', since, PAGE_SIZE]);
    return Array.from({ length: found.length / 2 }, (_, index) => {
      const name = found[2 * index] as string;
      const [number = '', , client = ''] = name.split(':');
      return { name, number, client, newest: Number(found[2 * index + 1]) };
    });
  }
}

/** Epoch ms when the span of an arrival begins. */
export function spanOf(at: number): number {
  return at - (at % BUCKET_SPAN_MS);
}

function openBucket(number: string, bytes: Buffer | undefined, ended?: 'with those that have ended') {
  const all = bytes ? decodeBucket(bytes) : [];
  const entries = ended ? all : all.filter((entry) => !hasEnded(entry));
  return { number, bytes, sha: bytes ? hash('sha1', bytes) : '', entries };
}

/** Bytes of a bucket, what it is listed as behind its number, its newest arrival, and its end. */
function listingOf(entries: readonly PlacedEntry[], client: string): (string | number | Buffer)[] {
  const times = entries.map(({ at }) => at);
  const ends = entries.map((entry) => entry.ends);
  return [
    encodeBucket(entries),
    `${Math.min(...times)}:${client}`,
    Math.max(...times),
    ends.includes(0) ? 0 : Math.max(...ends),
  ];
}

function placed(entry: StoredEntry): PlacedEntry {
  const { source = '', call_id = '', received_at } = entry.fields;
  return { ...entry, at: Number(received_at), member: memberOf(source, call_id) };
}

function isEntryOf(source: string, callId: string): (entry: StoredEntry) => boolean {
  return ({ fields }) => fields.source === source && fields.call_id === callId;
}

function hasEnded({ ends }: StoredEntry): boolean {
  return ends > 0 && ends <= Date.now();
}

/** As Redis orders a sorted set from its end: by time, then by the bytes of the member. */
export function newestFirst(a: Pick<PlacedEntry, 'at' | 'member'>, b: Pick<PlacedEntry, 'at' | 'member'>): number {
  return b.at - a.at || Buffer.compare(Buffer.from(b.member), Buffer.from(a.member));
}

function isBehind(entry: PlacedEntry, cursor: Cursor | undefined): boolean {
  return cursor === undefined || newestFirst({ at: cursor.at, member: cursor.ids[0] ?? '' }, entry) < 0;
}
