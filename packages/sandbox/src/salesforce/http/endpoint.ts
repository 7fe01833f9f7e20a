/** What one endpoint of the REST API is, apart from how it is served. */
import type { FaultSpec, FaultTarget } from '../../control/faults.ts';
import type { Reply } from '../../reply.ts';
import type { SalesforceSandboxSettings } from '../../settings.ts';
import type { Org } from '../org.ts';
import type { SObject } from '../schema/sobject.ts';
import { malformedJson, SalesforceRefusal } from './refusal.ts';

/** A request that came through, or a part of a composite one. */
export interface SalesforceCall {
  org: Org;
  settings: SalesforceSandboxSettings;
  /** Number in the request log. */
  n: number;
  method: Method;
  /** `66.0` */
  version: string;
  /** `/services/data/v66.0` */
  root: string;
  params: Record<string, string>;
  query: URLSearchParams;
  /** In lower case. */
  headers: Record<string, string>;
  /** Undefined when there is none. */
  body: unknown;
  /** A fault that refuses rows or leaves them out. */
  fault?: FaultSpec | undefined;
  /** Of several parts: the fault as far as it is about that one. */
  fault_of?(part: { method: Method; url: string; body?: unknown }): FaultSpec | undefined;
  /** Of a part: one failure takes all parts back, whatever the part's own allOrNone says. */
  together?: boolean;
  /** Of a part: rows that the parts before it had, by object. The org's automation counts them all. */
  rows_before?: Map<string, number>;
}

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

export interface SalesforceEndpoint {
  method: Method;
  /** Below `/services/data/vXX.X`, with `:name` parameters. */
  path: string;
  /** Short name for counting: `collections/upsert`. */
  operation: string;
  /** What is known before the writes of others come between, and which rows are held meanwhile. */
  prepare?(call: SalesforceCall): Prepared | undefined;
  handle(call: SalesforceCall, prepared: Prepared | undefined): Reply;
  /** The object that the request is about, where the path does not say. */
  objectOf?(body: unknown): string | undefined;
  /** What its parts are about, in their order, where it is several requests in one. */
  parts?(body: unknown): (FaultTarget | undefined)[];
  /** Body of an answer that tells of success and nothing else. */
  empty?: unknown;
  /** Where it may stand in a composite request. */
  inComposite?: 'yes' | 'collection';
  inGraph?: boolean;
}

export interface Prepared {
  /** Ids of the records that rows were found to be; undefined where there was none. By row. */
  found: (string | undefined)[];
  /** Rows that need a record which another request holds: its id of 15 characters, by row. */
  locked: Map<number, string>;
}

export const ok = (body: unknown): Reply => ({ status: 200, body });

/** The object of the path. @throws Refusal 404 */
export function objectOf(call: SalesforceCall): SObject {
  return call.org.schema.object(call.params.object ?? '');
}

export function asObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw malformedJson(`${what} must be an object`);
}

export function asArray(value: unknown, what: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw malformedJson(`${what} must be an array`);
}

/** The body as an object. @throws Refusal */
export function bodyOf(call: SalesforceCall): Record<string, unknown> {
  return asObject(call.body, 'The request body');
}

/** `allOrNone`, in a body or a query. */
export function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

/** Most rows of a collection. https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm */
export const MOST_ROWS = 200;

/** @throws Refusal when there are too many */
export function checkCount(rows: unknown[]): void {
  if (rows.length > MOST_ROWS) {
    throw new SalesforceRefusal(
      'EXCEEDED_ID_LIMIT',
      `record limit reached. cannot submit more than ${MOST_ROWS} records into this call`,
    );
  }
}
