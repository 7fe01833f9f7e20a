/** What a field of an object is. Keys are those that a describe tells. */

export type FieldType =
  | 'id'
  | 'reference'
  | 'string'
  | 'textarea'
  | 'phone'
  | 'email'
  | 'url'
  | 'picklist'
  | 'multipicklist'
  | 'boolean'
  | 'int'
  | 'double'
  | 'currency'
  | 'percent'
  | 'date'
  | 'datetime'
  | 'base64';

export interface PicklistValue {
  value: string;
  label: string;
  isDefault: boolean;
  active: boolean;
}

export interface SObjectField {
  name: string;
  label: string;
  type: FieldType;
  /** Most characters of a text; 0 for what is no text. */
  length: number;
  /** Most digits of a whole number; 0 for what is none. */
  digits: number;
  createable: boolean;
  updateable: boolean;
  /** False together with `defaultedOnCreate: false` means: required. */
  nillable: boolean;
  defaultedOnCreate: boolean;
  externalId: boolean;
  unique: boolean;
  caseSensitive: boolean;
  idLookup: boolean;
  filterable: boolean;
  restrictedPicklist: boolean;
  picklist: PicklistValue[];
  referenceTo: string[];
  relationshipName: string | null;
  custom: boolean;
  /** Computed by the vendor. */
  calculated: boolean;
  nameField: boolean;
  /** The object on which the field is defined, where several share it: `Activity`. */
  sharedAs?: string;
}

export type FieldParts = Partial<Omit<SObjectField, 'name' | 'label' | 'type'>>;

export function field(name: string, label: string, type: FieldType, parts: FieldParts = {}): SObjectField {
  return {
    name,
    label,
    type,
    length: 0,
    digits: 0,
    createable: true,
    updateable: true,
    nillable: type !== 'boolean',
    defaultedOnCreate: type === 'boolean',
    externalId: false,
    unique: false,
    caseSensitive: false,
    idLookup: false,
    filterable: true,
    restrictedPicklist: false,
    picklist: [],
    referenceTo: [],
    relationshipName: null,
    custom: name.endsWith('__c'),
    calculated: false,
    nameField: false,
    ...parts,
  };
}

export const text = (name: string, label: string, length: number, parts: FieldParts = {}): SObjectField =>
  field(name, label, 'string', { length, ...parts });
export const flag = (name: string, label: string, parts?: FieldParts): SObjectField =>
  field(name, label, 'boolean', parts);
export const datetime = (name: string, label: string, parts?: FieldParts): SObjectField =>
  field(name, label, 'datetime', parts);

/** @param values the first is the default where one is wanted; `label` and `value` are the same */
export function picklist(name: string, label: string, values: string[], parts: FieldParts = {}): SObjectField {
  return field(name, label, 'picklist', {
    length: 255,
    picklist: values.map((value, at) => ({
      value,
      label: value,
      isDefault: parts.defaultedOnCreate === true && at === 0,
      active: true,
    })),
    ...parts,
  });
}

/** @param name with `Id` at its end, or a custom `__c` */
export function reference(name: string, label: string, referenceTo: string[], parts: FieldParts = {}): SObjectField {
  const relationshipName = name.endsWith('__c') ? name.replace(/__c$/, '__r') : name.replace(/Id$/, '');
  return field(name, label, 'reference', { length: 18, referenceTo, relationshipName, ...parts });
}

export const required = { nillable: false } as const;
/** What only the vendor sets. */
export const readOnly = { createable: false, updateable: false } as const;
