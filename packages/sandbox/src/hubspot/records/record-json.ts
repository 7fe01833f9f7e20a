/** Records as answers show them. */
import type { HubSpotRequest } from '../http/endpoint.ts';
import { formatMoment, HUBSPOT_FORMS } from '../http/forms.ts';
import type { ObjectType } from '../schema/object-types.ts';
import type { HubSpotRecord } from './records.ts';

interface Shown {
  id: string;
  properties: ReadonlyMap<string, string>;
  createdAt: Date;
  updatedAt: Date;
  archivedAt?: Date;
}

type Answering = Pick<HubSpotRequest, 'account' | 'settings'>;

function recordJson(
  { account, settings }: Answering,
  type: ObjectType,
  record: Shown,
  properties: Record<string, string | null>,
): Record<string, unknown> {
  const url = `https://${account.uiDomain}/contacts/${account.portalId}/record/${type.id}/${record.id}`;
  return {
    id: record.id,
    properties,
    createdAt: formatMoment(record.createdAt),
    updatedAt: formatMoment(record.updatedAt),
    archived: record.archivedAt !== undefined,
    ...(record.archivedAt && { archivedAt: formatMoment(record.archivedAt) }),
    ...(HUBSPOT_FORMS[settings.forms].recordUrls && { url }),
  };
}

/** A new record as its creation answers it: everything that it holds. */
export function createdJson(call: Answering, record: HubSpotRecord): Record<string, unknown> {
  return recordJson(call, record.type, record, Object.fromEntries(record.properties));
}

/** A record as an update answers it: what was written, and little besides. */
export function updatedJson(call: Answering, record: HubSpotRecord, written: string[]): Record<string, unknown> {
  const { id, created, modified } = record.type;
  const sparse = id === '0-1' && HUBSPOT_FORMS[call.settings.forms].sparseContacts;
  const names = [...written, modified, ...(sparse ? [] : [created, 'hs_object_id'])];
  return recordJson(
    call,
    record.type,
    record,
    Object.fromEntries(names.map((name) => [name, record.properties.get(name) ?? ''])),
  );
}

/**
 * A record as a read answers it: the properties asked for, null where they are empty, and three that always come. Names
 * that the account does not know are left out without a word.
 */
export function readJson(call: Answering, type: ObjectType, record: Shown, asked: string[]): Record<string, unknown> {
  const names = asked.length > 0 ? [...asked, type.created, type.modified, 'hs_object_id'] : type.shown;
  const known = names.filter((name) => call.account.schema.property(type, name) !== undefined);
  return recordJson(
    call,
    type,
    record,
    Object.fromEntries(known.map((name) => [name, record.properties.get(name) ?? null])),
  );
}
