/**
 * Rate limits: a rolling ten-second window per token, a day per account, and a second for searches per account.
 * https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
 */
import { randomUUID } from 'node:crypto';
import { getOrAdd } from '../../get-or-add.ts';
import type { Reply } from '../../reply.ts';
import type { Limits } from '../../settings.ts';

const TEN_SECONDS = 10_000;
const SECOND = 1_000;
const DAY = 86_400_000;

export const POLICIES = {
  ten_secondly: { policyName: 'TEN_SECONDLY_ROLLING', message: 'You have reached your ten_secondly_rolling limit.' },
  daily: { policyName: 'DAILY', message: 'You have reached your daily limit.' },
  secondly: { policyName: 'SECONDLY', message: 'You have reached your secondly limit.' },
} as const;
export type Policy = keyof typeof POLICIES;

/** 429 has a body of its own: no category, but the policy's name. */
export function tooMany(policy: Policy, headers: Record<string, string> = {}): Reply {
  const body = {
    status: 'error',
    ...POLICIES[policy],
    errorType: 'RATE_LIMIT',
    correlationId: randomUUID(),
    requestId: randomUUID(),
  };
  return { status: 429, body, headers };
}

/** Times of what was let through within the last `span` ms. */
class Window {
  readonly #span: number;
  #times: number[] = [];

  constructor(span: number) {
    this.#span = span;
  }

  used(now: number): number {
    const first = this.#times.findIndex((time) => time > now - this.#span);
    this.#times.splice(0, first === -1 ? this.#times.length : first);
    return this.#times.length;
  }

  take(now: number): void {
    this.#times.push(now);
  }
}

export interface Verdict {
  /** Set when the request is turned away. */
  refused?: Reply;
  /** What the answer says about the limits; nothing for searches. */
  headers: Record<string, string>;
}

export class RateWindows {
  readonly #tokens = new Map<string, Window>();
  readonly #search = new Window(SECOND);
  #daily = { day: 0, used: 0 };

  /** Counts a request, or turns it away uncounted. */
  take(token: string, isSearch: boolean, limits: Limits): Verdict {
    const now = performance.now();
    const day = Math.floor(Date.now() / DAY);
    if (day !== this.#daily.day) this.#daily = { day, used: 0 };
    if (limits.daily !== null && this.#daily.used >= limits.daily) return { refused: tooMany('daily'), headers: {} };
    const verdict = isSearch ? this.#takeSearch(now, limits) : this.#takeRequest(token, now, limits);
    if (!verdict.refused) this.#daily.used += 1;
    return verdict;
  }

  /** Searches have their own window and their answers say nothing about any. */
  #takeSearch(now: number, { search_per_second: limit }: Limits): Verdict {
    if (limit !== null && this.#search.used(now) >= limit) return { refused: tooMany('secondly'), headers: {} };
    this.#search.take(now);
    return { headers: {} };
  }

  #takeRequest(token: string, now: number, { ten_secondly: limit, daily }: Limits): Verdict {
    const window = getOrAdd(this.#tokens, token, () => new Window(TEN_SECONDS));
    const full = limit !== null && window.used(now) >= limit;
    if (!full) window.take(now);
    const headers: Record<string, string> = {
      ...(limit !== null && {
        'X-HubSpot-RateLimit-Max': String(limit),
        'X-HubSpot-RateLimit-Remaining': String(Math.max(0, limit - window.used(now))),
        'X-HubSpot-RateLimit-Interval-Milliseconds': String(TEN_SECONDS),
      }),
      ...(daily !== null && {
        'X-HubSpot-RateLimit-Daily': String(daily),
        'X-HubSpot-RateLimit-Daily-Remaining': String(Math.max(0, daily - this.#daily.used - (full ? 0 : 1))),
      }),
    };
    return full ? { refused: tooMany('ten_secondly', headers), headers } : { headers };
  }
}
