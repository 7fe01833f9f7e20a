import { tz } from '@date-fns/tz';
// One by one: the package's index loads all of its three hundred files, which every `wrapup check` would wait for.
import { addBusinessDays } from 'date-fns/addBusinessDays';
import { addDays } from 'date-fns/addDays';
import { addHours } from 'date-fns/addHours';
import { addMinutes } from 'date-fns/addMinutes';
import { addWeeks } from 'date-fns/addWeeks';
import { set } from 'date-fns/set';

const SHAPE =
  /^(\d{1,4})\s*(business\s+day|minute|hour|day|week|min|h|d|m|w)s?(?:\s+at\s+([01]?\d|2[0-3]):([0-5]\d))?$/i;

type Unit = 'business_day' | 'minute' | 'hour' | 'day' | 'week';

const UNITS: Record<string, Unit> = {
  'business day': 'business_day',
  minute: 'minute',
  min: 'minute',
  m: 'minute',
  hour: 'hour',
  h: 'hour',
  day: 'day',
  d: 'day',
  week: 'week',
  w: 'week',
};

export const DUE_SHAPE = '30 minutes, 2 hours, 3 days, 1 business day, or 1 business day at 09:00';

/** When something is due, from when the call ended. Epoch ms in, ISO 8601 UTC out; undefined beyond the calendar. */
export type Due = (ended: number) => string | undefined;

/**
 * Reads `1 business day at 09:00`. Days and weeks keep the clock of the time zone across its changes; minutes and hours
 * are exact. Business days are Monday to Friday.
 * @param zone IANA name
 * @returns undefined when it is no such text
 */
export function compileDue(text: string, zone: string): Due | undefined {
  const match = SHAPE.exec(text.trim());
  if (!match) return undefined;
  const amount = Number(match[1]);
  const unit = UNITS[(match[2] ?? '').toLowerCase().replace(/\s+/, ' ')] as Unit;
  const at = match[3] === undefined ? undefined : { hours: Number(match[3]), minutes: Number(match[4]) };
  if (at && (unit === 'minute' || unit === 'hour')) return undefined;
  const context = { in: tz(zone) };
  const add: Record<Unit, (ended: number) => Date> = {
    business_day: (ended) => addBusinessDays(ended, amount, context),
    day: (ended) => addDays(ended, amount, context),
    week: (ended) => addWeeks(ended, amount, context),
    hour: (ended) => addHours(ended, amount),
    minute: (ended) => addMinutes(ended, amount),
  };
  return (ended) => {
    const day = add[unit](ended);
    const due = at ? set(day, { ...at, seconds: 0, milliseconds: 0 }, context) : day;
    const ms = due.getTime();
    return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : undefined;
  };
}
