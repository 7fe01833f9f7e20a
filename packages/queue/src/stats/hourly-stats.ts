import type { DeliveryState, Received } from '../ledger/entry.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { HOUR_MS } from '../redis/spans.ts';
import { LATENCY_BUCKETS } from './hourly-counts.ts';

/** Calls that ended in one hour and are alike. */
export interface CountedCalls {
  /** Epoch ms at which the hour begins. */
  hour: number;
  /** Full name. */
  source: string;
  /** Empty where the payload named none; `other` beyond what is counted apart. */
  agent_id: string;
  direction: string;
  outcome: string;
  received: Received;
  count: number;
}

/** Deliveries of calls that ended in one hour and are alike. */
export interface CountedDeliveries {
  hour: number;
  source: string;
  /** Full name. */
  connection: string;
  agent_id: string;
  /** Empty where the mapping says none; `other` beyond what is counted apart. */
  result: string;
  state: DeliveryState;
  /** Why it stopped, where it is parked or dead; else empty. */
  code: string;
  count: number;
}

/** How many first deliveries took how long from the webhook to the record. */
export interface CountedTimes {
  hour: number;
  source: string;
  connection: string;
  /** Place in `LATENCY_BUCKETS`; one more for what took longer. */
  bucket: number;
  count: number;
}

export interface HourlyStats {
  calls: CountedCalls[];
  deliveries: CountedDeliveries[];
  times: CountedTimes[];
}

export interface StatsRange {
  /** Their calls; undefined for those of wrapup.yaml itself. */
  clients: readonly (string | undefined)[];
  /** Epoch ms. Whole hours are counted: that of `from`, up to and with the one before that of `until` where it begins one. */
  from: number;
  until: number;
}

/** Hours of clients whose counts are read at once. */
const MOST_HOURS = 8_000;

/**
 * Whose counts make up those of the installation, or of one client: undefined among them stands for wrapup.yaml itself.
 * @returns undefined where that would be too many for that time
 */
export async function clientsToCount(
  ledger: Ledger,
  client: string | undefined,
  { from, until }: { from: number; until: number },
): Promise<(string | undefined)[] | undefined> {
  const clients = client === undefined ? [undefined, ...(await ledger.clients()).map((one) => one.client)] : [client];
  return clients.length * ((until - from) / HOUR_MS) > MOST_HOURS ? undefined : clients;
}

/** Hashes that are read at once. */
const CHUNK = 200;

/** Reads what `hourly-counts.ts` counts: costs Redis one command for each hour and client, however many calls there were. */
export async function readHourlyStats(
  redis: RedisClient,
  keys: Keys,
  { clients, from, until }: StatsRange,
): Promise<HourlyStats> {
  const [first, last] = [Math.floor(from / HOUR_MS), Math.ceil(until / HOUR_MS) - 1];
  const hours = Array.from({ length: Math.max(0, last - first + 1) }, (_, more) => first + more);
  const wanted = clients.flatMap((client = '') =>
    hours.map((hour) => ({ key: `${keys.counts}${client}:${hour}`, hour })),
  );
  const stats: HourlyStats = { calls: [], deliveries: [], times: [] };
  for (let start = 0; start < wanted.length; start += CHUNK) {
    const chunk = wanted.slice(start, start + CHUNK);
    const pipeline = redis.pipeline();
    for (const { key } of chunk) pipeline.hgetall(key);
    const answers = (await pipeline.exec()) ?? [];
    for (const [index, { hour }] of chunk.entries()) {
      const [error, counts] = answers[index] ?? [new Error('Redis did not answer for every hour')];
      if (error) throw error;
      for (const [name, count] of Object.entries(counts as Record<string, string>))
        addCount(stats, hour * HOUR_MS, name, Number(count));
    }
  }
  return stats;
}

function addCount({ calls, deliveries, times }: HourlyStats, hour: number, name: string, count: number): void {
  const [kind, source = '', second = '', third = '', ...rest] = name.split('|');
  if (kind === 'c') {
    const [outcome = '', received] = rest;
    const facts = { source, agent_id: second, direction: third, outcome, received: received as Received };
    calls.push({ hour, ...facts, count });
  } else if (kind === 'd') {
    // A result is any text that a mapping gives.
    const [result, state, code = ''] = [rest.slice(0, -2).join('|'), rest.at(-2) as DeliveryState, rest.at(-1)];
    deliveries.push({ hour, source, connection: second, agent_id: third, result, state, code, count });
  } else if (kind === 'l') times.push({ hour, source, connection: second, bucket: Number(third), count });
}

/**
 * The time within which this share of them was done, in ms, estimated within its bucket; undefined where there are none.
 * Those above all buckets count as taking as long as the highest one.
 * @param share 0.5 for the median
 */
export function quantileOf(
  times: readonly Pick<CountedTimes, 'bucket' | 'count'>[],
  share: number,
): number | undefined {
  const counts = new Array<number>(LATENCY_BUCKETS.length + 1).fill(0);
  for (const { bucket, count } of times) counts[bucket] = (counts[bucket] ?? 0) + count;
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0) return undefined;
  let below = 0;
  for (const [bucket, count] of counts.entries()) {
    if (count > 0 && below + count >= share * all) {
      const [low, high] = [LATENCY_BUCKETS[bucket - 1] ?? 0, LATENCY_BUCKETS[bucket] ?? LATENCY_BUCKETS.at(-1) ?? 0];
      return low + (high - low) * ((share * all - below) / count);
    }
    below += count;
  }
  return LATENCY_BUCKETS.at(-1);
}
