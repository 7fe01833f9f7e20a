/**
 * Packs what has come to its end: the sweep's work, in bounded steps. It goes through the calls that are not packed, the
 * oldest first, and begins anew some minutes after it came to the end. Nothing is lost by stopping it anywhere.
 */
import { clientOf } from '@wrapup/call';
import { type LedgerEntry, parseEntry } from '../ledger/entry.ts';
import { raiseDataNeeds } from '../redis/data-version.ts';
import { memberOf, splitMember } from '../redis/keys.ts';
import type { Store } from '../store/store.ts';
import { fillingCount } from './bucket.ts';
import { BUCKET_SIZE, BUCKET_SPAN_MS, type PackableEntry, spanOf } from './packed-entries.ts';

interface PackOptions {
  /** Epoch ms: calls that came later are left alone. Default: half a day ago, as most is asked of the latest calls. */
  before?: number;
  now?: number;
  /** Milliseconds until it stops in between; the next call goes on there. Default 5,000. */
  budget?: number;
}

const PACK_AFTER_MS = 12 * 3600_000;
const BUDGET_MS = 5_000;
/** From the end of one pass to the next one: what settled late, or was not enough to fill a bucket, is found by it. */
const EVERY_MS = 10 * 60_000;
/** From the first sweep of a version that packs: a process of an earlier one takes a packed call for a new one. */
const AFTER_MS = 3_600_000;
/** Calls of one round trip. */
const BATCH_SIZE = 500;
/** Entries of a bucket, at least, where there are so many. */
const LEAST_ENTRIES = 40;

/** Where a pass is: so many calls of this very time are behind it. */
interface Place {
  at: number;
  skip: number;
}

/** @returns how many entries were packed */
export async function packSettled(
  store: Store,
  { now = Date.now(), before = now - PACK_AFTER_MS, budget = BUDGET_MS }: PackOptions = {},
): Promise<number> {
  const { redis, keys, ledger } = store;
  await redis.hsetnx(keys.packed, 'since', now);
  const [since, noted, passed] = await redis.hmget(keys.packed, 'since', 'walk', 'walked');
  if (now - Number(since) < AFTER_MS) return 0;
  await raiseDataNeeds(store, 2);
  if (!noted && passed && now - Number(passed) < EVERY_MS) return 0;
  const until = performance.now() + budget;
  const groups = new Map<string, PackableEntry[]>();
  const begun: Place = noted ? JSON.parse(noted) : { at: 0, skip: 0 };
  let place = begun;
  let packed = 0;
  const flush = async (isDue: (group: readonly PackableEntry[]) => boolean) => {
    for (const [name, group] of groups) {
      if (!isDue(group)) continue;
      groups.delete(name);
      packed += await ledger.packed.pack(group);
    }
  };
  for (;;) {
    const calls = await readCalls(store, place, before);
    if (calls.length === 0) {
      // The calls of a span that has not come to its end may yet become enough.
      await flush(([first]) => spanOf(first?.at ?? 0) + BUCKET_SPAN_MS <= before);
      await redis.multi().hdel(keys.packed, 'walk').hset(keys.packed, 'walked', now).exec();
      return packed;
    }
    for (const entry of await readSettled(store, calls)) {
      const name = `${spanOf(entry.at)}:${clientOf(entry.source) ?? ''}`;
      const group = [...(groups.get(name) ?? []), entry];
      groups.set(name, group);
      if (group.length < BUCKET_SIZE) continue;
      const count = fillingCount(group, LEAST_ENTRIES);
      packed += await ledger.packed.pack(group.slice(0, count));
      groups.set(name, group.slice(count));
    }
    const last = calls.at(-1)?.at as number;
    await flush(([first]) => first === undefined || spanOf(first.at) + BUCKET_SPAN_MS <= last);
    place = await placeBehind(store, last, calls, place);
    if (performance.now() < until) continue;
    // What waits to be enough for a bucket is read again; what has waited since this began would lead no further, and is packed.
    await flush(([first]) => (first?.at ?? 0) <= begun.at);
    const waiting = [...groups.values()].flatMap(([first]) => (first ? [first.at] : []));
    const next = waiting.length > 0 ? { at: Math.min(...waiting), skip: 0 } : place;
    await redis.hset(keys.packed, 'walk', JSON.stringify(next));
    return packed;
  }
}

async function readCalls({ redis, keys }: Store, { at, skip }: Place, before: number) {
  const rows = await redis.zrangebyscore(keys.index, at, before, 'WITHSCORES', 'LIMIT', skip, BATCH_SIZE);
  return Array.from({ length: rows.length / 2 }, (_, row) => ({
    member: rows[2 * row] as string,
    at: Number(rows[2 * row + 1]),
  }));
}

/** Calls that stay count from the time of the last one; those of the same time that were packed are gone. */
async function placeBehind({ redis, keys }: Store, last: number, calls: { member: string; at: number }[], from: Place) {
  const same = calls.filter(({ at }) => at === last).map(({ member }) => member);
  const scores = await redis.zmscore(keys.index, ...same);
  const left = scores.filter((score) => score !== null).length;
  return { at: last, skip: left + (last === from.at ? from.skip : 0) };
}

/** Of these calls those whose entries may be packed. */
async function readSettled(store: Store, calls: readonly { member: string; at: number }[]): Promise<PackableEntry[]> {
  const { redis, keys } = store;
  const named = calls.map(({ member, at }) => ({ ...splitMember(member), at }));
  const found = await Promise.all(
    named.map(async ({ source, call_id, at }) => {
      const name = keys.ledger(source, call_id);
      const [fields, left] = await Promise.all([redis.hgetall(name), redis.pttl(name)]);
      const entry = parseEntry(fields);
      if (!entry || !isSettled(entry)) return undefined;
      const ends = left < 0 ? 0 : Date.now() + left;
      return { source, call_id, member: memberOf(source, call_id), at, fields, ends };
    }),
  );
  return found.filter((entry) => entry !== undefined);
}

/** Whether nothing waits for a worker or for a person. */
function isSettled({ routed, revisions, deliveries, stopped, waiting, ignored, forgotten }: LedgerEntry): boolean {
  if (revisions.some(({ effect }) => !effect) || waiting || (ignored && !ignored.handled)) return false;
  if (stopped && stopped.state !== 'dropped') return false;
  if (!routed && !stopped && forgotten === undefined) return false;
  return deliveries.every(({ state }) => state === 'written' || state === 'skipped' || state === 'dropped');
}
