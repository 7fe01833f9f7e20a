/** The times that pages are about, in the time zone of who looks at them. */
import { clockAt, isTimeZone, momentOf } from '@wrapup/mapping';
import { parseCookie } from 'cookie';
import type { Request } from 'express';

export const RANGES = ['today', 'yesterday', '7d', '30d'] as const;
type RangeName = (typeof RANGES)[number];

export interface TimeRange {
  /** Absent where days were given. */
  name?: RangeName;
  /** Epoch ms; up to, and not with, `until`. */
  from: number;
  until: number;
  /** What of it is shown apart. */
  step: 'hour' | 'day';
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** Ranges up to this are shown by the hour. */
const LONGEST_BY_HOUR = 2 * DAY_MS;
/** No ledger is kept longer than its counts can be shown at once. */
const LONGEST = 92 * DAY_MS;

/** Set by the script of the pages: it names the time zone of the browser, and nothing else. */
const ZONE_COOKIE = 'zone';

/** The time zone of the browser; UTC before it is known. */
export function zoneOf(request: Request): string {
  const zone = parseCookie(request.headers.cookie ?? '')[ZONE_COOKIE];
  return zone !== undefined && zone.length < 64 && isTimeZone(zone) ? zone : 'UTC';
}

/** Where the day begins in which a moment lies, or so many days later. */
export function dayStart(ms: number, zone: string, later = 0): number {
  const clock = Math.floor(clockAt(ms, zone) / DAY_MS) * DAY_MS;
  return momentOf(clock + later * DAY_MS, zone);
}

/** What a range is called in an address, or two days that are its first and last. Default: seven days, today with them. */
export function readRange(value: (name: string) => string | undefined, zone: string, now: number): TimeRange {
  const [first, last] = [readClock(value('from')), readClock(value('to'))];
  if (first !== undefined && value('range') === undefined) {
    const from = momentOf(Math.floor(first / DAY_MS) * DAY_MS, zone);
    const end = Math.max(first, last ?? first);
    const until = Math.min(momentOf(Math.floor(end / DAY_MS) * DAY_MS + DAY_MS, zone), from + LONGEST);
    return { from, until, step: stepOf(from, until) };
  }
  const name = RANGES.find((one) => one === value('range')) ?? '7d';
  const days = { today: [0, 1], yesterday: [-1, 0], '7d': [-6, 1], '30d': [-29, 1] }[name] as [number, number];
  const [from, until] = days.map((later) => dayStart(now, zone, later)) as [number, number];
  return { name, from, until, step: stepOf(from, until) };
}

function stepOf(from: number, until: number): TimeRange['step'] {
  return until - from <= LONGEST_BY_HOUR ? 'hour' : 'day';
}

/** Beginnings of its hours or days, and its end. */
export function stepsOf({ from, until, step }: TimeRange, zone: string): number[] {
  const steps = [];
  for (let at = from; at < until; at = step === 'hour' ? at + HOUR_MS : dayStart(at, zone, 1)) steps.push(at);
  return [...steps, until];
}

/** `2026-11-30T14:00`, as fields for a date and time say it, on the clock of the zone. */
export function writeMoment(ms: number, zone: string): string {
  return new Date(clockAt(ms, zone)).toISOString().slice(0, 16);
}

/** The moment that a date, or a date and time, names on the clock of the zone: epoch ms. */
export function readMoment(text: string | undefined, zone: string): number | undefined {
  const clock = readClock(text);
  return clock === undefined ? undefined : momentOf(clock, zone);
}

function readClock(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{4}-\d\d-\d\d(T\d\d:\d\d)?$/.test(text)) return undefined;
  const clock = Date.parse(text.length === 10 ? `${text}T00:00Z` : `${text}Z`);
  return Number.isNaN(clock) ? undefined : clock;
}
