/** What the write modes of a mapping mean for a record's current values. Pure. */
import type { FieldWrite, Value } from '@wrapup/mapping';
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

/** True when fields can only be decided with the record's current values. */
export function needsReading(fields: FieldWrite[]): boolean {
  return fields.some((field) => {
    if (field.write === 'overwrite') return false;
    return !(field.write === 'never_unset' && isTrue(field.value));
  });
}

/** True when the record must know which call was written to it last. */
export function needsWatermark(fields: FieldWrite[]): boolean {
  return fields.some((field) => field.write === 'if_newer');
}

/**
 * Decides each field.
 * @param current the record's values; undefined for a record that does not exist yet
 */
export function decideFields(fields: FieldWrite[], current: Properties | undefined, call: CallFacts): FieldDecision[] {
  return fields.map((field): FieldDecision => {
    const from = current?.[field.name] ?? undefined;
    const keep = (why: string): FieldDecision => ({ field, from, to: toText(field.value), applies: false, why });
    if (field.write === 'append') {
      const to = appendBlock(from ?? '', call.key, toText(field.value));
      return from === to
        ? { field, from, to, applies: false, why: 'it already says so' }
        : { field, from, to, applies: true };
    }
    const to = toText(field.value);
    if (current !== undefined) {
      if (field.write === 'if_empty' && from !== undefined && from !== '') return keep('the CRM already has a value');
      if (field.write === 'never_unset' && isTrue(from) && !isTrue(field.value))
        return keep('it is set, and stays set');
      if (field.write === 'if_newer' && call.watermark !== undefined && call.watermark > call.ended_at)
        return keep('a later call has already been written to this person');
      if ((from ?? '') === to) return keep('it already says so');
    }
    return { field, from, to, applies: true };
  });
}

/** HubSpot takes properties as text; the empty text clears one. */
export function toText(value: Value): string {
  return value === null ? '' : String(value);
}

function isTrue(value: Value | undefined): boolean {
  return value === true || value === 'true';
}

const opening = (key: string) => `[call ${key}]`;
const closing = (key: string) => `[/call ${key}]`;

/**
 * Adds a block that is marked with the call's key, or replaces the one that is there. What people wrote around it
 * stays. When the text would outgrow the property, the oldest blocks go first.
 */
export function appendBlock(text: string, key: string, block: string): string {
  const marked = `${opening(key)}\n${block}\n${closing(key)}`;
  const start = text.indexOf(opening(key));
  const end = text.indexOf(closing(key), start);
  let whole: string;
  if (start >= 0 && end > start) whole = text.slice(0, start) + marked + text.slice(end + closing(key).length);
  else whole = text.trim() === '' ? marked : `${text.trimEnd()}\n\n${marked}`;
  while (whole.length > TEXT_LIMIT) {
    const oldest = /\[call ([^\]\n]+)\]\n[\s\S]*?\[\/call \1\]\s*/.exec(whole);
    if (!oldest || oldest[1] === key) return whole.slice(whole.length - TEXT_LIMIT);
    whole = whole.slice(0, oldest.index) + whole.slice(oldest.index + oldest[0].length);
  }
  return whole;
}

/** HubSpot writes date-times as ISO 8601, or as epoch ms in older answers. */
export function readTime(value: string | null | undefined): number | undefined {
  if (!value) return undefined;
  const time = /^\d+$/.test(value) ? Number(value) : Date.parse(value);
  return Number.isFinite(time) ? time : undefined;
}
