/** Queries in one request, in which every answer is accounted for. */
import { asList, asObject } from '@wrapup/destination/http';
import { forgetObject, sendParts } from '../account/schema.ts';
import { failureOf, SalesforceFailure, unaccounted } from '../errors/classify.ts';
import { readVendorError } from '../errors/vendor-error.ts';
import type { SalesforceSession } from '../session.ts';
import type { Part } from './api.ts';
import { queryPath } from './api.ts';

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
  const parts: Part[] = queries.map(({ soql, all }, index) => ({ ref: `query${index}`, path: queryPath(soql, all) }));
  const answers = await sendParts(session, name, parts, plans, sent);
  const results: QueryResult[] = [];
  for (const [index, { object }] of queries.entries()) {
    const { status, body } = answers.get(`query${index}`) ?? { status: 0, body: undefined };
    if (status < 200 || status >= 300) throw await refused(session, object, status, body, { name, sent });
    const { records, done } = asObject(body);
    if (!Array.isArray(records)) throw unaccounted(name, false);
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
