/**
 * How many plans are on their way to the batcher of a connection, in this process: calls that are being read, whose routes
 * are not known yet; deliveries that have just been enqueued; and deliveries that are being planned. A batch that waits
 * for them saves requests; one that waits for none loses no time. Calls of one client never become deliveries of another, so
 * none waits for them.
 */
import { clientOf } from '@wrapup/call';

/** A delivery is expected for so long after it was enqueued: by then another process has it, or this one is far behind. */
const EXPECTED_MS = 300;

/** A call that is being read. */
export interface PendingCall {
  /**
   * Its routes are known: from now on its deliveries are expected instead of it.
   * @param connections one for each delivery
   * @returns ends that for those that have not come
   */
  routed(connections: readonly string[]): () => void;
  /** It is not waited for any more. Further calls do nothing. */
  ends(): void;
}

export class PendingArrivals {
  /** Calls that are being read, by client; those of wrapup.yaml itself under undefined. */
  readonly #calls = new Map<string | undefined, number>();
  /** Deliveries that are being planned, by connection. */
  readonly #planned = new Map<string, number>();
  /** By connection, what ends the expectation of each enqueued delivery, oldest first. */
  readonly #expected = new Map<string, Set<() => void>>();

  /** Counts a call of a source that is being read. */
  call(source: string): PendingCall {
    const client = clientOf(source);
    change(this.#calls, client, 1);
    const ends = once(() => change(this.#calls, client, -1));
    return {
      routed: (connections) => {
        const arrivals = connections.map((connection) => this.#expect(connection));
        ends();
        return () => {
          for (const arrives of arrivals) arrives();
        };
      },
      ends,
    };
  }

  /** Counts a delivery that is being planned. @returns ends that; further calls of it do nothing */
  delivery(connection: string): () => void {
    const [arrives] = this.#expected.get(connection) ?? [];
    arrives?.();
    change(this.#planned, connection, 1);
    return once(() => change(this.#planned, connection, -1));
  }

  /** Plans that may still come to a connection. */
  count(connection: string): number {
    const calls = this.#calls.get(clientOf(connection)) ?? 0;
    return calls + (this.#planned.get(connection) ?? 0) + (this.#expected.get(connection)?.size ?? 0);
  }

  /** @returns ends the expectation */
  #expect(connection: string): () => void {
    const expected = this.#expected.get(connection) ?? new Set();
    this.#expected.set(connection, expected);
    const arrives = () => {
      clearTimeout(timer);
      expected.delete(arrives);
      if (expected.size === 0 && this.#expected.get(connection) === expected) this.#expected.delete(connection);
    };
    const timer = setTimeout(arrives, EXPECTED_MS);
    timer.unref();
    expected.add(arrives);
    return arrives;
  }
}

/** Adds to a count; one that comes to nothing leaves nothing. */
function change<Key>(counts: Map<Key, number>, key: Key, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}
