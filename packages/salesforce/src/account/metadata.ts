/** Fields that Wrapup itself needs in an org, and the custom ones that mappings write. Pure. */

import type { ProvisionPackage } from '@wrapup/destination';
import type { CompiledMapping, MappedField } from '@wrapup/mapping';
import { zipSync } from 'fflate';
import { ACTIVITIES, CALL_KEY, CALL_OBJECT, KEY, TASK_ID, WATERMARK } from '../client/objects.ts';

export type SalesforceFieldType = 'key' | 'datetime' | 'text' | 'long_text' | 'number' | 'checkbox' | 'id';

export interface SalesforceRequirement {
  /** `Activity` for tasks and events, which share their custom fields. */
  object: string;
  name: string;
  label: string;
  description: string;
  type: SalesforceFieldType;
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

function typeOf(same: MappedField[]): SalesforceFieldType {
  if (same.some(({ write }) => write === 'append')) return 'long_text';
  const values = same.flatMap((field) => field.values ?? []);
  const known = values.length > 0 && same.every((field) => field.values !== undefined);
  if (known && values.every((value) => typeof value === 'number')) return 'number';
  if (known && values.every((value) => typeof value === 'boolean' || value === 'true' || value === 'false'))
    return 'checkbox';
  return 'text';
}

/*
 * What the mappings need as a package for Salesforce's Metadata API: fields, and a permission set that lets a user see
 * them, since a field that comes by deployment is visible to no user at first.
 * https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_customfield.htm
 */

/** Name of the permission set. */
export const PERMISSIONS = 'Wrapup';

const XMLNS = 'http://soap.sforce.com/2006/04/metadata';

export function packageFor(mappings: CompiledMapping[], version: string, stand_in = false): ProvisionPackage {
  return packageOf(requirementsOf(mappings, stand_in), version);
}

/** @param requirements at least one */
export function packageOf(requirements: SalesforceRequirement[], version: string): ProvisionPackage {
  const byObject = Map.groupBy(requirements, ({ object }) => object);
  const files: Record<string, string> = { 'package.xml': manifest(requirements, version) };
  for (const [object, fields] of byObject) files[`objects/${object}.object`] = objectFile(object, fields);
  files[`permissionsets/${PERMISSIONS}.permissionset`] = permissions(requirements);
  const entries = Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]);
  return { files, zip: zipSync(Object.fromEntries(entries)) };
}

function document(root: string, content: string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${XMLNS}">\n${content.join('\n')}\n</${root}>\n`;
}

/** `<name>…</name>`, indented. */
function element(name: string, value: string | number | boolean, indent = '    '): string {
  return `${indent}<${name}>${escapeXml(String(value))}</${name}>`;
}

function block(name: string, lines: string[]): string {
  return `    <${name}>\n${lines.map((line) => `    ${line}`).join('\n')}\n    </${name}>`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function manifest(requirements: SalesforceRequirement[], version: string): string {
  const fields = requirements.map(({ object, name }) => `${object}.${name}`);
  const objects = requirements.some(({ object }) => object === CALL_OBJECT) ? [CALL_OBJECT] : [];
  const types: [string, string[]][] = [
    ['CustomField', fields],
    ...(objects.length > 0 ? ([['CustomObject', objects]] as [string, string[]][]) : []),
    ['PermissionSet', [PERMISSIONS]],
  ];
  return document('Package', [
    ...types.map(([name, members]) =>
      block('types', [...members.map((one) => element('members', one)), element('name', name)]),
    ),
    element('version', version),
  ]);
}

function objectFile(object: string, fields: SalesforceRequirement[]): string {
  return document('CustomObject', [...(object === CALL_OBJECT ? CALL_OBJECT_SAYS : []), ...fields.map(fieldOf)]);
}

const CALL_OBJECT_SAYS = [
  element('deploymentStatus', 'Deployed'),
  element('description', 'Stands for a task that Wrapup wrote, and keeps its unique key.'),
  element('label', 'Wrapup Call'),
  block('nameField', [
    element('displayFormat', 'WC-{000000}'),
    element('label', 'Number'),
    element('type', 'AutoNumber'),
  ]),
  element('pluralLabel', 'Wrapup Calls'),
  element('sharingModel', 'ReadWrite'),
];

const TYPES: Record<SalesforceFieldType, string[]> = {
  key: [
    element('caseSensitive', true),
    element('externalId', true),
    element('length', 255),
    element('required', false),
    element('type', 'Text'),
    element('unique', true),
  ],
  text: [element('length', 255), element('required', false), element('type', 'Text')],
  id: [element('length', 18), element('required', false), element('type', 'Text')],
  long_text: [element('length', 32_768), element('type', 'LongTextArea'), element('visibleLines', 6)],
  datetime: [element('required', false), element('type', 'DateTime')],
  number: [element('precision', 18), element('required', false), element('scale', 2), element('type', 'Number')],
  checkbox: [element('defaultValue', false), element('type', 'Checkbox')],
};

function fieldOf({ name, label, description, type }: SalesforceRequirement): string {
  return block('fields', [
    element('fullName', name),
    element('description', description),
    element('label', label),
    ...TYPES[type],
  ]);
}

/** Custom fields of activities are opened on tasks; events follow. */
function permissions(requirements: SalesforceRequirement[]): string {
  const fields = requirements.map(({ object, name }) => `${object === 'Activity' ? 'Task' : object}.${name}`);
  const standIn = requirements.some(({ object }) => object === CALL_OBJECT);
  const may = ['allowCreate', 'allowDelete', 'allowEdit', 'allowRead'].map((name) =>
    element(name, name !== 'allowDelete'),
  );
  return document('PermissionSet', [
    element('description', 'Lets the user that Wrapup works as read and write the fields that it needs.'),
    ...fields.map((field) =>
      block('fieldPermissions', [element('editable', true), element('field', field), element('readable', true)]),
    ),
    element('label', 'Wrapup'),
    ...(standIn
      ? [
          block('objectPermissions', [
            ...may,
            element('modifyAllRecords', false),
            element('object', CALL_OBJECT),
            element('viewAllRecords', false),
          ]),
        ]
      : []),
  ]);
}
