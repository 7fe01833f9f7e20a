/** Making and changing property definitions. What HubSpot does not take is refused here with its reason. */
import { asArray, asId, asObject } from '../http/endpoint.ts';
import { HubSpotRefusal, invalid } from '../http/refusal.ts';
import type { ObjectType } from './object-types.ts';
import { FIELD_TYPES, type Option, options, type PropertyDefinition, type PropertyType, property } from './property.ts';
import { type HubSpotSchema, MAX_UNIQUE_PROPERTIES } from './schema.ts';

export const NAME = /^[a-z][a-z0-9_]{0,99}$/;

/** Kinds of values that can be unique. */
const CAN_BE_UNIQUE: PropertyType[] = ['string', 'number'];

/** @throws Refusal */
export function readDefinition(
  schema: HubSpotSchema,
  type: ObjectType,
  given: Record<string, unknown>,
): PropertyDefinition {
  const name = asId(given.name, '"name"');
  if (!NAME.test(name)) {
    throw invalid(
      `Invalid property name "${name}": names begin with a letter and hold lower-case letters, digits and underscores`,
    );
  }
  const existing = schema.allProperties(type).find((definition) => definition.name === name);
  if (existing && !existing.archivedAt) {
    throw new HubSpotRefusal(`A property named '${name}' already exists.`, {
      status: 409,
      category: 'OBJECT_ALREADY_EXISTS',
      subCategory: 'Properties.PROPERTY_WITH_NAME_EXISTS',
      context: { name: [name] },
    });
  }
  const label = asId(given.label, '"label"');
  const valueType = readType(given);
  refuseUnknownGroup(schema, type, given.groupName);
  const now = new Date();
  const definition = property(name, label, valueType, asId(given.fieldType, '"fieldType"'), {
    groupName: asId(given.groupName, '"groupName"'),
    description: given.description === undefined ? '' : asId(given.description, '"description"'),
    options: readOptions(given, valueType),
    // An archived property comes back as unique as it was.
    hasUniqueValue: existing?.hasUniqueValue ?? readUnique(schema, type, given, valueType),
    owners: given.externalOptions === true && given.referencedObjectType === 'OWNER',
    hidden: given.hidden === true,
    formField: given.formField === true,
    displayOrder: Number(given.displayOrder ?? -1),
    hubspotDefined: false,
    createdAt: existing?.createdAt ?? now,
    updatedAt: now,
  });
  return definition;
}

function readType(given: Record<string, unknown>): PropertyType {
  const valueType = asId(given.type, '"type"') as PropertyType;
  if (!Object.hasOwn(FIELD_TYPES, valueType)) throw invalid(`Invalid property type "${valueType}"`);
  const fieldType = asId(given.fieldType, '"fieldType"');
  if (!(FIELD_TYPES[valueType] as readonly string[]).includes(fieldType)) {
    throw invalid(`Field type "${fieldType}" does not go with property type "${valueType}"`);
  }
  return valueType;
}

function refuseUnknownGroup(schema: HubSpotSchema, type: ObjectType, groupName: unknown): void {
  const name = asId(groupName, '"groupName"');
  if (!schema.groups(type).has(name)) {
    throw invalid(`Property group "${name}" does not exist on ${type.name}`, { context: { groupName: [name] } });
  }
}

function readOptions(given: Record<string, unknown>, valueType: PropertyType): Option[] {
  const list = asArray(given.options ?? [], '"options"').map((item) => asObject(item, 'an option'));
  if (valueType === 'bool') return options({ Yes: 'true', No: 'false' });
  if (valueType !== 'enumeration') {
    if (list.length > 0) throw invalid(`A property of type "${valueType}" has no options`);
    return [];
  }
  if (list.length === 0 && given.externalOptions !== true) throw invalid('An enumeration needs at least one option');
  const read = list.map((option, displayOrder) => ({
    label: asId(option.label, '"label" of an option'),
    value: asId(option.value, '"value" of an option'),
    displayOrder: Number(option.displayOrder ?? displayOrder),
    hidden: option.hidden === true,
    ...(option.description !== undefined && { description: asId(option.description, '"description" of an option') }),
  }));
  for (const field of ['value', 'label'] as const) {
    if (new Set(read.map((option) => option[field])).size < read.length)
      throw invalid(`Two options have the same ${field}`);
  }
  return read;
}

function readUnique(
  schema: HubSpotSchema,
  type: ObjectType,
  given: Record<string, unknown>,
  valueType: PropertyType,
): boolean {
  if (given.hasUniqueValue !== true) return false;
  if (!CAN_BE_UNIQUE.includes(valueType)) throw invalid(`A property of type "${valueType}" cannot have unique values`);
  const own = schema.allProperties(type).filter((one) => one.hasUniqueValue && !one.hubspotDefined && !one.archivedAt);
  if (own.length >= MAX_UNIQUE_PROPERTIES) {
    throw invalid(`${type.name} already has ${MAX_UNIQUE_PROPERTIES} properties with unique values`);
  }
  return true;
}

/** What may be changed later; uniqueness may not. @throws Refusal */
export function changeDefinition(
  schema: HubSpotSchema,
  type: ObjectType,
  current: PropertyDefinition,
  given: Record<string, unknown>,
): PropertyDefinition {
  if (given.hasUniqueValue !== undefined && given.hasUniqueValue !== current.hasUniqueValue) {
    throw invalid('hasUniqueValue can only be set when a property is created');
  }
  const next = { ...current, updatedAt: new Date() };
  if (given.type !== undefined || given.fieldType !== undefined) {
    if (current.hubspotDefined) throw invalid(`The type of "${current.name}" is defined by HubSpot`);
    const both = { type: current.type, fieldType: current.fieldType, ...given };
    next.type = readType(both);
    next.fieldType = String(both.fieldType);
  }
  if (given.groupName !== undefined) {
    refuseUnknownGroup(schema, type, given.groupName);
    next.groupName = String(given.groupName);
  }
  if (given.label !== undefined) next.label = asId(given.label, '"label"');
  if (given.description !== undefined) next.description = asId(given.description, '"description"');
  if (given.hidden !== undefined) next.hidden = given.hidden === true;
  if (given.options !== undefined) next.options = readOptions(given, next.type);
  return next;
}
