/**
 * Who may ask one source's API now. So many questions are under way at a time, and none while the API has said that it
 * cannot answer: whoever is turned away comes again later and holds no place in the queue meanwhile.
 */

/** Questions under way per source and process: an API that hangs must not take every place of the queue. */
const AT_ONCE = 8;
/** Milliseconds after which somebody who found no place comes again, at least and at most. */
const CROWDED = [200, 3_000] as const;
/** Milliseconds that an API is left alone after it said no: at first, and at most, twice as long each time. */
const FIRST_SHUT = 1_000;
const LONGEST_SHUT = 30_000;

export class Gate {
  #under_way = 0;
  #shut_until = 0;
  #failures = 0;

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

  /** The API answered: whatever was wrong is over. */
  opened(): void {
    this.#failures = 0;
  }

  /** The API cannot answer: nobody asks for a while, longer each time, or for as long as it said (ms). */
  shut(asked?: number, now = Date.now()): void {
    // Others that were under way when it was shut say nothing new.
    const already = this.#shut_until > now;
    if (asked === undefined && already) return;
    const grown = Math.min(LONGEST_SHUT, FIRST_SHUT * 2 ** Math.min(this.#failures, 10));
    if (!already) this.#failures += 1;
    this.#shut_until = Math.max(this.#shut_until, now + (asked ?? grown));
  }
}

function spread(ms: number, random: () => number): number {
  return Math.round(random() * ms);
}
