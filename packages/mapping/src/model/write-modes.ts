/** What a write mode means for the value that a record has now. Pure, and the same for every CRM. */
import type { FieldWrite, Value } from './plan.ts';

/** What is known of the call and of the record that it is written to. */
export interface Standing {
  /** Key of the call, for `append`. */
  key: string;
  /** Epoch ms when the call ended. */
  ended_at: number;
  /** Epoch ms when the last call ended that was written to the record, where that is known. */
  watermark: number | undefined;
  /** False: the record is about to be created, and has no values yet. */
  exists: boolean;
  /** Characters that an appended-to field takes. */
  limit: number;
}

export interface FieldDecision {
  /** What the field would hold: the value, or for `append` the whole text. */
  to: Value;
  /** Why it is not written. Absent: it is. */
  why?: string;
}

/** @param from the value that the record has; undefined for none */
export function decideField({ value, write }: FieldWrite, from: Value | undefined, call: Standing): FieldDecision {
  if (write === 'append') {
    const to = appendBlock(asText(from), call.key, asText(value), call.limit);
    return asText(from) === to ? { to, why: SAYS_SO } : { to };
  }
  if (!call.exists) return { to: value };
  if (write === 'if_empty' && asText(from) !== '') return { to: value, why: 'the CRM already has a value' };
  if (write === 'never_unset' && isTrue(from) && !isTrue(value)) return { to: value, why: 'it is set, and stays set' };
  if (write === 'if_newer' && call.watermark !== undefined && call.watermark > call.ended_at)
    return { to: value, why: 'a later call has already been written to this person' };
  return saysTheSame(asText(from), asText(value)) ? { to: value, why: SAYS_SO } : { to: value };
}

/** The same text, or the same moment: a CRM gives `…:00.000Z` back as `…:00Z`, or with another offset. */
function saysTheSame(from: string, value: string): boolean {
  if (from === value) return true;
  return MOMENT.test(from) && MOMENT.test(value) && Date.parse(from) === Date.parse(value);
}

const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})$/;

const SAYS_SO = 'it already says so';

/** True when fields can only be decided with the record's current values. */
export function needsReading(fields: FieldWrite[]): boolean {
  return fields.some(({ write, value }) => write !== 'overwrite' && !(write === 'never_unset' && isTrue(value)));
}

/** True when the record must know which call was written to it last. */
export function needsWatermark(fields: FieldWrite[]): boolean {
  return fields.some(({ write }) => write === 'if_newer');
}

function asText(value: Value | undefined): string {
  return value === null || value === undefined ? '' : String(value);
}

function isTrue(value: Value | undefined): boolean {
  return value === true || value === 'true';
}

const opening = (key: string) => `[call ${key}]`;
const closing = (key: string) => `[/call ${key}]`;

/**
 * Adds a block that is marked with the call's key, or replaces the one that is there. What people wrote around it
 * stays. When the text would outgrow the field, the oldest blocks go first.
 */
export function appendBlock(text: string, key: string, block: string, limit: number): string {
  const marked = `${opening(key)}\n${block}\n${closing(key)}`;
  const start = text.indexOf(opening(key));
  const end = text.indexOf(closing(key), start);
  let whole: string;
  if (start >= 0 && end > start) whole = text.slice(0, start) + marked + text.slice(end + closing(key).length);
  else whole = text.trim() === '' ? marked : `${text.trimEnd()}\n\n${marked}`;
  while (whole.length > limit) {
    const oldest = /\[call ([^\]\n]+)\]\n[\s\S]*?\[\/call \1\]\s*/.exec(whole);
    if (!oldest || oldest[1] === key) return whole.slice(whole.length - limit);
    whole = whole.slice(0, oldest.index) + whole.slice(oldest.index + oldest[0].length);
  }
  return whole;
}
