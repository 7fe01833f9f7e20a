/** What a write mode means for the value that a record has now. Pure, and the same for every CRM. */
import { normalise } from '../values/compare.ts';
import type { FieldWrite, Value } from './plan.ts';

/**
 * Whose value a field has: `same` it says what is to be written · `ours` what was written last · `changed` something else, so
 * that a person changed it · `unknown` nothing is known of what was written there.
 */
export type FieldOrigin = 'same' | 'ours' | 'changed' | 'unknown';

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
  /** True: this call has been written to the record before, and `if_newer` is not about it any more. */
  repeated?: boolean;
  /** Whose value the field has now; asked only where the mode depends on it. Absent: nothing is known. */
  originOf?(from: Value | undefined, to: Value): FieldOrigin;
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
export function decideField(
  { value, write, order }: FieldWrite,
  from: Value | undefined,
  call: Standing,
): FieldDecision {
  if (write === 'append') {
    const to = appendBlock(asText(from), call.key, asText(value), call.limit);
    return asText(from) === to ? { to, why: SAYS_SO } : { to };
  }
  if (write === 'add') return decideSum(value, from, call);
  if (!call.exists) return { to: value };
  if (write === 'if_empty' && asText(from) !== '') return { to: value, why: 'the CRM already has a value' };
  if (write === 'never_unset' && isTrue(from) && !isTrue(value)) return { to: value, why: 'it is set, and stays set' };
  // What a colleague took back stays back when the same call comes again; a later call may set it once more.
  if (write === 'never_unset' && call.repeated === true && call.originOf?.(from, value) === 'changed')
    return { to: value, why: COLLEAGUE };
  const isOurs = write === 'if_ours';
  if ((isOurs || write === 'if_newer') && call.watermark !== undefined && call.watermark > call.ended_at)
    return { to: value, why: 'a later call has already been written there' };
  if (saysTheSame(asText(from), asText(value))) return { to: value, why: SAYS_SO };
  if (write === 'forward') return decideForward(value, from, order ?? [], call);
  return isOurs || (write === 'if_newer' && call.repeated === true) ? decideByOrigin(value, from, call) : { to: value };
}

/** The same text, or the same moment: a CRM gives `…:00.000Z` back as `…:00Z`, or with another offset. */
function saysTheSame(from: string, value: string): boolean {
  if (from === value) return true;
  return MOMENT.test(from) && MOMENT.test(value) && Date.parse(from) === Date.parse(value);
}

const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})$/;

const SAYS_SO = 'it already says so';
/** Why a value stays that a person gave the field. */
export const COLLEAGUE = 'a colleague changed this';
/** Why a value stays of which nothing is known: an earlier version wrote it, or a person. */
export const UNKNOWN_ORIGIN = 'it is not known whether this was written here or by a colleague';

function decideByOrigin(value: Value, from: Value | undefined, { originOf }: Standing): FieldDecision {
  const origin = originOf?.(from, value) ?? 'unknown';
  if (origin === 'same') return { to: value, why: SAYS_SO };
  if (origin === 'changed') return { to: value, why: COLLEAGUE };
  return origin === 'unknown' && asText(from) !== '' ? { to: value, why: UNKNOWN_ORIGIN } : { to: value };
}

/** What a colleague took back stays back; where the field stands somewhere else, it is not known which way is forward. */
function decideForward(value: Value, from: Value | undefined, order: string[], call: Standing): FieldDecision {
  if (call.repeated && call.originOf?.(from, value) === 'changed') return { to: value, why: COLLEAGUE };
  if (asText(from) === '') return { to: value };
  const [now, next] = [placeInOrder(order, from), placeInOrder(order, value)];
  if (now === undefined) return { to: value, why: 'the order does not name what the CRM says' };
  return next !== undefined && next > now ? { to: value } : { to: value, why: 'the CRM is as far, or further' };
}

/**
 * The sum, unless the call is in it. The watermark is written in the same request as the sum, so the two never disagree; it
 * stands for all calls that ended until then, of which one that comes late is not added any more.
 */
function decideSum(value: Value, from: Value | undefined, call: Standing): FieldDecision {
  const [now, amount] = [Number(asText(from)), Number(asText(value))];
  const kept = (why: string): FieldDecision => ({ to: from ?? null, why });
  if (asText(value) === '' || !Number.isFinite(amount)) return kept('it is no number');
  if (!call.exists) return { to: amount };
  if (!Number.isFinite(now)) return kept('what the CRM says is no number');
  const { watermark, ended_at, repeated } = call;
  const isCounted = watermark !== undefined && wholeSeconds(watermark) >= wholeSeconds(ended_at);
  if (repeated === true || isCounted) return kept('this call, or a later one, has already been added');
  // 0.1 + 0.2 is 0.3 to those who read it.
  return { to: Number((now + amount).toPrecision(15)) };
}

/** Salesforce keeps no fractions of a second. */
const wholeSeconds = (ms: number) => Math.floor(ms / 1000);

/** Place of a value in the order of `forward`; undefined for one that it does not name. */
export function placeInOrder(order: readonly string[], value: Value | undefined): number | undefined {
  const wanted = normalise(value ?? '');
  const place = order.findIndex((one) => normalise(one) === wanted);
  return place < 0 ? undefined : place;
}

/** True when fields can only be decided with the record's current values. */
export function needsReading(fields: FieldWrite[]): boolean {
  return fields.some(({ write }) => write !== 'overwrite');
}

/** True when the record must know which call was written to it last. */
export function needsWatermark(fields: FieldWrite[]): boolean {
  return fields.some(({ write }) => ['if_newer', 'if_ours', 'never_unset', 'add'].includes(write));
}

/** True for a field whose value has to be known again when the record is written to another time. */
export function isRemembered({ write }: Pick<FieldWrite, 'write'>): boolean {
  return ['if_newer', 'if_ours', 'forward', 'never_unset'].includes(write);
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
