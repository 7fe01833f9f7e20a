import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { DAY_MS, HOUR_MS } from '../redis/spans.ts';

/** The daily quota of a connection's account, as the CRM last reported it: all programs together. */
export interface DailyQuota {
  limit: number;
  remaining: number;
  /** Epoch ms of that answer. */
  at: number;
  /** Requests an hour, over the last hour at most; undefined when too little is known. */
  hourly?: number;
  /** Epoch ms at which it is used up when that goes on; undefined when that is more than a day away. */
  used_up_at?: number;
}

/** A rate over less time than this says nothing. */
const MIN_SPAN_MS = 2 * 60_000;

/** Undefined for a connection whose CRM says nothing of a daily quota. */
export async function readDailyQuota(
  redis: RedisClient,
  keys: Keys,
  connection: string,
): Promise<DailyQuota | undefined> {
  const [daily, samples] = await Promise.all([
    redis.hgetall(keys.daily(connection)),
    redis.lrange(keys.dailySamples(connection), 0, -1),
  ]);
  if (!daily.limit || !daily.remaining) return undefined;
  return forecast(
    { limit: Number(daily.limit), remaining: Number(daily.remaining), at: Number(daily.at) },
    samples.map(readSample),
  );
}

interface QuotaSample {
  at: number;
  remaining: number;
}

function readSample(text: string): QuotaSample {
  const [at = Number.NaN, remaining = Number.NaN] = text.split(' ').map(Number);
  return { at, remaining };
}

/** @param samples newest first */
export function forecast(now: Pick<DailyQuota, 'limit' | 'remaining' | 'at'>, samples: QuotaSample[]): DailyQuota {
  const oldest = samples.findLast(({ at }) => now.at - at <= HOUR_MS);
  const span = oldest ? now.at - oldest.at : 0;
  if (!oldest || span < MIN_SPAN_MS) return now;
  const hourly = ((oldest.remaining - now.remaining) / span) * HOUR_MS;
  if (hourly <= 0) return { ...now, hourly: 0 };
  const used_up_at = now.at + (now.remaining / hourly) * HOUR_MS;
  return { ...now, hourly, ...(used_up_at - now.at <= DAY_MS ? { used_up_at } : {}) };
}
