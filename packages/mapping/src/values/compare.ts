import { readMoment } from '../time/moment.ts';
import { type NumberWriting, readBoolean, readNumber, UNCLEAR } from './numbers.ts';

type Plain = string | number | boolean;

/** How a mapping reads numbers and times where a line does not say otherwise. */
export interface Reading {
  /** IANA name. */
  zone: string;
  number?: NumberWriting;
}

export const PLAIN_READING: Reading = { zone: 'UTC' };

/**
 * Equality as the author of a mapping means it: capitals and blanks around do not matter, and `"12000"` from a payload is
 * the 12000 of the mapping as `"$12,000"` is, `"True"` and `"yes"` its true.
 */
export function sameValue(found: Plain, wanted: Plain, reading = PLAIN_READING): boolean {
  // An agent says yes where a mapping says true.
  if (typeof wanted === 'boolean') return readBoolean(found) === wanted;
  if (typeof wanted === 'number' || typeof found === 'number') {
    const [one, other] = [readNumber(found, reading.number), readNumber(wanted)];
    if (typeof one === 'number' && typeof other === 'number') return one === other;
  }
  return normalise(found) === normalise(wanted);
}

/** The form in which values are compared as text. */
export function normalise(value: Plain): string {
  return String(value).trim().toLowerCase();
}

/** A point on a line: a number, or a moment in epoch ms. Undefined for what is neither. */
export function readPoint(value: unknown, as: 'number' | 'moment', reading = PLAIN_READING): number | undefined {
  if (as === 'moment') return readMoment(value, reading.zone);
  const number = readNumber(value, reading.number);
  return typeof number === 'number' ? number : undefined;
}

/** True for a number that two writings read differently, where the mapping does not say which holds. */
export function isUnclear(value: unknown, as: 'number' | 'moment', reading = PLAIN_READING): boolean {
  return as === 'number' && readNumber(value, reading.number) === UNCLEAR;
}
