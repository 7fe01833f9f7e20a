/** SOQL: parsed by a library, answered from the records. https://developer.salesforce.com/docs/platform/salesforce-soql-sosl */
import {
  type FieldType,
  type OrderByClause,
  parseQuery,
  type Query,
  type QueryBase,
} from '@jetstreamapp/soql-parser-js';
import { SalesforceRefusal, unsupported } from '../http/refusal.ts';
import type { Org } from '../org.ts';
import type { StoredSObject } from '../records/records.ts';
import type { FieldValue } from '../records/values.ts';
import type { SObject } from '../schema/sobject.ts';
import { aggregate, isAggregate } from './aggregate.ts';
import { isArchived } from './archived.ts';
import { resolve } from './path.ts';
import { compileSelect, type Shown } from './select.ts';
import { compileWhere, malformed } from './where.ts';

export interface Asking {
  org: Org;
  root: string;
  /** Also what is deleted or archived: `/queryAll`. */
  all: boolean;
  /** Only records with these ids: what a search found. */
  only?: ReadonlySet<string>;
}

/** Most characters of a query. */
const LONGEST = 100_000;

/** @throws Refusal MALFORMED_QUERY */
export function parse(soql: string): Query {
  if (soql.length > LONGEST)
    throw new SalesforceRefusal('QUERY_TOO_COMPLICATED', `SOQL statement is longer than ${LONGEST} characters`);
  try {
    return parseQuery(soql);
  } catch (error) {
    const [line = ''] = (error as Error).message.split('\n');
    throw malformed(`${soql.slice(0, 200)}\n^\nERROR at Row:1:Column:1\n${line}`);
  }
}

export type QueryAnswer = { count: number } | { records: Shown[] };

/** @throws Refusal */
export function runQuery(asking: Asking, query: Query): QueryAnswer {
  const object = queried(asking.org, query.sObject ?? '');
  const fields = query.fields ?? [];
  const found = () =>
    sorted(
      asking.org,
      object,
      matching(asking, object, query).filter(({ id }) => asking.only?.has(id) ?? true),
      query,
    );
  if (isCount(fields)) return { count: found().length };
  if (query.groupBy || fields.some(isAggregate)) return { records: aggregate(asking.org, object, found(), query) };
  const projecting = {
    org: asking.org,
    root: asking.root,
    children: (child: SObject, by: { name: string }, inner: QueryBase, parent: StoredSObject) => {
      const records = sorted(asking.org, child, matching(asking, child, inner, by.name, parent.id), inner);
      const shown = cut(records, inner).map(compileSelect(projecting, child, inner.fields ?? [], inner.limit));
      return shown.length > 0 ? { totalSize: shown.length, done: true, records: shown } : null;
    },
  } as Parameters<typeof compileSelect>[0];
  const project = compileSelect(projecting, object, fields, query.limit);
  return { records: cut(found(), query).map(project) };
}

function queried(org: Org, name: string): SObject {
  const object = org.schema.find(name);
  if (object) return object;
  throw new SalesforceRefusal(
    'INVALID_TYPE',
    `sObject type '${name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.`,
  );
}

function isCount([first, ...others]: FieldType[]): boolean {
  return (
    others.length === 0 &&
    first?.type === 'FieldFunctionExpression' &&
    /^count$/i.test(first.functionName) &&
    first.parameters.length === 0
  );
}

function matching(asking: Asking, object: SObject, query: QueryBase, by?: string, parentId?: string): StoredSObject[] {
  const { org, all } = asking;
  if (query.usingScope || query.withDataCategory || query.having) throw unsupported('USING SCOPE, WITH and HAVING');
  const test = compileWhere(org, object, query.where, (inner) => valuesOf(asking, inner));
  return (all ? org.records.all(object) : org.records.live(object).filter((record) => !isArchived(record))).filter(
    (record) => (by === undefined || record.values.get(by) === parentId) && test(record),
  );
}

/** Values of the one field that a query inside a condition selects. */
function valuesOf(asking: Asking, query: Query): (FieldValue | null)[] {
  const object = queried(asking.org, query.sObject ?? '');
  const [field] = query.fields ?? [];
  if (field?.type !== 'Field') throw malformed('a query inside a condition must select one field');
  const path = resolve(asking.org, object, [], field.field);
  return matching(asking, object, query).map((record) => path.read(record));
}

function sorted(org: Org, object: SObject, records: StoredSObject[], { orderBy }: QueryBase): StoredSObject[] {
  const clauses: OrderByClause[] = Array.isArray(orderBy) ? orderBy : orderBy ? [orderBy] : [];
  const keys = clauses.map((clause) => {
    if (!('field' in clause)) throw unsupported('ORDER BY a function');
    const names = clause.field.split('.');
    const path = resolve(org, object, names.slice(0, -1), names.at(-1) ?? '');
    return { path, sign: clause.order === 'DESC' ? -1 : 1, nulls: clause.nulls === 'LAST' ? 1 : -1 };
  });
  return records.toSorted((a, b) => {
    for (const { path, sign, nulls } of keys) {
      const [left, right] = [path.read(a), path.read(b)];
      if (left === right) continue;
      if (left === null || right === null) return left === null ? nulls : -nulls;
      return (left < right ? -1 : 1) * sign;
    }
    return 0;
  });
}

function cut<T>(records: T[], { offset = 0, limit }: QueryBase): T[] {
  return records.slice(offset, limit === undefined ? undefined : offset + limit);
}
