/** What a condition compares with, as the field's type wants it. */
import type { LiteralType } from '@jetstreamapp/soql-parser-js';
import { SalesforceRefusal, unsupported } from '../http/refusal.ts';
import type { FieldType, SObjectField } from '../schema/field.ts';
import { normaliseId } from '../schema/ids.ts';

/** A value, or the days from `from` until before `to`, both in epoch ms. */
export type Literal = string | number | boolean | null | { from: number; to: number };

const ESCAPES: Record<string, string> = { n: '\n', N: '\n', r: '\r', R: '\r', t: '\t', T: '\t', b: '\b', f: '\f' };

/** The text between quotes. `\_` and `\%` stay as they are, for LIKE. */
export function unquote(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\([\s\S])/g, (whole, character: string) => {
    if (character === '_' || character === '%') return whole;
    return ESCAPES[character] ?? character;
  });
}

const NUMBERS: FieldType[] = ['int', 'double', 'currency', 'percent'];
const TIMES: FieldType[] = ['date', 'datetime'];

const DAY = 86_400_000;

/** @throws Refusal when the field cannot be compared with it */
export function readLiteral(
  field: SObjectField,
  given: string,
  type: LiteralType | undefined,
  days: number | undefined,
): Literal {
  switch (type) {
    case 'NULL':
      return null;
    case 'STRING':
      return readString(field, unquote(given));
    case 'INTEGER':
    case 'DECIMAL':
      if (!NUMBERS.includes(field.type)) throw mistyped(field);
      return Number(given);
    case 'BOOLEAN':
      if (field.type !== 'boolean') throw mistyped(field);
      return /^true$/i.test(given);
    case 'DATE':
      if (field.type !== 'date') throw mistyped(field);
      return given;
    case 'DATETIME':
      if (field.type !== 'datetime') throw mistyped(field);
      return Date.parse(given);
    case 'DATE_LITERAL':
    case 'DATE_N_LITERAL':
      if (!TIMES.includes(field.type)) throw mistyped(field);
      return dayRange(given.split(':')[0]?.toUpperCase() ?? '', days ?? 0);
    default:
      throw unsupported(`comparing with ${given} (${type})`);
  }
}

function readString(field: SObjectField, text: string): string {
  if ([...NUMBERS, ...TIMES, 'boolean'].includes(field.type)) throw mistyped(field);
  if (field.type !== 'id' && field.type !== 'reference') return text;
  const id = normaliseId(text);
  if (id === undefined) throw new SalesforceRefusal('INVALID_QUERY_FILTER_OPERATOR', `invalid ID field: ${text}`);
  return id;
}

function mistyped({ name, type }: SObjectField): SalesforceRefusal {
  const quotes = [...NUMBERS, ...TIMES, 'boolean'].includes(type) ? 'should not be' : 'should be';
  return new SalesforceRefusal(
    'INVALID_FIELD',
    `value of filter criterion for field '${name}' must be of type ${type} and ${quotes} enclosed in quotes`,
  );
}

/** Days count from midnight UTC. */
function dayRange(name: string, n: number): { from: number; to: number } {
  const today = Math.floor(Date.now() / DAY) * DAY;
  const ranges: Record<string, [number, number]> = {
    TODAY: [0, 1],
    YESTERDAY: [-1, 0],
    TOMORROW: [1, 2],
    LAST_N_DAYS: [-n, 1],
    NEXT_N_DAYS: [1, n + 1],
    N_DAYS_AGO: [-n, -n + 1],
  };
  const range = ranges[name];
  if (!range) throw unsupported(`the date ${name}`);
  return { from: today + range[0] * DAY, to: today + range[1] * DAY };
}
