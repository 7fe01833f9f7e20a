/**
 * How many plans are on their way to the batcher of a connection, in this process: calls that are being read, whose routes
 * are not known yet; deliveries that have just been enqueued; and deliveries that are being planned. A batch that waits
 * for them saves requests; one that waits for none loses no time.
 */

/** A delivery is expected for so long after it was enqueued: by then another process has it, or this one is far behind. */
const EXPECTED_MS = 300;

/** A call that is being read. */
export interface PendingCall {
  /** Its routes are known: from now on its deliveries are expected instead of it. @param connections one for each delivery */
  routed(connections: readonly string[]): void;
  /** It is not waited for any more. Further calls do nothing. */
  ends(): void;
}

export class PendingArrivals {
  #calls = 0;
  /** Deliveries that are being planned, by connection. */
  readonly #planned = new Map<string, number>();
  /** By connection, what ends the expectation of each enqueued delivery, oldest first. */
  readonly #expected = new Map<string, Set<() => void>>();

  /** Counts a call that is being read. */
  call(): PendingCall {
    this.#calls += 1;
    const ends = once(() => {
      this.#calls -= 1;
    });
    return {
      routed: (connections) => {
        for (const connection of connections) this.#expect(connection);
        ends();
      },
      ends,
    };
  }

  /** Counts a delivery that is being planned. @returns ends that; further calls of it do nothing */
  delivery(connection: string): () => void {
    const [arrives] = this.#expected.get(connection) ?? [];
    arrives?.();
    this.#plan(connection, 1);
    return once(() => this.#plan(connection, -1));
  }

  /** Plans that may still come to a connection. */
  count(connection: string): number {
    return this.#calls + (this.#planned.get(connection) ?? 0) + (this.#expected.get(connection)?.size ?? 0);
  }

  #expect(connection: string): void {
    const expected = this.#expected.get(connection) ?? new Set();
    this.#expected.set(connection, expected);
    const arrives = () => {
      clearTimeout(timer);
      expected.delete(arrives);
    };
    const timer = setTimeout(arrives, EXPECTED_MS);
    timer.unref();
    expected.add(arrives);
  }

  #plan(connection: string, change: number): void {
    this.#planned.set(connection, (this.#planned.get(connection) ?? 0) + change);
  }
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}
