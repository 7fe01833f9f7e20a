/** The days and weeks that digests are about, and when each is due: on the clock of a time zone, summer time or not. */
import { clockAt, momentOf } from '@wrapup/mapping';
import { DAY_MS, HOUR_MS } from '../redis/spans.ts';

export const DIGEST_SPANS = ['day', 'week'] as const;
export type DigestSpan = (typeof DIGEST_SPANS)[number];

export interface DigestTimes {
  every: DigestSpan;
  /** Minutes after midnight at which it is due, on the day after its period. */
  at: number;
  /** IANA name. */
  time_zone: string;
}

export interface DigestPeriod {
  /** `2026-11-29`, or of a week, from Monday to Sunday, `2026-W48` as ISO 8601 numbers weeks. */
  name: string;
  every: DigestSpan;
  time_zone: string;
  /** Epoch ms; up to, and not with, `until`. */
  from: number;
  until: number;
  /** Where the period before it began. */
  before: number;
  /** Epoch ms. */
  due: number;
}

/** A period that is so long overdue is not sent any more, in ms: its news are old, and the next one counts it as the one before. */
export const DIGEST_LATE_MS: Readonly<Record<DigestSpan, number>> = { day: 12 * HOUR_MS, week: 3 * DAY_MS };

const DAYS: Readonly<Record<DigestSpan, number>> = { day: 1, week: 7 };

/** The last period that was due at a moment, or so many before it. */
export function lastPeriod(times: DigestTimes, now: number, earlier = 0): DigestPeriod {
  const { every, time_zone } = times;
  const today = Math.floor(clockAt(now, time_zone) / DAY_MS);
  const end = every === 'day' ? today : mondayOf(today);
  const isDue = dueAt(end, times) <= now;
  return periodUntil(end - DAYS[every] * (earlier + (isDue ? 0 : 1)), times);
}

/** When the next one after that is due: epoch ms. */
export function nextDue(times: DigestTimes, now: number): number {
  return periodUntil(endOf(lastPeriod(times, now)) + DAYS[times.every], times).due;
}

/** The period of a name; undefined for what is none, and for one that is not over. */
export function readPeriod(name: string, times: DigestTimes, now: number): DigestPeriod | undefined {
  const end = times.every === 'day' ? readDay(name) : readWeek(name);
  if (end === undefined) return undefined;
  const period = periodUntil(end, times);
  return period.name === name && period.until <= now ? period : undefined;
}

/** @param end days since epoch: the day after the period */
function periodUntil(end: number, times: DigestTimes): DigestPeriod {
  const { every, time_zone } = times;
  const [from, until, before] = [end - DAYS[every], end, end - 2 * DAYS[every]].map((day) =>
    momentOf(day * DAY_MS, time_zone),
  ) as [number, number, number];
  const name = every === 'day' ? dateOf(end - 1) : weekOf(end - 7);
  return { name, every, time_zone, from, until, before, due: dueAt(end, times) };
}

function endOf({ until, time_zone }: DigestPeriod): number {
  return Math.round(clockAt(until, time_zone) / DAY_MS);
}

function dueAt(day: number, { at, time_zone }: DigestTimes): number {
  return momentOf(day * DAY_MS + at * 60_000, time_zone);
}

/** 1970-01-01 was a Thursday. */
function mondayOf(day: number): number {
  return day - ((((day + 3) % 7) + 7) % 7);
}

function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** A week belongs to the year of its Thursday. */
function weekOf(monday: number): string {
  const year = new Date((monday + 3) * DAY_MS).getUTCFullYear();
  return `${year}-W${String((monday - firstMonday(year)) / 7 + 1).padStart(2, '0')}`;
}

/** The first week of a year is that of the fourth of January. */
function firstMonday(year: number): number {
  return mondayOf(Date.UTC(year, 0, 4) / DAY_MS);
}

function readDay(name: string): number | undefined {
  const at = /^\d{4}-\d\d-\d\d$/.test(name) ? Date.parse(`${name}T00:00Z`) : Number.NaN;
  return Number.isNaN(at) ? undefined : at / DAY_MS + 1;
}

function readWeek(name: string): number | undefined {
  const [, year, week] = /^(\d{4})-W(\d\d)$/.exec(name) ?? [];
  return year === undefined ? undefined : firstMonday(Number(year)) + 7 * Number(week);
}

/** `Week 48, 23 to 29 November 2026`, `Sunday, 29 November 2026`. */
export function describePeriod({ name, every, from, until, time_zone }: DigestPeriod): string {
  const format = (ms: number, options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en-GB', { timeZone: time_zone, ...options }).format(ms);
  const whole = { day: 'numeric', month: 'long', year: 'numeric' } as const;
  if (every === 'day') return format(from, { weekday: 'long', ...whole });
  const last = until - 1;
  const year = (ms: number) => format(ms, { year: 'numeric' });
  const month = (ms: number) => format(ms, { month: 'long' });
  const first =
    year(from) !== year(last)
      ? format(from, whole)
      : format(from, month(from) === month(last) ? { day: 'numeric' } : { day: 'numeric', month: 'long' });
  return `Week ${Number(name.slice(-2))}, ${first} to ${format(last, whole)}`;
}
