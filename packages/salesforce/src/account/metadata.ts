/** Fields that Wrapup itself needs in an org, and the custom ones that mappings write. Pure. */

import type { ProvisionPackage } from '@wrapup/destination';
import { type FieldKind, kindOfField } from '@wrapup/destination/check';
import type { CompiledMapping, MappedField } from '@wrapup/mapping';
import { zipSync } from 'fflate';
import { ACTIVITIES, CALL_KEY, CALL_OBJECT, KEY, oneEach, TASK_ID, WATERMARK } from '../client/objects.ts';
import { isOurs } from '../errors/error-table.ts';

type SalesforceFieldType = 'key' | 'datetime' | 'text' | 'long_text' | 'number' | 'checkbox' | 'id';

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
  const keyed = new Set([...PEOPLE, ...others.filter((object) => !ACTIVITIES.has(object) && !oneEach(object))]);
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

const TYPE_OF: Record<FieldKind, SalesforceFieldType> = {
  number: 'number',
  boolean: 'checkbox',
  date: 'text',
  datetime: 'datetime',
  text: 'text',
  long_text: 'long_text',
};

function customFields({ property, record, object }: MappedField, all: MappedField[]): SalesforceRequirement[] {
  const same = all.filter((field) => field.property === property && field.object === object);
  const label = property.replace(/^Wrapup_|__c$/g, '').replaceAll('_', ' ');
  const objects = record === 'person' ? PEOPLE : [ACTIVITIES.has(object) ? 'Activity' : object];
  return objects.map((name) => ({
    object: name,
    name: property,
    label,
    description: 'Written by Wrapup.',
    type: TYPE_OF[kindOfField(same)],
  }));
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

type Xml = string | number | boolean | readonly Xml[] | { readonly [name: string]: Xml };

function document(root: string, content: { [name: string]: Xml }): string {
  const inner = Object.entries(content).map(([name, value]) => element(name, value, '    '));
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${XMLNS}">\n${inner.join('')}</${root}>\n`;
}

/** `<name>…</name>`: one for a value, one for each of a list, with those of an object inside. */
function element(name: string, value: Xml, indent: string): string {
  if (Array.isArray(value)) return value.map((one: Xml) => element(name, one, indent)).join('');
  if (typeof value !== 'object') return `${indent}<${name}>${escapeXml(String(value))}</${name}>\n`;
  const inner = Object.entries(value).map(([inside, one]) => element(inside, one, `${indent}    `));
  return `${indent}<${name}>\n${inner.join('')}${indent}</${name}>\n`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const needsStandIn = (requirements: SalesforceRequirement[]) =>
  requirements.some(({ object }) => object === CALL_OBJECT);

function manifest(requirements: SalesforceRequirement[], version: string): string {
  const types = [
    { members: requirements.map(({ object, name }) => `${object}.${name}`), name: 'CustomField' },
    ...(needsStandIn(requirements) ? [{ members: CALL_OBJECT, name: 'CustomObject' }] : []),
    { members: PERMISSIONS, name: 'PermissionSet' },
  ];
  return document('Package', { types, version });
}

function objectFile(object: string, requirements: SalesforceRequirement[]): string {
  const fields = requirements.map(({ name: fullName, description, label, type }) => ({
    ...{ fullName, description, label },
    ...TYPES[type],
  }));
  return document('CustomObject', { ...(object === CALL_OBJECT ? STAND_IN : {}), fields });
}

const STAND_IN = {
  deploymentStatus: 'Deployed',
  description: 'Stands for a task that Wrapup wrote, and keeps its unique key.',
  label: 'Wrapup Call',
  nameField: { displayFormat: 'WC-{000000}', label: 'Number', type: 'AutoNumber' },
  pluralLabel: 'Wrapup Calls',
  sharingModel: 'ReadWrite',
};

const TYPES: Record<SalesforceFieldType, { [name: string]: Xml }> = {
  key: { caseSensitive: true, externalId: true, length: 255, required: false, type: 'Text', unique: true },
  text: { length: 255, required: false, type: 'Text' },
  id: { length: 18, required: false, type: 'Text' },
  long_text: { length: 32_768, type: 'LongTextArea', visibleLines: 6 },
  datetime: { required: false, type: 'DateTime' },
  number: { precision: 18, required: false, scale: 2, type: 'Number' },
  checkbox: { defaultValue: false, type: 'Checkbox' },
};

/** Custom fields of activities are opened on tasks; events follow. */
function permissions(requirements: SalesforceRequirement[]): string {
  const fields = requirements.map(({ object, name }) => `${object === 'Activity' ? 'Task' : object}.${name}`);
  const may = { allowCreate: true, allowDelete: false, allowEdit: true, allowRead: true };
  const objectPermissions = { ...may, modifyAllRecords: false, object: CALL_OBJECT, viewAllRecords: false };
  return document('PermissionSet', {
    description: 'Lets the user that Wrapup works as read and write the fields that it needs.',
    fieldPermissions: fields.map((field) => ({ editable: true, field, readable: true })),
    label: 'Wrapup',
    ...(needsStandIn(requirements) ? { objectPermissions } : {}),
  });
}
