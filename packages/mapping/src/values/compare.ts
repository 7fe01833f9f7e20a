import { readMoment } from '../time/moment.ts';
import { readBoolean } from './numbers.ts';

type Plain = string | number | boolean;

/**
 * Equality as the author of a mapping means it: capitals and blanks around do not matter, and `"12000"` from a payload is
 * the 12000 of the mapping, `"True"` and `"yes"` its true.
 */
export function sameValue(found: Plain, wanted: Plain): boolean {
  if (found === wanted) return true;
  // An agent says yes where a mapping says true.
  if (typeof wanted === 'boolean') return readBoolean(found) === wanted;
  if (typeof wanted === 'number' || typeof found === 'number') {
    const [one, other] = [Number(String(found).trim() || Number.NaN), Number(String(wanted).trim() || Number.NaN)];
    if (!Number.isNaN(one) && !Number.isNaN(other)) return one === other;
  }
  return normalise(found) === normalise(wanted);
}

/** The form in which values are compared as text. */
export function normalise(value: Plain): string {
  return String(value).trim().toLowerCase();
}

/** A point on a line: a number, or a moment in epoch ms. Undefined for what is neither. */
export function readPoint(value: unknown, as: 'number' | 'moment'): number | undefined {
  if (as === 'moment') return readMoment(value)?.ms;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || value.length > 60 || value.trim() === '') return undefined;
  const number = Number(value.trim());
  return Number.isFinite(number) ? number : undefined;
}
