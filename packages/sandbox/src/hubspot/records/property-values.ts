/**
 * What a property may be set to. One row per kind of value; each gives the value as it is stored, or why not.
 * Codes: https://developers.hubspot.com/docs/api-reference/error-handling
 */

import { formatMoment } from '../http/forms.ts';
import { type Detail, invalidProperties, malformed } from '../http/refusal.ts';
import type { ObjectType } from '../schema/object-types.ts';
import type { PropertyDefinition } from '../schema/property.ts';
import type { HubSpotSchema } from '../schema/schema.ts';

/** Characters that a text may have; the documented number is the one for note bodies. */
export const MAX_TEXT = 65_536;

type Checked = { ok: string } | { code: string; message: string };

const EMAIL = /^[^\s@<>"'(),;:\\[\]]+@[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}$/i;
const INTEGER = /^-?\d+$/;
const DECIMAL = /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const ISO = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2}))?$/;

function checkEmail(value: string): Checked {
  const address = value.trim().toLowerCase();
  return EMAIL.test(address)
    ? { ok: address }
    : { code: 'INVALID_EMAIL', message: `Email address ${value} is invalid` };
}

function checkEmails(value: string): Checked {
  const parts = value.split(';').filter(Boolean).map(checkEmail);
  return parts.find((part) => 'code' in part) ?? { ok: parts.map((part) => (part as { ok: string }).ok).join(';') };
}

function checkNumber(value: string, { integer }: PropertyDefinition): Checked {
  const isNumber = (integer ? INTEGER : DECIMAL).test(value.trim());
  return isNumber ? { ok: value.trim() } : { code: 'INVALID_INTEGER', message: 'Enter a number' };
}

function instant(value: string): Date | undefined {
  const trimmed = value.trim();
  if (!INTEGER.test(trimmed) && !ISO.test(trimmed)) return undefined;
  const date = new Date(INTEGER.test(trimmed) ? Number(trimmed) : trimmed);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function checkDatetime(value: string): Checked {
  const date = instant(value);
  return date ? { ok: formatMoment(date) } : { code: 'INVALID_LONG', message: `${value} was not a valid long.` };
}

function checkDate(value: string): Checked {
  const date = instant(value);
  if (!date) return { code: 'INVALID_DATE', message: `${value} was not a valid date.` };
  const [day, time] = date.toISOString().split('T') as [string, string];
  return time === '00:00:00.000Z'
    ? { ok: day }
    : { code: 'INVALID_DATE', message: `${value} is at ${time.replace('Z', ' UTC')}, not midnight!` };
}

function checkOption(value: string, definition: PropertyDefinition, schema: HubSpotSchema): Checked {
  const allowed = definition.owners
    ? schema.owners.filter((owner) => !owner.archived).map((owner) => owner.id)
    : definition.options.map((option) => option.value);
  // A leading semicolon adds to what is chosen already; only check boxes take several.
  const chosen = definition.fieldType === 'checkbox' ? value.split(';').filter(Boolean) : [value];
  const wrong = chosen.find((item) => !allowed.includes(item));
  if (wrong !== undefined && definition.owners)
    return { code: 'INVALID_OWNER_ID', message: `Owner with ID ${wrong} does not exist` };
  return wrong === undefined
    ? { ok: value }
    : { code: 'INVALID_OPTION', message: `${wrong} was not one of the allowed options: [${allowed.join(', ')}]` };
}

function checkText(value: string): Checked {
  return value.length <= MAX_TEXT
    ? { ok: value }
    : { code: 'VALUE_TOO_LONG', message: `The value is ${value.length} characters long; the most is ${MAX_TEXT}.` };
}

const BY_TYPE: Record<string, (value: string, definition: PropertyDefinition, schema: HubSpotSchema) => Checked> = {
  string: checkText,
  phone_number: checkText,
  number: checkNumber,
  bool: checkOption,
  enumeration: checkOption,
  datetime: checkDatetime,
  date: checkDate,
};
/** Contact properties whose text must be an address. */
const BY_NAME = new Map([
  ['email', checkEmail],
  ['hs_additional_emails', checkEmails],
]);

/**
 * Checks all properties of one input, and says everything that is wrong at once.
 * @param byHubSpot whether they are HubSpot's own doing, which sets what no client may
 * @returns values as they are stored; an empty text means: clear it
 * @throws Refusal
 */
export function checkProperties(
  schema: HubSpotSchema,
  type: ObjectType,
  given: unknown,
  byHubSpot = false,
): Map<string, string> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw malformed('"properties" must be an object');
  }
  const values = new Map<string, string>();
  const details: Detail[] = [];
  for (const [name, raw] of Object.entries(given)) {
    if (typeof raw === 'object' && raw !== null) {
      throw malformed(
        `Cannot deserialize value of type \`java.lang.String\` from ${Array.isArray(raw) ? 'Array' : 'Object'} value`,
      );
    }
    const definition = schema.property(type, name);
    if (!definition) {
      details.push({ property: name, code: 'PROPERTY_DOESNT_EXIST', message: `Property "${name}" does not exist` });
    } else if (definition.readOnly && !byHubSpot) {
      details.push({
        property: name,
        code: 'READ_ONLY_VALUE',
        message: `"${name}" is a read only property; its value cannot be set.`,
      });
    } else {
      const checked = checkValue(raw === null ? '' : String(raw), definition, type, schema);
      if ('ok' in checked) values.set(name, checked.ok);
      else details.push({ property: name, ...checked });
    }
  }
  if (details.length > 0) throw invalidProperties(details);
  return values;
}

function checkValue(value: string, definition: PropertyDefinition, type: ObjectType, schema: HubSpotSchema): Checked {
  if (value === '') return { ok: '' };
  const special = type.id === '0-1' ? BY_NAME.get(definition.name) : undefined;
  return special ? special(value) : (BY_TYPE[definition.type] as typeof checkOption)(value, definition, schema);
}
