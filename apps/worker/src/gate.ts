/**
 * Who may ask one source's API now. So many questions are under way at a time, and none while the API has said that it
 * cannot answer: whoever is turned away comes again later and holds no place in the queue meanwhile.
 */

/** Questions under way per source and process: an API that hangs must not take every place of the queue. */
const AT_ONCE = 8;
/** Milliseconds after which somebody who found no place comes again, at least and at most. */
const CROWDED = [200, 3_000] as const;

export class Gate {
  #under_way = 0;
  #shut_until = 0;

  /** Milliseconds to wait; 0 when the question may be asked, which `leave` must follow. */
  enter(now = Date.now(), random = Math.random): number {
    if (this.#shut_until > now) return this.#shut_until - now + spread(CROWDED[0], random);
    if (this.#under_way >= AT_ONCE) return CROWDED[0] + spread(CROWDED[1] - CROWDED[0], random);
    this.#under_way += 1;
    return 0;
  }

  leave(): void {
    this.#under_way -= 1;
  }

  /** Nobody asks for so many ms. */
  shut(ms: number, now = Date.now()): void {
    this.#shut_until = Math.max(this.#shut_until, now + ms);
  }
}

function spread(ms: number, random: () => number): number {
  return Math.round(random() * ms);
}
