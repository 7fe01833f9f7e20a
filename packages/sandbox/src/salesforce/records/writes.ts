/** Creating, changing and deleting single records. Each checks everything and then writes; nothing can come between. */

import type { SalesforceCall } from '../http/endpoint.ts';
import { malformedJson, SalesforceRefusal } from '../http/refusal.ts';
import { addPersonContact, followPersonAccount } from '../schema/person-accounts.ts';
import type { SObject } from '../schema/sobject.ts';
import { addPrimaryRole, removeRoles } from './contact-roles.ts';
import { derive } from './derived.ts';
import { checkDuplicates } from './duplicates.ts';
import { publishFile } from './files.ts';
import type { StoredSObject } from './records.ts';
import { followExternalId, noSuchField } from './references.ts';
import { checkEventTimes, checkReferences, checkRequired, checkValidation } from './rules.ts';
import { checkValue, type FieldValue, formatDatetime } from './values.ts';

type Changes = Map<string, FieldValue | null>;

/** Keys of a row that name no field. */
const NO_FIELDS = new Set(['attributes']);

/** @param given a row as it came. @throws Refusal */
export function createRecord(call: SalesforceCall, object: SObject, given: Record<string, unknown>): StoredSObject {
  if (!object.createable)
    throw new SalesforceRefusal(
      'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY',
      `entity type cannot be inserted: ${object.label}`,
    );
  const changes = readChanges(call, object, given, 'createable');
  fillDefaults(call, object, changes);
  checkAll(call, object, undefined, changes, changes);
  if (object.name === 'PermissionSetAssignment') checkAssignment(call, object, changes);
  if (object.name === 'CampaignMember') checkMember(call, object, changes);
  const now = formatDatetime(new Date());
  const record = call.org.records.create(object, changes, now, call.org.userId);
  finish(call, record, now);
  if (object.name === 'ContentVersion') publishFile(call, record, now);
  if (object.name === 'Account' && record.values.has('LastName')) addPersonContact(call.org, record, now);
  if (object.name === 'Opportunity') addPrimaryRole(call.org, record, now);
  return record;
}

/** A user has a permission set once. @throws Refusal */
function checkAssignment(call: SalesforceCall, object: SObject, changes: Changes): void {
  const [assignee, set] = [changes.get('AssigneeId'), changes.get('PermissionSetId')];
  const twin = call.org.records
    .live(object)
    .find(({ values }) => values.get('AssigneeId') === assignee && values.get('PermissionSetId') === set);
  if (!twin) return;
  const short = (id: unknown) => String(id).slice(0, 15);
  throw new SalesforceRefusal(
    'DUPLICATE_VALUE',
    `Duplicate PermissionSetAssignment.  Assignee: ${short(assignee)}; Permission Set: ${short(set)}`,
    { fields: ['AssigneeId', 'PermissionSetId'] },
  );
}

/**
 * A member of a campaign is a lead or a contact, and is it once; of both given only the contact counts.
 * https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_campaignmember.htm
 * @throws Refusal
 */
function checkMember(call: SalesforceCall, object: SObject, changes: Changes): void {
  if (changes.get('ContactId')) changes.delete('LeadId');
  const [campaign, contact, lead] = ['CampaignId', 'ContactId', 'LeadId'].map((name) => changes.get(name) ?? null);
  if (contact === null && lead === null)
    throw new SalesforceRefusal('REQUIRED_FIELD_MISSING', 'Required fields are missing: [LeadId, ContactId]', {
      fields: ['LeadId', 'ContactId'],
    });
  const twin = call.org.records
    .live(object)
    .find(
      ({ values }) =>
        values.get('CampaignId') === campaign &&
        (values.get('ContactId') ?? null) === contact &&
        (values.get('LeadId') ?? null) === lead,
    );
  if (twin) throw new SalesforceRefusal('DUPLICATE_VALUE', 'Already a campaign member.', { fields: [] });
}

/** @throws Refusal */
export function updateRecord(call: SalesforceCall, record: StoredSObject, given: Record<string, unknown>): void {
  const { object, values, id } = record;
  if (!object.updateable)
    throw new SalesforceRefusal(
      'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY',
      `entity type cannot be updated: ${object.label}`,
    );
  if (record.deletedAt)
    throw new SalesforceRefusal('ENTITY_IS_DELETED', 'entity is deleted', { status: 404, fields: [] });
  if (values.get('IsConverted') === true) {
    throw new SalesforceRefusal('CANNOT_UPDATE_CONVERTED_LEAD', 'cannot reference converted lead', { fields: [] });
  }
  const changes = readChanges(call, object, given, 'updateable');
  assign(call, object, changes);
  checkAll(call, object, id, changes, new Map([...values, ...changes]));
  const now = formatDatetime(new Date());
  call.org.records.update(record, changes, now, call.org.userId);
  finish(call, record, now);
}

export function deleteRecord(call: SalesforceCall, record: StoredSObject): void {
  if (record.deletedAt)
    throw new SalesforceRefusal('ENTITY_IS_DELETED', 'entity is deleted', { status: 404, fields: [] });
  if (!record.object.deletable)
    throw new SalesforceRefusal('INSUFFICIENT_ACCESS_OR_READONLY', 'insufficient access rights on object id');
  const now = new Date();
  if (record.object.name === 'Opportunity') removeRoles(call.org, record, now);
  call.org.records.remove(record, now);
}

function checkAll(
  call: SalesforceCall,
  object: SObject,
  id: string | undefined,
  changes: Changes,
  values: Changes,
): void {
  checkRequired(call, object, changes, values);
  if (object.name === 'Event') checkEventTimes(values);
  checkReferences(call, object, changes, values);
  checkValidation(call, object, values);
  call.org.records.checkUnique(object, id, changes);
  checkDuplicates(call, object, id, values);
}

function finish(call: SalesforceCall, record: StoredSObject, now: string): void {
  derive(call.org, record, now);
  if (record.object.name === 'Account') followPersonAccount(call.org, record, now);
}

/** @throws Refusal for the first thing that is wrong, and for all fields that may not be written at once */
function readChanges(
  call: SalesforceCall,
  object: SObject,
  given: Record<string, unknown>,
  may: 'createable' | 'updateable',
): Changes {
  const changes: Changes = new Map();
  const locked: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    if (NO_FIELDS.has(name) || (name.toLowerCase() === 'id' && may === 'updateable')) continue;
    if (typeof value === 'object' && value !== null) {
      if (Array.isArray(value))
        throw malformedJson(`Cannot deserialize instance of ${name} from START_ARRAY value [line:1, column:1]`);
      changes.set(...followExternalId(call, object, name, value));
      continue;
    }
    const field = call.org.schema.field(object, name);
    if (!field) throw noSuchField(object, name);
    if (field[may]) changes.set(field.name, checkValue(value, field));
    else locked.push(field.name);
  }
  if (locked.length === 0) return changes;
  throw new SalesforceRefusal(
    'INVALID_FIELD_FOR_INSERT_UPDATE',
    `Unable to create/update fields: ${locked.join(', ')}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.`,
    { fields: locked },
  );
}

/** A new record has every check box, its defaults, an owner and a number. */
function fillDefaults(call: SalesforceCall, object: SObject, changes: Changes): void {
  for (const { name, type, picklist, createable } of object.fields.values()) {
    if (type === 'boolean' && (changes.get(name) ?? null) === null && name !== 'IsDeleted') changes.set(name, false);
    const standard = createable ? picklist.find(({ isDefault }) => isDefault) : undefined;
    if (standard && (changes.get(name) ?? null) === null) changes.set(name, standard.value);
  }
  if (object.fields.has('OwnerId') && !changes.get('OwnerId')) changes.set('OwnerId', call.org.userId);
  assign(call, object, changes);
  if (object.name === 'Case') changes.set('CaseNumber', String(call.org.records.next('case number')).padStart(8, '0'));
}

/** Assignment rules run unless the request says no: on updates too. */
function assign(call: SalesforceCall, object: SObject, changes: Changes): void {
  const owner = call.settings.assignment[object.name];
  if (owner !== undefined && !/^false$/i.test(call.headers['sforce-auto-assign'] ?? '')) changes.set('OwnerId', owner);
}
