/** Whether an indexed record is what a search looks for. */

import type { PropertyType } from '../schema/property.ts';
import type { Filter, Operator } from './search-request.ts';

type Properties = ReadonlyMap<string, string>;

/** Groups are alternatives, the filters of a group all hold. No group at all finds everything. */
export function matches(properties: Properties, groups: Filter[][]): boolean {
  return groups.length === 0 || groups.some((group) => group.every((filter) => holds(properties, filter)));
}

/** Every word of the query is found in one of the properties, from the beginning of a word on. */
export function matchesQuery(properties: Properties, searched: string[], query: string): boolean {
  const tokens = searched.flatMap((name) => tokensOf(properties.get(name) ?? ''));
  return tokensOf(query).every((word) => tokens.some((token) => token.startsWith(word)));
}

const TESTS: Record<Operator, (value: string | undefined, filter: Filter) => boolean> = {
  HAS_PROPERTY: (value) => value !== undefined,
  NOT_HAS_PROPERTY: (value) => value === undefined,
  EQ: (value, filter) => value !== undefined && compare(filter.type, value, filter.value) === 0,
  NEQ: (value, filter) => value !== undefined && compare(filter.type, value, filter.value) !== 0,
  LT: (value, filter) => value !== undefined && compare(filter.type, value, filter.value) < 0,
  LTE: (value, filter) => value !== undefined && compare(filter.type, value, filter.value) <= 0,
  GT: (value, filter) => value !== undefined && compare(filter.type, value, filter.value) > 0,
  GTE: (value, filter) => value !== undefined && compare(filter.type, value, filter.value) >= 0,
  BETWEEN: (value, filter) =>
    value !== undefined &&
    compare(filter.type, value, filter.value) >= 0 &&
    compare(filter.type, value, filter.highValue) <= 0,
  IN: (value, filter) => value !== undefined && isAmong(value, filter),
  NOT_IN: (value, filter) => value !== undefined && !isAmong(value, filter),
  CONTAINS_TOKEN: (value, filter) => value !== undefined && containsToken(value, filter.value),
  NOT_CONTAINS_TOKEN: (value, filter) => value === undefined || !containsToken(value, filter.value),
};

function holds(properties: Properties, filter: Filter): boolean {
  return TESTS[filter.operator](properties.get(filter.property), filter);
}

/** Texts are indexed in lower case, and values for IN must be given so; the vendor does not lower them itself. */
function isAmong(value: string, { type, values }: Filter): boolean {
  const indexed = type === 'string' ? value.toLowerCase() : value;
  return values.includes(indexed);
}

/** Numbers and times by their size, times as ISO 8601 or as epoch ms; texts without regard to case. */
export function compare(type: PropertyType, left: string, right: string): number {
  if (type === 'number') return Number(left) - Number(right);
  if (type === 'date' || type === 'datetime') return time(left) - time(right);
  const [a, b] = type === 'string' ? [left.toLowerCase(), right.toLowerCase()] : [left, right];
  return a < b ? -1 : a > b ? 1 : 0;
}

function time(value: string): number {
  return /^-?\d+$/.test(value) ? Number(value) : Date.parse(value);
}

/** Words of a text; a star stands for any beginning or end. The whole text counts as a word too. */
function containsToken(value: string, wanted: string): boolean {
  const words = [value.toLowerCase(), ...tokensOf(value)];
  const pattern = wanted
    .toLowerCase()
    .split('*')
    .map((part) => RegExp.escape(part))
    .join('.*');
  const expression = new RegExp(`^${pattern}$`, 's');
  return words.some((word) => expression.test(word));
}

function tokensOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
}
