/** What a field may be set to. One row per type; each gives the value as it is stored, or refuses it. */

import { malformedJson, SalesforceRefusal } from '../http/refusal.ts';
import type { FieldType, SObjectField } from '../schema/field.ts';
import { normaliseId } from '../schema/ids.ts';

export type FieldValue = string | number | boolean;

const EMAIL = /^[^\s@<>"'(),;:\\[\]]+@[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}$/i;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DATETIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})$/;

type Check = (given: unknown, field: SObjectField) => FieldValue;

const CHECKS: Record<FieldType, Check> = {
  id: (given, field) => idOf(given, field),
  reference: (given, field) => idOf(given, field),
  string: short,
  textarea: short,
  phone: short,
  url: short,
  picklist: (given, field) => option(textOf(given, field), field),
  multipicklist: (given, field) => {
    const text = textOf(given, field);
    for (const one of text.split(';')) option(one, field);
    return text;
  },
  email: (given, field) => {
    const text = String(short(given, field));
    if (text === '' || EMAIL.test(text)) return text;
    throw new SalesforceRefusal('INVALID_EMAIL_ADDRESS', `${field.label}: invalid email address: ${text}`, {
      fields: [field.name],
    });
  },
  boolean: (given, field) => {
    if (typeof given === 'boolean') return given;
    throw unreadable(given, 'boolean', field);
  },
  int: (given, field) => {
    if (typeof given !== 'number' || !Number.isInteger(given)) throw unreadable(given, 'int', field);
    if (String(Math.abs(given)).length <= field.digits) return given;
    throw new SalesforceRefusal(
      'NUMBER_OUTSIDE_VALID_RANGE',
      `${field.label}: value outside of valid range on numeric field: ${given}`,
      { fields: [field.name] },
    );
  },
  double: decimal,
  currency: decimal,
  percent: decimal,
  date: (given, field) => {
    if (typeof given !== 'string' || !DATE.test(given) || !isDay(given)) throw unreadable(given, 'date', field);
    return given;
  },
  datetime: (given, field) => {
    const at = typeof given === 'string' && DATETIME.test(given) ? new Date(given) : undefined;
    if (!at || Number.isNaN(at.getTime())) throw unreadable(given, 'datetime', field);
    return formatDatetime(at);
  },
  base64: (given, field) => {
    if (typeof given === 'string' && /^[A-Za-z0-9+/=\s]*$/.test(given)) return given;
    throw unreadable(given, 'base64Binary', field);
  },
};

/**
 * @returns the value as it is stored; null when it clears the field
 * @throws Refusal
 */
export function checkValue(given: unknown, field: SObjectField): FieldValue | null {
  if (given === null || given === undefined) return null;
  const value = CHECKS[field.type](given, field);
  return value === '' ? null : value;
}

/** `2026-11-23T10:00:00.000+0000`: seconds count, what is below them does not. */
export function formatDatetime(at: Date): string {
  return `${at.toISOString().slice(0, 19)}.000+0000`;
}

function textOf(given: unknown, field: SObjectField): string {
  if (typeof given === 'string') return given.trim();
  throw unreadable(given, 'string', field);
}

function short(given: unknown, field: SObjectField): string {
  const text = textOf(given, field);
  if (text.length <= field.length) return text;
  throw new SalesforceRefusal(
    'STRING_TOO_LONG',
    `${field.label}: data value too large: ${text.slice(0, 255)} (max length=${field.length})`,
    { fields: [field.name] },
  );
}

function option(text: string, field: SObjectField): string {
  const known = field.picklist.find(({ value, active }) => active && value.toLowerCase() === text.toLowerCase());
  if (known) return known.value;
  if (text === '') return text;
  if (!field.restrictedPicklist) return short(text, field);
  throw new SalesforceRefusal(
    'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST',
    `${field.label}: bad value for restricted picklist field: ${text}`,
    { fields: [field.name] },
  );
}

function decimal(given: unknown, field: SObjectField): number {
  if (typeof given === 'number' && Number.isFinite(given)) return given;
  throw unreadable(given, 'double', field);
}

function idOf(given: unknown, field: SObjectField): string {
  if (given === '') return '';
  const id = normaliseId(given);
  if (id) return id;
  throw new SalesforceRefusal('MALFORMED_ID', `${field.label}: id value of incorrect type: ${String(given)}`, {
    fields: [field.name],
  });
}

function isDay(text: string): boolean {
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

/** A value of another type is a mistake of the request, not of the record. */
function unreadable(given: unknown, type: string, { name }: SObjectField): SalesforceRefusal {
  const kind = typeof given === 'string' ? 'VALUE_STRING' : typeof given === 'number' ? 'VALUE_NUMBER' : 'START_OBJECT';
  return malformedJson(
    `Cannot deserialize instance of ${type} from ${kind} value ${String(given).slice(0, 100)} or request may be missing a required field at [line:1, column:1] (${name})`,
  );
}
