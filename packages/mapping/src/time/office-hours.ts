/**
 * Working time: on which days the office is open, from when to when, and on which dates it is closed. One shape for rules about
 * inbound calls and for due dates of tasks.
 */
import { closed } from '@wrapup/findings';
import { z } from 'zod';
import { clockAt, isTimeZone } from './zone.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** In the order in which `Date` counts them. */
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;
type Weekday = (typeof WEEKDAYS)[number];

/** Ranges of one day, and holidays, at most. */
const MAX_RANGES = 6;
const MAX_HOLIDAYS = 500;

export interface OfficeHours {
  /** IANA name. */
  time_zone: string;
  /** From and to, in minutes after midnight, by weekday; a day without any is free. */
  days: Partial<Record<Weekday, readonly (readonly [from: number, to: number])[]>>;
  /** `2026-12-25`, or `12-25` for every year. */
  holidays: ReadonlySet<string>;
}

const RANGE_RULE = 'must be a time of one day such as 09:00-17:30, from 00:00 to 24:00';
const RANGE = /^([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)$/;

type Range = [from: number, to: number];

/** @returns undefined after a mistake, which is an issue then */
function readRange(written: string, context: z.core.$RefinementCtx<string>): Range | undefined {
  const refuse = (message: string) => void context.addIssue({ code: 'custom', message });
  const match = RANGE.exec(written.trim());
  if (!match) return refuse(RANGE_RULE);
  const minutes = (index: number) => Number(match[index]) * 60 + Number(match[index + 1]);
  const [from, to] = [minutes(1), minutes(3)];
  if (to <= from) return refuse(`${RANGE_RULE}; one that passes midnight is two, each at its day`);
  return to <= 24 * 60 ? [from, to] : refuse(RANGE_RULE);
}

const LIST_RULE = `${RANGE_RULE}, a list of such, or closed`;
const one = z
  .string({ error: LIST_RULE })
  .transform((written, context): Range[] =>
    written.trim() === 'closed' ? [] : [readRange(written, context) ?? z.NEVER],
  );
const several = z
  .array(z.string({ error: RANGE_RULE }).transform((written, context): Range => readRange(written, context) ?? z.NEVER))
  .max(MAX_RANGES, `must be at most ${MAX_RANGES} times`)
  .refine((all) => {
    const sorted = all.toSorted(([a], [b]) => a - b);
    return sorted.every(([from], index) => index === 0 || from >= (sorted[index - 1]?.[1] ?? 0));
  }, 'must not overlap');
const ranges = z.union([one, several], { error: LIST_RULE }).optional();

const HOLIDAY_RULE = 'must be a date such as 2026-12-25, or 12-25 for every year';
const holiday = z.string({ error: HOLIDAY_RULE }).refine((written) => {
  if (!/^(?:\d{4}-)?\d{2}-\d{2}$/.test(written)) return false;
  // A leap year knows every day.
  const whole = written.length === 5 ? `2028-${written}` : written;
  const date = new Date(`${whole}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(whole);
}, HOLIDAY_RULE);

export const officeHoursSchema = closed({
  time_zone: z
    .string({ error: 'must be a time zone such as Europe/Berlin' })
    .refine(isTimeZone, 'must be the IANA name of a time zone: America/New_York, Europe/Berlin')
    .optional()
    .describe('Whose clock counts: Europe/Berlin. In a mapping its own time_zone where it is left out, else UTC'),
  weekdays: ranges.describe('Monday to Friday, where a day says nothing else: "09:00-17:30", or a list of such'),
  ...(Object.fromEntries(
    WEEKDAYS.map((day) => [day, ranges.describe('"09:00-12:00", a list of such, or closed')]),
  ) as Record<Weekday, typeof ranges>),
  holidays: z
    .array(holiday, { error: 'must be a list of dates' })
    .max(MAX_HOLIDAYS, `must be at most ${MAX_HOLIDAYS} dates`)
    .default([])
    .describe('Dates on which the office is closed: 2026-12-25, or 12-25 for every year'),
}).refine((written) => [...WEEKDAYS, 'weekdays' as const].some((day) => (written[day]?.length ?? 0) > 0), {
  message: 'must say when the office is open, such as weekdays: "09:00-17:30"',
});

/** @param zone where the section names none */
export function toOfficeHours(written: z.output<typeof officeHoursSchema>, zone = 'UTC'): OfficeHours {
  const days: OfficeHours['days'] = {};
  for (const [index, day] of WEEKDAYS.entries()) {
    const own = written[day] ?? (index >= 1 && index <= 5 ? written.weekdays : undefined);
    if (own !== undefined && own.length > 0) days[day] = own;
  }
  return { time_zone: written.time_zone ?? zone, days, holidays: new Set(written.holidays) };
}

/** @param clock epoch milliseconds of the same reading in UTC */
export function isWorkingDay({ days, holidays }: OfficeHours, clock: number): boolean {
  return timesOf({ days, holidays }, clock).length > 0;
}

/** Whether the office is open at a moment (epoch ms): from the first minute of a range to the last, its end excluded. */
export function isOfficeOpen(hours: OfficeHours, at: number): boolean {
  const clock = clockAt(at, hours.time_zone);
  const minute = (((clock % DAY) + DAY) % DAY) / MINUTE;
  return timesOf(hours, clock).some(([from, to]) => minute >= from && minute < to);
}

function timesOf({ days, holidays }: Pick<OfficeHours, 'days' | 'holidays'>, clock: number) {
  const shown = new Date(clock);
  const date = shown.toISOString().slice(0, 10);
  if (holidays.has(date) || holidays.has(date.slice(5))) return [];
  return days[WEEKDAYS[shown.getUTCDay()] as Weekday] ?? [];
}
