import type { Logger } from './logger.ts';

/** Kinds of lines remembered. More come from a mistake only, and then the count starts afresh. */
const MAX_KINDS = 1_000;

/** Lets one line of a kind through, then none for a while: an outage or an attack would otherwise fill the disk. */
export class LogThrottle {
  readonly #every: number;
  readonly #seen = new Map<string, { at: number; left_out: number }>();

  /** @param every milliseconds between two lines of a kind */
  constructor(every: number) {
    this.#every = every;
  }

  /** @returns lines of this kind that were left out since the last one; undefined when this one is left out too */
  admit(kind: string): number | undefined {
    const now = performance.now();
    const seen = this.#seen.get(kind);
    if (seen && now - seen.at < this.#every) {
      seen.left_out += 1;
      return undefined;
    }
    if (this.#seen.size >= MAX_KINDS) this.#seen.clear();
    this.#seen.set(kind, { at: now, left_out: 0 });
    return seen?.left_out ?? 0;
  }
}

/**
 * A listener for the errors of a connection that reconnects by itself: each message is logged at once, then at most
 * every 30 s with the number of those left out.
 * @param what `Redis connection`
 */
export function logConnectionErrors(log: Logger, what: string, every = 30_000): (error: Error) => void {
  const throttle = new LogThrottle(every);
  return (error) => {
    const left_out = throttle.admit(error.message);
    if (left_out !== undefined) log.warn({ err: error, ...(left_out > 0 && { left_out }) }, what);
  };
}
