/**
 * What the search index holds of a record: words, and of telephone numbers their digits in the forms in which people look
 * for them. A search compares whole tokens: it is no equality of numbers, and no part of a number is found by chance.
 */
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { FieldValue } from '../records/values.ts';
import type { FieldType, SObjectField } from '../schema/field.ts';
import type { Group } from './statement.ts';

/** Numbers without a country are read as those of the org's country. */
const ORG_COUNTRY = 'US';

const TEXTS: FieldType[] = ['string', 'textarea', 'picklist', 'url', 'email', 'phone'];

/** Fields that a group of fields means. */
export function isSearched(field: SObjectField, group: Group): boolean {
  if (!TEXTS.includes(field.type)) return false;
  if (group === 'PHONE') return field.type === 'phone';
  if (group === 'EMAIL') return field.type === 'email';
  if (group === 'NAME') return field.nameField;
  return true;
}

/** In lower case. */
export function tokensOf(field: SObjectField, value: FieldValue): string[] {
  const text = String(value).toLowerCase();
  if (field.type !== 'phone') return words(text);
  const digits = text.replace(/\D/g, '');
  const national = parsePhoneNumberFromString(text, ORG_COUNTRY)?.nationalNumber;
  return [...new Set([digits, ...(national ? [national] : []), ...words(text)])].filter(Boolean);
}

export function words(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
