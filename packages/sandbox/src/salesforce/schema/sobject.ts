/** What an object is, apart from its records. */
import { datetime, field, flag, readOnly, reference, required, type SObjectField } from './field.ts';

export interface SObject {
  name: string;
  label: string;
  labelPlural: string;
  keyPrefix: string;
  custom: boolean;
  createable: boolean;
  updateable: boolean;
  deletable: boolean;
  /** Whether SOSL looks through it. */
  searchable: boolean;
  fields: Map<string, SObjectField>;
  /** Names of fields in lower case: the vendor does not tell case apart. */
  byLowerCase: Map<string, SObjectField>;
}

export type SObjectParts = Partial<Omit<SObject, 'name' | 'label' | 'keyPrefix' | 'fields' | 'byLowerCase'>>;

export function sobject(
  name: string,
  label: string,
  keyPrefix: string,
  fields: SObjectField[],
  parts: SObjectParts = {},
): SObject {
  const made: SObject = {
    name,
    label,
    labelPlural: `${label}s`,
    keyPrefix,
    custom: name.endsWith('__c'),
    createable: true,
    updateable: true,
    deletable: true,
    searchable: true,
    fields: new Map(),
    byLowerCase: new Map(),
    ...parts,
  };
  for (const one of [...SYSTEM, ...fields]) putField(made, one);
  return made;
}

export function putField(object: SObject, one: SObjectField): void {
  object.fields.set(one.name, one);
  object.byLowerCase.set(one.name.toLowerCase(), one);
}

const system = { ...readOnly, nillable: false, defaultedOnCreate: true } as const;

/** What every record has. */
const SYSTEM: SObjectField[] = [
  field('Id', 'Record ID', 'id', { ...system, length: 18, idLookup: true }),
  flag('IsDeleted', 'Deleted', { ...system, defaultedOnCreate: false }),
  datetime('CreatedDate', 'Created Date', system),
  reference('CreatedById', 'Created By ID', ['User'], system),
  datetime('LastModifiedDate', 'Last Modified Date', system),
  reference('LastModifiedById', 'Last Modified By ID', ['User'], system),
  datetime('SystemModstamp', 'System Modstamp', system),
];

export const owner = (queues = false): SObjectField =>
  reference('OwnerId', 'Owner ID', queues ? ['Group', 'User'] : ['User'], { ...required, defaultedOnCreate: true });
