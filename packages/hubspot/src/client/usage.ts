import type { Usage } from '@wrapup/destination';

/**
 * What HubSpot's headers say about the quota. Search answers carry none; the daily ones are absent with OAuth.
 * https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
 */
export function readUsage(headers: Record<string, string>): Usage | undefined {
  const number = (name: string) => {
    const value = headers[`x-hubspot-ratelimit-${name}`];
    const parsed = value === undefined || value === '' ? Number.NaN : Number(value);
    return Number.isFinite(parsed) ? parsed : undefined;
  };
  const usage: Usage = {};
  const remaining = number('remaining');
  const limit = number('max');
  const interval = number('interval-milliseconds');
  const daily = number('daily-remaining');
  const dailyLimit = number('daily');
  if (remaining !== undefined) usage.remaining = remaining;
  if (limit !== undefined) usage.limit = limit;
  if (interval !== undefined) usage.resets_in = interval;
  if (daily !== undefined) usage.daily_remaining = daily;
  if (dailyLimit !== undefined) usage.daily_limit = dailyLimit;
  return Object.keys(usage).length > 0 ? usage : undefined;
}
