/**
 * Rate limits: a rolling ten-second window per token, a day per account, and a second for searches per account.
 * https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
 */
import { randomUUID } from 'node:crypto';
import { getOrAdd } from '../../get-or-add.ts';
import type { Reply } from '../../reply.ts';
import type { Forms, HubSpotSandboxSettings, Limits } from '../../settings.ts';
import { HUBSPOT_FORMS } from './forms.ts';

const TEN_SECONDS = 10_000;
const SECOND = 1_000;
const DAY = 86_400_000;

const POLICIES = {
  ten_secondly: { policyName: 'TEN_SECONDLY_ROLLING', message: 'You have reached your ten_secondly_rolling limit.' },
  daily: { policyName: 'DAILY', message: 'You have reached your daily limit.' },
} as const;
export type Policy = keyof typeof POLICIES;

/** 429 has a body of its own: no category, but the policy's name. */
export function tooMany(policy: Policy, headers: Record<string, string> = {}): Reply {
  const body = {
    status: 'error',
    ...POLICIES[policy],
    errorType: 'RATE_LIMIT',
    correlationId: randomUUID(),
    groupName: `publicapi:private-app-api-calls-${policy.replace('_', '-')}:1`,
  };
  return { status: 429, body, headers };
}

/** Searches have a body of theirs: a category, and no policy's name. */
export function tooManySearches(forms: Forms, headers: Record<string, string> = {}): Reply {
  const body = {
    status: 'error',
    message: 'You have reached your secondly limit.',
    correlationId: randomUUID(),
    category: 'RATE_LIMITS',
  };
  return { status: HUBSPOT_FORMS[forms].searchLimitStatus, body, headers };
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
  /** What the answer says about the limits; of a search, only what is left of the day. */
  headers: Record<string, string>;
}

export class RateWindows {
  readonly #tokens = new Map<string, { tenSecondly: Window; secondly: Window }>();
  readonly #search = new Window(SECOND);
  #daily = { day: 0, used: 0 };

  /** Counts a request, or turns it away uncounted. */
  take(token: string, isSearch: boolean, { limits, forms }: Pick<HubSpotSandboxSettings, 'limits' | 'forms'>): Verdict {
    const now = performance.now();
    const day = Math.floor(Date.now() / DAY);
    if (day !== this.#daily.day) this.#daily = { day, used: 0 };
    if (limits.daily !== null && this.#daily.used >= limits.daily) return { refused: tooMany('daily'), headers: {} };
    const verdict = isSearch ? this.#takeSearch(now, limits, forms) : this.#takeRequest(token, now, limits);
    if (!verdict.refused) this.#daily.used += 1;
    return verdict;
  }

  /** Searches have their own window, and their answers say nothing about it. */
  #takeSearch(now: number, limits: Limits, forms: Forms): Verdict {
    const full = limits.search_per_second !== null && this.#search.used(now) >= limits.search_per_second;
    if (!full) this.#search.take(now);
    const headers = this.#dailyHeaders(limits, full);
    return full ? { refused: tooManySearches(forms, headers), headers } : { headers };
  }

  #takeRequest(token: string, now: number, limits: Limits): Verdict {
    const { ten_secondly: limit } = limits;
    const { tenSecondly, secondly } = getOrAdd(this.#tokens, token, () => ({
      tenSecondly: new Window(TEN_SECONDS),
      secondly: new Window(SECOND),
    }));
    const full = limit !== null && tenSecondly.used(now) >= limit;
    if (!full) for (const window of [tenSecondly, secondly]) window.take(now);
    // Said, and not enforced: only the ten seconds are documented.
    const perSecond = Math.ceil((limit ?? 0) / 10);
    const headers: Record<string, string> = {
      ...(limit !== null && {
        'X-HubSpot-RateLimit-Max': String(limit),
        'X-HubSpot-RateLimit-Remaining': String(Math.max(0, limit - tenSecondly.used(now))),
        'X-HubSpot-RateLimit-Interval-Milliseconds': String(TEN_SECONDS),
        'X-HubSpot-RateLimit-Secondly': String(perSecond),
        'X-HubSpot-RateLimit-Secondly-Remaining': String(Math.max(0, perSecond - secondly.used(now))),
      }),
      ...this.#dailyHeaders(limits, full),
    };
    return full ? { refused: tooMany('ten_secondly', headers), headers } : { headers };
  }

  #dailyHeaders({ daily }: Limits, refused: boolean): Record<string, string> {
    if (daily === null) return {};
    return {
      'X-HubSpot-RateLimit-Daily': String(daily),
      'X-HubSpot-RateLimit-Daily-Remaining': String(Math.max(0, daily - this.#daily.used - (refused ? 0 : 1))),
    };
  }
}
