/** SOSL: finds records by the words that the index holds of them, and shows them as they are now. */
import type { Query } from '@jetstreamapp/soql-parser-js';
import { getOrAdd } from '../../get-or-add.ts';
import { SalesforceRefusal } from '../http/refusal.ts';
import type { Org, SalesforceIndexedRecord } from '../org.ts';
import type { SObject } from '../schema/sobject.ts';
import { runQuery } from '../soql/query.ts';
import type { Shown } from '../soql/select.ts';
import type { Group, Statement } from './statement.ts';
import { parseTerms, type Terms } from './terms.ts';
import { isSearched, tokensOf, words } from './tokens.ts';

/** Most records of one search. */
const MOST_RESULTS = 2_000;

/** @throws Refusal */
export function runSearch(org: Org, root: string, statement: Statement): Shown[] {
  const terms = parseTerms(statement.find);
  const limit = Math.min(statement.limit ?? MOST_RESULTS, MOST_RESULTS);
  const returning = statement.returning.length > 0 ? statement.returning : everything(org);
  const shown = returning.flatMap(({ object: name, query }) => {
    const object = org.schema.find(name);
    if (!object?.searchable) throw new SalesforceRefusal('INVALID_TYPE', `sObject type '${name}' is not supported.`);
    const ids = terms ? hits(org, object, statement.group, terms) : new Set<string>();
    const found = runQuery({ org, root, all: false, only: ids }, query);
    return 'records' in found ? found.records : [];
  });
  return shown.slice(0, limit);
}

/** Without RETURNING, ids of whatever is found. */
function everything(org: Org): { object: string; query: Query }[] {
  return org.schema.objects
    .filter(({ searchable }) => searchable)
    .map(({ name }) => ({ object: name, query: { fields: [{ type: 'Field', field: 'Id' }], sObject: name } }));
}

function hits(org: Org, object: SObject, group: Group, terms: Terms): Set<string> {
  const ids = new Set<string>();
  for (const record of org.index.visible(object.name, org.settings.search_lag)) {
    if (holds(terms, indexedTokens(org, object, record, group))) ids.add(record.id);
  }
  return ids;
}

const TOKENS = new WeakMap<SalesforceIndexedRecord, Map<Group, Set<string>>>();

/** A state that was indexed never changes, and so its tokens are made once. */
function indexedTokens(org: Org, object: SObject, record: SalesforceIndexedRecord, group: Group): Set<string> {
  const known = TOKENS.get(record) ?? new Map<Group, Set<string>>();
  TOKENS.set(record, known);
  return getOrAdd(known, group, () => {
    const searched = org.schema.fields(object).filter((field) => isSearched(field, group));
    return new Set(
      searched.flatMap((field) => {
        const value = record.values.get(field.name);
        return value === undefined ? [] : tokensOf(field, value);
      }),
    );
  });
}

function holds(terms: Terms, tokens: Set<string>): boolean {
  switch (terms.kind) {
    case 'and':
      return terms.parts.every((part) => holds(part, tokens));
    case 'or':
      return terms.parts.some((part) => holds(part, tokens));
    case 'not':
      return !holds(terms.part, tokens);
    case 'term':
      return isHeld(terms.text, tokens);
  }
}

function isHeld(text: string, tokens: Set<string>): boolean {
  const lower = text.toLowerCase();
  if (/[*?]/.test(lower)) {
    const pattern = lower
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    const matcher = new RegExp(`^${pattern}$`, 'u');
    return [...tokens].some((token) => matcher.test(token));
  }
  const parts = words(lower);
  // A number is found however it is punctuated.
  return tokens.has(parts.join('')) || (parts.length > 0 && parts.every((part) => tokens.has(part)));
}
