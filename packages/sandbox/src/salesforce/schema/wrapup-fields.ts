/**
 * The custom fields that Wrapup writes, so that a sandbox can begin as an org that `provision` has seen. Tests of
 * `provision` begin without them.
 */
import { datetime, type FieldParts, text } from './field.ts';
import type { SalesforceSchema } from './schema.ts';

/** Objects whose records carry the unique key. */
const KEYED = ['Lead', 'Contact', 'Account', 'Opportunity', 'Case'];
const KEY: FieldParts = { externalId: true, unique: true, idLookup: true, caseSensitive: true };

export function provision(schema: SalesforceSchema): void {
  schema.addField('Activity', text('Wrapup_Call_Id__c', 'Wrapup Call ID', 255, KEY));
  for (const object of KEYED) schema.addField(object, text('Wrapup_Key__c', 'Wrapup Key', 255, KEY));
  for (const object of ['Lead', 'Contact', 'Account']) {
    schema.addField(object, datetime('Wrapup_Last_Call_At__c', 'Wrapup: Last Call At'));
  }
}
