/** What a search may ask. https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm */
import { asArray, asId, asObject, asStrings, bodyOf, type HubSpotRequest } from '../http/endpoint.ts';
import { invalid } from '../http/refusal.ts';
import type { ObjectType } from '../schema/object-types.ts';
import type { PropertyType } from '../schema/property.ts';
import type { HubSpotSchema } from '../schema/schema.ts';

export const SEARCH_LIMITS = {
  /** Characters of the whole body. */
  body: 3_000,
  groups: 5,
  filtersInGroup: 6,
  filters: 18,
  page: 200,
  results: 10_000,
} as const;

/** What each operator needs besides the property. */
const OPERATORS = {
  EQ: 'value',
  NEQ: 'value',
  LT: 'value',
  LTE: 'value',
  GT: 'value',
  GTE: 'value',
  BETWEEN: 'range',
  IN: 'values',
  NOT_IN: 'values',
  HAS_PROPERTY: 'nothing',
  NOT_HAS_PROPERTY: 'nothing',
  CONTAINS_TOKEN: 'value',
  NOT_CONTAINS_TOKEN: 'value',
} as const;
export type Operator = keyof typeof OPERATORS;

export interface Filter {
  property: string;
  type: PropertyType;
  operator: Operator;
  value: string;
  highValue: string;
  values: string[];
}

export interface SearchRequest {
  groups: Filter[][];
  query: string;
  sort: { property: string; type: PropertyType; descending: boolean } | undefined;
  properties: string[];
  limit: number;
  /** Results to skip. */
  after: number;
}

/** @throws Refusal for whatever the vendor does not take */
export function readSearch(call: HubSpotRequest, type: ObjectType): SearchRequest {
  if (call.bodyText.length > SEARCH_LIMITS.body) {
    throw invalid(`The request is ${call.bodyText.length} characters long; a search may have ${SEARCH_LIMITS.body}.`);
  }
  const body = bodyOf(call);
  const groups = asArray(body.filterGroups ?? [], '"filterGroups"').map((group) =>
    asArray(asObject(group, 'a filter group').filters ?? [], '"filters"').map((filter) =>
      readFilter(call.account.schema, type, asObject(filter, 'a filter')),
    ),
  );
  refuseTooMany('filter groups', groups.length, SEARCH_LIMITS.groups);
  for (const group of groups) refuseTooMany('filters in a group', group.length, SEARCH_LIMITS.filtersInGroup);
  refuseTooMany('filters', groups.flat().length, SEARCH_LIMITS.filters);
  const limit = wholeNumber(body.limit ?? 10, 'limit');
  refuseTooMany('results on a page', limit, SEARCH_LIMITS.page);
  const after = wholeNumber(body.after ?? 0, 'after');
  refuseTooMany('results of a search', after + limit, SEARCH_LIMITS.results);
  return {
    groups,
    query: body.query === undefined ? '' : asId(body.query, '"query"'),
    sort: readSort(call.account.schema, type, asArray(body.sorts ?? [], '"sorts"')),
    properties: asStrings(body.properties, '"properties"'),
    limit,
    after,
  };
}

function refuseTooMany(what: string, count: number, most: number): void {
  if (count > most) throw invalid(`There are ${count} ${what}; the maximum is ${most}.`);
}

function wholeNumber(given: unknown, what: string): number {
  const number = Number(given);
  if (!Number.isInteger(number) || number < 0) throw invalid(`Invalid ${what}: ${String(given)}`);
  return number;
}

function readFilter(schema: HubSpotSchema, type: ObjectType, filter: Record<string, unknown>): Filter {
  const property = asId(filter.propertyName, '"propertyName"');
  const definition = schema.property(type, property);
  if (!definition) throw invalid(`There was a problem with the request. Unknown property: ${property}`);
  const operator = filter.operator as Operator;
  if (!Object.hasOwn(OPERATORS, operator)) throw invalid(`Invalid operator ${String(operator)} for ${property}`);
  const needs = OPERATORS[operator];
  const values = asStrings(filter.values, '"values"');
  if (needs === 'values' && values.length === 0) throw invalid(`Operator ${operator} needs "values"`);
  if ((needs === 'value' || needs === 'range') && filter.value === undefined) {
    throw invalid(`Operator ${operator} needs "value"`);
  }
  if (needs === 'range' && filter.highValue === undefined) throw invalid(`Operator ${operator} needs "highValue"`);
  return {
    property,
    type: definition.type,
    operator,
    value: filter.value === undefined ? '' : asId(filter.value, '"value"'),
    highValue: filter.highValue === undefined ? '' : asId(filter.highValue, '"highValue"'),
    values,
  };
}

/** Only one sort is taken; as an object, or as a property's name with a minus before it to turn it round. */
function readSort(schema: HubSpotSchema, type: ObjectType, sorts: unknown[]): SearchRequest['sort'] {
  refuseTooMany('sorts', sorts.length, 1);
  const [first] = sorts;
  if (first === undefined) return undefined;
  const { propertyName, direction } =
    typeof first === 'string'
      ? { propertyName: first.replace(/^-/, ''), direction: first.startsWith('-') ? 'DESCENDING' : 'ASCENDING' }
      : asObject(first, 'a sort');
  const property = asId(propertyName, '"propertyName"');
  const definition = schema.property(type, property);
  if (!definition) throw invalid(`There was a problem with the request. Unknown property: ${property}`);
  if (direction !== undefined && direction !== 'ASCENDING' && direction !== 'DESCENDING') {
    throw invalid(`Invalid sort direction ${String(direction)}`);
  }
  return { property, type: definition.type, descending: direction === 'DESCENDING' };
}
