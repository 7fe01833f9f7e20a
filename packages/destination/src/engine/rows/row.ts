/** Rows: what is sent to the CRM for one record, what its fields take, and what became of it. */

import type { FieldWrite, Value } from '@wrapup/mapping';
import type { RequestFailure } from '../../http/request-failure.ts';
import type { ApiSession } from '../../http/transport.ts';
import type { Failure } from '../../port/failure.ts';
import type { Dropped, Properties } from '../plan/plan-write.ts';

/** Something that a record is linked to. */
export interface LinkTarget {
  /** Record name: `person`, `call_log`. */
  readonly name: string;
  readonly object: string;
  readonly id: string;
  /** Account of a person, where it is known. */
  readonly account?: string;
}

/** One record as it is sent. */
export interface CrmRow {
  readonly object: string;
  /** Id of the record, for updates. */
  readonly id?: string;
  /** Value of the unique key, for creations and upserts. */
  readonly key?: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** What to link it to as it is created, in CRMs that take links apart from fields. */
  readonly targets?: readonly LinkTarget[];
  /** Record that the CRM locks while it writes this one: rows of one parent go together. */
  readonly parent?: string;
  /** Numbers of the plans that it serves. */
  readonly plans: readonly number[];
  /** Fields that must not be dropped. */
  readonly required: ReadonlySet<string>;
  /** Of a person's row, in CRMs that take both in one request: records to create with it. See `PeopleVerbs.along`. */
  readonly along?: RowsAlong;
}

/** Rows that wait for nothing but the id of another one, or for none. */
export interface RowsAlong {
  /** Stands for that id in the fields of those that wait for it. */
  readonly id: string;
  readonly rows: readonly CrmRow[];
}

export type RowVerb = 'create' | 'update' | 'upsert';

/** What the CRM answered about one row. */
export type RowAnswer<Failed extends RequestFailure = RequestFailure> =
  /** `stored`: what the CRM made of the fields, where it tells. */
  { ok: true; id: string; created: boolean; stored?: Properties } | { ok: false; failure: Failed };

export type RowAnswers = Map<CrmRow, RowAnswer>;

/** What became of one row, after fields that the account refuses were dropped. `fields`: as they were sent last. */
export type RowResult = RowAnswer & { dropped: Dropped[]; fields: CrmRow['fields'] };

/** How a CRM takes rows. */
export interface RowWriter {
  readonly session: Pick<ApiSession, 'ctx' | 'usable'>;
  readonly limits: {
    /** Rows of one request. */
    readonly rows: number;
    /** Bytes of the fields of one request, as JSON. Absent: the rows are what limits it. */
    readonly bytes?: number;
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
   * One request for all rows, at most `limits.rows` and `limits.bytes`. Each row has its answer; what the CRM said nothing of is `unaccounted`.
   * @throws RequestFailure when the request failed as a whole
   */
  create(rows: CrmRow[]): Promise<RowAnswers>;
  update(rows: CrmRow[]): Promise<RowAnswers>;
  /** Creates or updates by the unique key; takes no links. Absent: the CRM has no such request. */
  upsert?(rows: CrmRow[]): Promise<RowAnswers>;
  /** Rows that the refusal of a whole request is about; none when it does not say. */
  rowsNamed(rows: CrmRow[], failure: RequestFailure): CrmRow[];
  /**
   * Asked after the account refused a field as unknown: the fields that the object has, so that all others are dropped at
   * once. Undefined when that is not known.
   */
  knownFields?(object: string): Promise<ReadonlySet<string> | undefined>;
}

/** Fields as an object of the CRM takes them. */
export interface FittedFields {
  fields: FieldWrite[];
  /** Left out, and why. */
  dropped: Dropped[];
  /** Why the record cannot be written. */
  refused?: Failure;
  /** Whole texts that were cut to fit, by field. */
  cut: ReadonlyMap<string, string>;
}

interface FieldFit {
  verb: 'create' | 'update';
  /** Fields without which the record would be something else: never left out. */
  required: ReadonlySet<string>;
  /** True for the fields of a person, which a mapping writes to people of several objects. */
  person?: boolean;
}

/** What values an object's fields take. */
export interface FieldRules {
  /** Absent: fields are taken as they are. */
  fit?(object: string, fields: FieldWrite[], fit: FieldFit): FittedFields;
  /** False: the object has no such field that may be written. Absent where that is not known. */
  has?(object: string, field: string): boolean;
  /** Characters that a field takes. */
  limitOf(object: string, field: string): number;
  /** The value as it is sent, after its write mode was applied. */
  encode(object: string, field: FieldWrite, value: Value): Value;
  /** A value in the one spelling that all of its spellings share. Absent: as `canonicalText` has it. */
  canonical?(object: string, field: string, value: Value | undefined): string;
}
