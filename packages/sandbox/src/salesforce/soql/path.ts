/** `Who.Name`: a field of the record, or of one that it points at. */

import { SalesforceRefusal } from '../http/refusal.ts';
import type { Org } from '../org.ts';
import type { StoredSObject } from '../records/records.ts';
import type { FieldValue } from '../records/values.ts';
import type { SObjectField } from '../schema/field.ts';
import type { SObject } from '../schema/sobject.ts';
import { isArchived } from './archived.ts';

export interface Path {
  /** References to follow, from the record on. */
  steps: SObjectField[];
  field: SObjectField;
  read(record: StoredSObject): FieldValue | null;
}

/** What a reference to several objects can be asked for besides the fields of any one of them. */
const TYPE = 'type';

/** @throws Refusal INVALID_FIELD when the object has no such field, or nothing of that name to follow */
export function resolve(org: Org, object: SObject, relationships: string[], name: string): Path {
  const steps: SObjectField[] = [];
  let targets = [object];
  for (const relationship of relationships) {
    const step = targets.map((one) => org.schema.relationship(one, relationship)).find(Boolean);
    if (!step) {
      throw new SalesforceRefusal(
        'INVALID_FIELD',
        `Didn't understand relationship '${relationship}' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.`,
      );
    }
    steps.push(step);
    targets = step.referenceTo.map((one) => org.schema.find(one)).filter((one) => one !== undefined);
  }
  const field = targets.map((one) => org.schema.field(one, name)).find(Boolean) ?? typeField(steps, name);
  if (!field) {
    throw new SalesforceRefusal(
      'INVALID_FIELD',
      `No such column '${name}' on entity '${targets[0]?.name ?? object.name}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.`,
    );
  }
  return { steps, field, read: (record) => read(org, record, steps, field) };
}

function typeField(steps: SObjectField[], name: string): SObjectField | undefined {
  const last = steps.at(-1);
  return last && last.referenceTo.length > 1 && name.toLowerCase() === TYPE
    ? { ...last, name: 'Type', type: 'string' }
    : undefined;
}

function read(org: Org, record: StoredSObject, steps: SObjectField[], field: SObjectField): FieldValue | null {
  let at: StoredSObject | undefined = record;
  for (const step of steps) at = follow(org, at, step);
  if (!at) return null;
  if (field.name === 'Type' && steps.at(-1)?.referenceTo.length !== undefined && !at.object.fields.has('Type')) {
    return at.object.name;
  }
  if (field.name === 'IsArchived') return isArchived(at);
  return at.values.get(field.name) ?? null;
}

export function follow(org: Org, record: StoredSObject | undefined, step: SObjectField): StoredSObject | undefined {
  const id = record?.values.get(step.name);
  return typeof id === 'string' ? org.record(id) : undefined;
}
