/**
 * Batches in which every input is accounted for.
 *
 * A 2xx is not success: each input is matched to its own result or error, by trace id, else by its key or id; what is
 * in neither is `unaccounted`. A batch that HubSpot refuses whole wrote nothing: the rows that the refusal names are
 * taken out and the rest is sent again, and when it names none the batch is halved down to the bad row. Fields that
 * the account refuses are dropped and the row is sent once more, where the connection's policy allows it.
 */

import {
  asList,
  asObject,
  chunk,
  DROPS,
  type Dropped,
  forgetOwners,
  halvesOf,
  isAboutRows,
} from '@wrapup/destination/delivery';
import { type ApiCall, BATCH, createRecords, type Link, updateRecords, upsertRecords } from './client/api.ts';
import { OWNER } from './dialect.ts';
import { asHubSpotFailure, failureOf, HubSpotFailure } from './errors/classify.ts';
import { itemStatus, readVendorError } from './errors/vendor-error.ts';
import type { Session } from './session.ts';

export interface Row {
  /** Unique in the batch. */
  trace: string;
  /** Unique property and value; `upsert` needs it. */
  key?: { property: string; value: string };
  /** Record id; `update` needs it. */
  id?: string;
  properties: Record<string, string>;
  links: Link[];
  /** Numbers of the plans that it serves. */
  plans: number[];
  /** Properties that must not be dropped. */
  required: ReadonlySet<string>;
}

/** Dropped when it is refused, also where the policy parks: whom a record belongs to never fails it. */
const ALWAYS_DROPPED: ReadonlySet<string> = new Set([OWNER]);

export type RowResult =
  | { ok: true; id: string; created: boolean; dropped: Dropped[] }
  | { ok: false; failure: HubSpotFailure; dropped: Dropped[] };

export type Verb = 'create' | 'update' | 'upsert';

export interface RowPolicy {
  drop: boolean;
  /** Records may be written without a unique key, under a weaker promise. */
  weaker: boolean;
  /** The properties that the account has, asked when it refused one as unknown; undefined when that cannot be read. */
  knownProperties?(object: string): Promise<ReadonlySet<string> | undefined>;
}

/** Sends rows of one object and says what became of each. Never rejects. */
export async function sendRows(
  session: Session,
  verb: Verb,
  object: string,
  rows: Row[],
  policy: RowPolicy,
): Promise<Map<Row, RowResult>> {
  const results = new Map<Row, RowResult>();
  const dropped = new Map<Row, Dropped[]>(rows.map((row) => [row, []]));
  let waiting = rows;
  for (let round = 0; waiting.length > 0; round += 1) {
    const again: Row[] = [];
    for (const batch of chunk(waiting, BATCH)) {
      for (const [row, result] of await sendBatch(session, verb, object, batch)) {
        const drops = dropped.get(row) ?? [];
        const refused = result.ok ? [] : await droppable(object, row, result.failure, policy);
        if (refused.length > 0 && round < DROPS && !result.ok) {
          if (refused.includes(OWNER)) await forgetOwners(session.ctx).catch(() => {});
          for (const property of refused) {
            delete row.properties[property];
            drops.push({ property, failure: result.failure });
          }
          again.push(row);
        } else {
          results.set(row, { ...result, dropped: drops });
        }
      }
    }
    waiting = again;
  }
  return results;
}

async function droppable(object: string, row: Row, failure: HubSpotFailure, policy: RowPolicy): Promise<string[]> {
  if (failure.fields.length === 0) return [];
  if (!policy.drop && !failure.fields.every((field) => ALWAYS_DROPPED.has(field))) return [];
  if (failure.fields.some((field) => row.required.has(field))) return [];
  const known = failure.code === 'missing_property' ? await policy.knownProperties?.(object) : undefined;
  // HubSpot may name one unknown property of several: all are dropped together.
  return Object.keys(row.properties).filter(
    (property) =>
      !row.required.has(property) &&
      (failure.fields.includes(property) || (known !== undefined && !known.has(property))),
  );
}

type Sent = [Row, { ok: true; id: string; created: boolean } | { ok: false; failure: HubSpotFailure }][];

async function sendBatch(session: Session, verb: Verb, object: string, rows: Row[]): Promise<Sent> {
  try {
    const answer = await session.send(
      callOf(verb, object, rows),
      rows.flatMap((row) => row.plans),
    );
    return account(verb, object, rows, answer.body);
  } catch (thrown) {
    const failure = asHubSpotFailure(thrown);
    if (rows.length === 1 || !failure.vendor || !isAboutRows(failure))
      return rows.map((row) => [row, { ok: false, failure }]);
    const guilty = namedRows(rows, failure);
    if (guilty.length === rows.length) return rows.map((row) => [row, { ok: false, failure }]);
    if (guilty.length > 0) {
      const rest = rows.filter((row) => !guilty.includes(row));
      const refused: Sent = guilty.map((row) => [row, { ok: false, failure }]);
      return [...refused, ...(await sendBatch(session, verb, object, rest))];
    }
    const [first, second] = halvesOf(rows);
    return [...(await sendBatch(session, verb, object, first)), ...(await sendBatch(session, verb, object, second))];
  }
}

function callOf(verb: Verb, object: string, rows: Row[]): ApiCall {
  if (verb === 'create')
    return createRecords(
      object,
      rows.map(({ trace, properties, key, links }) => ({
        trace,
        links,
        properties: key ? { ...properties, [key.property]: key.value } : properties,
      })),
    );
  if (verb === 'update')
    return updateRecords(
      object,
      rows.map(({ trace, id, properties }) => ({ trace, id: id ?? '', properties })),
    );
  return upsertRecords(
    object,
    rows.map(({ trace, key, properties }) => ({ trace, key: key ?? { property: '', value: '' }, properties })),
  );
}

/** Rows that a refusal of the whole batch is about; none when it does not say. */
function namedRows(rows: Row[], failure: HubSpotFailure): Row[] {
  const vendor = failure.vendor;
  if (!vendor) return [];
  const named = rows.filter((row) => names(row, vendor.trace_ids, vendor.ids));
  if (named.length > 0) return named;
  // A property that the account does not have is wrong in every row that writes it.
  if (failure.code !== 'missing_property' || failure.fields.length === 0) return [];
  return rows.filter((row) => failure.fields.some((field) => field in row.properties || row.key?.property === field));
}

function names(row: Row, traces: string[], ids: string[]): boolean {
  return (
    traces.includes(row.trace) ||
    (row.id !== undefined && ids.includes(row.id)) ||
    (row.key !== undefined && ids.includes(row.key.value))
  );
}

/** Matches a 2xx body to the inputs. */
function account(verb: Verb, object: string, rows: Row[], body: unknown): Sent {
  const answer = asObject(body);
  const open = new Set(rows);
  const sent: Sent = [];
  const close = (row: Row, result: Sent[number][1]) => {
    open.delete(row);
    sent.push([row, result]);
  };
  const results = asList(answer.results);
  for (const item of results) {
    const result = asObject(item);
    const id = result.id === undefined ? '' : String(result.id);
    // A merged record answers under its new id: with one row and one answer there is no doubt.
    const row = find(open, result, id) ?? (rows.length === 1 && results.length === 1 ? rows[0] : undefined);
    if (row && id) close(row, { ok: true, id, created: verb === 'create' || result.new === true });
  }
  const errors = asList(answer.errors).map((item) => ({
    item,
    error: readVendorError(itemStatus(item), item),
  }));
  for (const { error } of errors) {
    const failure = failureOf(error, { doing: `${verb} ${object}`, sent: rows.flatMap(valuesOf) });
    const named = [...open].filter((row) => names(row, error.trace_ids, error.ids));
    // One row left and one error left belong together, whatever the error says.
    const guilty = named.length > 0 ? named : open.size === 1 && errors.length === 1 ? [...open] : [];
    for (const row of guilty) close(row, { ok: false, failure });
  }
  for (const row of [...open])
    close(row, {
      ok: false,
      failure: new HubSpotFailure(
        'unaccounted',
        `${verb} ${object}: HubSpot answered a success that says nothing of this record.`,
        { hint: 'It is looked up by its key and tried again by itself.' },
        { doubt: true },
      ),
    });
  return sent;
}

function find(open: Set<Row>, result: Record<string, unknown>, id: string): Row | undefined {
  const trace = result.objectWriteTraceId;
  const properties = asObject(result.properties);
  for (const row of open) {
    if (trace !== undefined ? row.trace === trace : row.id !== undefined ? row.id === id : false) return row;
    if (trace === undefined && row.key && properties[row.key.property] === row.key.value) return row;
  }
  return undefined;
}

function valuesOf(row: Row): string[] {
  return Object.values(row.properties);
}
