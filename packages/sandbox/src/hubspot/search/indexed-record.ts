/** A record as search sees it. */
import type { StoredRecord } from '../records/records.ts';

export interface IndexedRecord {
  id: string;
  properties: ReadonlyMap<string, string>;
  createdAt: Date;
  updatedAt: Date;
}

/** The record as it is now; null when it was archived. */
export function indexed({ id, properties, createdAt, updatedAt, archivedAt }: StoredRecord): IndexedRecord | null {
  return archivedAt ? null : { id, properties: new Map(properties), createdAt, updatedAt };
}
