/** What adapters share of sending many rows in few requests. Pure. */
import type { Failure, FailureCode } from '../../port/failure.ts';

const ABOUT_ROWS: ReadonlySet<FailureCode> = new Set([
  'invalid_field',
  'missing_property',
  'conflict',
  'gone',
  'refused',
  'bad_request',
]);

/** True when the refusal of a whole request says something about single rows, and the others may well be taken. */
export function isAboutRows({ code, next }: Failure): boolean {
  return ABOUT_ROWS.has(code) && next !== 'reauthenticate';
}

/** The first half is the larger one. */
export function halvesOf<T>(items: T[]): [T[], T[]] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}

/** Parts of `size` items at most, in their order. */
export function chunk<T>(items: T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let start = 0; start < items.length; start += size) chunks.push(items.slice(start, start + size));
  return chunks;
}
