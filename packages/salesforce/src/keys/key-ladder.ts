/**
 * By what a record is found again: the ladder of keys.
 *
 *   key          a unique external id on the object: nothing is ever written twice, whatever happens
 *   object       tasks in an org whose activities take no such field: a record of Wrapup_Call__c, which has the key, stands
 *                for each task, is made first and names it afterwards
 *   call_object  tasks in an org without either: the key stands in the standard field CallObject and is asked for before
 *                anything is created, under a lease; two workers that lose it at the same moment could both write
 *
 * The org's definitions decide; doctor says which step is in force. Other objects have the first step or none.
 */
import { Failure } from '@wrapup/destination';
import type { KeyLadder, KeyStrategy, RowWriter } from '@wrapup/destination/engine';
import type { Org, SObject } from '../account/schema.ts';
import { CALL_OBJECT, KEY, keyField, TASK_ID } from '../objects.ts';
import type { SalesforceSession } from '../session.ts';
import { readByKey } from './read-by-key.ts';
import { reserveTasks } from './task-reservations.ts';

export type SalesforceKeyStep =
  | { step: 'key'; field: string }
  | { step: 'object'; field: 'CallObject' }
  | { step: 'call_object'; field: 'CallObject' };

/** Undefined: nothing can be written to the object without the risk of writing it twice. */
export function keyStepOf(org: Org, object: SObject): SalesforceKeyStep | undefined {
  const field = keyField(object.name);
  if (isExternalKey(object, field)) return { step: 'key', field };
  if (object.name !== 'Task') return undefined;
  const call_object = object.fields.get('CallObject');
  const usable = call_object?.createable === true && call_object.filterable;
  const standIn = org.object(CALL_OBJECT);
  if (!usable) return undefined;
  const stands = standIn && isExternalKey(standIn, KEY) && standIn.fields.get(TASK_ID)?.updateable;
  return { step: stands ? 'object' : 'call_object', field: 'CallObject' };
}

function isExternalKey(object: SObject, name: string): boolean {
  return isUniqueKey(object, name) && object.fields.get(name)?.external === true;
}

/** True when the org refuses a second record with the same value there. */
export function isUniqueKey(object: SObject | undefined, name: string): boolean {
  const field = object?.fields.get(name);
  return field?.unique === true && field.createable;
}

export function keyLadder(session: SalesforceSession, org: Org, rows: RowWriter): KeyLadder {
  const unique: KeyStrategy = {
    upserts: false,
    keyed: withKeyField(org),
    read: (items) => readByKey(session, org, items),
  };
  const steps: Record<SalesforceKeyStep['step'], KeyStrategy> = {
    key: unique,
    object: { ...unique, ...reserveTasks(session, rows, 'object') },
    call_object: { ...unique, ...reserveTasks(session, rows, 'call_object') },
  };
  return {
    async strategyFor(name) {
      const object = org.object(name);
      if (!object)
        throw new Failure('refused', `The org has no object ${name}, or the integration user may not see it.`, {
          hint: 'Correct the object in the mapping, or give the user access; then replay.',
        });
      const step = keyStepOf(org, object);
      if (step) return steps[step.step];
      throw new Failure('missing_property', `${name} has no unique key: nothing is written to it without one.`, {
        hint: 'Run `wrapup provision --deploy` (or deploy the package that it writes), then replay.',
      });
    },
    // A unique value that stays contested after it was looked for is another record's, and a matter for a person.
    explain: (failure) => (failure.code === 'conflict' ? failure.with({ next: 'park' }) : failure),
  };
}

/** The key as a field of the row, where the row creates. */
function withKeyField(org: Org): KeyStrategy['keyed'] {
  return (row) => {
    const object = org.object(row.object);
    const field = object && keyStepOf(org, object)?.field;
    if (row.key === undefined || field === undefined) return row;
    return { ...row, fields: { ...row.fields, [field]: row.key }, required: new Set([...row.required, field]) };
  };
}

/** Why it is that step, for doctor. */
export function describeStep(object: SObject, step: SalesforceKeyStep | undefined): string {
  const field = keyField(object.name);
  const known = object.fields.get(field);
  const why = !known
    ? `${object.name} has no field ${field}, or the integration user does not see it`
    : `${object.name}.${field} is not a unique external id that the user may write`;
  const remedy = 'run `wrapup provision --deploy`';
  switch (step?.step) {
    case 'key':
      return `${object.name}: unique key ${field} in force (step 1 of 3).`;
    case 'object':
      return `${object.name}: ${why}; ${CALL_OBJECT} keeps the keys instead (step 2 of 3, two requests more a batch).`;
    case 'call_object':
      return `${object.name}: ${why}; the key stands in CallObject (step 3 of 3), which is weaker: two workers could write a task twice. To mend it, ${remedy}.`;
    default:
      return `${object.name}: ${why}; no record of it is written. To mend it, ${remedy}.`;
  }
}
