/** COUNT, MIN, MAX and the like, over all records or by group. */
import type { FieldFunctionExpression, FieldType, Query } from '@jetstreamapp/soql-parser-js';
import { getOrAdd } from '../../get-or-add.ts';
import { unsupported } from '../http/refusal.ts';
import type { Org } from '../org.ts';
import type { StoredSObject } from '../records/records.ts';
import type { FieldValue } from '../records/values.ts';
import type { SObject } from '../schema/sobject.ts';
import { resolve } from './path.ts';
import { malformed } from './where.ts';

type Values = (FieldValue | null)[];

const FUNCTIONS: Record<string, (values: Values) => unknown> = {
  COUNT: (values) => known(values).length,
  COUNT_DISTINCT: (values) => new Set(known(values)).size,
  MIN: (values) => known(values).toSorted(byOrder)[0] ?? null,
  MAX: (values) => known(values).toSorted(byOrder).at(-1) ?? null,
  SUM: (values) => known(values).reduce<number>((sum, value) => sum + Number(value), 0),
};

function known(values: Values): FieldValue[] {
  return values.filter((value) => value !== null);
}

function byOrder(a: FieldValue, b: FieldValue): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function isAggregate(field: FieldType): field is FieldFunctionExpression {
  return field.type === 'FieldFunctionExpression' && field.isAggregateFn === true;
}

/** @throws Refusal */
export function aggregate(
  org: Org,
  object: SObject,
  records: StoredSObject[],
  query: Query,
): Record<string, unknown>[] {
  const clauses = Array.isArray(query.groupBy) ? query.groupBy : query.groupBy ? [query.groupBy] : [];
  const grouped = clauses.map((clause) => {
    if (!('field' in clause)) throw unsupported('GROUP BY a function');
    return resolve(org, object, [], clause.field);
  });
  const groups = new Map<string, StoredSObject[]>();
  if (grouped.length === 0) groups.set('', []);
  for (const record of records) {
    getOrAdd(groups, JSON.stringify(grouped.map((path) => path.read(record))), () => [] as StoredSObject[]).push(
      record,
    );
  }
  if (grouped.length === 0) groups.set('', records);
  return [...groups.values()].map((group) => rowOf(org, object, group, query.fields ?? []));
}

function rowOf(org: Org, object: SObject, group: StoredSObject[], fields: FieldType[]): Record<string, unknown> {
  const row: Record<string, unknown> = { attributes: { type: 'AggregateResult' } };
  let n = 0;
  for (const field of fields) {
    if (field.type === 'Field') {
      const path = resolve(org, object, [], field.field);
      row[field.alias ?? path.field.name] = group[0] ? path.read(group[0]) : null;
      continue;
    }
    if (!isAggregate(field)) throw malformed('Grouped field should not be aggregated');
    const compute = FUNCTIONS[field.functionName.toUpperCase()];
    if (!compute) throw unsupported(`the function ${field.functionName}`);
    const [name] = field.parameters;
    const path = resolve(org, object, [], typeof name === 'string' ? name : 'Id');
    row[field.alias ?? `expr${n++}`] = compute(group.map((record) => path.read(record)));
  }
  return row;
}
