import { Absent, type Present } from '../values/found.ts';
import { type NumberWriting, readBoolean, readNumber, UNCLEAR } from '../values/numbers.ts';
import type { Transform, TransformArgument } from './transform.ts';

const writing = { name: 'writing', type: 'number_writing', optional: true } as const;

/** The number, or why there is none. */
function toNumber(name: string, value: Present, written: TransformArgument | undefined): number | Absent {
  const number = readNumber(value, written as NumberWriting | undefined);
  if (number === UNCLEAR)
    return new Absent(
      `${name}: two countries read it as two numbers; say number: en, or number: de`,
      'ambiguous_number',
    );
  return number ?? new Absent(`${name}: it is no number`, 'unreadable_number');
}

function numeric(name: string, does: string, given: Present, change: (number: number) => number): Transform {
  return {
    name,
    does,
    gives: 'number',
    parameters: [writing],
    example: { given },
    apply: (value: Present, written) => {
      const number = toNumber(name, value, written);
      return number instanceof Absent ? number : change(number);
    },
  };
}

const NO_BOOLEAN = new Absent('boolean: it says neither yes nor no', 'unreadable_value');
const NO_DURATION = new Absent('duration: it is no number of seconds', 'unreadable_number');

export const NUMBER_TRANSFORMS: Transform[] = [
  numeric(
    'number',
    'The number that a text spells, with currency and separators: 1.200,50 €, 12k, 1.5 million. The writing is en (1,234.5), de (1.234,5), fr or ch; without one, what two countries read differently (65.000) is left out.',
    '$12,000.50',
    (number) => number,
  ),
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
    parameters: [{ name: 'digits', type: 'integer', optional: true, from: 0, to: 10 }, writing],
    apply: (value, digits, written) => {
      const number = toNumber('round', value, written);
      return number instanceof Absent ? number : Number(number.toFixed(Number(digits ?? 0)));
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
      return typeof seconds !== 'number' || seconds < 0 ? NO_DURATION : formatDuration(seconds);
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
