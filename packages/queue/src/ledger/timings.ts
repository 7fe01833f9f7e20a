/**
 * When a delivery was queued, taken, planned and sent, and what its batch asked of the CRM: for the page of a call, as long as the
 * payload of a written call is kept. A few numbers in hashes by client and by the hour (UTC) in which the call came:
 *
 *   {wrapup}:timings:<client>:<hours since epoch>           a digest of the delivery: when, and the name of its batch
 *   {wrapup}:timings:<client>:<hours since epoch>:batches   name of a batch: what it asked, once for all of its deliveries
 *
 * Of a delivery the last attempt that was sent is kept. What is lost is missed on a page and nowhere else, so that it is written
 * beside the outcome and not with it.
 */
import { hash, randomBytes } from 'node:crypto';
import { clientOf } from '@wrapup/call';
import type { RequestReport } from '@wrapup/destination';
import { defineScript, type RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { HOUR_MS, secondsOfDays } from '../redis/spans.ts';
import type { LedgerEntry } from './entry.ts';

/** One request to the CRM. */
export interface TimedRequest extends RequestReport {
  /** Epoch ms when it began to wait for its share of the quota. */
  at: number;
}

/** What a batch of deliveries asked of the CRM. */
export interface BatchTiming {
  /** Epoch ms. */
  sent: number;
  /** Deliveries in it. */
  size: number;
  /** In the order in which they ended. */
  requests: readonly TimedRequest[];
  /** Requests beyond those that are kept. */
  more: number;
}

/** Epoch ms of each. */
export interface DeliveryTiming {
  queued: number;
  /** A worker began the attempt. */
  taken: number;
  /** Its plan was made. */
  planned: number;
  batch: BatchTiming;
}

/** As commands and the API give it: moments as ISO 8601, spans in ms. */
export function describeTiming({ queued, taken, planned, batch }: DeliveryTiming) {
  const iso = (at: number) => new Date(at).toISOString();
  return {
    ...{ queued: iso(queued), taken: iso(taken), planned: iso(planned), sent: iso(batch.sent) },
    batch_size: batch.size,
    requests: batch.requests.map(({ at, ...request }) => ({ at: iso(at), ...request })),
    more_requests: batch.more,
  };
}

/** A delivery of a batch. */
export interface SentDelivery extends Omit<DeliveryTiming, 'batch'> {
  source: string;
  call_id: string;
  route: string;
  /** Epoch ms when the call came. */
  received_at: number;
}

/** Requests of one batch that are kept. Some tens are usual where each record takes one. */
const MAX_REQUESTS = 40;
/** Characters of the name of a request: `create 3 calls`. */
const MAX_NAME = 60;
/** Bytes of the name of a batch, among those of an hour. */
const BATCH_BYTES = 6;
/** Characters of a delivery's digest: 66 bits, so that no two of an hour are the same. */
const DIGEST_LENGTH = 11;

/** KEYS hash of deliveries, hash of batches. ARGV seconds to keep them, name of the batch, its text, then digest and text by turns. */
const noteTimings = defineScript<null>(
  'wrapupTimings',
  `
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[1]) end
`,
);

export class Timings {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Notes what a batch asked. @param days that it is kept, of a delivery's source: the same for all of a client */
  async note(
    deliveries: readonly SentDelivery[],
    { sent, requests }: Pick<BatchTiming, 'sent' | 'requests'>,
    days: (source: string) => number,
  ): Promise<void> {
    const groups = Map.groupBy(deliveries, ({ source, received_at }) => this.#keyOf(source, received_at));
    await Promise.all(
      [...groups].map(async ([key, some]) => {
        const [first] = some as [SentDelivery];
        const begins = hourOf(first.received_at) * HOUR_MS;
        const batch = randomBytes(BATCH_BYTES).toString('base64url');
        const kept = requests.slice(0, MAX_REQUESTS).map((request) => writeRequest(request, sent));
        const text = JSON.stringify([deliveries.length, sent - begins, requests.length - kept.length, ...kept]);
        const rows = some.flatMap((one) => [digestOf(one), writeDelivery(one, begins, batch)]);
        await noteTimings(
          this.#redis,
          [key, `${key}:batches`],
          [secondsOfDays(days(first.source)), batch, text, ...rows],
        );
      }),
    );
  }

  /** Of the last attempt of each of these routes that was sent, where it is kept. */
  async read(
    { source, call_id, received_at }: Pick<LedgerEntry, 'source' | 'call_id' | 'received_at'>,
    routes: readonly string[],
  ): Promise<Map<string, DeliveryTiming>> {
    const found = new Map<string, DeliveryTiming>();
    if (routes.length === 0) return found;
    const key = this.#keyOf(source, received_at);
    const begins = hourOf(received_at) * HOUR_MS;
    const texts = await this.#redis.hmget(key, ...routes.map((route) => digestOf({ source, call_id, route })));
    const known = texts.map((text) => (text ? readDelivery(text, begins) : undefined));
    const names = [...new Set(known.flatMap((one) => one?.batch ?? []))];
    const batches = names.length > 0 ? await this.#redis.hmget(`${key}:batches`, ...names) : [];
    for (const [index, one] of known.entries()) {
      const text = one && batches[names.indexOf(one.batch)];
      if (text) found.set(routes[index] as string, { ...one, batch: readBatch(text, begins) });
    }
    return found;
  }

  #keyOf(source: string, receivedAt: number): string {
    return `${this.#keys.timings}${clientOf(source) ?? ''}:${hourOf(receivedAt)}`;
  }
}

function hourOf(at: number): number {
  return Math.floor(at / HOUR_MS);
}

function digestOf({ source, call_id, route }: Pick<SentDelivery, 'source' | 'call_id' | 'route'>): string {
  return hash('sha256', JSON.stringify([source, call_id, route]), 'base64url').slice(0, DIGEST_LENGTH);
}

/* Times are written as what they are later than the time before, in ms, to the base of 36. */

function writeDelivery({ queued, taken, planned }: SentDelivery, begins: number, batch: string): string {
  const later = [queued - begins, taken - queued, planned - taken];
  return [...later.map((ms) => Math.max(0, Math.round(ms)).toString(36)), batch].join(' ');
}

function readDelivery(text: string, begins: number): Omit<DeliveryTiming, 'batch'> & { batch: string } {
  const [queued = '', taken = '', planned = '', batch = ''] = text.split(' ');
  const first = begins + Number.parseInt(queued, 36);
  const second = first + Number.parseInt(taken, 36);
  return { queued: first, taken: second, planned: second + Number.parseInt(planned, 36), batch };
}

type WrittenRequest = [
  name: string,
  at: number,
  waited: number,
  took: number,
  status: number,
  result?: string,
  retry_after?: number,
];

/** -1 and 0 stand for a time and a status that are absent; what follows them is of a request that failed. */
function writeRequest({ name, at, waited, took = -1, status = 0, result, retry_after }: TimedRequest, sent: number) {
  const times = [at - sent, waited, took].map(Math.round) as [at: number, waited: number, took: number];
  const failed = result === 'ok' ? [] : [result, ...(retry_after === undefined ? [] : [Math.round(retry_after)])];
  return [name.slice(0, MAX_NAME), ...times, status, ...failed] as WrittenRequest;
}

function readBatch(text: string, begins: number): BatchTiming {
  const [size, offset, more, ...requests] = JSON.parse(text) as [number, number, number, ...WrittenRequest[]];
  const sent = begins + offset;
  return {
    ...{ sent, size, more },
    requests: requests.map(([name, at, waited, took, status, result = 'ok', retry_after]) => ({
      ...{ name, at: sent + at, waited, result: result as RequestReport['result'] },
      ...(took < 0 ? {} : { took }),
      ...(status === 0 ? {} : { status }),
      ...(retry_after === undefined ? {} : { retry_after }),
    })),
  };
}
