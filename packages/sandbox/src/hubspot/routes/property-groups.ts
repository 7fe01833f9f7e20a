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
import { HubSpotRefusal, invalid } from '../http/refusal.ts';
import { NAME } from '../schema/define.ts';
import type { PropertyGroup } from '../schema/property.ts';

const ALL = paths('v3', 'properties', '/:object/groups');
const ONE = paths('v3', 'properties', '/:object/groups/:group');

const read = (call: HubSpotRequest) => typeOf(call).scopes.schemaRead;
const write = (call: HubSpotRequest) => typeOf(call).scopes.schemaWrite;

const groupsOf = (call: HubSpotRequest) => call.account.schema.groups(typeOf(call));
const groupJson = (group: PropertyGroup) => ({ ...group, archived: false });

function groupOf(call: HubSpotRequest): PropertyGroup {
  const name = call.params.group ?? '';
  const found = groupsOf(call).get(name);
  if (found) return found;
  throw new HubSpotRefusal(`Property group "${name}" does not exist`, {
    status: 404,
    category: 'OBJECT_NOT_FOUND',
    context: { name: [name] },
  });
}

function create(call: HubSpotRequest) {
  const { name: givenName, label, displayOrder = -1 } = bodyOf(call);
  const name = asId(givenName, '"name"');
  if (!NAME.test(name)) throw invalid(`Invalid group name "${name}"`);
  if (groupsOf(call).has(name)) {
    throw new HubSpotRefusal(`A property group named '${name}' already exists.`, {
      status: 409,
      category: 'OBJECT_ALREADY_EXISTS',
      subCategory: 'Properties.PROPERTY_GROUP_WITH_NAME_EXISTS',
    });
  }
  const group = { name, label: asId(label, '"label"'), displayOrder: Number(displayOrder) };
  groupsOf(call).set(name, group);
  return created(groupJson(group));
}

function update(call: HubSpotRequest) {
  const { label, displayOrder } = bodyOf(call);
  const group = groupOf(call);
  if (label !== undefined) group.label = asId(label, '"label"');
  if (displayOrder !== undefined) group.displayOrder = Number(displayOrder);
  return ok(groupJson(group));
}

export const groupEndpoints: HubSpotEndpoint[] = [
  {
    method: 'GET',
    paths: ALL,
    operation: 'property groups list',
    scopes: read,
    handle: (call) => ok({ results: [...groupsOf(call).values()].map(groupJson) }),
  },
  { method: 'POST', paths: ALL, operation: 'property groups create', scopes: write, handle: create },
  {
    method: 'GET',
    paths: ONE,
    operation: 'property groups read',
    scopes: read,
    handle: (call) => ok(groupJson(groupOf(call))),
  },
  { method: 'PATCH', paths: ONE, operation: 'property groups update', scopes: write, handle: update },
  {
    method: 'DELETE',
    paths: ONE,
    operation: 'property groups archive',
    scopes: write,
    handle(call) {
      groupsOf(call).delete(call.params.group ?? '');
      return noContent();
    },
  },
];
