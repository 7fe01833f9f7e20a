/** The hidden contact of an account that is a person: made with it, and always saying the same. */

import type { Org } from '../org.ts';
import { derive } from '../records/derived.ts';
import type { StoredSObject } from '../records/records.ts';
import type { FieldValue } from '../records/values.ts';

/** Fields of the contact by those of the account. */
const MIRRORED: Record<string, string> = {
  FirstName: 'FirstName',
  LastName: 'LastName',
  Salutation: 'Salutation',
  Phone: 'Phone',
  Fax: 'Fax',
  PersonEmail: 'Email',
  PersonMobilePhone: 'MobilePhone',
  PersonHomePhone: 'HomePhone',
  PersonOtherPhone: 'OtherPhone',
  PersonAssistantPhone: 'AssistantPhone',
  PersonTitle: 'Title',
  PersonDoNotCall: 'DoNotCall',
};

export function addPersonContact(org: Org, account: StoredSObject, now: string): void {
  const values = new Map<string, FieldValue | null>([
    ...mirror(account),
    ['AccountId', account.id],
    ['IsPersonAccount', true],
    ['OwnerId', org.userId],
  ]);
  const contact = org.records.create(org.schema.object('Contact'), values, now, org.userId);
  derive(org, contact, now);
  org.records.derive(account, new Map([['PersonContactId', contact.id]]));
}

export function followPersonAccount(org: Org, account: StoredSObject, now: string): void {
  const id = account.values.get('PersonContactId');
  const contact = typeof id === 'string' ? org.record(id) : undefined;
  if (!contact) return;
  org.records.derive(contact, mirror(account));
  derive(org, contact, now);
}

function mirror({ values }: StoredSObject): Map<string, FieldValue | null> {
  return new Map(Object.entries(MIRRORED).map(([from, to]) => [to, values.get(from) ?? null]));
}
