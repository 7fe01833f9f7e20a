/** Where a record points: ids, or records named by the value of an external id. */
import type { SalesforceCall } from '../http/endpoint.ts';
import { malformedJson, SalesforceRefusal } from '../http/refusal.ts';
import type { SObjectField } from '../schema/field.ts';
import type { SObject } from '../schema/sobject.ts';
import type { StoredSObject } from './records.ts';

/** Checks that a reference leads to a record that is there and of a right kind. @throws Refusal */
export function checkReference(call: SalesforceCall, id: string, field: SObjectField): StoredSObject {
  const object = call.org.schema.byPrefix(id);
  if (!object || !field.referenceTo.includes(object.name)) {
    throw new SalesforceRefusal('FIELD_INTEGRITY_EXCEPTION', `${field.label}: id value of incorrect type: ${id}`, {
      fields: [field.name],
    });
  }
  const record = call.org.records.get(object, id);
  if (!record) {
    throw new SalesforceRefusal(
      'INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY',
      `insufficient access rights on cross-reference id: ${id.slice(0, 15)}`,
      { fields: [] },
    );
  }
  if (record.deletedAt) throw new SalesforceRefusal('ENTITY_IS_DELETED', 'entity is deleted', { fields: [] });
  return record;
}

/**
 * The id of the record that a nested object names: `"Who": { "attributes": { "type": "Lead" }, "Key__c": "…" }`.
 * @param name of the relationship
 * @throws Refusal
 */
export function followExternalId(
  call: SalesforceCall,
  object: SObject,
  name: string,
  given: object,
): [field: string, id: string] {
  const field = call.org.schema.relationship(object, name);
  if (!field) throw noSuchField(object, name);
  const entries = Object.entries(given);
  const [first] = entries;
  const polymorphic = field.referenceTo.length > 1;
  if (polymorphic && first?.[0] !== 'attributes') {
    throw malformedJson(
      'Nested object for polymorphic foreign key must have an attributes field before any other fields.',
    );
  }
  const attributes = entries.find(([key]) => key === 'attributes')?.[1] as { type?: string } | undefined;
  const target = call.org.schema.find(attributes?.type ?? field.referenceTo[0] ?? '');
  const [key, value] = entries.find(([one]) => one !== 'attributes') ?? ['', undefined];
  const keyField = target && call.org.schema.field(target, key);
  if (!target || !keyField || !(keyField.externalId || keyField.idLookup)) {
    throw new SalesforceRefusal(
      'INVALID_FIELD',
      `Foreign key ${key} is no external id of ${target?.name ?? attributes?.type}`,
    );
  }
  const found = call.org.records.findBy(target, keyField, String(value));
  if (found.length !== 1) {
    throw new SalesforceRefusal(
      'INVALID_FIELD',
      `Foreign key external ID: ${String(value).toLowerCase()} not found for field ${keyField.name} in entity ${target.name}`,
    );
  }
  return [field.name, (found[0] as StoredSObject).id];
}

export function noSuchField(object: SObject, name: string): SalesforceRefusal {
  return new SalesforceRefusal('INVALID_FIELD', `No such column '${name}' on sobject of type ${object.name}`);
}
