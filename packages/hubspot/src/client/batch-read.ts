/**
 * Reads in which every id is accounted for: found, missing, or failed. "Missing" is said only where HubSpot answered
 * and the record was not there; whatever else went wrong is a failure.
 */

import { chunk, halvesOf } from '@wrapup/destination/engine';
import { asList, asObject } from '@wrapup/destination/http';
import { asHubSpotFailure, failureOf, type HubSpotFailure, unaccounted } from '../errors/classify.ts';
import { itemStatus, readVendorError } from '../errors/vendor-error.ts';
import type { HubSpotSession } from '../session.ts';
import { MAX_BATCH, readRecords } from './api.ts';

export interface CrmRecord {
  id: string;
  properties: Record<string, string | null>;
}

export interface BatchReading {
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

/** What to read, of one object. */
export interface Wanted {
  object: string;
  /** Ids, or values of the unique property `by`. */
  ids: Iterable<string>;
  by?: string;
  properties: string[];
  /** Numbers of the plans that need an id. */
  plansOf(id: string): number[];
}

/** Reads records by id, or by a unique property. Never rejects. */
export async function readMany(
  session: HubSpotSession,
  { ids, by, properties, ...wanted }: Wanted,
): Promise<BatchReading> {
  const names = [...new Set([...properties, ...(IDENTITY[by ?? 'id'] ?? [by ?? ''])])];
  const reading: BatchReading = { found: new Map(), missing: new Set(), failed: new Map() };
  for (const batch of chunk([...new Set(ids)], MAX_BATCH)) {
    const part = await readBatch(session, { ...wanted, properties: names, ...(by === undefined ? {} : { by }) }, batch);
    for (const [id, record] of part.found) reading.found.set(id, record);
    for (const id of part.missing) reading.missing.add(id);
    for (const [id, failure] of part.failed) reading.failed.set(id, failure);
  }
  return reading;
}

async function readBatch(session: HubSpotSession, wanted: Omit<Wanted, 'ids'>, ids: string[]): Promise<BatchReading> {
  const { object, by, properties, plansOf } = wanted;
  const call = readRecords(object, ids, properties, by);
  const plans = ids.flatMap(plansOf);
  try {
    const body = asObject((await session.send(call, plans)).body);
    // HubSpot lists the ids it does not find. An answer that says nothing at all is asked for once more.
    return accountFor(isSilent(body) ? asObject((await session.send(call, plans)).body) : body, wanted, ids);
  } catch (thrown) {
    const failure = asHubSpotFailure(thrown);
    const refused = failure.vendor !== undefined && failure.vendor.status < 409 && failure.vendor.status >= 400;
    if (ids.length > 1 && refused && failure.code !== 'unauthorized' && failure.code !== 'missing_scope') {
      const [first, second] = halvesOf(ids);
      const [one, other] = [await readBatch(session, wanted, first), await readBatch(session, wanted, second)];
      return {
        found: new Map([...one.found, ...other.found]),
        missing: new Set([...one.missing, ...other.missing]),
        failed: new Map([...one.failed, ...other.failed]),
      };
    }
    const isGone = failure.code === 'gone';
    return {
      found: new Map(),
      missing: new Set(isGone ? ids.slice(0, 1) : []),
      failed: new Map(isGone ? [] : ids.map((id) => [id, failure])),
    };
  }
}

function isSilent({ results, errors }: Record<string, unknown>): boolean {
  return Array.isArray(results) && results.length === 0 && asList(errors).length === 0;
}

/** Matches a 2xx body to the ids. @throws HubSpotFailure when it has no results to match */
function accountFor(body: Record<string, unknown>, { object, by }: Omit<Wanted, 'ids'>, ids: string[]): BatchReading {
  if (!Array.isArray(body.results)) throw unaccounted(`read ${object}`);
  const reading: BatchReading = { found: new Map(), missing: new Set(), failed: new Map() };
  const open = new Set(ids);
  for (const item of body.results) {
    const record = toRecord(item);
    if (!record.id) continue;
    // Two ids may mean one record, which is answered once.
    const asked = [...open].filter((id) => isAsked(record, id, by));
    for (const id of asked.length === 0 && ids.length === 1 ? ids : asked) {
      open.delete(id);
      reading.found.set(id, record);
    }
  }
  for (const item of asList(body.errors)) {
    const error = readVendorError(itemStatus(item), item);
    if (error.status === 404) continue;
    const failure = failureOf(error, { doing: `read ${object}`, sent: by === undefined ? [] : ids });
    const named = [...open].filter((id) => error.ids.includes(id));
    for (const id of named.length > 0 ? named : open) {
      open.delete(id);
      reading.failed.set(id, failure);
    }
  }
  for (const id of open) reading.missing.add(id);
  return reading;
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
