import { Absent, type Present } from '../values/found.ts';
import { readBoolean, readNumber } from '../values/numbers.ts';
import type { Transform } from './transform.ts';

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
