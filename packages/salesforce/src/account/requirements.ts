/** Fields that Wrapup itself needs in an org, and the custom ones that mappings write. Pure. */
import type { CompiledMapping, MappedField } from '@wrapup/mapping';
import { ACTIVITIES, CALL_KEY, CALL_OBJECT, KEY, TASK_ID, WATERMARK } from '../objects.ts';

export type FieldType = 'key' | 'datetime' | 'text' | 'long_text' | 'number' | 'checkbox' | 'id';

export interface SalesforceRequirement {
  /** `Activity` for tasks and events, which share their custom fields. */
  object: string;
  name: string;
  label: string;
  description: string;
  type: FieldType;
}

/** Everything that the mappings need, each once: unique keys first. @param stand_in also the object that keeps keys of tasks */
export function requirementsOf(mappings: CompiledMapping[], stand_in = false): SalesforceRequirement[] {
  const fields = mappings.flatMap((mapping) => mapping.fields).filter(({ use }) => use === 'write');
  const others = fields.filter(({ record }) => record !== 'person').map(({ object }) => object);
  const keyed = new Set([...PEOPLE, ...others.filter((object) => !ACTIVITIES.has(object))]);
  const all: SalesforceRequirement[] = [
    keyOf('Activity', CALL_KEY),
    ...[...keyed].map((object) => keyOf(object, KEY)),
    ...PEOPLE.map(
      (object): SalesforceRequirement => ({
        object,
        name: WATERMARK,
        label: 'Last Call (Wrapup)',
        description: WHEN,
        type: 'datetime',
      }),
    ),
    ...(stand_in ? [keyOf(CALL_OBJECT, KEY), TASK_OF] : []),
    ...fields.filter(({ property }) => isOurs(property)).flatMap((field) => customFields(field, fields)),
  ];
  return all.filter(
    (one, index) => all.findIndex(({ object, name }) => object === one.object && name === one.name) === index,
  );
}

/** People are written as either. */
const PEOPLE = ['Lead', 'Contact'];

const WHEN =
  'When the last call ended that Wrapup wrote to this person. Keeps an older call from overwriting what a newer one said.';

const TASK_OF: SalesforceRequirement = {
  object: CALL_OBJECT,
  name: TASK_ID,
  label: 'Task',
  description: 'Id of the task that this record stands for.',
  type: 'id',
};

function keyOf(object: string, name: string): SalesforceRequirement {
  const description = 'Unique key by which Wrapup finds its own record again. Do not edit.';
  return { object, name, label: 'Wrapup Key', description, type: 'key' };
}

/** Custom fields that a package may make carry this prefix; others belong to the org. */
export function isOurs(name: string): boolean {
  return /^Wrapup_\w+__c$/.test(name);
}

/** The type follows from the values that the mapping can write, and is text where they are not known. */
function customFields({ property, record, object }: MappedField, all: MappedField[]): SalesforceRequirement[] {
  const same = all.filter((field) => field.property === property && field.object === object);
  const label = property.replace(/^Wrapup_|__c$/g, '').replaceAll('_', ' ');
  const objects = record === 'person' ? PEOPLE : [ACTIVITIES.has(object) ? 'Activity' : object];
  return objects.map((name) => ({
    object: name,
    name: property,
    label,
    description: 'Written by Wrapup.',
    type: typeOf(same),
  }));
}

function typeOf(same: MappedField[]): FieldType {
  if (same.some(({ write }) => write === 'append')) return 'long_text';
  const values = same.flatMap((field) => field.values ?? []);
  const known = values.length > 0 && same.every((field) => field.values !== undefined);
  if (known && values.every((value) => typeof value === 'number')) return 'number';
  if (known && values.every((value) => typeof value === 'boolean' || value === 'true' || value === 'false'))
    return 'checkbox';
  return 'text';
}
