/** Requests a minute with one token, on average and at once. */
export const RATE_PER_MINUTE = 300;
/** Bound of the table. Beyond it the token that was used longest ago begins afresh, which takes as many tokens. */
const MAX_TOKENS = 10_000;

/** Limits the requests of each token: a bucket of a minute's requests, which fills steadily. Kept by this process alone. */
export class TokenRate {
  readonly #now: () => number;
  readonly #buckets = new Map<string, { left: number; at: number }>();

  /** @param now epoch ms */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Takes a request. @returns seconds to wait; 0 when it may go on */
  take(token: string): number {
    const now = this.#now();
    const before = this.#buckets.get(token) ?? { left: RATE_PER_MINUTE, at: now };
    const left = Math.min(RATE_PER_MINUTE, before.left + (Math.max(0, now - before.at) * RATE_PER_MINUTE) / 60_000);
    const isAllowed = left >= 1;
    this.#buckets.delete(token);
    this.#buckets.set(token, { left: isAllowed ? left - 1 : left, at: now });
    const oldest = this.#buckets.size > MAX_TOKENS ? this.#buckets.keys().next().value : undefined;
    if (oldest !== undefined) this.#buckets.delete(oldest);
    return isAllowed ? 0 : Math.ceil(((1 - left) * 60) / RATE_PER_MINUTE);
  }
}
