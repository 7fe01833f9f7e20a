/** What the write modes of a mapping mean for one record. Pure. */
import { decideField, type FieldWrite, type Value } from '@wrapup/mapping';
import type { FieldChange } from '../../port/destination.ts';

/** A record's values by property; null for none. */
export type Properties = Record<string, Value>;

export interface FieldDecision<To extends Value = Value> {
  field: FieldWrite;
  /** The value that the record has. */
  from: Value | undefined;
  to: To;
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

/**
 * Decides each field.
 * @param current the record's values; undefined for a record that does not exist yet
 * @param limitOf characters that a property takes
 */
export function decideFields(
  fields: FieldWrite[],
  current: Properties | undefined,
  call: CallFacts,
  limitOf: (property: string) => number,
): FieldDecision[] {
  return fields.map((field): FieldDecision => {
    const from = current?.[field.name] ?? undefined;
    const standing = { ...call, exists: current !== undefined, limit: limitOf(field.name) };
    const { to, why } = decideField(field, from, standing);
    return { field, from, to, applies: why === undefined, ...(why === undefined ? {} : { why }) };
  });
}

/** A record of one call has no later call: `if_newer` always writes. */
export function withoutNewer(fields: FieldWrite[]): FieldWrite[] {
  return fields.map((field) => (field.write === 'if_newer' ? { ...field, write: 'overwrite' } : field));
}

/** The decision as previews tell it. */
export function changeOf({ field, from, to, applies, why }: FieldDecision): FieldChange {
  return { field: field.name, from, to, write: field.write, applies, at: field.at, ...(why ? { why } : {}) };
}

/** Epoch ms of ISO 8601, or of epoch ms as text; undefined when it is no time. */
export function readTime(value: Value | undefined): number | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  const time = /^\d+$/.test(value) ? Number(value) : Date.parse(value);
  return Number.isFinite(time) ? time : undefined;
}
