/**
 * Keeps a CRM that does not answer from costing every caller the deadline.
 *
 * closed     everybody asks; three failures in a row, or one that says the connection itself is broken, open it
 * open       nobody asks, for 5 s, twice as long after each trial that failed, at most a minute
 * trial      after that one asks, behind its caller's back: success closes it, failure opens it again
 */
import { Failure, type FailureCode } from '@wrapup/destination';

/**
 * What a failure says of the CRM: `broken` that it answers nobody until somebody mends it, `ailing` that it did not
 * answer this time; what is not here says nothing of it (quota waits by itself, our own mistakes fail fast).
 */
const SAYS: Partial<Record<FailureCode, 'broken' | 'ailing'>> = {
  unauthorized: 'broken',
  missing_scope: 'broken',
  daily_limit: 'broken',
  unavailable: 'ailing',
  timeout: 'ailing',
  network: 'ailing',
  unaccounted: 'ailing',
};

const IN_A_ROW = 3;
const FIRST_PAUSE = 5_000;
const LONGEST_PAUSE = 60_000;

export type Leave = 'ask' | 'try' | 'leave';

export class Circuit {
  readonly #now: () => number;
  #failures = 0;
  #pause = FIRST_PAUSE;
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
  ask(): Leave {
    if (this.#openUntil === undefined) return 'ask';
    if (this.#trying || this.#now() < this.#openUntil) return 'leave';
    this.#trying = true;
    return 'try';
  }

  succeeded(): void {
    this.#failures = 0;
    this.#pause = FIRST_PAUSE;
    this.#openUntil = undefined;
    this.#trying = false;
  }

  /** @param trial this was the one that `ask` let try */
  failed(thrown: unknown, trial: boolean): void {
    const says = thrown instanceof Failure ? SAYS[thrown.code] : undefined;
    if (trial) this.#trying = false;
    if (!says) return;
    this.#failures += 1;
    // Others that were on their way when it opened say nothing new.
    if (this.open && !trial) return;
    if (!this.open && says === 'ailing' && this.#failures < IN_A_ROW) return;
    if (trial) this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2);
    this.#openUntil = this.#now() + this.#pause;
  }
}
