import type { Logger } from './logger.ts';

/** Kinds of lines remembered; more are only made by a mistake, and then all begin anew. */
const MOST = 1_000;

/**
 * Lets through one of a kind, then none for a while: for log lines that an outage or a stranger could otherwise make by
 * the thousand.
 */
export class Sparingly {
  readonly #every: number;
  readonly #seen = new Map<string, { at: number; left_out: number }>();

  /** @param every milliseconds between two of a kind */
  constructor(every: number) {
    this.#every = every;
  }

  /** @returns how many of this kind were left out since the last one; undefined when this one is to be left out too */
  admit(kind: string): number | undefined {
    const now = performance.now();
    const seen = this.#seen.get(kind);
    if (seen && now - seen.at < this.#every) {
      seen.left_out += 1;
      return undefined;
    }
    if (this.#seen.size >= MOST) this.#seen.clear();
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
  const sparingly = new Sparingly(every);
  return (error) => {
    const left_out = sparingly.admit(error.message);
    if (left_out !== undefined) log.warn({ err: error, ...(left_out > 0 && { left_out }) }, what);
  };
}
