/** Records as answers show them. */
import type { ObjectType } from '../schema/object-types.ts';
import type { HubSpotSchema } from '../schema/schema.ts';
import type { HubSpotRecord } from './records.ts';

interface Shown {
  id: string;
  properties: ReadonlyMap<string, string>;
  createdAt: Date;
  updatedAt: Date;
  archivedAt?: Date;
}

function recordJson(record: Shown, properties: Record<string, string | null>): Record<string, unknown> {
  return {
    id: record.id,
    properties,
    createdAt: record.createdAt.toISOString(),
    updatedAt: record.updatedAt.toISOString(),
    archived: record.archivedAt !== undefined,
    ...(record.archivedAt && { archivedAt: record.archivedAt.toISOString() }),
  };
}

/** A record as a write answers it: everything that it holds. */
export function writtenJson(record: HubSpotRecord): Record<string, unknown> {
  return recordJson(record, Object.fromEntries(record.properties));
}

/**
 * A record as a read answers it: the properties asked for, null where they are empty, and three that always come. Names
 * that the account does not know are left out without a word.
 */
export function readJson(
  schema: HubSpotSchema,
  type: ObjectType,
  record: Shown,
  asked: string[],
): Record<string, unknown> {
  const names = asked.length > 0 ? [...asked, type.created, type.modified, 'hs_object_id'] : type.shown;
  const known = names.filter((name) => schema.property(type, name) !== undefined);
  return recordJson(record, Object.fromEntries(known.map((name) => [name, record.properties.get(name) ?? null])));
}
