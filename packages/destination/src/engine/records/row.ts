/** Rows: what is sent to the CRM for one record, and what became of it. */

import type { RequestFailure } from '../../http/request-failure.ts';
import type { Session } from '../../http/session.ts';
import type { Dropped } from '../plan-write.ts';

/** Something that a record is linked to. */
export interface Target {
  /** Record name: `person`, `call_log`. */
  readonly name: string;
  readonly object: string;
  readonly id: string;
  /** Account of a person, where it is known. */
  readonly account?: string;
}

/** One record as it is sent. */
export interface Row {
  readonly object: string;
  /** Id of the record, for updates. */
  readonly id?: string;
  /** Value of the unique key, for creations and upserts. */
  readonly key?: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** What to link it to as it is created, in CRMs that take links apart from fields. */
  readonly targets?: readonly Target[];
  /** Record that the CRM locks while it writes this one: rows of one parent go together. */
  readonly parent?: string;
  /** Numbers of the plans that it serves. */
  readonly plans: readonly number[];
  /** Fields that must not be dropped. */
  readonly required: ReadonlySet<string>;
}

export type RowVerb = 'create' | 'update' | 'upsert';

/** What the CRM answered about one row. */
export type RowAnswer<Failed extends RequestFailure = RequestFailure> =
  | { ok: true; id: string; created: boolean }
  | { ok: false; failure: Failed };

export type RowAnswers = Map<Row, RowAnswer>;

/** What became of one row, after fields that the account refuses were dropped. `fields`: as they were sent last. */
export type RowResult = RowAnswer & { dropped: Dropped[]; fields: Row['fields'] };

/** How a CRM takes rows. */
export interface RowWriter {
  readonly session: Pick<Session, 'ctx' | 'usable'>;
  readonly limits: {
    /** Rows of one request. */
    readonly rows: number;
    /** True: rows of several objects may share a request. */
    readonly mixed: boolean;
    /**
     * True: one request may be more than the account's own automation takes, or meet its locks: it is then sent again in
     * smaller ones.
     */
    readonly shrinks: boolean;
  };
  /** True: a field that the account refuses is left out and the rest is written. */
  readonly drops_fields: boolean;
  /** Property that names whom a record belongs to: dropped when it is refused, whatever `drops_fields` says. */
  readonly owner: string;
  /**
   * One request for all rows, at most `limits.rows`. Each row has its answer; what the CRM said nothing of is `unaccounted`.
   * @throws RequestFailure when the request failed as a whole
   */
  create(rows: Row[]): Promise<RowAnswers>;
  update(rows: Row[]): Promise<RowAnswers>;
  /** Creates or updates by the unique key; takes no links. Absent: the CRM has no such request. */
  upsert?(rows: Row[]): Promise<RowAnswers>;
  /** Rows that the refusal of a whole request is about; none when it does not say. */
  rowsNamed(rows: Row[], failure: RequestFailure): Row[];
  /**
   * Asked after the account refused a field as unknown: the fields that the object has, so that all others are dropped at
   * once. Undefined when that is not known.
   */
  knownFields?(object: string): Promise<ReadonlySet<string> | undefined>;
}
