/** Spans of time in the units that Redis takes. */

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** Days in whole ms: a retention of 26 hours is no whole number of days, and Redis refuses a time to live with a fraction. */
export function msOfDays(days: number): number {
  return Math.round(days * DAY_MS);
}

/** Days in whole seconds. */
export function secondsOfDays(days: number): number {
  return Math.round(msOfDays(days) / 1000);
}
