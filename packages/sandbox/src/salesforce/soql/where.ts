/** Conditions of a query as a test of records. */
import type { Condition, ConditionWithValueQuery, LiteralType, Query, WhereClause } from '@jetstreamapp/soql-parser-js';
import { SalesforceRefusal, unsupported } from '../http/refusal.ts';
import type { Org } from '../org.ts';
import type { StoredSObject } from '../records/records.ts';
import type { FieldValue } from '../records/values.ts';
import type { SObjectField } from '../schema/field.ts';
import type { SObject } from '../schema/sobject.ts';
import { type Literal, readLiteral, unquote } from './literal.ts';
import { resolve } from './path.ts';

export type Test = (record: StoredSObject) => boolean;

/** Runs a query inside a condition, and gives the values of its one field. */
export type SubQuery = (query: Query) => (FieldValue | null)[];

type Token = '(' | ')' | 'NOT' | 'AND' | 'OR' | Test;

/** @throws Refusal */
export function compileWhere(org: Org, object: SObject, where: WhereClause | undefined, subQuery: SubQuery): Test {
  if (!where) return () => true;
  const tokens = flatten(where, (condition) => compileCondition(org, object, condition, subQuery));
  const test = readExpression(tokens);
  if (tokens.length > 0) throw malformed(`unexpected token: '${String(tokens[0])}'`);
  return test;
}

/** The parser gives conditions as a chain, with parentheses counted at each: here they become tokens again. */
function flatten(where: WhereClause, compile: (condition: ConditionWithValueQuery) => Test): Token[] {
  const tokens: Token[] = [];
  let at: WhereClause | undefined = where;
  while (at) {
    const { left } = at;
    if (left) {
      const { openParen = 0, closeParen = 0 } = left as { openParen?: number; closeParen?: number };
      tokens.push(...Array<Token>(openParen).fill('('));
      if ('field' in left || 'fn' in left) tokens.push(compile(left));
      tokens.push(...Array<Token>(closeParen).fill(')'));
    }
    if ('operator' in at) tokens.push(at.operator);
    at = 'right' in at ? at.right : undefined;
  }
  return tokens;
}

/** AND and OR side by side need parentheses, as the vendor wants it. */
function readExpression(tokens: Token[]): Test {
  const parts = [readOperand(tokens)];
  let operator: Token | undefined;
  while (tokens[0] === 'AND' || tokens[0] === 'OR') {
    const next = tokens.shift();
    if (operator !== undefined && operator !== next) throw malformed(`unexpected token: '${String(next)}'`);
    operator = next;
    parts.push(readOperand(tokens));
  }
  if (operator === 'OR') return (record) => parts.some((part) => part(record));
  return (record) => parts.every((part) => part(record));
}

function readOperand(tokens: Token[]): Test {
  const token = tokens.shift();
  if (token === 'NOT') {
    const negated = readOperand(tokens);
    return (record) => !negated(record);
  }
  if (token === '(') {
    const inner = readExpression(tokens);
    if (tokens.shift() !== ')') throw malformed('expecting a right parentheses, found nothing');
    return inner;
  }
  if (typeof token !== 'function') throw malformed(`unexpected token: '${token ?? '<EOF>'}'`);
  return token;
}

export function malformed(message: string): SalesforceRefusal {
  return new SalesforceRefusal('MALFORMED_QUERY', message);
}

function compileCondition(org: Org, object: SObject, condition: ConditionWithValueQuery, subQuery: SubQuery): Test {
  if (!('field' in condition)) throw unsupported('conditions on functions');
  const names = condition.field.split('.');
  const path = resolve(org, object, names.slice(0, -1), names.at(-1) ?? '');
  const { field } = path;
  if (!field.filterable) {
    throw new SalesforceRefusal('INVALID_FIELD', `field '${field.name}' can not be filtered in a query call`);
  }
  const compare = comparison(field, condition, subQuery);
  return (record) => compare(path.read(record));
}

type Comparison = (value: FieldValue | null) => boolean;

function comparison(
  field: SObjectField,
  condition: Exclude<ConditionWithValueQuery, { openParen: number }> | Condition,
  subQuery: SubQuery,
): Comparison {
  if (!('operator' in condition)) throw unsupported('this condition');
  const { operator } = condition;
  if ('valueQuery' in condition) {
    const values = new Set(subQuery(condition.valueQuery).filter((value) => value !== null));
    const isIn: Comparison = (value) => value !== null && values.has(value);
    return operator === 'NOT IN' ? (value) => !isIn(value) : isIn;
  }
  const list = Array.isArray(condition.value) ? condition.value : [condition.value];
  const typeOf = (at: number): LiteralType | undefined => {
    const { literalType } = condition;
    return Array.isArray(literalType) ? (literalType[at] as LiteralType) : (literalType as LiteralType | undefined);
  };
  const days = 'dateLiteralVariable' in condition ? condition.dateLiteralVariable : undefined;
  if (operator === 'LIKE') return like(field, list[0] ?? '', typeOf(0));
  const literals = list.map((one, at) => readLiteral(field, one, typeOf(at), Array.isArray(days) ? days[at] : days));
  const first = literals[0] as Literal;
  const equal = (value: FieldValue | null, literal: Literal) => order(field, value, literal) === 0;
  switch (operator) {
    case '=':
      return (value) => equal(value, first);
    case '!=':
      return (value) => !equal(value, first);
    case 'IN':
      return (value) => literals.some((literal) => equal(value, literal));
    case 'NOT IN':
      return (value) => !literals.some((literal) => equal(value, literal));
    case 'INCLUDES':
      return (value) => includes(value, literals);
    case 'EXCLUDES':
      return (value) => !includes(value, literals);
    default:
      return (value) => {
        const sign = value === null || first === null ? undefined : order(field, value, first);
        if (sign === undefined) return false;
        return operator === '<' ? sign < 0 : operator === '<=' ? sign <= 0 : operator === '>' ? sign > 0 : sign >= 0;
      };
  }
}

/**
 * Negative, zero or positive; undefined when one of them is null and the other is not. A day is equal to its range, below
 * it or above it.
 */
function order(field: SObjectField, value: FieldValue | null, literal: Literal): number | undefined {
  if (value === null || literal === null) return value === literal ? 0 : undefined;
  if (typeof literal === 'object') {
    const at = Date.parse(String(value));
    return at < literal.from ? -1 : at < literal.to ? 0 : 1;
  }
  if (field.type === 'datetime') return Math.sign(Date.parse(String(value)) - Number(literal));
  if (typeof value === 'string' && typeof literal === 'string' && field.type !== 'id' && field.type !== 'reference') {
    const [a, b] = field.caseSensitive ? [value, literal] : [value.toLowerCase(), literal.toLowerCase()];
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return value < literal ? -1 : value > literal ? 1 : 0;
}

function like(field: SObjectField, quoted: string, type: LiteralType | undefined): Comparison {
  if (type !== 'STRING' || ['int', 'double', 'boolean', 'date', 'datetime', 'id', 'reference'].includes(field.type)) {
    throw new SalesforceRefusal('INVALID_QUERY_FILTER_OPERATOR', `invalid operator on ${field.type} field`);
  }
  const pattern = [...unquote(quoted).matchAll(/\\[_%]|[\s\S]/g)]
    .map(([part]) => {
      if (part === '%') return '[\\s\\S]*';
      if (part === '_') return '[\\s\\S]';
      return (part.length === 2 ? part.slice(1) : part).replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
    })
    .join('');
  const matcher = new RegExp(`^${pattern}$`, 'iu');
  return (value) => typeof value === 'string' && matcher.test(value);
}

/** `'a;b'` wants both, several texts want any. */
function includes(value: FieldValue | null, literals: Literal[]): boolean {
  const chosen = typeof value === 'string' ? value.split(';') : [];
  return literals.some(
    (literal) => typeof literal === 'string' && literal.split(';').every((one) => chosen.includes(one)),
  );
}
