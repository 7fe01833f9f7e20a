/**
 * Who has a part in an opportunity. The contact with which one is made becomes the primary one.
 * https://developer.salesforce.com/docs/platform/object-reference/references/standard-objects/object-opportunitycontactrole.html
 */
import type { Org } from '../org.ts';
import type { StoredSObject } from './records.ts';
import type { FieldValue } from './values.ts';

const ROLE = 'OpportunityContactRole';

export function addPrimaryRole(org: Org, { id, values }: StoredSObject, now: string): void {
  const contact = values.get('ContactId');
  if (typeof contact !== 'string') return;
  const role = new Map<string, FieldValue | null>([
    ['OpportunityId', id],
    ['ContactId', contact],
    ['IsPrimary', true],
  ]);
  org.records.create(org.schema.object(ROLE), role, now, org.userId);
}

/** Roles go with their opportunity. */
export function removeRoles(org: Org, { id }: StoredSObject, now: Date): void {
  for (const role of org.records.live(org.schema.object(ROLE)))
    if (role.values.get('OpportunityId') === id) org.records.remove(role, now);
}
