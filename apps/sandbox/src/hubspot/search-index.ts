/**
 * What search sees: every record as it was some time ago. A write shows only after the lag, an archived record is found
 * until then, and a hit carries the values of its indexed state.
 */
import { getOrAdd } from '../get-or-add.ts';
import type { ObjectType } from './object-types.ts';
import type { StoredRecord } from './records.ts';

export interface IndexedRecord {
  id: string;
  properties: ReadonlyMap<string, string>;
  createdAt: Date;
  updatedAt: Date;
}

interface Change {
  at: number;
  record: StoredRecord;
  /** Null: gone. */
  state: IndexedRecord | null;
}

/** Changes that wait to be seen, while nobody searches. */
const MOST_PENDING = 50_000;

export class SearchIndex {
  readonly #indexed = new Map<string, Map<string, IndexedRecord>>();
  /** In the order of writing. */
  #pending: Change[] = [];

  note(record: StoredRecord): void {
    if (this.#pending.length >= MOST_PENDING) this.#settle(MOST_PENDING / 2);
    const { id, createdAt, updatedAt, archivedAt } = record;
    const state = archivedAt ? null : { id, properties: new Map(record.properties), createdAt, updatedAt };
    this.#pending.push({ at: performance.now(), record, state });
  }

  /** @param lag milliseconds */
  visible(type: ObjectType, lag: number): IndexedRecord[] {
    const until = performance.now() - lag;
    const ready = this.#pending.findIndex((change) => change.at > until);
    this.#settle(ready === -1 ? this.#pending.length : ready);
    return [...(this.#indexed.get(type.id)?.values() ?? [])];
  }

  #settle(count: number): void {
    for (const { record, state } of this.#pending.splice(0, count)) {
      const ofType = getOrAdd(this.#indexed, record.type.id, () => new Map<string, IndexedRecord>());
      if (state) ofType.set(record.id, state);
      else ofType.delete(record.id);
    }
  }
}
