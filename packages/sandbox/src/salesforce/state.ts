/** Everything that an org holds, for people and tests to look at. */

import { SalesforceRefusal } from './http/refusal.ts';
import type { Org } from './org.ts';
import type { StoredSObject } from './records/records.ts';
import type { FieldValue } from './records/values.ts';

export interface SalesforceRecord {
  /** 18 characters. */
  id: string;
  /** Fields that have a value, also those that the integration's user does not see. */
  fields: Record<string, FieldValue>;
  deleted: boolean;
}

/** Objects that only tell how the org is set up. */
const SETUP = new Set([
  'User',
  'Group',
  'Organization',
  'TaskStatus',
  'LeadStatus',
  'CaseStatus',
  'OpportunityStage',
  'PermissionSet',
  'PermissionSetAssignment',
]);

/** @param object only that one; without it all but those of the set-up. @throws Refusal when there is none of that name */
export function readOrg(org: Org, object?: string): Record<string, SalesforceRecord[]> {
  const asked =
    object === undefined ? org.schema.objects.filter(({ name }) => !SETUP.has(name)) : [org.schema.find(object)];
  return Object.fromEntries(
    asked.map((one) => {
      if (!one) throw new SalesforceRefusal('INVALID_TYPE', `There is no object ${object}`);
      return [one.name, org.records.all(one).map(readRecord)];
    }),
  );
}

function readRecord({ id, values, deletedAt }: StoredSObject): SalesforceRecord {
  return { id, fields: Object.fromEntries(values), deleted: deletedAt !== undefined };
}
