/** Links between records. https://developers.hubspot.com/docs/api-reference/latest/crm/associations/associate-records/guide */

import {
  asArray,
  asId,
  asObject,
  bodyOf,
  created,
  DATE_VERSIONS,
  type HubSpotEndpoint,
  type HubSpotRequest,
  limitOf,
  noContent,
  ok,
  typeOf,
} from '../http/endpoint.ts';
import { HubSpotRefusal, invalid, notFound, refusalItem } from '../http/refusal.ts';
import type { Linked } from '../records/associations.ts';
import { batchReply, inputsOf } from '../records/batch.ts';
import type { HubSpotRecord } from '../records/records.ts';
import { noSuchEnd, readSpecs } from '../records/writes.ts';
import type { AssociationType } from '../schema/association-types.ts';
import type { ObjectType } from '../schema/object-types.ts';

const MOST = { create: 2_000, read: 1_000, archive: 100 } as const;

/** Links of one record that an answer holds. */
const PAGE = 500;

const pair = (rest: string) => [
  `/crm/v4/associations/:from/:to${rest}`,
  ...DATE_VERSIONS.map((date) => `/crm/associations/${date}/:from/:to${rest}`),
];
const single = (rest: string) => [
  `/crm/v4/objects/:from/:id/associations${rest}`,
  ...DATE_VERSIONS.map((date) => `/crm/objects/${date}/:from/:id/associations${rest}`),
];

const read = (call: HubSpotRequest) => typeOf(call, 'from').scopes.read;
const write = (call: HubSpotRequest) => typeOf(call, 'from').scopes.write;

interface Ends {
  from: HubSpotRecord;
  to: HubSpotRecord;
}

/** @throws Refusal when one of the two is not there */
function endsOf(call: HubSpotRequest, fromId: string, toId: string): Ends {
  const [fromType, toType] = [typeOf(call, 'from'), typeOf(call, 'to')];
  const from = call.account.records.get(fromType, fromId);
  const to = call.account.records.get(toType, toId);
  if (!from) throw noSuchEnd(fromType, fromId);
  if (!to) throw noSuchEnd(toType, toId);
  if (from === to) throw invalid(`Object ${fromId} cannot be associated to itself (${toId})`);
  return { from, to };
}

const idOf = (value: unknown, what: string) => asId(asObject(value, what).id, `${what}.id`);

const describeType = ({ id, category, label }: AssociationType) => ({ category, typeId: id, label });

/** Rows that are refused are listed in `errors`, and the others are linked all the same. */
function eachRow(
  call: HubSpotRequest,
  fields: string[],
  most: number,
  row: (input: Record<string, unknown>) => object[],
) {
  const startedAt = new Date();
  const errors: object[] = [];
  const results = inputsOf(call, fields, most).flatMap((input) => {
    try {
      return call.account.journal.during(call.n, () => row(input));
    } catch (error) {
      if (!(error instanceof HubSpotRefusal)) throw error;
      errors.push(refusalItem(error, call.settings.forms, []));
      return [];
    }
  });
  return { startedAt, results, errors };
}

function createMany(call: HubSpotRequest) {
  const types = call.account.associations.types;
  const [from, to] = [typeOf(call, 'from'), typeOf(call, 'to')];
  // A number that is none of these two types fails the request before anything is linked.
  for (const input of asArray(bodyOf(call).inputs, '"inputs"')) {
    for (const spec of readSpecs(asObject(input, 'an input').types)) types.resolve(from, to, spec);
  }
  const outcome = eachRow(call, ['from', 'to', 'types'], MOST.create, (input) => {
    const ends = endsOf(call, idOf(input.from, '"from"'), idOf(input.to, '"to"'));
    const chosen = readSpecs(input.types).map((spec) => types.resolve(from, to, spec));
    call.account.associations.replaceLabels(ends.from, ends.to, chosen);
    return [linkJson(ends, chosen)];
  });
  return batchReply(call, { ...outcome, success: 201 });
}

function linkJson({ from, to }: Ends, types: AssociationType[]): object {
  return {
    fromObjectTypeId: from.type.id,
    fromObjectId: Number(from.id),
    toObjectTypeId: to.type.id,
    toObjectId: Number(to.id),
    labels: types.map((type) => type.label).filter((label) => label !== null),
  };
}

/** Always 200: rows that are refused are listed in `errors` only. */
function associateDefault(call: HubSpotRequest) {
  const plain = call.account.associations.types.plain(typeOf(call, 'from'), typeOf(call, 'to'));
  const outcome = eachRow(call, ['from', 'to'], MOST.create, (input) => {
    const ends = endsOf(call, idOf(input.from, '"from"'), idOf(input.to, '"to"'));
    call.account.associations.link(ends.from, ends.to, [plain]);
    return defaultJson(ends, plain);
  });
  return { ...batchReply(call, { ...outcome, success: 200 }), status: 200 };
}

/** Both directions are given. */
function defaultJson({ from, to }: Ends, plain: AssociationType): object[] {
  const spec = (associationTypeId: number) => ({ associationCategory: plain.category, associationTypeId });
  return [
    { from: { id: from.id }, to: { id: to.id }, associationSpec: spec(plain.id) },
    { from: { id: to.id }, to: { id: from.id }, associationSpec: spec(plain.inverse) },
  ];
}

function readMany(call: HubSpotRequest) {
  const [fromType, toType] = [typeOf(call, 'from'), typeOf(call, 'to')];
  const outcome = eachRow(call, ['id', 'after'], MOST.read, (input) => {
    const id = asId(input.id, '"id"');
    const from = call.account.records.get(fromType, id);
    const linked = from ? call.account.associations.of(from, toType) : [];
    if (linked.length === 0) throw noneFound(fromType, id, toType);
    const page = pageOf(linked, Number(input.after ?? 0), PAGE);
    return [{ from: { id }, to: page.results, ...page.paging }];
  });
  return batchReply(call, { ...outcome, success: 200 });
}

function noneFound(from: ObjectType, id: string, to: ObjectType): HubSpotRefusal {
  return new HubSpotRefusal(`No ${to.singular} is associated with ${from.singular} ${id}.`, {
    status: 404,
    category: 'OBJECT_NOT_FOUND',
    subCategory: 'crm.associations.NO_ASSOCIATIONS_FOUND',
    context: { fromObjectId: [id], fromObjectType: [from.singular], toObjectType: [to.singular] },
  });
}

function archiveMany(call: HubSpotRequest) {
  eachRow(call, ['from', 'to'], MOST.archive, (input) => {
    for (const to of asArray(input.to, '"to"')) unlink(call, idOf(input.from, '"from"'), idOf(to, '"to"'));
    return [];
  });
  return { ...noContent(), headers: { 'content-type': 'application/json;charset=utf-8' } };
}

/** Answers the same whether there was anything to take off. */
function unlink(call: HubSpotRequest, fromId: string, toId: string): void {
  const from = call.account.records.get(typeOf(call, 'from'), fromId);
  const to = call.account.records.get(typeOf(call, 'to'), toId);
  if (from && to) call.account.associations.unlink(from, to);
}

function list(call: HubSpotRequest) {
  const from = call.account.records.get(typeOf(call, 'from'), call.params.id ?? '');
  if (!from) throw notFound(call.params.id ?? '');
  const limit = limitOf(call.query, PAGE, PAGE);
  const linked = call.account.associations.of(from, typeOf(call, 'to'));
  const { results, paging } = pageOf(linked, Number(call.query.get('after') ?? 0), limit);
  return ok({ results, ...paging });
}

/** Links of a page, and where the next one begins. */
function pageOf(linked: Linked[], after: number, limit: number) {
  const results = linked
    .slice(after, after + limit)
    .map(({ id, types }) => ({ toObjectId: Number(id), associationTypes: types.map(describeType) }));
  const isLast = after + limit >= linked.length;
  return { results, paging: isLast ? {} : { paging: { next: { after: String(after + limit) } } } };
}

function putOne(call: HubSpotRequest) {
  const ends = endsOf(call, call.params.id ?? '', call.params.toId ?? '');
  const types = readSpecs(call.body).map((spec) =>
    call.account.associations.types.resolve(ends.from.type, ends.to.type, spec),
  );
  call.account.journal.during(call.n, () => call.account.associations.replaceLabels(ends.from, ends.to, types));
  return created(linkJson(ends, types));
}

function putDefault(call: HubSpotRequest) {
  const startedAt = new Date();
  const ends = endsOf(call, call.params.id ?? '', call.params.toId ?? '');
  const plain = call.account.associations.types.plain(ends.from.type, ends.to.type);
  call.account.journal.during(call.n, () => call.account.associations.link(ends.from, ends.to, [plain]));
  return batchReply(call, { startedAt, results: defaultJson(ends, plain), errors: [], success: 200 });
}

function deleteOne(call: HubSpotRequest) {
  call.account.journal.during(call.n, () => unlink(call, call.params.id ?? '', call.params.toId ?? ''));
  return noContent();
}

function labels(call: HubSpotRequest) {
  return ok({
    results: call.account.associations.types.between(typeOf(call, 'from'), typeOf(call, 'to')).map(describeType),
  });
}

function addLabel(call: HubSpotRequest) {
  const label = asId(bodyOf(call).label, '"label"');
  return ok({
    results: call.account.associations.types
      .addLabel(typeOf(call, 'from'), typeOf(call, 'to'), label)
      .map(describeType),
  });
}

export const associationEndpoints: HubSpotEndpoint[] = [
  {
    method: 'POST',
    paths: pair('/batch/create'),
    operation: 'associations batch/create',
    scopes: write,
    handle: createMany,
  },
  {
    method: 'POST',
    paths: pair('/batch/associate/default'),
    operation: 'associations batch/associate/default',
    scopes: write,
    handle: associateDefault,
  },
  { method: 'POST', paths: pair('/batch/read'), operation: 'associations batch/read', scopes: read, handle: readMany },
  {
    method: 'POST',
    paths: pair('/batch/archive'),
    operation: 'associations batch/archive',
    scopes: write,
    handle: archiveMany,
  },
  { method: 'GET', paths: pair('/labels'), operation: 'associations labels', scopes: read, handle: labels },
  { method: 'POST', paths: pair('/labels'), operation: 'associations create label', scopes: write, handle: addLabel },
  { method: 'GET', paths: single('/:to'), operation: 'associations list', scopes: read, handle: list },
  {
    method: 'PUT',
    paths: single('/default/:to/:toId'),
    operation: 'associations default',
    scopes: write,
    handle: putDefault,
  },
  { method: 'PUT', paths: single('/:to/:toId'), operation: 'associations put', scopes: write, handle: putOne },
  { method: 'DELETE', paths: single('/:to/:toId'), operation: 'associations delete', scopes: write, handle: deleteOne },
];
