import type { Call, Json } from '@wrapup/call';
import type { UnusableCode, Value } from '../model/plan.ts';

/** What a value is computed from. */
export interface Scope {
  call: Call;
  /** Properties of the matched person; undefined until it was looked up. */
  person: Record<string, Value> | undefined;
  /** Collects why conditions could not compare something. */
  doubts?: Map<string, UnusableCode>;
}

/** There is no value, and why. The reason names paths and transforms, never what the call said. */
export class Absent {
  readonly reason: string;
  /** Set where the call says something there, of which nothing could be made. */
  readonly unusable: UnusableCode | undefined;

  constructor(reason: string, unusable?: UnusableCode) {
    this.reason = reason;
    this.unusable = unusable;
  }
}

/** What can be passed on: never null, nor blank text. */
export type Present = Exclude<Json, null>;
export type Found = Present | Absent;

/** Total: never throws, same scope, same value. */
export type Evaluate = (scope: Scope) => Found;

/** Characters that a computed text may have; what is longer is cut. Above what any CRM field takes. */
export const LONGEST_TEXT = 200_000;

export function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** True for what says nothing: null, undefined, blank text. */
export function isNothing(value: unknown): value is null | undefined | '' {
  return value === undefined || value === null || (typeof value === 'string' && !/\S/.test(value));
}

const SECTION = new Absent(
  'it is a section, not a value: use a longer path, or the transform json',
  'unreadable_value',
);

/** A value as part of a text. Lists of plain values are joined with a comma. */
export function toText(value: Found): string | Absent {
  if (value instanceof Absent) return value;
  if (typeof value === 'string') return value.slice(0, LONGEST_TEXT);
  if (isScalar(value)) return String(value);
  if (!Array.isArray(value) || !value.every(isScalar)) return SECTION;
  return value.length > 0 ? value.slice(0, 1000).join(', ') : new Absent('the list is empty');
}

/** A value as a CRM property takes it. */
export function toValue(value: Found): Exclude<Value, null> | Absent {
  if (value instanceof Absent) return value;
  if (typeof value === 'string') return cleanText(value);
  if (typeof value === 'number')
    return Number.isFinite(value) ? value : new Absent('it is no finite number', 'unreadable_number');
  if (typeof value === 'boolean') return value;
  return Array.isArray(value)
    ? new Absent('it is a list: say with join, first or last what to make of it', 'unreadable_value')
    : SECTION;
}

/** Without what no CRM stores: control characters and halves of characters. */
export function cleanText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '');
}
