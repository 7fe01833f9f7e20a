/** Reads in which every id is accounted for: found, failed, or certainly not there. */
import {
  askedFor,
  type CrmRow,
  chunk,
  halvesOf,
  type Item,
  type RowAnswer,
  type RowAnswers,
  type RowVerb,
  type RowWriter,
} from '@wrapup/destination/engine';
import { asList, asObject, type RequestFailure } from '@wrapup/destination/http';
import {
  asHubSpotFailure,
  failureOf,
  HubSpotFailure,
  type HubSpotVendorError,
  itemStatus,
  readVendorError,
  unaccounted,
} from '../errors/classify.ts';
import {
  createRecords,
  type HubSpotApiCall,
  type Link,
  MAX_BATCH,
  readRecords,
  type SearchFilter,
  searchBody,
  searchRecords,
  updateRecords,
  upsertRecords,
} from './api.ts';
import { keyProperty } from './definitions.ts';
import { linkType } from './objects.ts';
import type { HubSpotSession } from './transport.ts';

export interface CrmRecord {
  id: string;
  properties: Record<string, string | null>;
}

/**
 * By the id that was asked for, which a merged record may no longer have. An id that is not in it is certainly not there:
 * HubSpot answered, and the record was not among the answers.
 */
type BatchReading = Map<string, CrmRecord | HubSpotFailure>;

/**
 * Properties that tell which of the asked records an answer is. HubSpot finds a contact by an additional address too,
 * and answers with the main one.
 */
const IDENTITY: Record<string, string[]> = {
  id: ['hs_merged_object_ids'],
  email: ['email', 'hs_additional_emails'],
};

/** What to read, of one object. */
interface BatchReadRequest {
  object: string;
  /** Ids, or values of the unique property `by`, and the numbers of the plans that need each. */
  ids: ReadonlyMap<string, readonly number[]>;
  by?: string;
  properties: string[];
}

/** Reads records by id, or by a unique property. Never rejects. */
export async function readMany(session: HubSpotSession, request: BatchReadRequest): Promise<BatchReading> {
  const { ids, by, properties } = request;
  const names = [...new Set([...properties, ...(IDENTITY[by ?? 'id'] ?? [by ?? ''])])];
  const parts = chunk([...ids.keys()], MAX_BATCH);
  const read = await Promise.all(parts.map((part) => readBatch(session, { ...request, properties: names }, part)));
  return new Map(read.flatMap((one) => [...one]));
}

async function readBatch(session: HubSpotSession, request: BatchReadRequest, ids: string[]): Promise<BatchReading> {
  const call = readRecords(request.object, ids, request.properties, request.by);
  const plans = ids.flatMap((id) => request.ids.get(id) ?? []);
  try {
    const body = asObject((await session.send(call, plans)).body);
    // HubSpot lists the ids it does not find. An answer that says nothing at all is asked for once more.
    return accountForReads(isSilent(body) ? asObject((await session.send(call, plans)).body) : body, request, ids);
  } catch (thrown) {
    const failure = asHubSpotFailure(thrown);
    const refused = failure.vendor !== undefined && failure.vendor.status < 409 && failure.vendor.status >= 400;
    if (ids.length > 1 && refused && failure.code !== 'unauthorized' && failure.code !== 'missing_scope') {
      const [first, second] = halvesOf(ids);
      return new Map([...(await readBatch(session, request, first)), ...(await readBatch(session, request, second))]);
    }
    return new Map(failure.code === 'gone' ? [] : ids.map((id) => [id, failure]));
  }
}

function isSilent({ results, errors }: Record<string, unknown>): boolean {
  return Array.isArray(results) && results.length === 0 && asList(errors).length === 0;
}

/** Matches a 2xx body to the ids. @throws HubSpotFailure when it has no results to match */
function accountForReads(body: Record<string, unknown>, { object, by }: BatchReadRequest, ids: string[]): BatchReading {
  if (!Array.isArray(body.results)) throw unaccounted(`read ${object}`);
  const reading: BatchReading = new Map();
  const open = new Set(ids);
  for (const item of body.results) {
    const record = toRecord(item);
    if (!record.id) continue;
    // Two ids may mean one record, which is answered once.
    const asked = [...open].filter((id) => isAsked(record, id, by));
    for (const id of asked.length === 0 && ids.length === 1 ? ids : asked) {
      open.delete(id);
      reading.set(id, record);
    }
  }
  for (const item of asList(body.errors)) {
    const error = readVendorError(itemStatus(item), item);
    if (error.status === 404) continue;
    const failure = failureOf(error, { doing: `read ${object}`, sent: by === undefined ? [] : ids });
    const named = [...open].filter((id) => error.ids.includes(id));
    for (const id of named.length > 0 ? named : open) {
      open.delete(id);
      reading.set(id, failure);
    }
  }
  return reading;
}

/**
 * The results of all pages, each asked for with the cursor of the one before.
 * @returns `whole` is false when there are more than `max_pages`; `total` as the last page says it
 * @throws HubSpotFailure for a page without results
 */
export async function readPages(
  session: HubSpotSession,
  callFor: (after: string | undefined) => HubSpotApiCall,
  plans: number[],
  max_pages: number,
): Promise<{ results: unknown[]; whole: boolean; total: unknown }> {
  const results: unknown[] = [];
  let after: string | undefined;
  for (let page = 0; page < max_pages; page += 1) {
    const call = callFor(after);
    const { results: some, paging, total } = asObject((await session.send(call, plans)).body);
    if (!Array.isArray(some)) throw unaccounted(call.name);
    results.push(...some);
    const next = asObject(asObject(paging).next).after;
    if (next === undefined) return { results, whole: true, total };
    after = String(next);
  }
  return { results, whole: false, total: undefined };
}

/** Characters that the body of a search may have; HubSpot's limit is 3,000. */
const MAX_SEARCH_BODY = 2_950;

/** Splits what is looked for into searches whose bodies keep HubSpot's limit. @param filtersFor those of some of it */
export function packSearches<Sought>(
  all: readonly Sought[],
  properties: string[],
  filtersFor: (some: Sought[]) => SearchFilter[][],
): Sought[][] {
  // Room for the cursor of later pages.
  const sizeOf = (some: Sought[]) => JSON.stringify(searchBody(filtersFor(some), properties, '0000000000')).length;
  const parts: Sought[][] = [];
  for (const one of all) {
    const last = parts.at(-1);
    if (last && sizeOf([...last, one]) <= MAX_SEARCH_BODY) last.push(one);
    else parts.push([one]);
  }
  return parts;
}

interface SearchRequest {
  object: string;
  filters: SearchFilter[][];
  properties: string[];
  plans: number[];
  /** Pages of 200 that are read before a search counts as too broad. */
  max_pages: number;
  /** What is said then, and what to do. */
  too_many: { says: string; hint: string };
}

/** All that a search finds; `total` as HubSpot counts it. @throws HubSpotFailure */
export async function searchAll(
  session: HubSpotSession,
  { object, filters, properties, plans, max_pages, too_many }: SearchRequest,
): Promise<{ records: CrmRecord[]; total: unknown }> {
  const callFor = (after?: string) => searchRecords(object, filters, properties, after);
  const { results, whole, total } = await readPages(session, callFor, plans, max_pages);
  if (!whole) throw new HubSpotFailure('refused', `search ${object}: ${too_many.says}.`, { hint: too_many.hint });
  return { records: results.map(toRecord).filter(({ id }) => id !== ''), total };
}

/** Properties that are compared before a record is written. */
export function propertiesOf(items: Item[]): string[] {
  return [...new Set(items.flatMap(({ record }) => record.fields.map(({ name }) => name)))];
}

/**
 * What is there of each item. Never rejects.
 * @param asked the id of each, or its key where `by_key` says so
 */
export async function readItems(
  session: HubSpotSession,
  asked: ReadonlyMap<Item, string>,
  by_key = false,
): Promise<Map<Item, CrmRecord | HubSpotFailure | 'absent'>> {
  const readings = new Map<Item, CrmRecord | HubSpotFailure | 'absent'>();
  for (const [object, all] of Map.groupBy(asked, ([{ record }]) => record.object)) {
    const key = keyProperty(object);
    const found = await readMany(session, {
      object,
      ids: askedFor(all.map(([{ write }, id]) => [id, [write.index]])),
      properties: [key, ...propertiesOf(all.map(([item]) => item))],
      ...(by_key ? { by: key } : {}),
    });
    for (const [item, id] of all) readings.set(item, found.get(id) ?? 'absent');
  }
  return readings;
}

/** @returns an empty id where the answer has none */
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
  return (record.properties[by] ?? '').toLowerCase() === asked.toLowerCase();
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

/*
 * Batches in which every input is accounted for. A 2xx is not success: each input is matched to its own result or error,
 * by trace id, else by its key or id; what is in neither is `unaccounted`.
 */

/** The verbs that write, one request each. The rows of a request are of one object. */
export function batchVerbs(session: HubSpotSession): Pick<RowWriter, 'create' | 'update' | 'upsert' | 'rowsNamed'> {
  const send = async (verb: RowVerb, rows: CrmRow[]): Promise<RowAnswers> => {
    const { body } = await session.send(
      callOf(verb, rows),
      rows.flatMap(({ plans }) => plans),
    );
    return accountForRows(verb, rows, body);
  };
  return {
    create: (rows) => send('create', rows),
    update: (rows) => send('update', rows),
    upsert: (rows) => send('upsert', rows),
    rowsNamed,
  };
}

/** Names a row within one request. */
const traceOf = (index: number) => `row-${index}`;

function callOf(verb: RowVerb, rows: CrmRow[]): HubSpotApiCall {
  const object = rows[0]?.object ?? '';
  const inputs = rows.map(({ id = '', key = '', fields, targets = [] }, index) => ({
    trace: traceOf(index),
    id,
    key: { property: keyProperty(object), value: key },
    properties: fields as Record<string, string>,
    links: targets.flatMap((target) => inlineLink(object, target)),
  }));
  if (verb === 'update') return updateRecords(object, inputs);
  if (verb === 'upsert') return upsertRecords(object, inputs);
  return createRecords(
    object,
    inputs.map(({ key, properties, ...input }) => ({
      ...input,
      properties: key.value ? { ...properties, [key.property]: key.value } : properties,
    })),
  );
}

function inlineLink(from: string, { object, id }: { object: string; id: string }): Link[] {
  const type = linkType(from, object);
  return type === undefined ? [] : [{ to: id, type }];
}

function rowsNamed(rows: CrmRow[], failure: RequestFailure): CrmRow[] {
  const vendor = failure.vendor as HubSpotVendorError | undefined;
  if (!vendor) return [];
  const named = rows.filter((row, index) => isNamed(row, traceOf(index), vendor));
  if (named.length > 0) return named;
  // A property that the account does not have is wrong in every row that writes it.
  if (failure.code !== 'missing_property') return [];
  return rows.filter(({ object, key, fields }) =>
    failure.fields.some((field) => field in fields || (key !== undefined && keyProperty(object) === field)),
  );
}

function isNamed({ id, key }: CrmRow, trace: string, { trace_ids, ids }: HubSpotVendorError): boolean {
  return (
    trace_ids.includes(trace) || (id !== undefined && ids.includes(id)) || (key !== undefined && ids.includes(key))
  );
}

/** Matches a 2xx body to the inputs. */
function accountForRows(verb: RowVerb, rows: CrmRow[], body: unknown): RowAnswers {
  const object = rows[0]?.object ?? '';
  const doing = `${verb} ${object}`;
  const answer = asObject(body);
  const open = new Map(rows.map((row, index) => [row, traceOf(index)]));
  const answers: RowAnswers = new Map();
  const close = (row: CrmRow, said: RowAnswer) => {
    open.delete(row);
    answers.set(row, said);
  };
  const succeed = (row: CrmRow, { id, new: isNew, properties }: Record<string, unknown>) => {
    const stored = asObject(properties) as Record<string, string | null>;
    close(row, { ok: true, id: String(id), created: verb === 'create' || isNew === true, stored });
  };
  const unmatched = asList(answer.results)
    .map(asObject)
    .filter((result) => {
      if (result.id === undefined || result.id === '') return false;
      const row = rowOf(open, result, String(result.id));
      if (row) succeed(row, result);
      return row === undefined;
    });
  const errors = asList(answer.errors).map((item) => readVendorError(itemStatus(item), item));
  for (const error of errors) {
    const sent = rows.flatMap(({ fields }) => Object.values(fields).map(String));
    const failure: HubSpotFailure = failureOf(error, { doing, sent });
    const named = [...open].filter(([row, trace]) => isNamed(row, trace, error)).map(([row]) => row);
    // One row left and one error left belong together, whatever the error says.
    const guilty = named.length > 0 ? named : open.size === 1 && errors.length === 1 ? [...open.keys()] : [];
    for (const row of guilty) close(row, { ok: false, failure });
  }
  // v3 repeats no trace ids: a result belongs to the row whose values it holds, where there is one such row only.
  const alike = unmatched.map((result) => ({ result, rows: [...open.keys()].filter((row) => holds(result, row)) }));
  for (const {
    result,
    rows: [row, ...others],
  } of alike) {
    const isOnly = row && others.length === 0 && alike.filter(({ rows: all }) => all.includes(row)).length === 1;
    if (isOnly) succeed(row, result);
  }
  // Likewise one row and one result: a merged record answers under its new id.
  const [last, ...more] = open.keys();
  const ids = [...answers.values()].map((said) => (said.ok ? said.id : ''));
  const [one, ...others] = unmatched.filter(({ id }) => !ids.includes(String(id)));
  if (last && one && more.length === 0 && others.length === 0) succeed(last, one);
  for (const row of [...open.keys()]) close(row, { ok: false, failure: unaccounted(doing, true) });
  return answers;
}

/** Whether the result has the texts that the row sent, moments and empty ones aside. At least one of them. */
function holds({ properties }: Record<string, unknown>, { fields }: CrmRow): boolean {
  const stored = asObject(properties);
  const texts = Object.entries(fields).filter(([, value]) => value !== '' && !/^\d{4}-\d\d-\d\dT/.test(String(value)));
  return texts.length > 0 && texts.every(([name, value]) => stored[name] === String(value));
}

function rowOf(open: ReadonlyMap<CrmRow, string>, result: Record<string, unknown>, id: string): CrmRow | undefined {
  const given = result.objectWriteTraceId;
  const properties = asObject(result.properties);
  for (const [row, trace] of open) {
    if (given === undefined ? row.id !== undefined && row.id === id : trace === given) return row;
    if (given === undefined && row.key !== undefined && properties[keyProperty(row.object)] === row.key) return row;
  }
  return undefined;
}
