/** The requests that the adapter makes, each as one call of jsforce. Facts: https://developer.salesforce.com/docs/platform/api-rest/guide/ */
import type { ApiRequest } from '@wrapup/destination/http';
import type { Connection } from 'jsforce';

export interface SalesforceApiCall extends ApiRequest {
  /** Values that are sent, for taking them out of error texts. */
  sent?: unknown[];
  run(connection: Connection): Promise<unknown>;
}

/** Rows of a collection. https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm */
export const MAX_ROWS = 200;

/** Bytes of the fields of one request; Salesforce takes 50 MB of text, and what stands before an org may take less. */
export const MAX_BYTES = 20_000_000;
/**
 * Subrequests of a composite request, and how many of them may be queries or collections.
 * https://developer.salesforce.com/docs/platform/api-rest/guide/requests-composite.html
 */
export const MAX_SUBREQUESTS = 25;
export const MAX_QUERIES = 5;

/** One part of a composite request, which only reads. */
export interface CompositePart {
  /** Letters, digits, underscores. */
  ref: string;
  /** Below `/services/data/vXX.X`. */
  path: string;
}

/** Several reads that count as one request. */
export function readTogether(
  name: string,
  parts: CompositePart[],
  version: string,
  sent: unknown[] = [],
): SalesforceApiCall {
  const body = {
    allOrNone: false,
    collateSubrequests: false,
    compositeRequest: parts.map(({ ref, path }) => ({
      method: 'GET',
      url: `/services/data/v${version}${path}`,
      referenceId: ref,
    })),
  };
  return {
    name,
    writes: false,
    sent,
    run: (connection) => connection.requestPost('/composite', body),
  };
}

/** @param all also what is deleted or archived: finished activities are archived after a year */
export function queryPath(soql: string, all = false): string {
  return `/${all ? 'queryAll' : 'query'}?q=${encodeURIComponent(soql)}`;
}

export function describePath(object: string): string {
  return `/sobjects/${encodeURIComponent(object)}/describe`;
}

/** Full text search in the index, which sees a write after some minutes. */
export function searchPeople(sosl: string, sent: unknown[]): SalesforceApiCall {
  return { name: 'search people', writes: false, sent, run: (connection) => connection.search(sosl) };
}

interface CollectionRow {
  object: string;
  /** For updates. */
  id?: string;
  fields: Record<string, unknown>;
}

export type WriteVerb = 'create' | 'update';

const METHODS: Record<WriteVerb, 'POST' | 'PATCH'> = { create: 'POST', update: 'PATCH' };

/** Rows as a collection takes them: each stands or falls alone. */
function collectionOf(rows: readonly CollectionRow[]): { allOrNone: false; records: object[] } {
  const records = rows.map(({ object, id, fields }) => ({
    attributes: { type: object },
    ...(id === undefined ? {} : { id }),
    ...fields,
  }));
  return { allOrNone: false, records };
}

const valuesOf = (rows: readonly CollectionRow[]) => rows.flatMap(({ fields }) => Object.values(fields));

/** `create 3 Task`. */
function describeRows(verb: WriteVerb, rows: readonly CollectionRow[]): string {
  return `${verb} ${rows.length} ${[...new Set(rows.map(({ object }) => object))].join(', ')}`;
}

/** Creates or updates up to 200 rows, of one object or several; each row has its own result, in their order. */
export function writeRows(
  verb: WriteVerb,
  rows: CollectionRow[],
  headers: Record<string, string> = {},
): SalesforceApiCall {
  return {
    name: describeRows(verb, rows),
    writes: true,
    sent: valuesOf(rows),
    run: (connection) =>
      connection.request({
        method: METHODS[verb],
        url: '/composite/sobjects',
        body: JSON.stringify(collectionOf(rows)),
        headers: { 'content-type': 'application/json', ...headers },
      }),
  };
}

/** One collection of a composite request. */
export interface CollectionPart {
  /** Letters, digits, underscores. Its first row's id is `@{ref[0].id}` in the parts that follow. */
  ref: string;
  verb: WriteVerb;
  rows: readonly CollectionRow[];
  /** A part has none of the whole request's. */
  headers: Record<string, string>;
}

/** Up to five collections, done in their order, that count as one request. */
export function writeTogether(parts: readonly CollectionPart[], version: string): SalesforceApiCall {
  const body = {
    allOrNone: false,
    collateSubrequests: false,
    compositeRequest: parts.map(({ ref, verb, rows, headers }) => ({
      method: METHODS[verb],
      url: `/services/data/v${version}/composite/sobjects`,
      referenceId: ref,
      httpHeaders: headers,
      body: collectionOf(rows),
    })),
  };
  return {
    name: parts.map(({ verb, rows }) => describeRows(verb, rows)).join(', '),
    writes: true,
    sent: parts.flatMap(({ rows }) => valuesOf(rows)),
    run: (connection) => connection.requestPost('/composite', body),
  };
}

/** Deletes up to 200 records; each has its own result, in their order. */
export function deleteRecords(ids: readonly string[]): SalesforceApiCall {
  return {
    name: `delete ${ids.length} records`,
    writes: true,
    run: (connection) =>
      connection.request({ method: 'DELETE', url: `/composite/sobjects?ids=${ids.join(',')}&allOrNone=false` }),
  };
}

/** One record alone. */
export function createRecord(
  object: string,
  fields: Record<string, unknown>,
  headers: Record<string, string> = {},
): SalesforceApiCall {
  return {
    name: `create a ${object}`,
    writes: true,
    sent: Object.values(fields).filter((value) => typeof value === 'string' && value.length < 1000),
    run: (connection) =>
      connection.request({
        method: 'POST',
        url: `/sobjects/${object}`,
        body: JSON.stringify(fields),
        headers: { 'content-type': 'application/json', ...headers },
      }),
  };
}

/** The cheapest request that only works with a good token and the permission to use the API. */
export function readLimits(): SalesforceApiCall {
  return { name: 'read the limits', writes: false, run: (connection) => connection.limits() };
}
