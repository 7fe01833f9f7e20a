/**
 * Limits the requests of this process to one source's API: so many under way at once, and none for a while after the API
 * has refused one. A call that is turned away comes again later and holds no place in the queue meanwhile.
 */

/** Requests under way per source and process: an API that hangs must not take every place of the queue. */
const MAX_UNDER_WAY = 8;
/** Bounds of the wait of a call that found all of them taken. */
const FULL_WAIT_MS = [200, 3_000] as const;
/** Pause after a refusal: the first one, doubled with each further one, at most. */
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;

export class ApiThrottle {
  #underWay = 0;
  #pausedUntil = 0;
  #refusals = 0;

  /** @returns ms to wait; 0 when the request may go, and then `leave` must follow it */
  enter(now = Date.now(), random = Math.random): number {
    const [least, most] = FULL_WAIT_MS;
    if (this.#pausedUntil > now) return this.#pausedUntil - now + spread(least, random);
    if (this.#underWay >= MAX_UNDER_WAY) return least + spread(most - least, random);
    this.#underWay += 1;
    return 0;
  }

  leave(): void {
    this.#underWay -= 1;
  }

  /** The API answered: the next pause is short again. */
  answered(): void {
    this.#refusals = 0;
  }

  /** The API refused a request. @param asked ms that it asked for; without them the pause grows with each refusal */
  pause(asked?: number, now = Date.now()): void {
    // Requests that were under way when the pause began add nothing.
    const already = this.#pausedUntil > now;
    if (asked === undefined && already) return;
    const grown = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#refusals, 10));
    if (!already) this.#refusals += 1;
    this.#pausedUntil = Math.max(this.#pausedUntil, now + (asked ?? grown));
  }
}

function spread(ms: number, random: () => number): number {
  return Math.round(random() * ms);
}
