/** Standard objects of an org without changes, read from objects.json. */
import { type FieldParts, type FieldType, field, picklist, type SObjectField } from './field.ts';
import objectData from './objects.json' with { type: 'json' };
import personAccountData from './person-account-fields.json' with { type: 'json' };
import { type SObject, type SObjectParts, sobject } from './sobject.ts';
import statusData from './statuses.json' with { type: 'json' };

/** As the data files state it: members that differ from the default only, picklists by their values. */
interface FieldData extends Omit<FieldParts, 'picklist'> {
  name: string;
  label: string;
  type: FieldType;
  picklist?: string[];
}

interface ObjectData extends SObjectParts {
  name: string;
  label: string;
  keyPrefix: string;
  fields: FieldData[];
}

export interface StatusValue {
  value: string;
  closed: boolean;
}

/** Values of status fields and what each means; `Completed` is closed in most orgs, and only that. */
export const TASK_STATUSES: StatusValue[] = statusData.Task;
export const CASE_STATUSES: StatusValue[] = statusData.Case;
/** `probability` in percent. */
export const STAGES: (StatusValue & { won: boolean; probability: number })[] = statusData.Opportunity;

/** New objects on each call: an org adds to them. */
export function standardObjects(): SObject[] {
  return (structuredClone(objectData) as ObjectData[]).map(({ name, label, keyPrefix, fields, ...parts }) =>
    sobject(name, label, keyPrefix, fields.map(defineField), parts),
  );
}

/**
 * What an org shows once person accounts are on: an account that is a human, with a contact of its own.
 * https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_guidelines_personaccounts.htm
 */
export const PERSON_ACCOUNT_FIELDS: Record<string, SObjectField[]> = Object.fromEntries(
  Object.entries(personAccountData as Record<string, FieldData[]>).map(([object, fields]) => [
    object,
    fields.map(defineField),
  ]),
);

function defineField({ name, label, type, picklist: values, ...parts }: FieldData): SObjectField {
  return values ? picklist(name, label, values, parts) : field(name, label, type, parts);
}
