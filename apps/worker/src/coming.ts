/**
 * Who else is on the way to a connection. A batch that leaves a moment before the next call joins it costs the CRM's
 * limits as much as one that took it along; a call that waits for nobody loses time. So it is counted who is coming: calls
 * that are being read, of which nobody knows yet where they go, and deliveries that have no plan yet.
 */
export class Coming {
  #calls = 0;
  readonly #deliveries = new Map<string, number>();

  /** One call is being read. @returns what to call, once or more often, when it got to its routes or will not for now */
  call(): () => void {
    this.#calls += 1;
    return once(() => {
      this.#calls -= 1;
    });
  }

  /** One delivery is being planned. @returns what to call, once or more often, when it has its plan or will have none */
  delivery(connection: string): () => void {
    this.#add(connection, 1);
    return once(() => this.#add(connection, -1));
  }

  /** How many may still come to this connection. */
  to(connection: string): number {
    return this.#calls + (this.#deliveries.get(connection) ?? 0);
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
