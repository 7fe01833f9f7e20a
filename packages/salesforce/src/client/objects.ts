/** Names that Salesforce gives, and those that Wrapup adds to an org. */

/** Unique key of activities: a custom field of Activity, which Task and Event share. */
export const CALL_KEY = 'Wrapup_Call_Id__c';
/** Unique key of every other record that Wrapup creates. */
export const KEY = 'Wrapup_Key__c';
/** When the last call ended that was written to a person. */
export const WATERMARK = 'Wrapup_Last_Call_At__c';
/** Custom object that stands for a task where activities take no key: its own key is the task's. */
export const CALL_OBJECT = 'Wrapup_Call__c';
/** Id of the task that a record of that object stands for. */
export const TASK_ID = 'Wrapup_Task_Id__c';

/** Whom a record belongs to. */
export const OWNER = 'OwnerId';
/** What a person without a last name, or a lead without a company, is given: Salesforce's own words for it. */
export const NOT_PROVIDED = '[not provided]';

export const ACTIVITIES: ReadonlySet<string> = new Set(['Task', 'Event']);

export function keyField(object: string): string {
  return ACTIVITIES.has(object) ? CALL_KEY : KEY;
}

export type PersonObject = 'Contact' | 'Lead' | 'Account';

/** First three characters of ids, which never change for these. */
const PREFIXES: Record<string, PersonObject> = { '003': 'Contact', '00Q': 'Lead', '001': 'Account' };

/** The object of a person's id; undefined for the id of something else. */
export function personObjectOf(id: string): PersonObject | undefined {
  return PREFIXES[id.slice(0, 3)];
}

/** `https://acme.my.salesforce.com/00Q…`. @param org where the org is, when it is known */
export function recordUrl(org: string | undefined, id: string): string | undefined {
  return org === undefined ? undefined : `${org}/${id}`;
}
