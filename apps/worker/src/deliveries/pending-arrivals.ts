/**
 * Who else is on the way to a connection. A batch that leaves a moment before the next call joins it costs the CRM's
 * limits as much as one that took it along; a call that waits for nobody loses time. So it is counted who is coming: calls
 * that are being read, of which nobody knows yet where they go; deliveries that have just been given a job; and deliveries
 * that have no plan yet.
 */

/** Ms that a delivery is expected here after it got its job: by then another worker has it, or this one is far behind. */
const EXPECTED = 300;

/** A call that is being read. */
export interface Reading {
  /** One of its deliveries is given a job now. */
  sends(connection: string): void;
  /** It got to its routes, or will not for now. May be called more than once. */
  ends(): void;
}

export class Coming {
  #calls = 0;
  readonly #deliveries = new Map<string, number>();
  /** Of each connection, what ends the expectation of each delivery that was given a job here, oldest first. */
  readonly #expected = new Map<string, Set<() => void>>();

  /** One call is being read. */
  call(): Reading {
    this.#calls += 1;
    return {
      sends: (connection) => this.#expect(connection),
      ends: once(() => {
        this.#calls -= 1;
      }),
    };
  }

  /** One delivery is being planned. @returns what to call, once or more often, when it has its plan or will have none */
  delivery(connection: string): () => void {
    const [arrives] = this.#expected.get(connection) ?? [];
    arrives?.();
    this.#add(connection, 1);
    return once(() => this.#add(connection, -1));
  }

  /** How many may still come to this connection. */
  to(connection: string): number {
    return this.#calls + (this.#deliveries.get(connection) ?? 0) + (this.#expected.get(connection)?.size ?? 0);
  }

  #expect(connection: string): void {
    const expected = this.#expected.get(connection) ?? new Set();
    this.#expected.set(connection, expected);
    const arrives = () => {
      clearTimeout(timer);
      expected.delete(arrives);
    };
    const timer = setTimeout(arrives, EXPECTED);
    timer.unref();
    expected.add(arrives);
  }

  #add(connection: string, change: number): void {
    this.#deliveries.set(connection, (this.#deliveries.get(connection) ?? 0) + change);
  }
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}
