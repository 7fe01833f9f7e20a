/**
 * Batches in which every input is accounted for. A 2xx is not success: each input is matched to its own result or error,
 * by trace id, else by its key or id; what is in neither is `unaccounted`.
 */

import type { Row, RowAnswer, RowAnswers, RowVerb, RowWriter } from '@wrapup/destination/engine';
import { asList, asObject, type RequestFailure } from '@wrapup/destination/http';
import { failureOf, type HubSpotFailure, unaccounted } from '../errors/classify.ts';
import { type HubSpotVendorError, itemStatus, readVendorError } from '../errors/vendor-error.ts';
import { keyProperty, linkType } from '../objects.ts';
import type { HubSpotSession } from '../session.ts';
import { createRecords, type HubSpotApiCall, type Link, updateRecords, upsertRecords } from './api.ts';

/** The verbs that write, one request each. The rows of a request are of one object. */
export function batchVerbs(session: HubSpotSession): Pick<RowWriter, 'create' | 'update' | 'upsert' | 'rowsNamed'> {
  const send = async (verb: RowVerb, rows: Row[]): Promise<RowAnswers> => {
    const { body } = await session.send(
      callOf(verb, rows),
      rows.flatMap(({ plans }) => plans),
    );
    return accountFor(verb, rows, body);
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

function callOf(verb: RowVerb, rows: Row[]): HubSpotApiCall {
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

function rowsNamed(rows: Row[], failure: RequestFailure): Row[] {
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

function isNamed({ id, key }: Row, trace: string, { trace_ids, ids }: HubSpotVendorError): boolean {
  return (
    trace_ids.includes(trace) || (id !== undefined && ids.includes(id)) || (key !== undefined && ids.includes(key))
  );
}

/** Matches a 2xx body to the inputs. */
function accountFor(verb: RowVerb, rows: Row[], body: unknown): RowAnswers {
  const object = rows[0]?.object ?? '';
  const doing = `${verb} ${object}`;
  const answer = asObject(body);
  const open = new Map(rows.map((row, index) => [row, traceOf(index)]));
  const answers: RowAnswers = new Map();
  const close = (row: Row, said: RowAnswer) => {
    open.delete(row);
    answers.set(row, said);
  };
  const results = asList(answer.results).map(asObject);
  for (const result of results) {
    const id = result.id === undefined ? '' : String(result.id);
    // A merged record answers under its new id: with one row and one answer there is no doubt.
    const row = rowOf(open, result, id) ?? (rows.length === 1 && results.length === 1 ? rows[0] : undefined);
    if (row && id) close(row, { ok: true, id, created: verb === 'create' || result.new === true });
  }
  const errors = asList(answer.errors).map((item) => readVendorError(itemStatus(item), item));
  for (const error of errors) {
    const sent = rows.flatMap(({ fields }) => Object.values(fields).map(String));
    const failure: HubSpotFailure = failureOf(error, { doing, sent });
    const named = [...open].filter(([row, trace]) => isNamed(row, trace, error)).map(([row]) => row);
    // One row left and one error left belong together, whatever the error says.
    const guilty = named.length > 0 ? named : open.size === 1 && errors.length === 1 ? [...open.keys()] : [];
    for (const row of guilty) close(row, { ok: false, failure });
  }
  for (const row of [...open.keys()]) close(row, { ok: false, failure: unaccounted(doing, true) });
  return answers;
}

function rowOf(open: ReadonlyMap<Row, string>, result: Record<string, unknown>, id: string): Row | undefined {
  const given = result.objectWriteTraceId;
  const properties = asObject(result.properties);
  for (const [row, trace] of open) {
    if (given === undefined ? row.id !== undefined && row.id === id : trace === given) return row;
    if (given === undefined && row.key !== undefined && properties[keyProperty(row.object)] === row.key) return row;
  }
  return undefined;
}
