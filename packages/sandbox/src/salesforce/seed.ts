/** Putting things into an org without asking its API: what was there before a test begins. */

import { SalesforceRefusal } from './http/refusal.ts';
import type { Org } from './org.ts';
import { addPrimaryRole } from './records/contact-roles.ts';
import { derive } from './records/derived.ts';
import type { StoredSObject } from './records/records.ts';
import { checkValue, type FieldValue, formatDatetime } from './records/values.ts';
import { defineField, defineObject, type FieldSpec } from './schema/define.ts';
import { normaliseId } from './schema/ids.ts';
import { addPersonContact } from './schema/person-accounts.ts';

export interface SalesforceSeed {
  /** Custom objects of the org, with their fields. */
  custom_objects?: { name: string; label?: string; fields?: FieldSpec[] }[];
  /** Custom fields by object; `Activity` for tasks and events. */
  fields?: Record<string, FieldSpec[]>;
  /** Values of a picklist, by object and field: replace those that were there, the first is the default. */
  picklists?: Record<string, Record<string, string[]>>;
  /**
   * Records by object. Values are checked as the API checks them, but what is required may be missing, and what only the
   * vendor sets may be given: `IsConverted`, `CreatedDate`, `IsDeleted`, and with it `MasterRecordId` of the winner of a merge.
   */
  records?: Record<string, Record<string, unknown>[]>;
}

const KNOWN = ['custom_objects', 'fields', 'picklists', 'records'];

/** @returns ids of the new records, by object and in the order given. @throws Refusal */
export function seedOrg(org: Org, given: SalesforceSeed): Record<string, string[]> {
  const unknown = Object.keys(given).find((key) => !KNOWN.includes(key));
  if (unknown !== undefined) throw wrong(`A seed of Salesforce has no "${unknown}"; it has ${KNOWN.join(', ')}`);
  const { custom_objects = [], fields = {}, picklists = {}, records = {} } = given;
  for (const { name, label, fields: own = [] } of custom_objects) {
    org.schema.addObject(defineObject(org.schema, name, label ?? name));
    for (const spec of own) org.schema.addField(name, defineField(spec));
  }
  for (const [object, specs] of Object.entries(fields)) {
    for (const spec of specs) org.schema.addField(object, defineField(spec));
  }
  for (const [object, byField] of Object.entries(picklists)) {
    for (const [name, values] of Object.entries(byField)) seedPicklist(org, object, name, values);
  }
  return Object.fromEntries(
    Object.entries(records).map(([object, list]) => [object, list.map((values) => seedRecord(org, object, values).id)]),
  );
}

function wrong(message: string): SalesforceRefusal {
  return new SalesforceRefusal('INVALID_INPUT', message);
}

function seedPicklist(org: Org, object: string, name: string, values: string[]): void {
  const field = org.schema.find(object)?.byLowerCase.get(name.toLowerCase());
  if (!field) throw wrong(`${object} has no field ${name}`);
  field.picklist = values.map((value, at) => ({
    value,
    label: value,
    isDefault: field.defaultedOnCreate && at === 0,
    active: true,
  }));
}

function seedRecord(org: Org, name: string, given: Record<string, unknown>): StoredSObject {
  const object = org.schema.find(name);
  if (!object) throw wrong(`There is no object ${name}`);
  const values = new Map<string, FieldValue | null>();
  for (const { name: flag, type, picklist } of object.fields.values()) {
    if (type === 'boolean') values.set(flag, false);
    const standard = picklist.find(({ isDefault }) => isDefault);
    if (standard) values.set(flag, standard.value);
  }
  if (object.fields.has('OwnerId')) values.set('OwnerId', org.userId);
  for (const [key, value] of Object.entries(given)) {
    const field = object.byLowerCase.get(key.toLowerCase());
    if (!field) throw wrong(`${name} has no field ${key}`);
    const checked = checkValue(value, field);
    if (field.type === 'reference' && typeof checked === 'string' && !org.record(normaliseId(checked) ?? '')) {
      throw wrong(`${key} of ${name} points at no record: ${checked}`);
    }
    values.set(field.name, checked);
  }
  const deleted = values.get('IsDeleted') === true;
  const created = values.get('CreatedDate');
  const now = typeof created === 'string' ? created : formatDatetime(new Date());
  org.records.checkUnique(object, undefined, values);
  const record = org.records.create(object, values, now, org.userId);
  derive(org, record, now);
  if (object.name === 'Account' && record.values.has('LastName')) addPersonContact(org, record, now);
  if (object.name === 'Opportunity') addPrimaryRole(org, record, now);
  const winner = values.get('MasterRecordId');
  if (deleted) org.records.remove(record, new Date(), typeof winner === 'string' ? winner : undefined);
  return record;
}
