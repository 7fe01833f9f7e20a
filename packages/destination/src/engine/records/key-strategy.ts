/**
 * How a record of ours is found again, so that nothing is written twice. A CRM has several ways, a ladder, of which the
 * first that the account allows is in force: a unique key, and what stands in for it.
 */

import type { RecordPlan } from '@wrapup/mapping';
import type { RequestFailure } from '../../http/request-failure.ts';
import type { Context, Held } from '../../port/context.ts';
import { Failure } from '../../port/failure.ts';
import { LEASE_MS } from '../people/person-cache.ts';
import type { Item, Reading, Written } from './record-verbs.ts';
import type { Row } from './row.ts';

export interface KeyStrategy {
  /** True: what may be there already can be sent by `upsert`, instead of being read first. */
  readonly upserts: boolean;
  /** The row with what it is found by later. A row without id creates. */
  keyed(row: Row, record: RecordPlan): Row;
  /** Keeps other deliveries off the same records, where the key does not decide by itself. Never rejects. */
  claim?(items: Item[]): Promise<Reservation>;
  /** What is there of each item. Never rejects. */
  read(items: Item[]): Promise<Map<Item, Reading>>;
  /** These were written: what the next delivery is to know of them is noted. Never rejects. */
  confirm?(written: Written[]): Promise<void>;
}

/** Records that this delivery may write. */
export interface Reservation {
  /** Those that may be there already. */
  doubtful: ReadonlySet<Item>;
  failed: ReadonlyMap<Item, Failure>;
  release(): Promise<void>;
}

export interface KeyLadder {
  /** The strategy in force for an object, or why nothing may be written to it. @throws Failure */
  strategyFor(object: string): Promise<KeyStrategy>;
  /** True for a refusal that is about the key, or about upserts themselves, not about what is written. */
  isKeyRefused?(object: string, failure: RequestFailure): boolean;
  /** The next strategy that the connection allows after a refusal. Never rejects. */
  stepDown?(object: string, from: KeyStrategy): Promise<KeyStrategy | undefined>;
  /** What is said of a record that no strategy can write, or whose key stays contested. */
  explain(failure: RequestFailure): Failure;
}

/** After so long a record that another delivery is writing is tried again. */
const BUSY_MS = 1000;

/**
 * Leases on records while they are written, one each; a delivery that finds one taken waits. Never rejects.
 * @param nameOf name of an item's lease
 */
export async function leaseRecords(
  ctx: Context,
  items: Item[],
  nameOf: (item: Item) => string,
): Promise<{ held: Item[]; failed: Map<Item, Failure>; release(): Promise<void> }> {
  const leases = new Map<Item, Held>();
  const failed = new Map<Item, Failure>();
  for (const item of items) {
    try {
      const lease = await ctx.lease.take([nameOf(item)], LEASE_MS);
      if (lease) leases.set(item, lease);
      else failed.set(item, busy());
    } catch (thrown) {
      failed.set(item, Failure.of(thrown));
    }
  }
  const release = async () => {
    // A lease that cannot be given back expires by itself.
    for (const lease of leases.values()) await lease.release().catch(() => {});
  };
  return { held: [...leases.keys()], failed, release };
}

/** Another delivery is at the same record at this moment. */
export function busy(): Failure {
  return new Failure('busy', 'Another delivery is writing the same record at this moment.', {
    retry_after: BUSY_MS,
    hint: 'Nothing to do: the delivery goes on by itself.',
  });
}
