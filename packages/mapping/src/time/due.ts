// One by one: the package's index loads all of its three hundred files, which every `wrapup check` would wait for.
import { UTCDateMini } from '@date-fns/utc/date/mini';
import { addBusinessDays } from 'date-fns/addBusinessDays';
import { isWorkingDay, type OfficeHours } from './office-hours.ts';
import { clockAt, momentOf } from './zone.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const SHAPE =
  /^([+-]\s*)?(\d{1,4})\s*(business\s+day|minute|hour|day|week|min|h|d|m|w)s?(?:\s+at\s+([01]?\d|2[0-3]):([0-5]\d))?$/i;

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

/** Days that are looked at for one working day: more than a year of holidays is no office. */
const MAX_FREE_DAYS = 400;

/** The clock on the working day that is so many further on. Beyond the calendar where there is none. */
function addOfficeDays(office: OfficeHours, clock: number, amount: number): number {
  const step = Math.sign(amount) * DAY;
  let at = clock;
  for (let left = Math.abs(amount); left > 0; left -= 1) {
    let free = 0;
    do {
      at += step;
      free += 1;
      if (free > MAX_FREE_DAYS) return Number.POSITIVE_INFINITY;
    } while (!isWorkingDay(office, at));
  }
  return at;
}

/** Whether it leads to before: nothing can be due before the call has ended. */
export function isBefore(text: string): boolean {
  return text.trim().startsWith('-');
}

export const DUE_SHAPE = '30 minutes, 2 hours, 3 days, 1 business day, or 1 business day at 09:00';

/** When something is due, from when the call ended. Epoch ms in, ISO 8601 UTC out; undefined beyond the calendar. */
export type Due = (ended: number) => string | undefined;

/**
 * Reads `1 business day at 09:00`. Days and weeks keep the clock of the time zone across its changes; minutes and hours
 * are exact. Business days are those of the office hours, else Monday to Friday. A minus leads to before: `-1 day`.
 * @param clockZone IANA name
 * @param office working time: its days are those of its own zone
 * @returns undefined when it is no such text
 */
export function compileDue(text: string, clockZone: string, office?: OfficeHours): Due | undefined {
  const match = SHAPE.exec(text.trim());
  if (!match) return undefined;
  const amount = Number(match[2]) * (match[1]?.startsWith('-') ? -1 : 1);
  const unit = UNITS[(match[3] ?? '').toLowerCase().replace(/\s+/, ' ')] as Unit;
  const at = match[4] === undefined ? undefined : { hours: Number(match[4]), minutes: Number(match[5]) };
  const zone = unit === 'business_day' ? (office?.time_zone ?? clockZone) : clockZone;
  if (at && (unit === 'minute' || unit === 'hour')) return undefined;
  const later: Record<Unit, (ended: number) => number> = {
    business_day: (ended) =>
      onClock(ended, (clock) =>
        office ? addOfficeDays(office, clock, amount) : addBusinessDays(new UTCDateMini(clock), amount).getTime(),
      ),
    day: (ended) => onClock(ended, (clock) => clock + amount * DAY),
    week: (ended) => onClock(ended, (clock) => clock + amount * 7 * DAY),
    hour: (ended) => ended + amount * 60 * MINUTE,
    minute: (ended) => ended + amount * MINUTE,
  };
  const onClock = (ended: number, move: (clock: number) => number) => {
    const clock = move(clockAt(ended, zone));
    const shown = at ? Math.floor(clock / DAY) * DAY + (at.hours * 60 + at.minutes) * MINUTE : clock;
    return momentOf(shown, zone);
  };
  return (ended) => {
    const ms = later[unit](ended);
    return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : undefined;
  };
}
