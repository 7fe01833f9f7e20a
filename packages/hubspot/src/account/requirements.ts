/** Properties that Wrapup itself needs in an account, and the custom ones that mappings write. */
import type { CompiledMapping, MappedField, ValueKind } from '@wrapup/mapping';
import type { PropertyDefinition } from '../client/api.ts';
import { keyProperty, WATERMARK } from '../objects.ts';

export interface HubSpotRequirement {
  object: string;
  definition: PropertyDefinition;
}

/** Group under which they stand in HubSpot's settings. */
export const GROUP = { name: 'wrapup', label: 'Wrapup' };

/** Everything that the mappings need, each once: unique keys first. */
export function requirementsOf(mappings: CompiledMapping[]): HubSpotRequirement[] {
  const fields = mappings.flatMap((mapping) => mapping.fields);
  const objects = new Set(['contacts', 'calls', ...fields.filter(isWrite).map(({ object }) => object)]);
  const keys = [...objects].map((object) => ({ object, definition: keyDefinition(object) }));
  const watermark = {
    object: 'contacts',
    definition: define(WATERMARK, 'Last call (Wrapup)', WHEN, 'datetime', 'date'),
  };
  const custom = fields.filter((field) => isWrite(field) && isOurs(field.property)).map(customField(fields));
  const all = [...keys, watermark, ...custom];
  return all.filter(
    (one, index) =>
      all.findIndex(({ object, definition }) => object === one.object && definition.name === one.definition.name) ===
      index,
  );
}

const WHEN =
  'When the last call ended that Wrapup wrote to this contact. Keeps an older call from overwriting what a newer one said.';

function keyDefinition(object: string): PropertyDefinition {
  const name = keyProperty(object);
  return define(
    name,
    'Wrapup key',
    'Unique key by which Wrapup finds its own record again. Do not edit.',
    'string',
    'text',
    true,
  );
}

function define(
  name: string,
  label: string,
  description: string,
  type: string,
  fieldType: string,
  hasUniqueValue = false,
): PropertyDefinition {
  return { name, label, description, type, fieldType, groupName: GROUP.name, hasUniqueValue };
}

function isWrite(field: MappedField): boolean {
  return field.use === 'write';
}

/** Custom properties that provisioning may create carry this prefix; others belong to the account. */
export function isOurs(property: string): boolean {
  return property.startsWith('wrapup_');
}

/** The type follows from the values that the mapping can write, and is text where they are not known. */
function customField(fields: MappedField[]) {
  return ({ object, property }: MappedField): HubSpotRequirement => {
    const same = fields.filter((field) => isWrite(field) && field.object === object && field.property === property);
    const values = same.flatMap((field) => field.values ?? []);
    const known = values.length > 0 && same.every((field) => field.values !== undefined);
    const label = property.replace(/^wrapup_/, '').replaceAll('_', ' ');
    const title = `${label.charAt(0).toUpperCase()}${label.slice(1)}`;
    const describe = (type: string, fieldType: string) => ({
      object,
      definition: define(property, title, 'Written by Wrapup.', type, fieldType),
    });
    const always = (kind: ValueKind) => same.every(({ gives }) => gives === kind);
    if (always('number') || (known && values.every((value) => typeof value === 'number')))
      return describe('number', 'number');
    if (always('datetime')) return describe('datetime', 'date');
    if (always('date')) return describe('date', 'date');
    const truth = known && values.every((value) => typeof value === 'boolean' || value === 'true' || value === 'false');
    if (truth || always('boolean')) {
      const { definition } = describe('bool', 'booleancheckbox');
      return { object, definition: { ...definition, options: [option('Yes', 'true', 0), option('No', 'false', 1)] } };
    }
    return same.some((field) => field.write === 'append') ? describe('string', 'textarea') : describe('string', 'text');
  };
}

function option(label: string, value: string, displayOrder: number) {
  return { label, value, displayOrder, hidden: false };
}
