/**
 * Rows that a write holds while it runs: the record itself and its parents. Another write that needs one of them waits at
 * the vendor for ten seconds and is then refused; here it is refused at once, where the settings say so.
 * https://help.salesforce.com/s/articleView?id=005226737&type=1
 */
export class Locks {
  readonly #held = new Map<string, number>();

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

  release(request: number): void {
    for (const [id, holder] of this.#held) if (holder === request) this.#held.delete(id);
  }
}
