/**
 * Finds the calls that the voice platform lists and the ledger does not have, and enqueues them.
 *
 *   still going on                              ──► unfinished
 *   ended after `before`                        ──► young: its webhook may still come
 *   in the ledger                               ──► known
 *   in the ledger, in a shape that is unknown   ──► missing (`ledger.known` leaves it out): the platform's record has a known shape
 *   anything else                               ──► missing
 *
 * A missing call is read whole, stored like a webhook and queued behind live calls. A kill at any point loses nothing:
 * what was enqueued is in the ledger, and so is known to the next run.
 */
import type { JsonObject } from '@wrapup/call';
import type { Source } from '@wrapup/config';
import type { Accepted, Received, Store } from '@wrapup/queue';
import {
  type Ask,
  type Keep,
  normalise,
  readCallId,
  type SynthflowApi,
  SynthflowApiError,
  trimPayload,
} from '@wrapup/synthflow';
import { addCounts, type CallCounts, zeroCounts } from './counts.ts';

export interface EnqueueOptions {
  store: Pick<Store, 'accept' | 'ledger'>;
  api: SynthflowApi;
  source: Source;
  received: Exclude<Received, 'webhook'>;
  /** `retention.ledger` */
  ledger_days: number;
  /** Epoch ms: the webhook of a call that ended later may still come. */
  before: number;
  /** Counts and enqueues nothing. */
  plan?: boolean;
  signal: AbortSignal;
  /** Called after each batch with its counts. */
  onFound?(found: CallCounts): void;
  /** Awaited before each batch is enqueued. */
  waitForCapacity?(): Promise<void>;
}

export interface TimeWindow {
  /** Epoch ms, about the beginning of calls; `to` is not in it. */
  from: number;
  to: number;
}

/** Calls compared at once: a page of the list. */
const BATCH_SIZE = 100;
/** Records read in parallel. Synthflow publishes no limit for reading. */
const MAX_PARALLEL = 4;

/** A call that could not be read whole: the next run tries it again. */
export interface UnreadCall {
  call_id?: string;
  code: string;
  message: string;
}

export interface ScanResult {
  counts: CallCounts;
  /** Whether the platform listed as many calls as it counts. */
  complete: boolean;
  unread: UnreadCall[];
}

/**
 * Records of one batch that may fail before the API counts as broken: one unreadable record must not keep all the others
 * out for ever.
 */
const MAX_UNREAD = 3;

/** @throws SynthflowApiError, the reason of the signal, or what Redis says */
export async function findMissing(agent: string, window: TimeWindow, options: EnqueueOptions): Promise<ScanResult> {
  const { api, signal, onFound } = options;
  const ask: Ask = { signal };
  const counts = zeroCounts();
  const unread: UnreadCall[] = [];
  let batch: JsonObject[] = [];
  const calls = api.eachCall({ model_id: agent, ...window }, ask);
  for (;;) {
    const next = await calls.next();
    if (!next.done) batch.push(next.value);
    if (batch.length === BATCH_SIZE || (next.done && batch.length > 0)) {
      const found = await compare(batch, ask, options);
      addCounts(counts, found.counts);
      unread.push(...found.unread);
      onFound?.(found.counts);
      batch = [];
    }
    if (next.done) return { counts, complete: next.value, unread };
  }
}

async function compare(
  batch: JsonObject[],
  ask: Ask,
  options: EnqueueOptions,
): Promise<{ counts: CallCounts; unread: UnreadCall[] }> {
  const { store, source, before, plan } = options;
  const counts = { ...zeroCounts(), listed: batch.length };
  const ended: { id: string; record: JsonObject }[] = [];
  for (const record of batch) {
    const id = readCallId(record) as string;
    const { terminal, ended_at } = normalise(record, { source: source.name, received_at: Date.now() });
    if (!terminal) counts.unfinished += 1;
    else if (ended_at !== undefined && Date.parse(ended_at) > before) counts.young += 1;
    else ended.push({ id, record });
  }
  const known = await store.ledger.known(
    source.name,
    ended.map(({ id }) => id),
  );
  const missing = ended.filter(({ id }) => !known.has(id));
  counts.known = ended.length - missing.length;
  counts.missing = missing.length;
  const unread: UnreadCall[] = [];
  if (plan || missing.length === 0) return { counts, unread };
  await options.waitForCapacity?.();
  await eachAtOnce(missing, MAX_PARALLEL, async ({ id, record }) => {
    try {
      const whole = await options.api.completeCall(record, ask);
      await enqueueCall(id, payloadBytes(whole, source.keep), options);
      counts.enqueued += 1;
    } catch (error) {
      if (!(error instanceof SynthflowApiError) || !OF_ONE_CALL.has(error.code)) throw error;
      if (unread.length + 1 > MAX_UNREAD) throw error;
      unread.push({ call_id: id, code: error.code, message: error.message });
    }
  });
  return { counts, unread };
}

/** Failures that may concern one record alone. */
const OF_ONE_CALL: ReadonlySet<string> = new Set(['unavailable', 'timeout', 'network', 'unreadable', 'too_large']);

/** Stores the platform's record of a call, and enqueues it. */
export async function enqueueCall(
  call_id: string,
  body: Buffer,
  { store, source, received, ledger_days }: Pick<EnqueueOptions, 'store' | 'source' | 'received' | 'ledger_days'>,
): Promise<Accepted> {
  const arrival = { source: source.name, call_id, body, received, verified: 'api' as const, received_at: Date.now() };
  return store.accept(arrival, ledger_days);
}

/**
 * The platform's record of a call as bytes to store, without what the source does not keep. A record that is nested too
 * deeply for JSON is reduced to what mappings read.
 */
export function payloadBytes(payload: unknown, keep: Keep): Buffer {
  const write = (kept: Keep) => Buffer.from(JSON.stringify(trimPayload(payload, kept)));
  try {
    return write(keep);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return write({ ...keep, raw: false });
  }
}

/** Does the work for every item, `most` at a time. Throws the first failure, once the work under way has settled. */
export async function eachAtOnce<Item>(
  items: readonly Item[],
  most: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = [...items].reverse();
  let failed = false;
  const runNext = async () => {
    for (let item = left.pop(); item !== undefined && !failed; item = left.pop()) {
      try {
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const runs = await Promise.allSettled(Array.from({ length: Math.min(most, items.length) }, runNext));
  const broken = runs.find((one) => one.status === 'rejected');
  if (broken) throw broken.reason;
}
