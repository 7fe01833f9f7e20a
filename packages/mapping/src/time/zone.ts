/**
 * Moments and the clocks of time zones. A clock is epoch milliseconds of the same reading in UTC: arithmetic on it knows no
 * summer time, and costs no look into the zone's rules.
 */
import { tzOffset } from '@date-fns/tz/tzOffset';

const MINUTE = 60_000;
/** Offsets change at quarters of an hour only, so that one answer serves all calls of a quarter. */
const QUARTER = 15 * MINUTE;
const MOST_KEPT = 5_000;

const KNOWN = new Map<string, number>();

/** Milliseconds that the zone's clock is ahead of UTC at a moment. */
function offsetAt(ms: number, zone: string): number {
  if (zone === 'UTC') return 0;
  const key = `${zone} ${Math.floor(ms / QUARTER)}`;
  const known = KNOWN.get(key);
  if (known !== undefined) return known;
  if (KNOWN.size >= MOST_KEPT) KNOWN.clear();
  const offset = Math.round(tzOffset(zone, new Date(ms)) * MINUTE);
  KNOWN.set(key, offset);
  return offset;
}

/** What the zone's clock shows at a moment. */
export function clockAt(ms: number, zone: string): number {
  return ms + offsetAt(ms, zone);
}

/**
 * The moment at which the zone's clock shows something. Of an hour that comes twice it is the first; one that is skipped
 * in spring is read as the clock before the change would have gone on.
 */
export function momentOf(clock: number, zone: string): number {
  // No zone changes twice within two days.
  const before = offsetAt(clock - 24 * 60 * MINUTE, zone);
  const first = clock - before;
  if (offsetAt(first, zone) === before) return first;
  const after = offsetAt(clock + 24 * 60 * MINUTE, zone);
  const second = clock - after;
  return offsetAt(second, zone) === after ? second : first;
}

/** Whether the runtime knows an IANA time zone of that name. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
