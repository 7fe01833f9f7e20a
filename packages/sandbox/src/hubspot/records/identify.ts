/** Finding the record that a request means: by its id, or by the value of a unique property. */
import type { Account } from '../account.ts';
import { type HubSpotRefusal, invalid } from '../http/refusal.ts';
import type { ObjectType } from '../schema/object-types.ts';
import type { HubSpotRecord } from './records.ts';

/**
 * @param emailCounts whether contacts may be named by e-mail; a batch update may not
 * @throws Refusal when values of that property name no single record
 */
export function checkIdProperty(account: Account, type: ObjectType, name: string, emailCounts = true): void {
  const email = type.id === '0-1' && name === 'email';
  if (account.schema.isUnique(type, name) && (emailCounts || !email)) return;
  throw notUpsertable(account, type, name);
}

export function notUpsertable({ portalId }: Account, type: ObjectType, name: string): HubSpotRefusal {
  return invalid(`Unable to perform update/upsert by non-unique ${type.id} property ${name} in portal ID ${portalId}`);
}

export function identify(
  account: Account,
  type: ObjectType,
  id: string,
  idProperty?: string | null,
): HubSpotRecord | undefined {
  if (!idProperty || idProperty === 'hs_object_id') return account.records.get(type, id);
  return account.records.findByUnique(type, idProperty, id);
}
