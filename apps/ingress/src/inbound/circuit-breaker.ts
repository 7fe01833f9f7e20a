/**
 * Keeps a CRM that does not answer from costing every caller the deadline.
 *
 * closed     every look-up asks; three failures in a row, or one that means a broken connection, open it
 * open       no look-up asks, for 5 s, twice as long after each failed trial, at most a minute
 * trial      then one look-up asks while its caller is answered without it: success closes it, failure opens it again
 */
import { Failure, type FailureCode } from '@wrapup/destination';

/**
 * What a failure means for the CRM: `broken` until an operator fixes it, `ailing` for this time. Other failures mean
 * nothing for it: quota recovers by itself, our own mistakes fail fast.
 */
const MEANING: Partial<Record<FailureCode, 'broken' | 'ailing'>> = {
  unauthorized: 'broken',
  missing_scope: 'broken',
  daily_limit: 'broken',
  unavailable: 'ailing',
  timeout: 'ailing',
  network: 'ailing',
  unaccounted: 'ailing',
};

const MAX_FAILURES_IN_A_ROW = 3;
const FIRST_PAUSE_MS = 5_000;
const MAX_PAUSE_MS = 60_000;

export type BreakerVerdict = 'ask' | 'try' | 'leave';

export class CircuitBreaker {
  readonly #now: () => number;
  #failures = 0;
  #pause = FIRST_PAUSE_MS;
  /** When the next trial may be made, once open. */
  #openUntil: number | undefined;
  #trying = false;

  /** @param now milliseconds on a clock that only goes forward */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get open(): boolean {
    return this.#openUntil !== undefined;
  }

  /** Whether the CRM may be asked. After `try`, `succeeded` or `failed` with `trial` must follow. */
  ask(): BreakerVerdict {
    if (this.#openUntil === undefined) return 'ask';
    if (this.#trying || this.#now() < this.#openUntil) return 'leave';
    this.#trying = true;
    return 'try';
  }

  succeeded(): void {
    this.#failures = 0;
    this.#pause = FIRST_PAUSE_MS;
    this.#openUntil = undefined;
    this.#trying = false;
  }

  /** @param trial whether `ask` returned `try` for it */
  failed(thrown: unknown, trial: boolean): void {
    const meaning = thrown instanceof Failure ? MEANING[thrown.code] : undefined;
    if (trial) this.#trying = false;
    if (!meaning) return;
    this.#failures += 1;
    // Look-ups that were under way when it opened add nothing new.
    if (this.open && !trial) return;
    if (!this.open && meaning === 'ailing' && this.#failures < MAX_FAILURES_IN_A_ROW) return;
    if (trial) this.#pause = Math.min(MAX_PAUSE_MS, this.#pause * 2);
    this.#openUntil = this.#now() + this.#pause;
  }
}
