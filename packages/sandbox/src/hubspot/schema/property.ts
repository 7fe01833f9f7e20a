/** Property definitions. https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide */

import type { Forms } from '../../settings.ts';
import { formatMoment, HUBSPOT_FORMS } from '../http/forms.ts';

/** What values a property holds, and the form fields that can show each. */
export const FIELD_TYPES = {
  string: ['text', 'textarea', 'html', 'file', 'phonenumber', 'calculation_equation'],
  number: ['number', 'calculation_equation'],
  bool: ['booleancheckbox', 'calculation_equation'],
  enumeration: ['select', 'radio', 'checkbox', 'booleancheckbox', 'calculation_equation'],
  date: ['date'],
  datetime: ['date'],
  phone_number: ['phonenumber'],
} as const;
export type PropertyType = keyof typeof FIELD_TYPES;

export interface Option {
  label: string;
  value: string;
  displayOrder: number;
  hidden: boolean;
  description?: string;
}

export interface PropertyDefinition {
  name: string;
  label: string;
  type: PropertyType;
  fieldType: string;
  groupName: string;
  description: string;
  options: Option[];
  hasUniqueValue: boolean;
  hubspotDefined: boolean;
  calculated: boolean;
  /** The value cannot be written. */
  readOnly: boolean;
  /** Options live elsewhere: the value must be the id of an owner. */
  owners: boolean;
  /** A number without decimals. */
  integer: boolean;
  hidden: boolean;
  formField: boolean;
  displayOrder: number;
  createdAt?: Date;
  updatedAt?: Date;
  archivedAt?: Date;
}

export interface PropertyGroup {
  name: string;
  label: string;
  displayOrder: number;
}

export function property(
  name: string,
  label: string,
  type: PropertyType,
  fieldType: string,
  more: Partial<PropertyDefinition> = {},
): PropertyDefinition {
  return {
    name,
    label,
    type,
    fieldType,
    groupName: '',
    description: '',
    options: [],
    hasUniqueValue: false,
    hubspotDefined: true,
    calculated: false,
    readOnly: false,
    owners: false,
    integer: false,
    hidden: false,
    formField: false,
    displayOrder: -1,
    ...more,
  };
}

export const text = (name: string, label: string, more?: Partial<PropertyDefinition>) =>
  property(name, label, 'string', 'text', more);
export const datetime = (name: string, label: string, more?: Partial<PropertyDefinition>) =>
  property(name, label, 'datetime', 'date', more);

/** @param values values by label, or a list of values that are their own labels */
export function options(values: Record<string, string> | string[]): Option[] {
  const pairs = Array.isArray(values) ? values.map((value) => [value, value] as const) : Object.entries(values);
  return pairs.map(([label, value], displayOrder) => ({ label, value, displayOrder, hidden: false }));
}

/** A definition as the properties API gives it, on its own or in a list of all. */
export function propertyJson(definition: PropertyDefinition, forms: Forms): object {
  const { createdAt = SINCE, updatedAt = SINCE, archivedAt } = definition;
  const { dataSensitivity: tellsUsers } = HUBSPOT_FORMS[forms];
  return {
    ...definitionJson(definition, forms),
    createdAt: formatMoment(createdAt),
    updatedAt: formatMoment(updatedAt),
    ...(archivedAt && { archivedAt: formatMoment(archivedAt) }),
    ...((!definition.hubspotDefined || archivedAt) && { archived: archivedAt !== undefined }),
    ...(!definition.hubspotDefined && tellsUsers && { createdUserId: '81000001', updatedUserId: '81000001' }),
  };
}

/** When HubSpot defined its own properties. */
const SINCE = new Date('2019-08-06T02:41:08.072Z');

/** A definition as a batch gives it: without its times, and without those who made it. */
export function definitionJson(definition: PropertyDefinition, forms: Forms): object {
  const { readOnly, owners, integer, hubspotDefined, archivedAt, createdAt, updatedAt, ...rest } = definition;
  const isFixed = hubspotDefined && definition.type === 'enumeration';
  return {
    ...rest,
    ...(hubspotDefined && { hubspotDefined }),
    ...(HUBSPOT_FORMS[forms].dataSensitivity && { dataSensitivity: 'non_sensitive' }),
    externalOptions: owners,
    ...(owners && { referencedObjectType: 'OWNER' }),
    modificationMetadata: {
      archivable: !hubspotDefined,
      readOnlyDefinition: hubspotDefined,
      ...(isFixed && { readOnlyOptions: readOnly || owners }),
      readOnlyValue: readOnly,
    },
  };
}
