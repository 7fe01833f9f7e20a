/** Property definitions and their groups. https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide */

import {
  asId,
  bodyOf,
  created,
  type HubSpotEndpoint,
  type HubSpotRequest,
  noContent,
  ok,
  paths,
  typeOf,
} from '../http/endpoint.ts';
import { HubSpotRefusal, invalid, refusalItem } from '../http/refusal.ts';
import { batchReply, inputsOf, refuseDuplicates } from '../records/batch.ts';
import { changeDefinition, readDefinition } from '../schema/define.ts';
import type { ObjectType } from '../schema/object-types.ts';
import { definitionJson, type PropertyDefinition, propertyJson } from '../schema/property.ts';

const ALL = paths('v3', 'properties', '/:object');
const ONE = paths('v3', 'properties', '/:object/:name');

const read = (call: HubSpotRequest) => typeOf(call).scopes.schemaRead;
const write = (call: HubSpotRequest) => typeOf(call).scopes.schemaWrite;

function noSuchProperty(type: ObjectType, name: string): HubSpotRefusal {
  return new HubSpotRefusal(`Property "${name}" does not exist on ${type.name}`, {
    status: 404,
    category: 'OBJECT_NOT_FOUND',
    subCategory: 'Properties.PROPERTY_NOT_FOUND',
    context: { name: [name] },
  });
}

function definitionOf(call: HubSpotRequest, name = call.params.name ?? ''): PropertyDefinition {
  const type = typeOf(call);
  const archived = call.query.get('archived') === 'true';
  const found = call.account.schema.allProperties(type).find((definition) => definition.name === name);
  if (!found || (found.archivedAt !== undefined) !== archived) throw noSuchProperty(type, name);
  return found;
}

function list(call: HubSpotRequest) {
  const archived = call.query.get('archived') === 'true';
  const all = call.account.schema.allProperties(typeOf(call));
  return ok({
    results: all
      .filter((one) => (one.archivedAt !== undefined) === archived)
      .map((one) => propertyJson(one, call.settings.forms)),
  });
}

/** A name that was archived is given back its property. */
function define(call: HubSpotRequest, given: Record<string, unknown>): PropertyDefinition {
  const { schema, journal } = call.account;
  const type = typeOf(call);
  const definition = readDefinition(schema, type, given);
  schema.put(type, definition);
  journal.during(call.n, () => journal.add({ effect: 'property_created', object: type.name, id: definition.name }));
  return definition;
}

function createMany(call: HubSpotRequest) {
  const startedAt = new Date();
  const errors: object[] = [];
  const inputs = inputsOf(call, PROPERTY_FIELDS);
  refuseDuplicates(inputs.map((input) => asId(input.name, '"name"')));
  const results = inputs.flatMap((input) => {
    try {
      return [definitionJson(define(call, input), call.settings.forms)];
    } catch (error) {
      if (!(error instanceof HubSpotRefusal)) throw error;
      errors.push(refusalItem(error, call.settings.forms, []));
      return [];
    }
  });
  return batchReply(call, { startedAt, results, errors, success: 201 });
}

const PROPERTY_FIELDS = [
  'name',
  'label',
  'type',
  'fieldType',
  'groupName',
  'description',
  'options',
  'hasUniqueValue',
  'hidden',
  'displayOrder',
  'formField',
  'externalOptions',
  'referencedObjectType',
  'calculationFormula',
];

function readMany(call: HubSpotRequest) {
  const startedAt = new Date();
  const names = inputsOf(call, ['name']).map((input) => asId(input.name, '"name"'));
  refuseDuplicates(names);
  const archived = bodyOf(call).archived === true;
  const all = call.account.schema.allProperties(typeOf(call));
  const found = all.filter((one) => names.includes(one.name) && (one.archivedAt !== undefined) === archived);
  const errors = names
    .filter((name) => !found.some((one) => one.name === name))
    .map((name) => refusalItem(noSuchProperty(typeOf(call), name), call.settings.forms, []));
  return batchReply(call, {
    startedAt,
    results: found.map((one) => propertyJson(one, call.settings.forms)),
    errors,
    success: 200,
  });
}

function update(call: HubSpotRequest) {
  const type = typeOf(call);
  const definition = changeDefinition(call.account.schema, type, definitionOf(call), bodyOf(call));
  const { journal, schema } = call.account;
  schema.put(type, definition);
  journal.during(call.n, () => journal.add({ effect: 'property_changed', object: type.name, id: definition.name }));
  return ok(propertyJson(definition, call.settings.forms));
}

function archive(call: HubSpotRequest, name: string): void {
  const type = typeOf(call);
  const definition = call.account.schema.property(type, name);
  if (!definition) return;
  if (definition.hubspotDefined) throw invalid(`Property "${name}" is defined by HubSpot and cannot be archived`);
  call.account.schema.put(type, { ...definition, archivedAt: new Date() });
}

function archiveMany(call: HubSpotRequest) {
  for (const input of inputsOf(call, ['name'])) archive(call, asId(input.name, '"name"'));
  return noContent();
}

export const propertyEndpoints: HubSpotEndpoint[] = [
  {
    method: 'POST',
    paths: paths('v3', 'properties', '/:object/batch/create'),
    operation: 'properties batch/create',
    scopes: write,
    handle: createMany,
  },
  {
    method: 'POST',
    paths: paths('v3', 'properties', '/:object/batch/read'),
    operation: 'properties batch/read',
    scopes: read,
    handle: readMany,
  },
  {
    method: 'POST',
    paths: paths('v3', 'properties', '/:object/batch/archive'),
    operation: 'properties batch/archive',
    scopes: write,
    handle: archiveMany,
  },
  { method: 'GET', paths: ALL, operation: 'properties list', scopes: read, handle: list },
  {
    method: 'POST',
    paths: ALL,
    operation: 'properties create',
    scopes: write,
    handle: (call) => created(propertyJson(define(call, bodyOf(call)), call.settings.forms)),
  },
  {
    method: 'GET',
    paths: ONE,
    operation: 'properties read',
    scopes: read,
    handle: (call) => ok(propertyJson(definitionOf(call), call.settings.forms)),
  },
  { method: 'PATCH', paths: ONE, operation: 'properties update', scopes: write, handle: update },
  {
    method: 'DELETE',
    paths: ONE,
    operation: 'properties archive',
    scopes: write,
    handle(call) {
      archive(call, call.params.name ?? '');
      return noContent();
    },
  },
];
