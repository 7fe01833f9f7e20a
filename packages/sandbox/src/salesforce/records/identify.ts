/** Finding the record that a request means: by its id, or by the value of an external id. */
import type { SalesforceCall } from '../http/endpoint.ts';
import { notFound, SalesforceRefusal } from '../http/refusal.ts';
import type { SObjectField } from '../schema/field.ts';
import { normaliseId } from '../schema/ids.ts';
import type { SObject } from '../schema/sobject.ts';
import type { StoredSObject } from './records.ts';

/** @throws Refusal 404 when it is not there or deleted */
export function recordById(call: SalesforceCall, object: SObject, given: string): StoredSObject {
  const id = normaliseId(given);
  if (id === undefined) throw notFound('The requested resource does not exist');
  const record = call.org.records.get(object, id);
  if (!record) throw notFound(`Provided external ID field does not exist or is not accessible: ${given}`);
  // Reading does not tell what was deleted from what never was.
  if (record.deletedAt && call.method === 'GET') throw notFound();
  if (record.deletedAt)
    throw new SalesforceRefusal('ENTITY_IS_DELETED', 'entity is deleted', { status: 404, fields: [] });
  return record;
}

/** The field by whose values records can be named. @throws Refusal 404 */
export function externalIdField(call: SalesforceCall, object: SObject, name: string): SObjectField {
  const field = call.org.schema.field(object, name);
  if (!field || !(field.externalId || field.idLookup)) {
    throw notFound(`Provided external ID field does not exist or is not accessible: ${name}`);
  }
  return field;
}

/** Several records have the value: HTTP 300 for one request, an error for a row. */
export class Several extends SalesforceRefusal {
  readonly urls: string[];

  constructor(call: SalesforceCall, field: SObjectField, records: StoredSObject[]) {
    super(
      'DUPLICATE_EXTERNAL_ID',
      `More than one record found for external id field: [${records.map(({ id }) => id).join(', ')}]`,
      {
        status: 300,
        fields: [field.name],
      },
    );
    this.urls = records.map(({ object, id }) => `${call.root}/sobjects/${object.name}/${id}`);
  }
}

/** @returns undefined when none has the value. @throws Several */
export function recordByExternalId(
  call: SalesforceCall,
  object: SObject,
  field: SObjectField,
  value: string,
): StoredSObject | undefined {
  if (field.type === 'id') {
    const id = normaliseId(value);
    return id === undefined ? undefined : call.org.records.get(object, id);
  }
  const found = call.org.records.findBy(object, field, value).filter(({ object: own }) => own === object);
  if (found.length > 1) throw new Several(call, field, found);
  return found[0];
}
