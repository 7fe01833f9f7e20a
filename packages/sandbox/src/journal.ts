/**
 * What really happened to the account's data, in order and never rewritten. A client's answer can be lost or made up by
 * a fault; this tells what took effect.
 */
export type Effect =
  | 'created'
  | 'updated'
  | 'archived'
  | 'merged'
  | 'associated'
  | 'dissociated'
  | 'property_created'
  | 'property_changed';

export interface JournalEntry {
  n: number;
  /** ISO 8601. */
  at: string;
  effect: Effect;
  object: string;
  /** Record id, or the property's name. */
  id: string;
  /** Names of the properties that the write named. */
  properties?: string[];
  /** Values of the record's unique properties, by which a record is recognised across attempts. */
  unique?: Record<string, string>;
  /** The other end of a link. */
  to?: { object: string; id: string };
  /** Number of the request that did it; absent for seeded data. */
  request?: number;
}

export class Journal {
  readonly entries: JournalEntry[] = [];
  #request: number | undefined;

  add(entry: Omit<JournalEntry, 'n' | 'at' | 'request'>): void {
    this.entries.push({
      n: this.entries.length + 1,
      at: new Date().toISOString(),
      ...entry,
      ...(this.#request !== undefined && { request: this.#request }),
    });
  }

  /** Notes whatever the work does as done by that request. The work must be synchronous. */
  during<T>(request: number, work: () => T): T {
    this.#request = request;
    try {
      return work();
    } finally {
      this.#request = undefined;
    }
  }
}
