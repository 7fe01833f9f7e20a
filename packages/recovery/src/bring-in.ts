/**
 * Compares the calls that the voice platform lists with the ledger, and puts on their way those that never came.
 *
 *   goes on still                               ──► unfinished
 *   ended after `before`                        ──► young: its webhook may still come
 *   the ledger has it                           ──► known
 *   the ledger has it, but nobody could read it ──► missing: what the platform lists is proof, and has a known shape
 *   anything else                               ──► missing
 *
 * What is missing is read whole, kept like a webhook and queued behind live calls. Killed at any point it has lost
 * nothing: what was put on its way is in the ledger, and so is known to the next run.
 */
import type { JsonObject } from '@wrapup/call';
import type { Source } from '@wrapup/config';
import type { Accepted, Received, Store } from '@wrapup/queue';
import { type Ask, normalise, readCallId, type SynthflowApi, SynthflowApiError } from '@wrapup/synthflow';
import { bytesOf } from './bytes-of.ts';
import { addTally, emptyTally, type Tally } from './tally.ts';

export interface BringIn {
  store: Pick<Store, 'accept' | 'ledger'>;
  api: SynthflowApi;
  source: Source;
  received: Exclude<Received, 'webhook'>;
  /** `retention.ledger` */
  ledger_days: number;
  /** Epoch ms: calls that ended later are still on their way. */
  before: number;
  /** Only counts. */
  plan?: boolean;
  signal: AbortSignal;
  /** Hears of each batch as it is done. */
  onFound?(found: Tally): void;
  /** Waited for before each batch is put on its way. */
  room?(): Promise<void>;
}

export interface Window {
  /** Epoch ms, about the beginning of calls; `to` is not in it. */
  from: number;
  to: number;
}

/** Calls compared at once: a page of the list. */
const BATCH = 100;
/** Records read at once. Synthflow publishes no limit for reading; its clients are few. */
const AT_ONCE = 4;

/** A call that could not be read whole, and is left to the next run. */
export interface Unread {
  call_id?: string;
  code: string;
  message: string;
}

export interface Found {
  tally: Tally;
  /** Whether the platform listed as many calls as it counts. */
  complete: boolean;
  unread: Unread[];
}

/**
 * Records of one batch that may fail before the API counts as broken: one that the platform cannot give must not keep
 * all the others out for ever.
 */
const MOST_UNREAD = 3;

/** @throws SynthflowApiError, the reason of the signal, or what Redis says */
export async function bringIn(agent: string, window: Window, options: BringIn): Promise<Found> {
  const { api, signal, onFound } = options;
  const ask: Ask = { signal };
  const tally = emptyTally();
  const unread: Unread[] = [];
  let batch: JsonObject[] = [];
  const calls = api.eachCall({ model_id: agent, ...window }, ask);
  for (;;) {
    const next = await calls.next();
    if (!next.done) batch.push(next.value);
    if (batch.length === BATCH || (next.done && batch.length > 0)) {
      const found = await compare(batch, ask, options);
      addTally(tally, found.tally);
      unread.push(...found.unread);
      onFound?.(found.tally);
      batch = [];
    }
    if (next.done) return { tally, complete: next.value, unread };
  }
}

async function compare(batch: JsonObject[], ask: Ask, options: BringIn): Promise<{ tally: Tally; unread: Unread[] }> {
  const { store, source, before, plan } = options;
  const tally = { ...emptyTally(), listed: batch.length };
  const ended: { id: string; record: JsonObject }[] = [];
  for (const record of batch) {
    const id = readCallId(record) as string;
    const { terminal, ended_at } = normalise(record, { source: source.name, received_at: Date.now() });
    if (!terminal) tally.unfinished += 1;
    else if (ended_at !== undefined && Date.parse(ended_at) > before) tally.young += 1;
    else ended.push({ id, record });
  }
  const known = await store.ledger.known(
    source.name,
    ended.map(({ id }) => id),
  );
  const missing = ended.filter(({ id }) => !known.has(id));
  tally.known = ended.length - missing.length;
  tally.missing = missing.length;
  const unread: Unread[] = [];
  if (plan || missing.length === 0) return { tally, unread };
  await options.room?.();
  await eachAtOnce(missing, AT_ONCE, async ({ id, record }) => {
    try {
      const whole = await options.api.completeCall(record, ask);
      await takeIn(id, bytesOf(whole, source.keep), options);
      tally.enqueued += 1;
    } catch (error) {
      if (!(error instanceof SynthflowApiError) || !PASSED_OVER.has(error.code)) throw error;
      if (unread.length + 1 > MOST_UNREAD) throw error;
      unread.push({ call_id: id, code: error.code, message: error.message });
    }
  });
  return { tally, unread };
}

/** What may be wrong with one record alone. */
const PASSED_OVER: ReadonlySet<string> = new Set(['unavailable', 'timeout', 'network', 'unreadable', 'too_large']);

/** Keeps what the platform says of a call, and puts it on its way. */
export async function takeIn(
  call_id: string,
  body: Buffer,
  { store, source, received, ledger_days }: Pick<BringIn, 'store' | 'source' | 'received' | 'ledger_days'>,
): Promise<Accepted> {
  const arrival = { source: source.name, call_id, body, received, verified: 'api' as const, received_at: Date.now() };
  return store.accept(arrival, ledger_days);
}

/** Does the work for every item, so many at a time. The first failure ends it, once what is under way has settled. */
export async function eachAtOnce<Item>(
  items: readonly Item[],
  most: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = [...items].reverse();
  let failed = false;
  const line = async () => {
    for (let item = left.pop(); item !== undefined && !failed; item = left.pop()) {
      try {
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lines = await Promise.allSettled(Array.from({ length: Math.min(most, items.length) }, line));
  const broken = lines.find((one) => one.status === 'rejected');
  if (broken) throw broken.reason;
}
