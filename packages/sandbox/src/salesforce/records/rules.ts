/** What must hold of a record besides values that are right: by its object, and by the rules of the org. */
import type { SalesforceCall } from '../http/endpoint.ts';
import { SalesforceRefusal } from '../http/refusal.ts';
import type { SObject } from '../schema/sobject.ts';
import { checkReference } from './references.ts';
import type { FieldValue } from './values.ts';

type Values = ReadonlyMap<string, FieldValue | null>;

/**
 * @param changes what the request says; a field that is never empty cannot be cleared either
 * @param values as they would be after the write
 * @throws Refusal when something is missing
 */
export function checkRequired(call: SalesforceCall, object: SObject, changes: Values, values: Values): void {
  const missing = call.org.schema
    .fields(object)
    .filter(({ nillable, createable }) => createable && !nillable)
    .filter(({ name, defaultedOnCreate }) => !defaultedOnCreate || changes.get(name) === null)
    .map(({ name }) => name)
    .filter((name) => (values.get(name) ?? null) === null)
    // A person account has a last name instead of the company's.
    .filter((name) => !(object.name === 'Account' && name === 'Name' && values.get('LastName')));
  if (missing.length === 0) return;
  throw new SalesforceRefusal('REQUIRED_FIELD_MISSING', `Required fields are missing: [${missing.join(', ')}]`, {
    fields: missing,
  });
}

/** Checks whom and what a record points at. @param changes only these are new. @throws Refusal */
export function checkReferences(call: SalesforceCall, object: SObject, changes: Values, values: Values): void {
  for (const [name, value] of changes) {
    const field = object.fields.get(name);
    if (field?.type !== 'reference' || typeof value !== 'string') continue;
    const target = checkReference(call, value, field);
    if (name === 'OwnerId' && target.values.get('IsActive') === false) {
      throw new SalesforceRefusal(
        'INACTIVE_OWNER_OR_USER',
        `operation performed with inactive user [${value}] as owner of ${object.label.toLowerCase()}`,
        { fields: ['OwnerId'] },
      );
    }
    if (target.values.get('IsConverted') === true) {
      throw new SalesforceRefusal('CANNOT_UPDATE_CONVERTED_LEAD', 'cannot reference converted lead', { fields: [] });
    }
  }
  if (object.name === 'Task' || object.name === 'Event') checkActivity(call, values);
  if (object.name === 'Contact') checkPersonContact(values, changes);
}

function checkActivity(call: SalesforceCall, values: Values): void {
  const who = values.get('WhoId');
  if (typeof who === 'string' && values.get('WhatId') && call.org.schema.byPrefix(who)?.name === 'Lead') {
    throw new SalesforceRefusal(
      'FIELD_INTEGRITY_EXCEPTION',
      'Related To ID: a related record cannot be set where the name is a lead',
      {
        fields: ['WhatId'],
      },
    );
  }
}

/** The contact of a person account belongs to it for ever. */
function checkPersonContact(values: Values, changes: Values): void {
  if (values.get('IsPersonAccount') !== true || !changes.has('AccountId')) return;
  throw new SalesforceRefusal(
    'INVALID_FIELD_FOR_INSERT_UPDATE',
    'Unable to create/update fields: AccountId. Please check the security settings of this field and verify that it is read/write for your profile or permission set.',
    { fields: ['AccountId'] },
  );
}

/** Rules that an administrator wrote. @throws Refusal */
export function checkValidation(call: SalesforceCall, object: SObject, values: Values): void {
  const missing = (call.settings.validation[object.name] ?? []).find((name) => (values.get(name) ?? null) === null);
  if (missing === undefined) return;
  throw new SalesforceRefusal('FIELD_CUSTOM_VALIDATION_EXCEPTION', `${missing} must be filled in`, {
    fields: [missing],
  });
}

/** An event has a beginning, and an end or a duration that agree. @throws Refusal */
export function checkEventTimes(values: Values): void {
  const start = values.get('StartDateTime') ?? values.get('ActivityDateTime');
  const [end, minutes] = [values.get('EndDateTime'), values.get('DurationInMinutes')];
  const allDay = values.get('IsAllDayEvent') === true && Boolean(values.get('ActivityDate'));
  const missing = allDay
    ? []
    : !start
      ? ['ActivityDateTime']
      : !end && typeof minutes !== 'number'
        ? ['DurationInMinutes']
        : [];
  if (missing.length > 0) {
    throw new SalesforceRefusal('REQUIRED_FIELD_MISSING', `Required fields are missing: [${missing.join(', ')}]`, {
      fields: missing,
    });
  }
  if (typeof start !== 'string' || typeof end !== 'string') return;
  const lasts = (Date.parse(end) - Date.parse(start)) / 60_000;
  if (lasts < 0 || (typeof minutes === 'number' && minutes !== lasts)) {
    throw new SalesforceRefusal(
      'FIELD_INTEGRITY_EXCEPTION',
      'End Date Time: the end does not agree with the beginning and the duration',
      {
        fields: ['EndDateTime'],
      },
    );
  }
}
