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
/** Subrequests of a composite request, and how many of them may be queries. */
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

/** Creates or updates up to 200 rows, of one object or several; each row has its own result, in their order. */
export function writeRows(
  verb: 'create' | 'update',
  rows: CollectionRow[],
  headers: Record<string, string> = {},
): SalesforceApiCall {
  const records = rows.map(({ object, id, fields }) => ({
    attributes: { type: object },
    ...(id === undefined ? {} : { id }),
    ...fields,
  }));
  const objects = [...new Set(rows.map(({ object }) => object))].join(', ');
  return {
    name: `${verb} ${rows.length} ${objects}`,
    writes: true,
    sent: rows.flatMap(({ fields }) => Object.values(fields)),
    run: (connection) =>
      connection.request({
        method: verb === 'create' ? 'POST' : 'PATCH',
        url: '/composite/sobjects',
        body: JSON.stringify({ allOrNone: false, records }),
        headers: { 'content-type': 'application/json', ...headers },
      }),
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
