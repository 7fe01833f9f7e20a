/**
 * What the org has left of its API requests of 24 hours: the whole org's, of all its integrations. Salesforce has no
 * Retry-After and no short window; every answer says how many are used, and the budget leaves the org its reserve.
 * https://developer.salesforce.com/docs/platform/api-rest/guide/headers-api-usage.html
 */
import type { Usage } from '@wrapup/destination';

/** Reads `Sforce-Limit-Info: api-usage=45/15000`. */
export function readUsage(headers: Record<string, string>): Usage | undefined {
  const found = /(?:^|[^-\w])api-usage=(\d+)\/(\d+)/.exec(headers['sforce-limit-info'] ?? '');
  if (!found) return undefined;
  const [used, limit] = [Number(found[1]), Number(found[2])];
  return { daily_remaining: Math.max(0, limit - used), daily_limit: limit };
}
