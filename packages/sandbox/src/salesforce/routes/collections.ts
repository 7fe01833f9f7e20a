/** Collections of records. */
import { allOrNoneOf, objectOfRow, type Row, type RowOutcome, rowsOf, runRows } from '../batch/collections.ts';
import {
  asArray,
  asObject,
  checkCount,
  isTrue,
  objectOf,
  ok,
  type Prepared,
  type SalesforceCall,
  type SalesforceEndpoint,
} from '../http/endpoint.ts';
import { malformedJson, SalesforceRefusal } from '../http/refusal.ts';
import { externalIdField, recordById } from '../records/identify.ts';
import { namesIn, recordJson } from '../records/record-json.ts';
import { holdLocks, lookAhead, upsertRecord } from '../records/upserts.ts';
import { createRecord, deleteRecord, updateRecord } from '../records/writes.ts';
import { normaliseId } from '../schema/ids.ts';

const done = (id: string, more: object = {}): RowOutcome => ({ id, success: true, errors: [], ...more });

/** What the rows of a body are; undefined when they are of several objects. */
function objectOfRows(body: unknown): string | undefined {
  const { records } = (body ?? {}) as { records?: unknown };
  if (!Array.isArray(records)) return undefined;
  const types = new Set(records.map((row) => (row as { attributes?: { type?: string } } | null)?.attributes?.type));
  return types.size === 1 ? [...types][0] : undefined;
}

const lockRows = (call: SalesforceCall): Prepared => holdLocks(call, rowsOf(call), []);

function create(call: SalesforceCall, prepared: Prepared | undefined) {
  return runRows(call, {
    allOrNone: allOrNoneOf(call),
    rows: rowsOf(call),
    prepared,
    write: (row) => done(createRecord(call, objectOfRow(call, row), row).id),
  });
}

function update(call: SalesforceCall, prepared: Prepared | undefined) {
  const seen = new Set<string>();
  return runRows(call, {
    allOrNone: allOrNoneOf(call),
    rows: rowsOf(call),
    prepared,
    write: (row) => {
      const object = objectOfRow(call, row);
      const id = normaliseId(row.id ?? row.Id);
      if (id === undefined) throw new SalesforceRefusal('MISSING_ARGUMENT', 'Id not specified in an update call');
      if (seen.has(id)) throw new SalesforceRefusal('DUPLICATE_VALUE', `duplicate id in list: ${id}`, { fields: [] });
      seen.add(id);
      const record = call.org.records.get(object, id);
      if (!record)
        throw new SalesforceRefusal('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', { fields: [] });
      updateRecord(call, record, row);
      return done(id);
    },
  });
}

function prepareUpsert(call: SalesforceCall): Prepared {
  const object = objectOf(call);
  const field = externalIdField(call, object, call.params.field ?? '');
  const rows = rowsOf(call);
  return holdLocks(
    call,
    rows,
    rows.map((row) => lookAhead(call, object, field, keyOf(row, field.name))),
  );
}

function upsert(call: SalesforceCall, prepared: Prepared | undefined) {
  const object = objectOf(call);
  const field = externalIdField(call, object, call.params.field ?? '');
  const seen = new Set<string>();
  return runRows(call, {
    allOrNone: allOrNoneOf(call),
    rows: rowsOf(call),
    prepared,
    failed: { created: false },
    write: (row, at) => {
      if (objectOfRow(call, row) !== object) {
        throw new SalesforceRefusal('INVALID_TYPE', `All records must be of type ${object.name}`);
      }
      const value = keyOf(row, field.name);
      if (value === undefined || value === null || value === '') {
        throw new SalesforceRefusal('MISSING_ARGUMENT', `${field.name} not specified`);
      }
      const folded = field.caseSensitive ? String(value) : String(value).toLowerCase();
      if (seen.has(folded))
        throw new SalesforceRefusal('DUPLICATE_VALUE', `Duplicate external id specified: ${String(value)}`, {
          fields: [field.name],
        });
      seen.add(folded);
      const given = field.type === 'id' ? withoutId(row) : row;
      const { record, created } = upsertRecord(call, {
        object,
        field,
        value: String(value),
        given,
        foundBefore: prepared?.found[at],
      });
      return done(record.id, { created });
    },
  });
}

function keyOf(row: Row, name: string): unknown {
  return Object.entries(row).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}

function withoutId(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([key]) => key.toLowerCase() !== 'id'));
}

function idsOf(call: SalesforceCall): Row[] {
  const ids = (call.query.get('ids') ?? '').split(',').filter(Boolean);
  checkCount(ids);
  return ids.map((id) => ({ id }));
}

function remove(call: SalesforceCall, prepared: Prepared | undefined) {
  return runRows(call, {
    allOrNone: isTrue(call.query.get('allOrNone')),
    rows: idsOf(call),
    prepared,
    write: ({ id }) => {
      const whole = normaliseId(id);
      const record = whole === undefined ? undefined : call.org.record(whole);
      if (!record)
        throw new SalesforceRefusal('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', { fields: [] });
      deleteRecord(call, record);
      return done(record.id);
    },
  });
}

/** Records in the order of their ids; null for those that are not there. */
function retrieve(call: SalesforceCall, ids: string[], names: string[]) {
  const object = objectOf(call);
  if (ids.length === 0 || names.length === 0) throw malformedJson('ids and fields are needed');
  return ok(
    ids.map((id) => {
      try {
        return recordJson(call, recordById(call, object, id), names);
      } catch (error) {
        if (error instanceof SalesforceRefusal && error.status === 404) return null;
        throw error;
      }
    }),
  );
}

function retrieveByBody(call: SalesforceCall) {
  const { ids, fields } = asObject(call.body, 'The request body');
  const list = asArray(ids, '"ids"').map(String);
  if (list.length > 2_000)
    throw new SalesforceRefusal(
      'EXCEEDED_ID_LIMIT',
      'record limit reached. cannot submit more than 2000 records into this call',
    );
  return retrieve(call, list, asArray(fields, '"fields"').map(String));
}

const COLLECTION = { inComposite: 'collection', empty: [] } as const;

export const collectionEndpoints: SalesforceEndpoint[] = [
  {
    method: 'POST',
    path: '/composite/sobjects',
    operation: 'collections/create',
    prepare: lockRows,
    handle: create,
    objectOf: objectOfRows,
    ...COLLECTION,
  },
  {
    method: 'PATCH',
    path: '/composite/sobjects',
    operation: 'collections/update',
    prepare: lockRows,
    handle: update,
    objectOf: objectOfRows,
    ...COLLECTION,
  },
  {
    method: 'DELETE',
    path: '/composite/sobjects',
    operation: 'collections/delete',
    prepare: (call) => holdLocks(call, idsOf(call), []),
    handle: remove,
    ...COLLECTION,
  },
  {
    method: 'PATCH',
    path: '/composite/sobjects/:object/:field',
    operation: 'collections/upsert',
    prepare: prepareUpsert,
    handle: upsert,
    ...COLLECTION,
  },
  {
    method: 'POST',
    path: '/composite/sobjects/:object',
    operation: 'collections/retrieve',
    handle: retrieveByBody,
    ...COLLECTION,
  },
  {
    method: 'GET',
    path: '/composite/sobjects/:object',
    operation: 'collections/retrieve',
    handle: (call) => retrieve(call, (call.query.get('ids') ?? '').split(',').filter(Boolean), namesIn(call.query)),
    ...COLLECTION,
  },
];
