/** Bytes of bodies in memory, of all requests together, with a limit, so that no burst can exhaust the process. */
export class InFlight {
  readonly limit: number;
  #used = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  open(): Share {
    return new Share(this);
  }

  /** @returns false when that would exceed the limit; nothing is taken then */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.limit) return false;
    this.#used += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#used -= bytes;
  }
}

/** What one request holds. It counts bytes that came, not bytes announced: announcing costs a stranger nothing. */
export class Share {
  readonly #all: InFlight;
  #bytes = 0;

  constructor(all: InFlight) {
    this.#all = all;
  }

  take(bytes: number): boolean {
    if (!this.#all.take(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  release(): void {
    this.#all.giveBack(this.#bytes);
    this.#bytes = 0;
  }
}
