/** Everything that an account holds, for people and tests to look at. */
import type { Account } from '../hubspot/account.ts';
import type { HubSpotRecord } from '../hubspot/records/records.ts';

export interface RecordState {
  id: string;
  properties: Record<string, string>;
  /** Ids of the records at the other end, by object. */
  associations: Record<string, string[]>;
  created_at: string;
  updated_at: string;
  archived: boolean;
}

/** Records by object. */
export type State = Record<string, RecordState[]>;

/** @param object only that one. @throws Refusal when there is no such object */
export function readState(account: Account, object?: string): State {
  const types = object === undefined ? account.schema.types : [account.schema.type(object)];
  return Object.fromEntries(
    types.map((type) => [type.name, account.records.all(type).map((record) => readRecord(account, record))]),
  );
}

function readRecord(account: Account, record: HubSpotRecord): RecordState {
  const associations = account.schema.types
    .map((to): [string, string[]] => [to.name, account.associations.of(record, to).map(({ id }) => id)])
    .filter(([, ids]) => ids.length > 0);
  return {
    id: record.id,
    properties: Object.fromEntries(record.properties),
    associations: Object.fromEntries(associations),
    created_at: record.createdAt.toISOString(),
    updated_at: record.updatedAt.toISOString(),
    archived: record.archivedAt !== undefined,
  };
}
