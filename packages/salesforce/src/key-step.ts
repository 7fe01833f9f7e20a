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
import { CALL_OBJECT, KEY, keyField, TASK_ID } from './objects.ts';
import type { Org, SObject } from './schema.ts';

export type KeyStep =
  | { step: 'key'; field: string }
  | { step: 'object'; field: 'CallObject' }
  | { step: 'call_object'; field: 'CallObject' };

/** Undefined: nothing can be written to the object without the risk of writing it twice. */
export function keyStepOf(org: Org, object: SObject): KeyStep | undefined {
  const field = keyField(object.name);
  if (isKey(object, field)) return { step: 'key', field };
  if (object.name !== 'Task') return undefined;
  const call_object = object.fields.get('CallObject');
  const usable = call_object?.createable === true && call_object.filterable;
  const standIn = org.object(CALL_OBJECT);
  if (!usable) return undefined;
  const stands = standIn && isKey(standIn, KEY) && standIn.fields.get(TASK_ID)?.updateable;
  return { step: stands ? 'object' : 'call_object', field: 'CallObject' };
}

export function isKey(object: SObject, name: string): boolean {
  const field = object.fields.get(name);
  return field?.unique === true && field.external && field.createable;
}

/** Why it is that step, for doctor. */
export function describeStep(object: SObject, step: KeyStep | undefined): string {
  const field = keyField(object.name);
  const known = object.fields.get(field);
  const why = !known
    ? `${object.name} has no field ${field}, or the integration user does not see it`
    : `${object.name}.${field} is not a unique external id that the user may write`;
  const mend = 'run `wrapup provision --deploy`';
  switch (step?.step) {
    case 'key':
      return `${object.name}: unique key ${field} in force (step 1 of 3).`;
    case 'object':
      return `${object.name}: ${why}; ${CALL_OBJECT} keeps the keys instead (step 2 of 3, two requests more a batch).`;
    case 'call_object':
      return `${object.name}: ${why}; the key stands in CallObject (step 3 of 3), which is weaker: two workers could write a task twice. To mend it, ${mend}.`;
    default:
      return `${object.name}: ${why}; no record of it is written. To mend it, ${mend}.`;
  }
}
