import { compileDue } from '../compile/due.ts';
import { Absent, type Present } from '../language/found.ts';
import { clockAt, momentOf } from '../time/zone.ts';
import type { Transform } from './transform.ts';

const SHAPE = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d\d:?\d\d)?)?$/i;

/** Numbers below this are taken for epoch seconds (it is the year 5138), others for milliseconds (1973). */
const MILLISECONDS_FROM = 1e11;

export interface Moment {
  /** Epoch milliseconds. */
  ms: number;
  /** It named a day and no time. */
  dayOnly: boolean;
}

/**
 * Reads ISO 8601 dates and date-times, and epoch seconds or milliseconds. Other spellings mean different days in
 * different countries and are not guessed at.
 * @param zone IANA name that a time without offset is taken to be in
 */
export function readMoment(value: unknown, zone = 'UTC'): Moment | undefined {
  if (typeof value === 'number') {
    const ms = Math.abs(value) < MILLISECONDS_FROM ? value * 1000 : value;
    return isDate(ms) ? { ms: Math.round(ms), dayOnly: false } : undefined;
  }
  if (typeof value !== 'string' || value.length > 40) return undefined;
  const match = SHAPE.exec(value.trim());
  if (!match) return undefined;
  const part = (index: number) => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2) - 1, part(3), part(4), part(5), part(6)];
  const fraction = Math.floor(Number(`0.${match[7] ?? 0}`) * 1000);
  const utc = Date.UTC(year, month, day, hour, minute, second, fraction);
  // 31 April and 25:00 roll over: no such time was meant.
  const back = new Date(utc);
  const sameDay = back.getUTCFullYear() === year && back.getUTCMonth() === month && back.getUTCDate() === day;
  if (!sameDay || hour > 23 || minute > 59 || second > 59) return undefined;
  const offset = match[8];
  const ms = offset ? utc - readOffset(offset) : zone === 'UTC' ? utc : momentOf(utc, zone);
  return isDate(ms) ? { ms, dayOnly: match[4] === undefined } : undefined;
}

function readOffset(text: string): number {
  if (/z/i.test(text)) return 0;
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(-2));
  return (text.startsWith('-') ? -1 : 1) * minutes * 60_000;
}

/** Years that four digits can write. */
function isDate(ms: number): boolean {
  const year = Math.abs(ms) <= 8.64e15 ? new Date(ms).getUTCFullYear() : Number.NaN;
  return year >= 1000 && year <= 9999;
}

const zone = { name: 'time zone', type: 'time_zone', optional: true } as const;
const NO_DATE = new Absent('date: it is no ISO 8601 date');
const NO_START = new Absent('plus: it is no ISO 8601 date and time');
const NO_DATETIME = new Absent('datetime: it is no ISO 8601 date and time');

export const DATE_TRANSFORMS: Transform[] = [
  {
    name: 'date',
    gives: 'date',
    does: 'The day, as the time zone has it; UTC when none is named.',
    example: { given: '2026-11-20T03:30:00Z', args: ['America/New_York'] },
    parameters: [zone],
    apply: (value: Present, name) => {
      const where = String(name ?? 'UTC');
      const moment = readMoment(value, where);
      if (!moment) return NO_DATE;
      if (moment.dayOnly) return String(value).trim().slice(0, 10);
      return new Date(clockAt(moment.ms, where)).toISOString().slice(0, 10);
    },
  },
  {
    name: 'datetime',
    gives: 'datetime',
    does: 'The moment in UTC. A time without offset is taken to be in the time zone; epoch seconds and milliseconds are read too.',
    example: { given: '2026-11-20 10:00', args: ['Europe/Berlin'] },
    parameters: [zone],
    apply: (value: Present, name) => {
      const moment = readMoment(value, String(name ?? 'UTC'));
      return moment ? new Date(moment.ms).toISOString() : NO_DATETIME;
    },
  },
  {
    name: 'plus',
    gives: 'datetime',
    does: 'The moment so much later, in UTC: 30 minutes, 1 business day at 09:00. Days are those of the time zone.',
    parameters: [{ name: 'how much', type: 'span' }, zone],
    example: { given: '2026-11-20T09:00:00Z', args: ['30 minutes'] },
    apply: (value: Present, span, name) => {
      const where = String(name ?? 'UTC');
      const moment = readMoment(value, where);
      return (moment && compileDue(String(span), where)?.(moment.ms)) ?? NO_START;
    },
  },
];
