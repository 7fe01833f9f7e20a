/** Records as answers show them. */
import type { SalesforceCall } from '../http/endpoint.ts';
import { SalesforceRefusal } from '../http/refusal.ts';
import type { StoredSObject } from './records.ts';

export function attributesOf({ root }: { root: string }, { object, id }: StoredSObject): object {
  return { attributes: { type: object.name, url: `${root}/sobjects/${object.name}/${id}` } };
}

/** @param names fields to show; all when there are none. @throws Refusal for a field that is not there */
export function recordJson(call: SalesforceCall, record: StoredSObject, names: string[]): Record<string, unknown> {
  const { schema } = call.org;
  const fields =
    names.length > 0
      ? names.map((name) => {
          const field = schema.field(record.object, name);
          if (!field) {
            throw new SalesforceRefusal(
              'INVALID_FIELD',
              `No such column '${name}' on sobject of type ${record.object.name}`,
            );
          }
          return field;
        })
      : schema.fields(record.object);
  return {
    ...attributesOf(call, record),
    ...Object.fromEntries(fields.map((field) => [field.name, shownValue(call, record, field.name)])),
  };
}

/** A file is shown as the address of its content. */
export function shownValue(call: { root: string }, record: StoredSObject, name: string): unknown {
  if (name === 'VersionData' && record.values.has(name)) {
    return `${call.root}/sobjects/ContentVersion/${record.id}/VersionData`;
  }
  return record.values.get(name) ?? null;
}

/** `?fields=Id,Name` */
export function namesIn(query: URLSearchParams): string[] {
  return (query.get('fields') ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}
