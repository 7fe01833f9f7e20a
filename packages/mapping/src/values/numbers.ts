/** Numbers and yes or no as payloads write them. */
import { isScalar } from './found.ts';

/** How numbers are written, and what stands before the fraction; the first that fits. `1,200` is twelve hundred. */
const SHAPES: [RegExp, ',' | '.'][] = [
  [/^[-+−]?\d+(?:\.\d+)?(?:[eE][-+]?\d{1,3})?$/, '.'],
  [/^[-+−]?\.\d+$/, '.'],
  [/^[-+−]?\d{1,3}(?:[,\s’']\d{3})+(?:\.\d+)?$/, '.'],
  [/^[-+−]?\d{1,3}(?:[.\s’']\d{3})+,\d+$/, ','],
  [/^[-+−]?\d{1,3}(?:\.\d{3}){2,}$/, ','],
  [/^[-+−]?\d+,\d+$/, ','],
];

/** The number that a value is or spells: `"12000"`, `$12,000.50`, `1.200,50 €`. */
export function readNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || value.length > 60) return undefined;
  // A currency, as a sign or as three letters, may stand on either side.
  const bare = value
    .trim()
    .replace(/^(?:[A-Za-z]{3}\s?|\p{Sc}\s?)/u, '')
    .replace(/\s?(?:[A-Za-z]{3}|\p{Sc}|%)$/u, '');
  for (const [shape, decimal] of SHAPES) {
    if (!shape.test(bare)) continue;
    const grouping = decimal === ',' ? /[.\s’']/g : /[,\s’']/g;
    const number = Number(bare.replace(grouping, '').replace(',', '.').replace('−', '-'));
    return Number.isFinite(number) ? number : undefined;
  }
  return undefined;
}

const TRUE: ReadonlySet<string> = new Set(['true', 'yes', 'y', '1', 'on']);
const FALSE: ReadonlySet<string> = new Set(['false', 'no', 'n', '0', 'off']);

/** True, false, and the words that mean them. */
export function readBoolean(value: unknown): boolean | undefined {
  if (!isScalar(value)) return undefined;
  const word = String(value).trim().toLowerCase();
  return TRUE.has(word) ? true : FALSE.has(word) ? false : undefined;
}
