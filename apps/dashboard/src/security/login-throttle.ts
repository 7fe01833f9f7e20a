import { clientAddress, type Logger, LogThrottle, networkOf } from '@wrapup/telemetry';
import type { Request } from 'express';

/**
 * Slows guessing by address. Each wrong password doubles the delay of the next answer to that address, up to two
 * seconds; the right one is delayed alike and always taken, so that an attacker cannot lock an operator out. Guesses
 * from many addresses or over many connections are hardly slowed: against those the length of the password has to hold.
 */
const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 2_000;
/** After this long without a wrong password an address starts afresh. */
const FORGET_AFTER_MS = 15 * 60_000;
/** Bound of the table: some 2 MB. Beyond it the address that failed longest ago is forgotten. */
const MAX_ADDRESSES = 10_000;

interface Failures {
  count: number;
  /** Epoch ms of the last one. */
  at: number;
}

export class LoginThrottle {
  readonly #now: () => number;
  /** In the order of the last failure. */
  readonly #failures = new Map<string, Failures>();

  /** @param now epoch ms */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Addresses remembered. */
  get size(): number {
    return this.#failures.size;
  }

  /** Milliseconds by which the answer to an attempt is delayed: 0 to 2,000. */
  delay(address: string): number {
    const count = this.#countOf(address);
    return count === 0 ? 0 : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (count - 1));
  }

  /** Notes a wrong password. */
  failed(address: string): void {
    const count = this.#countOf(address) + 1;
    this.#failures.delete(address);
    this.#failures.set(address, { count, at: this.#now() });
    const oldest = this.#failures.size > MAX_ADDRESSES ? this.#failures.keys().next().value : undefined;
    if (oldest !== undefined) this.#failures.delete(oldest);
  }

  /** A right password clears the address. */
  succeeded(address: string): void {
    this.#failures.delete(address);
  }

  #countOf(address: string): number {
    const failures = this.#failures.get(address);
    return failures && this.#now() - failures.at < FORGET_AFTER_MS ? failures.count : 0;
  }
}

/** Least distance of two log lines on one network, which an attacker would otherwise make by the thousand. */
const LOG_EVERY_MS = 1_000;

/** Logs that a sign-in failed, with its address. */
export type LogFailure = (request: Request, text: string, fields?: { err: unknown }) => void;

export function makeLogFailure(log: Logger): LogFailure {
  const throttle = new LogThrottle(LOG_EVERY_MS);
  return (request, text, fields) => {
    const address = clientAddress(request);
    const left_out = throttle.admit(networkOf(address));
    if (left_out !== undefined) log.warn({ address, ...fields, ...(left_out > 0 && { left_out }) }, text);
  };
}
