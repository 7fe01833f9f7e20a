/** Custom objects and fields, as an administrator adds them to the org. */
import { SalesforceRefusal } from '../http/refusal.ts';
import { type FieldType, field, picklist, reference, type SObjectField, text } from './field.ts';
import type { SalesforceSchema } from './schema.ts';
import { owner, type SObject, sobject } from './sobject.ts';

export interface FieldSpec {
  /** With `__c` at its end. */
  name: string;
  label?: string;
  /** Default `string`. */
  type?: FieldType;
  /** Of texts; default 255, and 32,768 for long ones. */
  length?: number;
  external_id?: boolean;
  unique?: boolean;
  case_sensitive?: boolean;
  required?: boolean;
  /** Of a picklist, which takes nothing else when `restricted`. */
  values?: string[];
  restricted?: boolean;
  /** Objects that a reference may lead to. */
  reference_to?: string[];
}

/** @throws Refusal when the name is none of a custom field */
export function defineField(spec: FieldSpec): SObjectField {
  const { name, label = name.replace(/__c$/, '').replaceAll('_', ' '), type = 'string' } = spec;
  if (!/^[A-Za-z]\w*__c$/.test(name))
    throw new SalesforceRefusal('INVALID_FULLNAME', `A custom field's name ends with __c: ${name}`);
  const parts = {
    externalId: spec.external_id ?? false,
    idLookup: spec.external_id ?? false,
    unique: spec.unique ?? false,
    caseSensitive: spec.case_sensitive ?? false,
    nillable: !spec.required,
  };
  switch (type) {
    case 'string':
      return text(name, label, spec.length ?? 255, parts);
    case 'textarea':
      return field(name, label, type, {
        ...parts,
        length: spec.length ?? 32_768,
        filterable: (spec.length ?? 32_768) <= 255,
      });
    case 'phone':
      return field(name, label, type, { ...parts, length: 40 });
    case 'email':
      return field(name, label, type, { ...parts, length: 80 });
    case 'url':
      return field(name, label, type, { ...parts, length: 255 });
    case 'picklist':
    case 'multipicklist':
      return {
        ...picklist(name, label, spec.values ?? [], { ...parts, restrictedPicklist: spec.restricted ?? true }),
        type,
      };
    case 'reference':
      return reference(name, label, spec.reference_to ?? [], parts);
    case 'int':
      return field(name, label, type, { ...parts, digits: 9 });
    case 'boolean':
      return field(name, label, type, { nillable: false, defaultedOnCreate: true });
    default:
      return field(name, label, type, parts);
  }
}

/** @param name with `__c` at its end. @throws Refusal */
export function defineObject(schema: SalesforceSchema, name: string, label: string): SObject {
  if (!/^[A-Za-z]\w*__c$/.test(name))
    throw new SalesforceRefusal('INVALID_FULLNAME', `A custom object's name ends with __c: ${name}`);
  const nameField = text('Name', `${label} Name`, 80, { nameField: true, nillable: true, defaultedOnCreate: true });
  return sobject(name, label, schema.nextPrefix(), [nameField, owner(true)]);
}
