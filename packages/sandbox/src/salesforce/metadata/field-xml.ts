/** Custom fields as metadata files define them. https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customfield.htm */
import { SalesforceRefusal } from '../http/refusal.ts';
import { defineField, type FieldSpec } from '../schema/define.ts';
import type { FieldType, SObjectField } from '../schema/field.ts';
import { listOf, type Xml } from './package.ts';

const TYPES: Record<string, FieldType> = {
  Text: 'string',
  TextArea: 'textarea',
  LongTextArea: 'textarea',
  Phone: 'phone',
  Email: 'email',
  Url: 'url',
  Picklist: 'picklist',
  MultiselectPicklist: 'multipicklist',
  Checkbox: 'boolean',
  Number: 'double',
  Currency: 'currency',
  Percent: 'percent',
  Date: 'date',
  DateTime: 'datetime',
  Lookup: 'reference',
};

/** Types that can be an external id or unique. */
const KEYS = ['Text', 'Number', 'Email'];

/** @param of the object that the file is of. @throws Refusal with the vendor's complaint */
export function readField(xml: Xml, of: string): SObjectField {
  const { fullName, label, type } = xml as Record<string, string | undefined>;
  const wrong = (message: string) =>
    new SalesforceRefusal('FIELD_INTEGRITY_EXCEPTION', `${of}.${fullName}: ${message}`);
  if (!fullName) throw wrong('Must specify a non-empty fullName for the CustomField');
  if (!label) throw wrong('Must specify a non-empty label for the CustomField');
  const known = TYPES[type ?? ''];
  if (!known) throw wrong(`Must specify a valid 'type' for the CustomField, not ${type}`);
  const length = xml.length === undefined ? undefined : Number(xml.length);
  if (type === 'Text' && (length === undefined || length < 1 || length > 255))
    throw wrong("Must specify 'length' for a CustomField of type Text, from 1 to 255");
  if (type === 'LongTextArea') {
    if (length === undefined || length < 256 || length > 131_072)
      throw wrong("Must specify 'length' for a CustomField of type LongTextArea, from 256 to 131072");
    if (xml.visibleLines === undefined)
      throw wrong("Must specify 'visibleLines' for a CustomField of type LongTextArea");
    if (of === 'Activity') throw wrong('Activity custom fields cannot be of type LongTextArea');
  }
  if (type === 'Number' && (xml.precision === undefined || xml.scale === undefined))
    throw wrong("Must specify 'precision' and 'scale' for a CustomField of type Number");
  if (type === 'Checkbox' && xml.defaultValue === undefined)
    throw wrong("Must specify 'defaultValue' for a CustomField of type Checkbox");
  const targets = listOf<string>(xml.referenceTo);
  if (type === 'Lookup' && (targets.length === 0 || !xml.relationshipName))
    throw wrong("Must specify 'referenceTo' and 'relationshipName' for a CustomField of type Lookup");
  const [externalId, unique] = [xml.externalId === 'true', xml.unique === 'true'];
  if ((externalId || unique) && !KEYS.includes(type ?? ''))
    throw wrong(`A CustomField of type ${type} cannot be an external id or unique`);
  const spec: FieldSpec = {
    name: fullName,
    label,
    type: known,
    external_id: externalId,
    unique,
    case_sensitive: xml.caseSensitive === 'true',
    required: xml.required === 'true',
    values: valuesOf(xml),
    reference_to: targets,
    ...(length !== undefined && { length }),
    ...(type === 'TextArea' && { length: 255 }),
  };
  return defineField(spec);
}

function valuesOf({ valueSet }: Xml): string[] {
  const { valueSetDefinition } = (valueSet ?? {}) as { valueSetDefinition?: { value?: unknown } };
  return listOf<{ fullName: string }>(valueSetDefinition?.value).map(({ fullName }) => fullName);
}
