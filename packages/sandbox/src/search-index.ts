/**
 * What search sees: every record as it was some time ago. A write shows only after the lag, a record that is gone is
 * found until then, and a hit carries the values of its indexed state.
 */
import { getOrAdd } from './get-or-add.ts';

interface Change<State> {
  at: number;
  type: string;
  id: string;
  /** Null: gone. */
  state: State | null;
}

/** Changes that wait to be seen, while no search comes. */
const MOST_PENDING = 50_000;

export class SearchIndex<State> {
  readonly #indexed = new Map<string, Map<string, State>>();
  /** In the order of writing. */
  #pending: Change<State>[] = [];

  /** @param state the record as it is now, not to be changed later; null when it is gone */
  note(type: string, id: string, state: State | null): void {
    if (this.#pending.length >= MOST_PENDING) this.#settle(MOST_PENDING / 2);
    this.#pending.push({ at: performance.now(), type, id, state });
  }

  /** @param lag milliseconds */
  visible(type: string, lag: number): State[] {
    const until = performance.now() - lag;
    const ready = this.#pending.findIndex((change) => change.at > until);
    this.#settle(ready === -1 ? this.#pending.length : ready);
    return [...(this.#indexed.get(type)?.values() ?? [])];
  }

  #settle(count: number): void {
    for (const { type, id, state } of this.#pending.splice(0, count)) {
      const ofType = getOrAdd(this.#indexed, type, () => new Map<string, State>());
      if (state) ofType.set(id, state);
      else ofType.delete(id);
    }
  }
}
