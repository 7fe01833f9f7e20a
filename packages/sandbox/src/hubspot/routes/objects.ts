/** One record at a time. https://developers.hubspot.com/docs/guides/crm/using-object-apis */
import {
  bodyOf,
  created,
  type HubSpotEndpoint,
  type HubSpotRequest,
  limitOf,
  listOf,
  noContent,
  ok,
  paths,
  typeOf,
} from '../http/endpoint.ts';
import { malformed, notFound } from '../http/refusal.ts';
import { checkIdProperty, identify } from '../records/identify.ts';
import { createdJson, readJson, updatedJson } from '../records/record-json.ts';
import type { HubSpotRecord } from '../records/records.ts';
import { planCreate, planUpdate } from '../records/writes.ts';
import type { ObjectType } from '../schema/object-types.ts';

const ONE = paths('v3', 'objects', '/:object/:id');
const ALL = paths('v3', 'objects', '/:object');

const read = (call: HubSpotRequest) => typeOf(call).scopes.read;
const write = (call: HubSpotRequest) => typeOf(call).scopes.write;

/** The record of the path. @throws Refusal when it is not there, archived or merged away */
function recordOf(call: HubSpotRequest, type: ObjectType): HubSpotRecord {
  const { account, query, params } = call;
  const idProperty = query.get('idProperty');
  if (idProperty && idProperty !== 'hs_object_id') checkIdProperty(account, type, idProperty);
  const id = params.id ?? '';
  const archived = query.get('archived') === 'true';
  const found = archived ? account.records.get(type, id, { archived }) : identify(account, type, id, idProperty);
  if (!found) throw notFound(id);
  return found;
}

function shown(call: HubSpotRequest, type: ObjectType, record: HubSpotRecord): object {
  const { account, query } = call;
  const associations = listOf(query, 'associations').map((name) => account.schema.type(name));
  const linked = associations
    .map((to) => ({ to, links: account.associations.of(record, to) }))
    .filter(({ links }) => links.length > 0);
  return {
    ...readJson(call, type, record, listOf(query, 'properties')),
    ...(linked.length > 0 && {
      associations: Object.fromEntries(
        linked.map(({ to, links }) => [
          to.name,
          { results: links.map(({ id }) => ({ id, type: `${type.singular}_to_${to.singular}` })) },
        ]),
      ),
    }),
  };
}

function list(call: HubSpotRequest) {
  const type = typeOf(call);
  const limit = limitOf(call.query, 10, 100);
  const after = Number(call.query.get('after') ?? 0);
  const archived = call.query.get('archived') === 'true';
  const all = call.account.records
    .all(type)
    .filter((record) => (record.archivedAt !== undefined) === archived && Number(record.id) >= after);
  const next = all[limit];
  return ok({
    results: all.slice(0, limit).map((record) => shown(call, type, record)),
    ...(next && { paging: { next: { after: next.id, link: linkTo(call, next.id) } } }),
  });
}

/** The address of the next page. */
function linkTo({ query, params }: HubSpotRequest, after: string): string {
  const next = new URLSearchParams(query);
  next.set('after', after);
  return `https://api.hubapi.com/crm/v3/objects/${params.object}?${next.toString()}`;
}

function create(call: HubSpotRequest) {
  const { properties, associations, ...rest } = bodyOf(call);
  refuseUnknown(rest, ['objectWriteTraceId']);
  const planned = planCreate(call, typeOf(call), { properties, associations }, new Map());
  const record = call.account.journal.during(call.n, () => planned.commit());
  const location = `https://api.hubapi.com/crm/v3/objects/${record.type.name}/${record.id}`;
  return { ...created(createdJson(call, record)), headers: { location } };
}

function update(call: HubSpotRequest) {
  const { properties, ...rest } = bodyOf(call);
  refuseUnknown(rest, ['objectWriteTraceId']);
  const planned = planUpdate(call, recordOf(call, typeOf(call)), properties, new Map());
  return ok(
    updatedJson(
      call,
      call.account.journal.during(call.n, () => planned.commit()),
      planned.written,
    ),
  );
}

function refuseUnknown(rest: Record<string, unknown>, allowed: string[]): void {
  const unknown = Object.keys(rest).find((field) => !allowed.includes(field));
  if (unknown !== undefined) throw malformed(`Unrecognized field "${unknown}"`);
}

/** Answers the same whether there was anything to archive. */
function archive(call: HubSpotRequest) {
  const record = call.account.records.get(typeOf(call), call.params.id ?? '');
  if (record) call.account.journal.during(call.n, () => call.account.records.archive(record));
  return noContent();
}

function merge(call: HubSpotRequest) {
  const { account } = call;
  const type = typeOf(call);
  const { primaryObjectId, objectIdToMerge } = bodyOf(call);
  const [winner, loser] = [primaryObjectId, objectIdToMerge].map((id) => {
    const record = account.records.get(type, String(id));
    if (!record) throw notFound(String(id));
    return record;
  }) as [HubSpotRecord, HubSpotRecord];
  if (winner === loser) throw malformed('a record cannot be merged with itself');
  account.journal.during(call.n, () => {
    account.associations.move(loser, winner, (object, id) => account.records.get(account.schema.type(object), id));
    account.records.merge(winner, loser);
  });
  return ok(createdJson(call, winner));
}

export const objectEndpoints: HubSpotEndpoint[] = [
  { method: 'POST', paths: paths('v3', 'objects', '/:object/merge'), operation: 'merge', scopes: write, handle: merge },
  { method: 'GET', paths: ALL, operation: 'list', scopes: read, handle: list },
  { method: 'POST', paths: ALL, operation: 'create', scopes: write, handle: create },
  {
    method: 'GET',
    paths: ONE,
    operation: 'read',
    scopes: read,
    handle: (call) => ok(shown(call, typeOf(call), recordOf(call, typeOf(call)))),
  },
  { method: 'PATCH', paths: ONE, operation: 'update', scopes: write, handle: update },
  { method: 'DELETE', paths: ONE, operation: 'archive', scopes: write, handle: archive },
];
