/** SOQL and SOSL over HTTP. */
import { randomBytes } from 'node:crypto';
import type { Reply } from '../../reply.ts';
import { asArray, asObject, bodyOf, ok, type SalesforceCall, type SalesforceEndpoint } from '../http/endpoint.ts';
import { malformedJson, SalesforceRefusal } from '../http/refusal.ts';
import { parse, runQuery } from '../soql/query.ts';
import { runSearch } from '../sosl/search.ts';
import { GROUPS, type Group, parseStatement } from '../sosl/statement.ts';

/** Most records of one answer; the rest follows by its locator. */
const PAGE = 2_000;

function query(call: SalesforceCall, all: boolean): Reply {
  const soql = call.query.get('q');
  if (!soql) throw new SalesforceRefusal('MALFORMED_QUERY', 'SOQL statement is missing');
  const found = runQuery({ org: call.org, root: call.root, all }, parse(soql));
  if ('count' in found) return ok({ totalSize: found.count, done: true, records: [] });
  return ok(page(call, found.records, found.records.length, all));
}

function page(call: SalesforceCall, records: object[], total: number, all: boolean): object {
  const wanted = Number(/batchSize=(\d+)/i.exec(call.headers['sforce-query-options'] ?? '')?.[1] ?? PAGE);
  const size = Math.min(PAGE, Math.max(200, wanted));
  const rest = records.slice(size);
  if (rest.length === 0) return { totalSize: total, done: true, records };
  const locator = `01g${randomBytes(6).toString('hex')}-${total - rest.length}`;
  call.org.cursors.set(locator, { records: rest, total });
  return {
    totalSize: total,
    done: false,
    nextRecordsUrl: `${call.root}/${all ? 'queryAll' : 'query'}/${locator}`,
    records: records.slice(0, size),
  };
}

function more(call: SalesforceCall, all: boolean): Reply {
  const locator = call.params.locator ?? '';
  const cursor = call.org.cursors.get(locator);
  if (!cursor) throw new SalesforceRefusal('INVALID_QUERY_LOCATOR', 'invalid query locator');
  return ok(page(call, cursor.records, cursor.total, all));
}

function search(call: SalesforceCall): Reply {
  const sosl = call.query.get('q');
  if (!sosl) throw new SalesforceRefusal('MALFORMED_SEARCH', 'SOSL statement is missing');
  return found(call, sosl);
}

function found(call: SalesforceCall, sosl: string): Reply {
  const searchRecords = runSearch(call.org, call.root, parseStatement(sosl));
  return ok({ searchRecords });
}

/** A search whose parts are parameters. They say the same as a statement, and are answered as one. */
function parameterized(call: SalesforceCall): Reply {
  const given = call.method === 'GET' ? fromQuery(call.query) : bodyOf(call);
  const { q, fields = ['id'], sobjects = [], in: group = 'ALL', overallLimit, defaultLimit } = given;
  if (typeof q !== 'string' || q === '') throw new SalesforceRefusal('MALFORMED_SEARCH', 'q is missing');
  if (!GROUPS.includes(String(group).toUpperCase() as Group))
    throw malformedJson(`in must be one of ${GROUPS.join(', ')}`);
  const escaped = q.replace(/[{}]/g, '\\$&');
  const general = asArray(fields, '"fields"').map(String).join(', ');
  const returning = asArray(sobjects, '"sobjects"').map((item) => {
    const { name, fields: own, where, orderBy, limit = defaultLimit } = asObject(item, 'an sobject');
    const names = own === undefined ? general : asArray(own, '"fields"').map(String).join(', ');
    const clauses = [
      where && `WHERE ${String(where)}`,
      orderBy && `ORDER BY ${String(orderBy)}`,
      limit !== undefined && `LIMIT ${String(limit)}`,
    ];
    return `${String(name)}(${[names, ...clauses.filter(Boolean)].join(' ')})`;
  });
  const parts = [
    `FIND {${escaped}} IN ${String(group)} FIELDS`,
    returning.length > 0 && `RETURNING ${returning.join(', ')}`,
    overallLimit !== undefined && `LIMIT ${String(overallLimit)}`,
  ];
  return found(call, parts.filter(Boolean).join(' '));
}

function fromQuery(query: URLSearchParams): Record<string, unknown> {
  const { q, fields, sobject, ...rest } = Object.fromEntries(query);
  return {
    ...rest,
    q,
    ...(fields && { fields: fields.split(',') }),
    ...(sobject && { sobjects: sobject.split(',').map((name) => ({ name })) }),
  };
}

const NONE = { totalSize: 0, done: true, records: [] };

export const queryEndpoints: SalesforceEndpoint[] = (['query', 'queryAll'] as const).flatMap(
  (name): SalesforceEndpoint[] => {
    const all = name === 'queryAll';
    return [
      {
        method: 'GET',
        path: `/${name}`,
        operation: name,
        inComposite: 'collection',
        empty: NONE,
        handle: (call) => query(call, all),
      },
      {
        method: 'GET',
        path: `/${name}/:locator`,
        operation: `${name}/more`,
        inComposite: 'collection',
        handle: (call) => more(call, all),
      },
    ];
  },
);

export const searchEndpoints: SalesforceEndpoint[] = [
  { method: 'GET', path: '/search', operation: 'search', empty: { searchRecords: [] }, handle: search },
  ...(['GET', 'POST'] as const).map(
    (method): SalesforceEndpoint => ({
      method,
      path: '/parameterizedSearch',
      operation: 'search',
      empty: { searchRecords: [] },
      handle: parameterized,
    }),
  ),
];
