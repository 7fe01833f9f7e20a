/** Properties of a fresh account: those that integrations with calls read and write, and what their tests need. */
import data from './properties.json' with { type: 'json' };
import { options, type PropertyDefinition, type PropertyType, property } from './property.ts';

/** As properties.json states it: members that differ from the default only, options as `options` takes them. */
interface PropertyData extends Partial<Omit<PropertyDefinition, 'options'>> {
  name: string;
  label: string;
  type: PropertyType;
  fieldType: string;
  options?: string[] | Record<string, string>;
}

interface ObjectData {
  group: string;
  label: string;
  properties: PropertyData[];
}

export interface BuiltInObject {
  /** Name and label of the group that the object's own properties stand in. */
  group: string;
  label: string;
  properties: PropertyDefinition[];
}

const { custom, ...objects } = data as unknown as Record<string, ObjectData> & { custom: ObjectData };

/** By object name: `contacts`. */
export const BUILT_IN: Record<string, BuiltInObject> = Object.fromEntries(
  Object.entries(objects).map(([name, object]) => [name, { ...object, properties: object.properties.map(define) }]),
);

/** What a custom object has before the account adds to it. */
export const CUSTOM_BUILT_IN: PropertyDefinition[] = custom.properties.map(define);

function define({ name, label, type, fieldType, options: values, ...more }: PropertyData): PropertyDefinition {
  return property(name, label, type, fieldType, { ...more, ...(values && { options: options(values) }) });
}
