/** A record as search sees it. */
import type { HubSpotRecord } from '../records/records.ts';

export interface HubSpotIndexedRecord {
  id: string;
  properties: ReadonlyMap<string, string>;
  createdAt: Date;
  updatedAt: Date;
}

/** The record as it is now; null when it was archived. */
export function indexed({
  id,
  properties,
  createdAt,
  updatedAt,
  archivedAt,
}: HubSpotRecord): HubSpotIndexedRecord | null {
  return archivedAt ? null : { id, properties: new Map(properties), createdAt, updatedAt };
}
