import { Absent, isScalar, type Present } from '../language/found.ts';
import type { Transform } from './transform.ts';

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

function numeric(name: string, does: string, given: Present, change: (number: number) => number): Transform {
  const none = new Absent(`${name}: it is no number`);
  return {
    name,
    does,
    gives: 'number',
    parameters: [],
    example: { given },
    apply: (value: Present) => {
      const number = readNumber(value);
      return number === undefined ? none : change(number);
    },
  };
}

const NO_BOOLEAN = new Absent('boolean: it says neither yes nor no');
const NO_ROUND = new Absent('round: it is no number');
const NO_DURATION = new Absent('duration: it is no number of seconds');

export const NUMBER_TRANSFORMS: Transform[] = [
  numeric('number', 'The number that a text spells, with currency and separators.', '$12,000.50', (number) => number),
  numeric('integer', 'The nearest whole number.', '7.6', Math.round),
  numeric('seconds_to_ms', 'Seconds as whole milliseconds.', 134, (number) => Math.round(number * 1000)),
  {
    name: 'boolean',
    gives: 'boolean',
    example: { given: 'Yes' },
    does: 'True or false, from true, yes, y, 1, on and their opposites.',
    parameters: [],
    apply: (value) => readBoolean(value) ?? NO_BOOLEAN,
  },
  {
    name: 'round',
    gives: 'number',
    example: { given: 3.14159, args: [2] },
    does: 'Rounded to so many digits after the point; to a whole number when none is said.',
    parameters: [{ name: 'digits', type: 'integer', optional: true, from: 0, to: 10 }],
    apply: (value, digits) => {
      const number = readNumber(value);
      return number === undefined ? NO_ROUND : Number(number.toFixed(Number(digits ?? 0)));
    },
  },
  {
    name: 'duration',
    gives: 'text',
    does: 'Seconds as people say them.',
    example: { given: 134 },
    parameters: [],
    apply: (value) => {
      const seconds = readNumber(value);
      return seconds === undefined || seconds < 0 ? NO_DURATION : formatDuration(seconds);
    },
  },
];

/** `45 s`, `2 min 14 s`, `1 h 5 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  if (hours > 0) return minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`;
  if (minutes > 0) return rest > 0 ? `${minutes} min ${rest} s` : `${minutes} min`;
  return `${rest} s`;
}
