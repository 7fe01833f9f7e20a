/** What the write modes of a mapping mean for a HubSpot record, whose values are all text. Pure. */
import { decideField, type FieldWrite, type Value } from '@wrapup/mapping';
import { TEXT_LIMIT } from './objects.ts';

export type Properties = Record<string, string | null>;

export interface FieldDecision {
  field: FieldWrite;
  from: string | undefined;
  to: string;
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
 */
export function decideFields(fields: FieldWrite[], current: Properties | undefined, call: CallFacts): FieldDecision[] {
  const standing = { ...call, exists: current !== undefined, limit: TEXT_LIMIT };
  return fields.map((field): FieldDecision => {
    const from = current?.[field.name] ?? undefined;
    const { to, why } = decideField(field, from, standing);
    return { field, from, to: toText(to), applies: why === undefined, ...(why === undefined ? {} : { why }) };
  });
}

/** HubSpot takes properties as text; the empty text clears one. */
export function toText(value: Value): string {
  return value === null ? '' : String(value);
}

/** HubSpot writes date-times as ISO 8601, or as epoch ms in older answers. */
export function readTime(value: string | null | undefined): number | undefined {
  if (!value) return undefined;
  const time = /^\d+$/.test(value) ? Number(value) : Date.parse(value);
  return Number.isFinite(time) ? time : undefined;
}
