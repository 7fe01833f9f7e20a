/**
 * Rows that a write holds while it runs: the record itself and its parents. Another write that needs one of them waits for
 * ten seconds at most and is then refused; where the settings say so it is refused at once.
 * https://help.salesforce.com/s/articleView?id=005226737&type=1
 */

/** Longest that a write waits for rows which another one holds. */
export const LOCK_WAIT_MS = 10_000;

export class Locks {
  readonly #held = new Map<string, number>();
  #waiting: (() => void)[] = [];

  /** @returns those that another request holds */
  hold(request: number, ids: Iterable<string>): Set<string> {
    const taken = new Set<string>();
    for (const id of ids) {
      const holder = this.#held.get(id);
      if (holder === undefined) this.#held.set(id, request);
      else if (holder !== request) taken.add(id);
    }
    return taken;
  }

  /** Gives back what the request holds; those that wait look again, in the order in which they came. */
  release(request: number): void {
    if (!this.#drop(request)) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Until a request gives back what it held, for so many ms at most, without what was held in vain. */
  async wait(request: number, ms: number): Promise<void> {
    // It was taken a moment ago: nothing has met it.
    this.#drop(request);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** @returns whether it held any */
  #drop(request: number): boolean {
    const before = this.#held.size;
    for (const [id, holder] of this.#held) if (holder === request) this.#held.delete(id);
    return this.#held.size < before;
  }
}
