/**
 * Reads in which every id is accounted for: found, missing, or failed. "Missing" is said only where HubSpot answered
 * and the record was not there; whatever else went wrong is a failure.
 */
import { asObject, chunk } from '@wrapup/destination/delivery';
import { BATCH, readRecords } from './client/api.ts';
import { asHubSpotFailure, failureOf, HubSpotFailure } from './errors/classify.ts';
import { itemStatus, readVendorError } from './errors/vendor-error.ts';
import type { Session } from './session.ts';

export interface CrmRecord {
  id: string;
  properties: Record<string, string | null>;
}

export interface Reading {
  /** By the id that was asked for, which a merged record may no longer have. */
  found: Map<string, CrmRecord>;
  missing: Set<string>;
  failed: Map<string, HubSpotFailure>;
}

/**
 * Properties that tell which of the asked records an answer is. HubSpot finds a contact by an additional address too,
 * and answers with the main one.
 */
const IDENTITY: Record<string, string[]> = {
  id: ['hs_merged_object_ids'],
  email: ['email', 'hs_additional_emails'],
};

/**
 * Reads records by id, or by the unique property `by`. Never rejects.
 * @param plansOf numbers of the plans that need an id
 */
export async function readMany(
  session: Session,
  object: string,
  ids: Iterable<string>,
  properties: string[],
  plansOf: (id: string) => number[],
  by?: string,
): Promise<Reading> {
  const reading: Reading = { found: new Map(), missing: new Set(), failed: new Map() };
  const wanted = [...new Set([...properties, ...(IDENTITY[by ?? 'id'] ?? [by ?? ''])])];
  for (const batch of chunk([...new Set(ids)], BATCH))
    await readBatch(session, object, batch, wanted, plansOf, by, reading);
  return reading;
}

async function readBatch(
  session: Session,
  object: string,
  ids: string[],
  properties: string[],
  plansOf: (id: string) => number[],
  by: string | undefined,
  into: Reading,
  second = false,
): Promise<void> {
  try {
    const answer = await session.send(readRecords(object, ids, properties, by), ids.flatMap(plansOf));
    const body = asObject(answer.body);
    const results = body.results;
    if (!Array.isArray(results)) throw unaccounted(object);
    const errors = Array.isArray(body.errors) ? body.errors : [];
    if (results.length === 0 && errors.length === 0 && !second)
      // HubSpot lists the ids it does not find. An answer that says nothing at all is asked for once more.
      return await readBatch(session, object, ids, properties, plansOf, by, into, true);
    const open = new Set(ids);
    for (const item of results) {
      const record = toRecord(item);
      if (!record.id) continue;
      // Two ids may mean one record, which is answered once.
      const asked = [...open].filter((id) => isAsked(record, id, by));
      for (const id of asked.length === 0 && ids.length === 1 ? ids : asked) {
        open.delete(id);
        into.found.set(id, record);
      }
    }
    for (const item of errors) {
      const error = readVendorError(itemStatus(item), item);
      if (error.status === 404) continue;
      const failure = failureOf(error, { doing: `read ${object}`, sent: by === undefined ? [] : ids });
      const named = [...open].filter((id) => error.ids.includes(id));
      for (const id of named.length > 0 ? named : open) {
        open.delete(id);
        into.failed.set(id, failure);
      }
    }
    for (const id of open) into.missing.add(id);
  } catch (thrown) {
    const failure = asHubSpotFailure(thrown);
    const refused = failure.vendor !== undefined && failure.vendor.status < 409 && failure.vendor.status >= 400;
    if (ids.length > 1 && refused && failure.code !== 'unauthorized' && failure.code !== 'missing_scope') {
      const middle = Math.ceil(ids.length / 2);
      await readBatch(session, object, ids.slice(0, middle), properties, plansOf, by, into);
      await readBatch(session, object, ids.slice(middle), properties, plansOf, by, into);
      return;
    }
    if (failure.code === 'gone' && ids[0] !== undefined) into.missing.add(ids[0]);
    else for (const id of ids) into.failed.set(id, failure);
  }
}

export function toRecord(item: unknown): CrmRecord {
  const record = asObject(item);
  return {
    id: record.id === undefined ? '' : String(record.id),
    properties: asObject(record.properties) as Record<string, string | null>,
  };
}

function isAsked(record: CrmRecord, asked: string, by: string | undefined): boolean {
  if (by === undefined) return record.id === asked || listOf(record.properties.hs_merged_object_ids).includes(asked);
  if (by === 'email') return hasEmail(record, asked);
  return record.properties[by] === asked;
}

/** True when the address is the record's own or one of its additional ones. */
function hasEmail(record: CrmRecord, email: string): boolean {
  const own = [record.properties.email ?? '', ...listOf(record.properties.hs_additional_emails)];
  return own.some((address) => address.toLowerCase() === email);
}

/** HubSpot writes several values of one property with semicolons between them. */
function listOf(value: string | null | undefined): string[] {
  return (value ?? '')
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

export function unaccounted(object: string): HubSpotFailure {
  return new HubSpotFailure('unaccounted', `read ${object}: HubSpot answered a success without a result.`, {
    hint: 'The look-up is tried again by itself; nobody is created on a failed look-up.',
  });
}
