import { HttpProblem } from '../http/http-problem.ts';

/**
 * A queue of turns, one at a time. Large bodies are parsed and stored in turn: each takes several times its size for a
 * moment, and between two of them other requests are served. Those of one call are received in turn, too
 * (`InFlight.place`).
 */
export class Turns {
  readonly #why: string;
  #taken = false;
  readonly #waiting = new Set<() => void>();

  /** @param why detail of the problem for a turn that takes too long */
  constructor(why: string) {
    this.#why = why;
  }

  get idle(): boolean {
    return !this.#taken && this.#waiting.size === 0;
  }

  /**
   * Waits for a turn.
   * @param within ms
   * @returns ends the turn; must be called
   * @throws HttpProblem `busy` when it takes longer
   */
  take(within: number): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        clearTimeout(timer);
        this.#waiting.delete(begin);
        this.#taken = true;
        resolve(() => this.#next());
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(begin);
        reject(new HttpProblem('busy', this.#why));
      }, within);
      if (this.#taken) this.#waiting.add(begin);
      else begin();
    });
  }

  #next(): void {
    this.#taken = false;
    const [next] = this.#waiting;
    next?.();
  }
}
