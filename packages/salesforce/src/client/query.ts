/** Queries in one request, in which every answer is accounted for. */
import type { Context } from '@wrapup/destination';
import { asList, asObject, asText } from '@wrapup/destination/http';
import { failureOf, readVendorError, SalesforceFailure, unaccounted } from '../errors/classify.ts';
import { type CompositePart, queryPath, readTogether } from './api.ts';
import type { SalesforceSession } from './transport.ts';

export interface Query {
  object: string;
  soql: string;
  /** Also what is deleted or archived. */
  all?: boolean;
}

interface QueryResult {
  records: unknown[];
  /** False: there are more than one answer holds. */
  whole: boolean;
}

/**
 * Asks all of them in one request (at most five).
 * @throws SalesforceFailure when any of them failed: "nothing found" is only said where Salesforce said so
 */
export async function queryTogether(
  session: SalesforceSession,
  name: string,
  queries: Query[],
  plans: number[],
  sent: unknown[] = [],
): Promise<QueryResult[]> {
  if (queries.length === 0) return [];
  const parts: CompositePart[] = queries.map(({ soql, all }, index) => ({
    ref: `query${index}`,
    path: queryPath(soql, all),
  }));
  const answers = await sendParts(session, name, parts, plans, sent);
  const results: QueryResult[] = [];
  for (const [index, { object }] of queries.entries()) {
    const { status, body } = answers.get(`query${index}`) ?? { status: 0, body: undefined };
    if (status < 200 || status >= 300) throw await refused(session, object, status, body, { name, sent });
    const { records, done } = asObject(body);
    if (!Array.isArray(records)) throw unaccounted(name);
    results.push({ records: asList(records), whole: done !== false });
  }
  return results;
}

async function refused(
  session: SalesforceSession,
  object: string,
  status: number,
  body: unknown,
  { name, sent }: { name: string; sent: unknown[] },
): Promise<SalesforceFailure> {
  const failure = failureOf(readVendorError(status, body), { doing: name, sent });
  if (failure.code !== 'missing_property') return failure;
  // A field that was there a moment ago: the definitions are read afresh next time.
  await forgetObject(session.ctx, object).catch(() => {});
  return new SalesforceFailure('unavailable', failure.message, failure.details);
}

export interface PartAnswer {
  status: number;
  body: unknown;
}

/** Sends reads together and gives each answer by its reference. @throws SalesforceFailure when one of them has none */
export async function sendParts(
  session: SalesforceSession,
  name: string,
  parts: CompositePart[],
  plans: number[],
  sent: unknown[] = [],
): Promise<Map<string, PartAnswer>> {
  const answer = await session.send(readTogether(name, parts, session.api_version, sent), plans);
  const answers = new Map<string, PartAnswer>();
  for (const item of asList(asObject(answer.body).compositeResponse)) {
    const { referenceId, httpStatusCode, body } = asObject(item);
    if (typeof httpStatusCode === 'number') answers.set(asText(referenceId), { status: httpStatusCode, body });
  }
  if (parts.some(({ ref }) => !answers.has(ref))) throw unaccounted(name);
  return answers;
}

/** Under which name an object's definition is remembered. */
export const definitionKey = (object: string) => `describe:${object}`;

/** After Salesforce refused a field: what is remembered may not be so any more. */
export async function forgetObject(ctx: Context, object: string): Promise<void> {
  await ctx.memory.delete(definitionKey(object));
}

/* Texts of queries and searches. Values are escaped; names come from the schema. Pure. */

/** A text in single quotes. https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm */
export function quote(value: string): string {
  const escaped = value
    .replaceAll('\\', '\\\\')
    .replaceAll("'", "\\'")
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
  return `'${escaped}'`;
}

export function isIn(field: string, values: Iterable<string>): string {
  return `${field} IN (${[...values].map(quote).join(', ')})`;
}

export function select(object: string, fields: Iterable<string>, where: string): string {
  return `SELECT ${[...new Set(fields)].join(', ')} FROM ${object} WHERE ${where}`;
}

/** Characters that mean something in a search. https://developer.salesforce.com/docs/platform/salesforce-soql-sosl/guide/sforce-api-calls-sosl-find.html */
const RESERVED = /[?&|!{}[\]()^~*:\\"'+-]/g;

export function escapeTerm(term: string): string {
  return term.replace(RESERVED, '\\$&');
}

/** Whether two ids, as rows or mappings have them, are those of one record. */
export function isSameId(one: unknown, other: unknown): boolean {
  return longId(asText(one)) === longId(asText(other));
}

/** A record id: 15 characters, or 18 with its checksum. */
export function isRecordId(text: string): boolean {
  return /^[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?$/.test(text);
}

const CHECKSUM = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';

/**
 * The 18 characters of an id, of which the last three say which of the first 15 are capitals.
 * https://help.salesforce.com/s/articleView?id=000385585&type=1
 */
export function longId(id: string): string {
  if (id.length !== 15) return id;
  const suffix = [0, 5, 10].map((start) => {
    let bits = 0;
    for (let at = 0; at < 5; at += 1) if (/[A-Z]/.test(id[start + at] ?? '')) bits += 1 << at;
    return CHECKSUM[bits];
  });
  return id + suffix.join('');
}
