/**
 * Up to 200 rows at once, each with its own result, in the order of the rows.
 *
 * allOrNone false   a row stands or falls alone
 * allOrNone true    one bad row takes all back; the good ones say so
 *
 * https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
 */
import type { FaultSpec } from '../../control/faults.ts';
import type { Reply } from '../../reply.ts';
import {
  asArray,
  asObject,
  bodyOf,
  checkCount,
  isTrue,
  ok,
  type Prepared,
  type SalesforceCall,
} from '../http/endpoint.ts';
import { malformedJson, refusalRow, SalesforceRefusal } from '../http/refusal.ts';
import type { SObject } from '../schema/sobject.ts';

/** https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_create.htm */
const MOST_CHUNKS = 10;

export type Row = Record<string, unknown>;
export type RowOutcome = { success: boolean } & Record<string, unknown>;

/** @throws Refusal for the whole request */
export function rowsOf(call: SalesforceCall): Row[] {
  const rows = asArray(bodyOf(call).records, '"records"').map((row) => asObject(row, 'a record'));
  if (rows.length === 0) throw new SalesforceRefusal('REQUIRED_FIELD_MISSING', 'At least 1 record is required');
  checkCount(rows);
  checkChunks(rows);
  return rows;
}

/** Neighbouring rows of one object are a chunk. @throws Refusal when there are too many */
function checkChunks(rows: Row[]): void {
  const types = rows.map(({ attributes }) => (attributes as { type?: unknown } | undefined)?.type);
  const chunks = types.filter((type, at) => at === 0 || type !== types[at - 1]).length;
  if (chunks > MOST_CHUNKS)
    throw new SalesforceRefusal(
      'LIMIT_EXCEEDED',
      `Cannot have more than ${MOST_CHUNKS} chunks in a single operation. Please rearrange the data to reduce chunking.`,
    );
}

/** What a row says it is. @throws Refusal for the row */
export function objectOfRow(call: SalesforceCall, row: Row): SObject {
  const type = (row.attributes as { type?: unknown } | undefined)?.type;
  if (typeof type !== 'string') {
    throw malformedJson(
      'Nested object for polymorphic foreign key must have an attributes field before any other fields.',
    );
  }
  const object = call.org.schema.find(type);
  if (!object) throw new SalesforceRefusal('INVALID_TYPE', `sObject type '${type}' is not supported.`);
  return object;
}

export interface Work {
  allOrNone: boolean;
  rows: Row[];
  prepared: Prepared | undefined;
  /** Writes one row, and gives its result. @throws Refusal */
  write(row: Row, at: number): RowOutcome;
  /** Added to what a failed row says. */
  failed?: object;
}

export function runRows(call: SalesforceCall, { allOrNone, rows, prepared, write, failed = {} }: Work): Reply {
  const { fault } = call;
  const overloaded = overload(call, rows);
  let results: RowOutcome[] = [];
  const run = (row: Row, at: number): RowOutcome => {
    try {
      if (fault?.kind === 'row_error' && isRefused(fault, row, at)) throw rowError(fault);
      const held = prepared?.locked.get(at);
      if (held !== undefined) throw lockError(held);
      if (overloaded) throw overloaded;
      return write(row, at);
    } catch (error) {
      if (error instanceof SalesforceRefusal) return { ...refusalRow(error), ...failed };
      throw error;
    }
  };
  const lost = fault?.kind === 'drop_rows' && fault.commit === false ? (fault.rows ?? 1) : 0;
  call.org.journal.during(call.n, () =>
    call.org.records.transaction(() => {
      results = rows.slice(lost).map(run);
      return !(allOrNone || call.together) || results.every(({ success }) => success);
    }),
  );
  if (allOrNone && results.some(({ success }) => !success)) results = results.map(rolledBack);
  if (fault?.kind === 'drop_rows' && fault.commit !== false) results = results.slice(fault.rows ?? 1);
  return ok(results);
}

function rolledBack(result: RowOutcome): RowOutcome {
  if (!result.success) return result;
  const refusal = new SalesforceRefusal(
    'ALL_OR_NONE_OPERATION_ROLLED_BACK',
    'Record rolled back because not all records were valid and the request was using AllOrNone header',
  );
  return { ...refusalRow(refusal), ...('created' in result && { created: false }) };
}

/** @param held id of the record that another request holds, where it is known */
export function lockError(held?: string): SalesforceRefusal {
  return new SalesforceRefusal(
    'UNABLE_TO_LOCK_ROW',
    `unable to obtain exclusive access to this record${held === undefined ? '' : ` or 1 records: ${held}`}`,
    { fields: [] },
  );
}

function isRefused({ row: pattern, rows = 1 }: FaultSpec, row: Row, at: number): boolean {
  return pattern === undefined ? at < rows : new RegExp(pattern).test(JSON.stringify(row));
}

function rowError({ code = 'UNABLE_TO_LOCK_ROW', message }: { code?: string; message?: string }): SalesforceRefusal {
  return new SalesforceRefusal(code, message ?? lockError().message, { fields: [] });
}

/** The org's own automation breaks under too many rows of one request, and all of them with it. */
function overload(call: SalesforceCall, rows: Row[]): SalesforceRefusal | undefined {
  for (const [name, most] of Object.entries(call.settings.automation_rows)) {
    const own = rows.filter((row) => (row.attributes as { type?: string } | undefined)?.type === name);
    const many = call.params.object === name ? rows.length : own.length;
    const before = call.rows_before?.get(name) ?? 0;
    call.rows_before?.set(name, before + many);
    if (many > 0 && before + many > most) {
      return new SalesforceRefusal(
        'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY',
        `On${name}: execution of AfterInsert caused by: System.LimitException: Apex CPU time limit exceeded`,
        { fields: [] },
      );
    }
  }
  return undefined;
}

/** https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-allornone.html */
export function allOrNoneOf(call: SalesforceCall): boolean {
  return isTrue(asObject(call.body, 'The request body').allOrNone);
}
