/**
 * How a record of ours is found again, so that nothing is written twice. A CRM has several ways, a ladder, of which the
 * first that the account allows is in force: a unique key, and what stands in for it.
 */

import type { RecordPlan } from '@wrapup/mapping';
import type { RequestFailure } from '../../http/request-failure.ts';
import type { Failure } from '../../port/failure.ts';
import type { CrmRow } from '../rows/row.ts';
import type { Item, RecordReading, Written } from './record-verbs.ts';

export interface KeyStrategy {
  /** True: what may be there already can be sent by `upsert`, instead of being read first. */
  readonly upserts: boolean;
  /** The row with what it is found by later. A row without id creates. */
  keyed(row: CrmRow, record: RecordPlan): CrmRow;
  /** Keeps other deliveries off the same records, where the key does not decide by itself. Never rejects. */
  claim?(items: Item[]): Promise<Reservation>;
  /** What is there of each item. Never rejects. */
  read(items: Item[]): Promise<Map<Item, RecordReading>>;
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
  /** After a refusal. Never rejects. */
  stepDown?(object: string, from: KeyStrategy): Promise<SteppedDown<KeyStrategy>>;
  /** What is said of a record that no strategy can write, or whose key stays contested. */
  explain(failure: RequestFailure): Failure;
}

export interface SteppedDown<Strategy> {
  /** The next that the connection allows. */
  next: Strategy | undefined;
  /** True: the account has no such property at all. */
  absent: boolean;
}
