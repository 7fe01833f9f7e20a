import type { Config } from '@wrapup/config';

/**
 * Capped exponential wait with full jitter: evenly spread between 0 and `min(cap, base · 2^(attempt - 1))`, so that
 * what failed together does not come back together.
 *
 * @param attempt attempts made, from 1
 * @param retries `base` and `cap` in ms
 */
export function backoff(attempt: number, { base, cap }: { base: number; cap: number }, random = Math.random): number {
  const ceiling = Math.min(cap, base * 2 ** Math.min(attempt - 1, 30));
  return Math.round(random() * ceiling);
}

/** For calls, which have no route yet. */
export const CALL_RETRIES = { attempts: 10, base: 1_000, cap: 600_000 };

/** How a job of that data is tried again: as its route says, where it has one. */
export function retriesOf(config: Config, data: unknown): { base: number; cap: number } {
  const name = (data as { route?: string } | undefined)?.route;
  return config.routes.find((route) => route.name === name)?.retries ?? CALL_RETRIES;
}
