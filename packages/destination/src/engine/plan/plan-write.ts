/**
 * One plan on its way through `write`, and what the stages say of it.
 *
 * A `PlanWrite` is read-only: a stage that learns more of a plan returns a new one. What became of a plan is said in
 * reports, which every stage returns and `write.ts` puts together.
 */
import type { Place } from '@wrapup/findings';
import {
  COLLEAGUE,
  decideField,
  type FieldOrigin,
  type FieldWrite,
  type FindBy,
  type Plan,
  type RecordPlan,
  UNKNOWN_ORIGIN,
  type Value,
} from '@wrapup/mapping';
import type { FieldChange } from '../../port/destination.ts';
import { Failure } from '../../port/failure.ts';
import type { Omission, ReceiptNote } from '../../port/omission.ts';
import type { RecordReceipt } from '../../port/receipt.ts';

export interface PlanWrite {
  /** Number of the plan in the call of `write`. */
  readonly index: number;
  /** Filled in with what its mapping reads of the person, once that is known. */
  readonly plan: Plan;
  /** Epoch ms. */
  readonly ended_at: number;
  /** True: the call is logged without a person, and nothing else is written. */
  readonly log_only: boolean;
  /** The person that it is about, once found and written. */
  readonly person?: PersonRef;
  /** Records that are there already and that the plan changes, by name. One record is one object for all plans. */
  readonly found?: ReadonlyMap<string, Existing>;
  /** How records were looked for that may be there, by name. */
  readonly looked?: ReadonlyMap<string, FindBy>;
  /** Ids of records that the person has already, by the name under which the mapping associates with them. */
  readonly related?: ReadonlyMap<string, readonly string[]>;
}

/** A record that is in the CRM. */
export interface Existing {
  id: string;
  /** As the CRM has them; of one that `find:` found they follow what is written. */
  properties: Properties;
  /** Its unique key, where it carries one of ours. */
  key?: string;
  /** Ids of the people to whom it is linked already, where that is known. */
  people?: ReadonlySet<string>;
}

interface PersonRef {
  readonly id: string;
  readonly object: string;
  /** Id of the account that the person belongs to, in CRMs that have such, where it is known. */
  readonly account?: string;
}

export function beginPlan(plan: Plan, index: number): PlanWrite {
  const ended = Date.parse(plan.ended_at);
  return { index, plan, ended_at: Number.isFinite(ended) ? ended : 0, log_only: false };
}

/** What a stage says of one plan. The first failure ends the plan. */
export type PlanReport = {
  readonly plan: number;
} /** `limited`: of a person who was found only by what was said. */ & (
  | { readonly receipt: RecordReceipt; readonly limited?: boolean }
  /** A record that was written with a person who vanished: the plan is begun anew, and goes over it again. */
  | { readonly left: RecordReceipt }
  /** `without`: a record that the plan goes without. */
  | { readonly note: ReceiptNote; readonly without?: string }
  /** `record`: what failed: `person`, `call_log`, a task's name. */
  | { readonly failure: Failure; readonly record: string }
  /** The mapping's policy writes nothing for this call. */
  | { readonly skipped: string }
);

/** A field that the account refused, and without which the rest was written. */
export interface Dropped {
  property: string;
  failure: Failure;
}

/** The report of a failure, with the mapping line that wrote the refused field. */
export function reportFailure({ index, plan }: PlanWrite, record: string, failure: Failure): PlanReport {
  const { field } = failure.details;
  const at = field === undefined ? undefined : placeOf(plan, record, field);
  return { plan: index, record, failure: failure.with({ record, ...(at ? { at } : {}) }) };
}

/** The reports of one failure of several plans. @param thrown whatever it is */
export function reportFailures(writes: readonly PlanWrite[], record: string, thrown: unknown): PlanReport[] {
  const failure = Failure.of(thrown);
  return writes.map((write) => reportFailure(write, record, failure));
}

/** @param of `person`, or the record's name in the mapping, and its object */
export function receiptOf(
  { urlOf }: { urlOf(object: string, id: string): string | undefined },
  { name, object }: Pick<RecordReceipt, 'name' | 'object'>,
  id: string,
  did: RecordReceipt['did'],
): RecordReceipt {
  const url = urlOf(object, id);
  return { name, object, id, did, ...(url ? { url } : {}) };
}

/** Notes on fields that the account refused and that were left out. Those that no mapping wrote are not worth one. */
export function reportDropped({ index, plan }: PlanWrite, record: string, dropped: Dropped[]): PlanReport[] {
  return dropped.flatMap(({ property, failure }) => {
    const at = placeOf(plan, record, property);
    return at === undefined ? [] : [{ plan: index, note: omissionOf(record, property, failure, at) }];
  });
}

function omissionOf(record: string, field: string, { code, message, details }: Failure, at: Place): Omission {
  const omits = details.omits ?? (code === 'missing_property' ? code : 'invalid_value');
  return { code: omits, record, field, reason: message, ...(details.hint ? { hint: details.hint } : {}), at };
}

/**
 * The refusal of a record that was sent once more without some fields. Where it may be refused for the lack of one of them,
 * that field's own refusal is the first cause, and what there is to correct.
 */
export function withFirstCause<Failed extends Failure>(failure: Failed, dropped: readonly Dropped[]): Failure {
  const { field } = failure.details;
  const first = field === undefined ? dropped[0] : dropped.find(({ property }) => property === field);
  if (!first || failure.next !== 'park' || failure.code === 'conflict') return failure;
  const { code, message, details } = first.failure;
  return new Failure(code, `${message} Without ${first.property} the record was refused: ${failure.message}`, {
    ...failure.details,
    field: first.property,
    ...(details.hint ? { hint: details.hint } : {}),
    ...(details.vendor_code ? { vendor_code: details.vendor_code } : {}),
  });
}

export function placeOf({ person, records }: Plan, record: string, property: string): Place | undefined {
  const fields = record === 'person' ? person?.fields : records.find(({ name }) => name === record)?.fields;
  return fields?.find((field) => field.name === property)?.at;
}

/** Log only: the call log, and nothing that would need a person. */
export function wantedRecords({ log_only, plan }: Pick<PlanWrite, 'log_only' | 'plan'>): RecordPlan[] {
  return log_only ? plan.records.filter(({ type }) => type === 'call_log') : plan.records;
}

/** Id of a record that this very delivery has written before, and that need not be written again. */
export function doneBefore({ resume }: Plan, record: string): string | undefined {
  return resume?.done?.includes(record) ? resume.records[record] : undefined;
}

/* What the write modes of a mapping mean for one record. Pure. */

/** A record's values by property; null for none. */
export type Properties = Record<string, Value>;

export interface DecidedField<To extends Value = Value> {
  field: FieldWrite;
  /** The value that the record has. */
  from: Value | undefined;
  to: To;
  applies: boolean;
  /** Why it does not apply. */
  why?: string;
}

export interface CallStanding {
  /** Key of the call, for `append`. */
  key: string;
  /** Epoch ms when it ended. */
  ended_at: number;
  /** Epoch ms when the last call ended that was written to the record, where that is known. */
  watermark: number | undefined;
  /** True: this call has been written to the record before. */
  repeated?: boolean;
  /** Whose value a field has now. Absent: nothing is known. */
  originOf?(field: FieldWrite, from: Value | undefined, to: Value): FieldOrigin;
}

/**
 * Decides each field.
 * @param current the record's values; undefined for a record that does not exist yet
 * @param limitOf characters that a property takes
 */
export function decideFields(
  fields: FieldWrite[],
  current: Properties | undefined,
  call: CallStanding,
  limitOf: (property: string) => number,
): DecidedField[] {
  return fields.map((field): DecidedField => {
    const from = current?.[field.name] ?? undefined;
    const { originOf, ...rest } = call;
    const { to, why } = decideField(field, from, {
      ...rest,
      ...(originOf ? { originOf: (before, after) => originOf(field, before, after) } : {}),
      exists: current !== undefined,
      limit: limitOf(field.name),
    });
    return { field, from, to, applies: why === undefined, ...(why === undefined ? {} : { why }) };
  });
}

/** A record of one call has no later call: what comes again follows `if_ours`. */
export function withoutNewer(fields: FieldWrite[]): FieldWrite[] {
  return fields.map((field) => (field.write === 'if_newer' ? { ...field, write: 'if_ours' } : field));
}

/** Notes on the fields of a mapping that stay because a person gave them their value, or may have. */
export function reportKept(
  { index, plan }: Pick<PlanWrite, 'index' | 'plan'>,
  record: string,
  decided: readonly DecidedField[],
): PlanReport[] {
  return decided
    .filter(({ why }) => why === COLLEAGUE || why === UNKNOWN_ORIGIN)
    .filter(({ field }) => placeOf(plan, record, field.name) !== undefined)
    .map(({ field, why }) => ({ plan: index, note: `${record}.${field.name}: ${why}: stays.` }));
}

/** The decision as previews tell it. */
export function changeOf({ field, from, to, applies, why }: DecidedField): FieldChange {
  return { field: field.name, from, to, write: field.write, applies, at: field.at, ...(why ? { why } : {}) };
}

/** Epoch ms of ISO 8601, or of epoch ms as text; undefined when it is no time. */
export function readTime(value: Value | undefined): number | undefined {
  if (typeof value !== 'string') return undefined;
  const time = /^\d+$/.test(value) ? Number(value) : Date.parse(value);
  return Number.isFinite(time) ? time : undefined;
}
