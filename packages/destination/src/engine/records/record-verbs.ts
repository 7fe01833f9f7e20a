/** What an adapter brings so that the records of its CRM can be written, and what it is asked about. */
import type { FieldWrite, RecordPlan } from '@wrapup/mapping';
import type { RequestFailure } from '../../http/request-failure.ts';
import type { Failure } from '../../port/failure.ts';
import type { RecordReceipt } from '../../port/receipt.ts';
import type { Existing, PlanReport, PlanWrite } from '../plan/plan-write.ts';
import type { CrmRow, FieldRules, LinkTarget, RowWriter } from '../rows/row.ts';

/** A record of one plan that can be written now. */
export interface Item {
  readonly write: PlanWrite;
  readonly record: RecordPlan;
  readonly targets: readonly LinkTarget[];
}

/** What a look for a record gave; a failed look is never `absent`. */
export type RecordReading = Existing | 'absent' | Failure;

/** Records that are linked to people, or to companies. */
export interface RelatedQuestion {
  /** Object of those that are asked about: `contacts`, `companies`; `Contact`, `Account`. */
  readonly of: string;
  /** Their ids, and the numbers of the plans that ask. */
  readonly ids: ReadonlyMap<string, readonly number[]>;
  /** Object to read: `deals`; `Opportunity`. */
  readonly object: string;
  /** Properties to read of each. */
  readonly properties: readonly string[];
  /** True: an answer that does not hold all of them is a failure. Else the youngest are enough. */
  readonly all?: boolean;
  /** True: also those that are at their end, the open ones first, then those that were changed last. */
  readonly closed?: boolean;
  /** Of one person so many are enough. */
  readonly most?: number;
}

/**
 * Records that are still open, by the id that was asked about, those that were created last first; of an object that knows no
 * end, such as companies, all of them, the primary one first. An id that is not in it has none, certainly; a look-up that
 * failed is a failure.
 */
export type RelatedRecords = ReadonlyMap<string, Existing[] | Failure>;

export interface Written {
  item: Item;
  receipt: RecordReceipt;
  /** True: what the CRM links on creation is linked. */
  linked: boolean;
  /** Whole texts that were cut to fit, by field. */
  cut: ReadonlyMap<string, string>;
  /** What it was linked to by fields of its own that name something else now. */
  left: readonly { object: string; id: string }[];
  /** What it is not linked to yet, as far as is known; `linked` says what the CRM did of them on creation. */
  links: readonly LinkTarget[];
  /** Whether a delivery linked it to that record, which it was not linked to by itself. */
  wasLinked(to: { object: string; id: string }): boolean;
}

export interface RecordVerbs extends RowWriter {
  readonly keys: KeyLadder;
  readonly fields: FieldRules;
  /** Address of a record for a person to open, where that is known. */
  urlOf(object: string, id: string): string | undefined;
  /**
   * Puts what only the account knows into plans, before any record is written.
   * @param preview nothing is to be noted outside
   */
  resolve?(writes: PlanWrite[], preview?: boolean): Promise<{ writes: PlanWrite[]; reports: PlanReport[] }>;
  /** Fields that a record of that kind has without a mapping having to say it. */
  implied?(write: PlanWrite, record: RecordPlan, verb: 'create' | 'update'): FieldWrite[];
  /** Fields that a record cannot be without. */
  requiredOf(record: RecordPlan): ReadonlySet<string>;
  /**
   * Links that are fields of the record.
   * @param wasLinked whether an earlier delivery linked the record that is there to the one of that id
   */
  linkFields?(
    object: string,
    targets: readonly LinkTarget[],
    there: Existing | undefined,
    wasLinked: (id: string) => boolean,
  ): LinkFields;
  /** The key that all plans share which mean one record, ours or not: a company by its domain. */
  sharedKey?(record: RecordPlan): string | undefined;
  /** What is there of records with a shared key. Those that are absent are created under it. */
  findShared?(items: Item[]): Promise<Map<Item, RecordReading>>;
  /** Records by the ids that these items name. Never rejects. Absent: mappings cannot find records. */
  readById?(ids: ReadonlyMap<Item, string>): Promise<Map<Item, RecordReading>>;
  /** One answer for each question, in their order. Never rejects. Absent: the CRM's records are linked to nothing. */
  readRelated?(questions: readonly RelatedQuestion[]): Promise<RelatedRecords[]>;
  /** Looks for records that `find:` means other than by their id. Absent: mappings cannot find any so. */
  readonly search?: RecordSearch;
  /** A record with a shared key was created. */
  rememberShared?(written: Written[]): Promise<void>;
  /** The last step of a record, which can be repeated: its links, their labels, its files. */
  associate?(written: Written[]): Promise<Associated>;
}

/** How records are found by what they are, and not by a key or an id. */
export interface RecordSearch {
  /**
   * Of each item the records that have its `by` values, the newest first, with what is written of them. Never rejects; a look
   * that failed is a failure, never an empty list.
   */
  byValues(items: Item[]): Promise<Map<Item, Existing[] | Failure>>;
  /** Properties that tell whether a record is one that `find:` means, open or with these values, and that of its key. */
  reads(record: RecordPlan): string[];
  /** Whether it is. @throws Failure when that cannot be known */
  fits(item: Item, existing: Existing): Promise<boolean>;
  /** Property in which a record of ours carries its key. */
  keyProperty(object: string): string;
  /** Object of what people belong to: `companies`, `Account`. */
  readonly employer: string;
}

interface LinkFields {
  /** Null: it points at nothing any more. */
  fields: Record<string, string | null>;
  notes: string[];
  parent?: string;
  /** By field: what the record that is there points at by it, until these are written. */
  left?: Record<string, { object: string; id: string }[]>;
}

export interface Associated {
  failed: Map<Item, Failure>;
  notes: [Item, string][];
  /** Links that were taken off. */
  unlinked?: [Item, { object: string; id: string }][];
}

/*
 * How a record of ours is found again, so that nothing is written twice. A CRM has several ways, a ladder, of which the
 * first that the account allows is in force: a unique key, and what stands in for it.
 */

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
