/**
 * Slows guessing. Wrong passwords are counted per address, and over all addresses together with ten times the room; who
 * has used up an allowance is not listened to until it has refilled, right password or not, since an answer to the
 * right one would tell.
 */
export interface AttemptLimits {
  /** Wrong passwords in a row before an address has to wait. */
  burst: number;
  /** Milliseconds after which one more is allowed. */
  refill: number;
}

export const DEFAULT_LIMITS: AttemptLimits = { burst: 10, refill: 6_000 };

/** How much more all addresses together may try than one. */
const EVERYBODY = 10;
/** Addresses remembered. Beyond it the ones seen longest ago are forgotten; the count of everybody stays. */
const REMEMBERED = 10_000;

interface Allowance {
  left: number;
  at: number;
}

export class Attempts {
  readonly #limits: AttemptLimits;
  readonly #now: () => number;
  readonly #byAddress = new Map<string, Allowance>();
  readonly #everybody: Allowance;

  constructor(limits: AttemptLimits = DEFAULT_LIMITS, now: () => number = Date.now) {
    this.#limits = limits;
    this.#now = now;
    this.#everybody = { left: limits.burst * EVERYBODY, at: now() };
  }

  /** Milliseconds until this address is listened to again; 0 when it is now. */
  wait(address: string): number {
    const { burst, refill } = this.#limits;
    const one = this.#byAddress.get(address);
    return Math.max(
      one ? this.#waitFor(one, burst, refill) : 0,
      this.#waitFor(this.#everybody, burst * EVERYBODY, refill / EVERYBODY),
    );
  }

  /** Notes a wrong password. */
  failed(address: string): void {
    const { burst, refill } = this.#limits;
    const one = this.#byAddress.get(address) ?? { left: burst, at: this.#now() };
    this.#take(one, burst, refill);
    this.#take(this.#everybody, burst * EVERYBODY, refill / EVERYBODY);
    this.#byAddress.delete(address);
    this.#byAddress.set(address, one);
    const oldest = this.#byAddress.size > REMEMBERED ? this.#byAddress.keys().next().value : undefined;
    if (oldest !== undefined) this.#byAddress.delete(oldest);
  }

  /** A right password clears the address. */
  succeeded(address: string): void {
    this.#byAddress.delete(address);
  }

  #left(allowance: Allowance, burst: number, refill: number): number {
    return Math.min(burst, allowance.left + (this.#now() - allowance.at) / refill);
  }

  #waitFor(allowance: Allowance, burst: number, refill: number): number {
    const left = this.#left(allowance, burst, refill);
    return left >= 1 ? 0 : Math.ceil((1 - left) * refill);
  }

  #take(allowance: Allowance, burst: number, refill: number): void {
    allowance.left = Math.max(0, this.#left(allowance, burst, refill) - 1);
    allowance.at = this.#now();
  }
}
