/** Dates and times as payloads write them. */
import { momentOf } from './zone.ts';

const SHAPE = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d\d:?\d\d)?)?$/i;

/** Numbers below this are taken for epoch seconds (it is the year 5138), others for milliseconds (1973). */
const MILLISECONDS_FROM = 1e11;

/**
 * Reads ISO 8601 dates and date-times, and epoch seconds or milliseconds. Other spellings mean different days in
 * different countries and are not guessed at. A day is its first moment.
 * @param zone IANA name that a time without offset is taken to be in
 * @returns epoch milliseconds
 */
export function readMoment(value: unknown, zone = 'UTC'): number | undefined {
  if (typeof value === 'number') {
    const ms = Math.abs(value) < MILLISECONDS_FROM ? value * 1000 : value;
    return isDate(ms) ? Math.round(ms) : undefined;
  }
  if (typeof value !== 'string' || value.length > 40) return undefined;
  const match = SHAPE.exec(value.trim());
  if (!match) return undefined;
  const part = (index: number) => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2) - 1, part(3), part(4), part(5), part(6)];
  const fraction = Math.floor(Number(`0.${match[7] ?? 0}`) * 1000);
  const utc = Date.UTC(year, month, day, hour, minute, second, fraction);
  // 31 April and 25:00 roll over to another day, and month 13 to another year: no such time was meant.
  const back = new Date(utc);
  const sameDay = back.getUTCFullYear() === year && back.getUTCDate() === day;
  if (!sameDay || minute > 59 || second > 59) return undefined;
  const offset = match[8];
  const ms = offset ? utc - readOffset(offset) : momentOf(utc, zone);
  return isDate(ms) ? ms : undefined;
}

function readOffset(text: string): number {
  if (/z/i.test(text)) return 0;
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(-2));
  return (text.startsWith('-') ? -1 : 1) * minutes * 60_000;
}

/** Years that four digits can write; a moment beyond the calendar has no year at all. */
function isDate(ms: number): boolean {
  const year = new Date(ms).getUTCFullYear();
  return year >= 1000 && year <= 9999;
}
