/** Up to a hundred records at a time. https://developers.hubspot.com/docs/guides/crm/using-object-apis */
import { setTimeout as pause } from 'node:timers/promises';
import {
  asId,
  asStrings,
  bodyOf,
  type HubSpotEndpoint,
  type HubSpotRequest,
  noContent,
  paths,
  typeOf,
} from '../http/endpoint.ts';
import { invalid, refusalItem } from '../http/refusal.ts';
import { batchReply, type Input, inputsOf, Missing, refuseDuplicates, runBatch } from '../records/batch.ts';
import { checkIdProperty, identify, notUpsertable } from '../records/identify.ts';
import { createdJson, readJson, updatedJson } from '../records/record-json.ts';
import type { HubSpotRecord } from '../records/records.ts';
import { type Claims, type PlannedWrite, planCreate, planUpdate } from '../records/writes.ts';
import type { ObjectType } from '../schema/object-types.ts';

function create(call: HubSpotRequest) {
  const type = typeOf(call);
  const claims: Claims = new Map();
  return runBatch<PlannedWrite>(call, {
    type,
    inputs: inputsOf(call, ['properties', 'associations', 'objectWriteTraceId']),
    success: 201,
    plan: (input) => planCreate(call, type, input, claims),
    commit: (planned) => createdJson(call, planned.commit()),
  });
}

/** The property by which the inputs name their records: one for all of them. */
function idPropertyOf(inputs: Input[]): string | undefined {
  const named = [...new Set(inputs.map((input) => input.idProperty ?? undefined))];
  if (named.length > 1) throw invalid('All inputs must have the same idProperty');
  return named[0] === undefined ? undefined : asId(named[0], '"idProperty"');
}

/** Records that the inputs name. @throws Refusal when one is named twice, if need be by two of its values */
function resolve(
  call: HubSpotRequest,
  type: ObjectType,
  inputs: Input[],
  idProperty?: string,
): Map<Input, HubSpotRecord | undefined> {
  const ids = inputs.map((input) => asId(input.id, '"id"'));
  refuseDuplicates(ids);
  const found = ids.map((id) => identify(call.account, type, id, idProperty));
  const owners = found.map((record) => record?.id);
  refuseDuplicates(
    ids.filter((_, at) => owners[at] !== undefined && owners.indexOf(owners[at]) !== at).flatMap((id) => [id, id]),
  );
  return new Map(inputs.map((input, at) => [input, found[at]]));
}

function update(call: HubSpotRequest) {
  const type = typeOf(call);
  const inputs = inputsOf(call, ['id', 'idProperty', 'properties', 'objectWriteTraceId']);
  const idProperty = idPropertyOf(inputs);
  if (idProperty) checkIdProperty(call.account, type, idProperty, false);
  const records = resolve(call, type, inputs, idProperty);
  const claims: Claims = new Map();
  return runBatch<PlannedWrite>(call, {
    type,
    inputs,
    success: 200,
    plan(input) {
      const record = records.get(input);
      if (!record) throw new Missing(type, [String(input.id)]);
      return planUpdate(call, record, input.properties, claims);
    },
    commit: ({ commit, written }) => updatedJson(call, commit(), written),
  });
}

/**
 * Rows are looked up first and written a moment later, so that overlapping upserts of one new value meet: the later one
 * is refused. With `email` as the id property the request succeeds or fails as a whole: HubSpot documents that partial
 * upserts are not supported there.
 */
async function upsert(call: HubSpotRequest) {
  const type = typeOf(call);
  const inputs = inputsOf(call, ['id', 'idProperty', 'properties', 'objectWriteTraceId']);
  const idProperty = idPropertyOf(inputs);
  if (!idProperty) throw invalid('idProperty is required for an upsert');
  if (call.settings.no_upsert.includes(type.name)) throw notUpsertable(call.account, type, idProperty);
  checkIdProperty(call.account, type, idProperty);
  const records = resolve(call, type, inputs, idProperty);
  if (call.settings.race_window > 0) await pause(call.settings.race_window);
  const claims: Claims = new Map();
  return runBatch<PlannedWrite & { isNew: boolean }>(call, {
    type,
    inputs,
    success: 200,
    mayBePartial: idProperty !== 'email',
    plan(input) {
      const record = records.get(input);
      if (!record) return { ...planCreate(call, type, { properties: input.properties }, claims), isNew: true };
      if (record.archivedAt) throw new Missing(type, [String(input.id)]);
      return { ...planUpdate(call, record, input.properties, claims), isNew: false };
    },
    commit: ({ commit, isNew, written }) => ({
      ...(isNew ? createdJson(call, commit()) : updatedJson(call, commit(), written)),
      new: isNew,
    }),
  });
}

function read(call: HubSpotRequest) {
  const startedAt = new Date();
  const { account } = call;
  const type = typeOf(call);
  const { idProperty: given, properties } = bodyOf(call);
  const idProperty = given === undefined || given === null ? undefined : asId(given, '"idProperty"');
  if (idProperty && idProperty !== 'hs_object_id') checkIdProperty(account, type, idProperty);
  const inputs = inputsOf(call, ['id']);
  const archived = call.query.get('archived') === 'true';
  const ids = inputs.map((input) => asId(input.id, '"id"'));
  refuseDuplicates(ids);
  const found = ids.map((id) =>
    archived ? account.records.get(type, id, { archived }) : identify(account, type, id, idProperty),
  );
  const asked = asStrings(properties, '"properties"');
  const missing = ids.filter((_, at) => !found[at]);
  // Two addresses of one contact give that contact once.
  const results = [...new Set(found)]
    .filter((record) => record !== undefined)
    .map((record) => readJson(call, type, record, asked));
  const errors = missing.length > 0 ? [refusalItem(new Missing(type, missing), call.settings.forms, [])] : [];
  return batchReply(call, { startedAt, results, errors, success: 200 });
}

function archive(call: HubSpotRequest) {
  const { account } = call;
  const type = typeOf(call);
  const ids = inputsOf(call, ['id']).map((input) => asId(input.id, '"id"'));
  account.journal.during(call.n, () => {
    for (const id of ids) {
      const record = account.records.get(type, id);
      if (record) account.records.archive(record);
    }
  });
  return noContent();
}

const HANDLERS = { create, read, update, upsert, archive };

export const batchEndpoints: HubSpotEndpoint[] = Object.entries(HANDLERS).map(([name, handle]) => ({
  method: 'POST',
  paths: paths('v3', 'objects', `/:object/batch/${name}`),
  operation: `batch/${name}`,
  scopes: (call) => typeOf(call).scopes[name === 'read' ? 'read' : 'write'],
  handle,
}));
