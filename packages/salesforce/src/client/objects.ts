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

/** Whose opportunities they are stands in records of this object. */
export const CONTACT_ROLE = 'OpportunityContactRole';

export const ACTIVITIES: ReadonlySet<string> = new Set(['Task', 'Event']);

export function keyField(object: string): string {
  return ACTIVITIES.has(object) ? CALL_KEY : KEY;
}

/** Objects with words and rules of their own, by their names in lower case, and the section of a mapping that writes them. */
const SECTIONS: Record<string, string> = {
  lead: 'person',
  contact: 'person',
  task: 'tasks',
  event: 'events',
  opportunity: 'opportunities',
  case: 'cases',
  account: 'accounts',
};

/** The object that a mapping names: any of the org, standard or custom, by its API name. Which there are, the org knows. */
export function readObject(name: string): string | { problem: string; hint: string } {
  const lower = name.toLowerCase();
  const section = Object.hasOwn(SECTIONS, lower) ? SECTIONS[lower] : undefined;
  if (section !== undefined)
    return { problem: `${name} has a section of its own in the mapping`, hint: `write it under ${section}:` };
  if (/^[A-Za-z]\w*$/.test(name)) return name;
  return {
    problem: `"${name}" is no name of an object`,
    hint: 'such as CampaignMember or Site_Visit__c, the API name under Setup, Object Manager',
  };
}

/**
 * Objects of which an org has one record for a person and another record, and refuses a second one by itself.
 * https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_campaignmember.htm
 */
const ONE_EACH: Record<string, { of: string; person: Record<string, string> }> = {
  CampaignMember: { of: 'CampaignId', person: { Contact: 'ContactId', Lead: 'LeadId' } },
};

/** What makes a record the only one, where the object needs no key of ours. */
export function oneEach(object: string): { of: string; person: Record<string, string> } | undefined {
  return ONE_EACH[object];
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
