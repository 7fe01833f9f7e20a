/** What the write modes of a mapping mean for a Salesforce record. Pure. */
import { decideField, type FieldWrite, type Value } from '@wrapup/mapping';
import type { SObject } from './schema.ts';

export type Properties = Record<string, Value>;

export interface FieldDecision {
  field: FieldWrite;
  from: Value | undefined;
  to: Value;
  applies: boolean;
  /** Why it does not apply. */
  why?: string;
}

export interface CallFacts {
  /** Key of the call, for `append`. */
  key: string;
  /** Epoch ms when it ended. */
  ended_at: number;
  /** Epoch ms when the last call ended that was written to the record, where that is known. */
  watermark: number | undefined;
}

/** Characters of a long text, where the definition does not say. */
const TEXT_LIMIT = 32_000;

/**
 * Decides each field.
 * @param current the record's values; undefined for a record that does not exist yet
 */
export function decideFields(
  object: SObject,
  fields: FieldWrite[],
  current: Properties | undefined,
  call: CallFacts,
): FieldDecision[] {
  return fields.map((field): FieldDecision => {
    const from = current?.[field.name] ?? undefined;
    const limit = object.fields.get(field.name)?.length || TEXT_LIMIT;
    const { to, why } = decideField(field, from, { ...call, exists: current !== undefined, limit });
    return { field, from, to, applies: why === undefined, ...(why === undefined ? {} : { why }) };
  });
}

/** A record of one call has no later call: `if_newer` always writes. */
export function withoutNewer(fields: FieldWrite[]): FieldWrite[] {
  return fields.map((field) => (field.write === 'if_newer' ? { ...field, write: 'overwrite' } : field));
}
