/** Compares mappings with the account's own properties, before a call fails on them. */
import type { Context } from '@wrapup/destination';
import { checkOrder, checkOwners, checkRequired, type OwnerWords, quoteAll } from '@wrapup/destination/check';
import { readTime } from '@wrapup/destination/engine';
import { asList, asObject } from '@wrapup/destination/http';
import { type Finding, nearest } from '@wrapup/findings';
import type { CompiledMapping, MappedField, ValueKind } from '@wrapup/mapping';
import { readObjectSchema } from '../client/api.ts';
import {
  accountFor,
  isAboutObject,
  keyProperty,
  type Property,
  type PropertyOption,
  readSchema,
  WATERMARK,
} from '../client/definitions.ts';
import type { HubSpotSettings } from '../client/settings.ts';
import { HubSpotSession, type HubSpotTransport } from '../client/transport.ts';
import { asHubSpotFailure } from '../errors/classify.ts';
import { isOurs } from '../errors/error-table.ts';
import { DISPOSITION, idOf, isLabel, ownerSource } from '../records/record-verbs.ts';

/** @throws the failure when an object's properties cannot be read */
export async function checkMappings(
  transport: HubSpotTransport,
  settings: HubSpotSettings,
  mappings: CompiledMapping[],
  ctx: Context,
): Promise<Finding[]> {
  const session = new HubSpotSession(transport, ctx);
  // So that what is written from now on has links, also where no probe was ever made.
  await accountFor(session, settings, true);
  const fields = mappings.flatMap((mapping) => mapping.fields);
  // Also what records are associated with: the key has to see it.
  const read = [...fields, ...mappings.flatMap(({ records }) => records.flatMap(({ related = [] }) => related))];
  const objects = new Set(['contacts', 'calls', ...read.map(({ object }) => object)]);
  const findings: Finding[] = [];
  const schemas = new Map<string, Map<string, Property>>();
  for (const object of objects) {
    const schema = await readOrFind(new HubSpotSession(transport, ctx), object, read);
    if (schema instanceof Map) schemas.set(object, schema);
    else findings.push(schema);
  }
  const written = new Set(fields.filter((field) => field.use === 'write').map((field) => field.object));
  for (const object of new Set(['contacts', 'calls', ...written]))
    if (schemas.has(object)) findings.push(...checkKey(object, schemas.get(object), settings.without_key === 'id_map'));
  const contacts = schemas.get('contacts');
  if (contacts && !contacts.has(WATERMARK) && fields.some((field) => field.write === 'if_newer'))
    findings.push({
      severity: 'warning',
      code: 'missing-watermark',
      message: `contacts has no property ${WATERMARK}: which call is the newest is then remembered outside HubSpot only.`,
      hint: PROVISION,
    });
  for (const field of fields) {
    const schema = schemas.get(field.object);
    if (!schema) continue;
    findings.push(...checkField(field, schema));
    const shown = schema.get(field.property)?.options.filter(({ hidden }) => !hidden) ?? [];
    findings.push(...checkOrder(field, shown.map(toValue)));
  }
  const named = mappings.flatMap(({ records }) => records.filter(({ type }) => type === 'object'));
  const required = await requiredOf(transport, ctx, new Set(named.map(({ object }) => object)));
  const requires = (object: string) => REQUIRED[object] ?? required.get(object) ?? [];
  findings.push(...mappings.flatMap((mapping) => checkRequired('HubSpot', mapping, requires)));
  findings.push(...(await checkOwners(ctx, fields, ownerSource(session), OWNERS)));
  return findings;
}

/** An object that the key may not see is a finding with the first line that wants it; the others are checked all the same. */
async function readOrFind(
  session: HubSpotSession,
  object: string,
  wanted: Pick<MappedField, 'object' | 'at'>[],
): Promise<Map<string, Property> | Finding> {
  try {
    return await readSchema(session, object, true);
  } catch (thrown) {
    const failure = asHubSpotFailure(thrown);
    if (!isAboutObject(failure)) throw thrown;
    const at = wanted.find((one) => one.object === object)?.at;
    return {
      severity: 'error',
      code: failure.code === 'missing_scope' ? 'missing-scope' : 'unknown-object',
      message: `${object}: ${failure.message}`,
      hint:
        failure.code === 'missing_scope'
          ? (failure.hint ?? 'Give the service key access to it, or take its records out of the mapping.')
          : 'Switch the object on in HubSpot (Settings, Data Management, Data Model), or correct its name in the mapping.',
      ...(at ? { at } : {}),
    };
  }
}

const PROVISION = 'Run `wrapup provision`.';

function checkKey(object: string, schema: Map<string, Property> | undefined, weaker: boolean): Finding[] {
  const name = keyProperty(object);
  const property = schema?.get(name);
  if (property?.unique) return [];
  if (weaker)
    return [
      {
        severity: 'warning',
        code: 'weaker-key',
        message: `${object} has no unique property ${name}: its records are found again by remembered ids only (without_key: id_map).`,
        hint: PROVISION,
      },
    ];
  return [
    {
      severity: 'error',
      code: property ? 'key-not-unique' : 'missing-key',
      message: property
        ? `${object}.${name} does not require unique values, so it cannot keep a record from being written twice.`
        : `${object} has no unique property ${name}: nothing can be written to it safely.`,
      hint: property ? `Delete the property in HubSpot, then run \`wrapup provision\`.` : PROVISION,
    },
  ];
}

function checkField(field: MappedField, schema: Map<string, Property> | undefined): Finding[] {
  const { object, property, at } = field;
  const finding = (code: string, message: string, hint: string): Finding[] => [
    { severity: 'error', code, message, hint, at },
  ];
  const known = schema?.get(property);
  if (!known) {
    const near = nearest(property, [...(schema?.keys() ?? [])]);
    return finding(
      'missing-property',
      `HubSpot’s ${object} have no property ${property}.`,
      isOurs(property)
        ? PROVISION
        : near
          ? `Did you mean ${near}?`
          : 'Create it in HubSpot, or take it out of the mapping.',
    );
  }
  if (field.use === 'read') {
    const isTime = known.type === 'date' || known.type === 'datetime';
    if (field.record === 'person' || !isTime) return [];
    return finding(
      'not-found-by',
      `No ${object} are found by ${property}: it is a ${known.type}.`,
      'Find them by texts, numbers or choices.',
    );
  }
  if (known.read_only)
    return finding(
      'read-only',
      `${object}.${property} cannot be written: HubSpot computes it.`,
      'Take it out of the mapping.',
    );
  const values = [...(field.values ?? []), ...(field.order ?? [])].map(String).filter((value) => value !== '');
  if (known.type === 'enumeration' && known.options.length > 0) {
    const allowed = (value: string) =>
      known.options.some((option) => option.value === value) ||
      (isLabel({ name: property, value }) && idOf(value, known.options) !== undefined);
    const wrong = values.flatMap((value) => value.split(';')).filter((value) => !allowed(value));
    if (wrong.length > 0)
      return finding(
        'unknown-option',
        `${object}.${property} has no option ${quoteAll(wrong)}.`,
        `It allows ${quoteAll(known.options.slice(0, 20).map(isDisposition(property) ? toLabel : toValue))}.`,
      );
  }
  const fits = FITS[known.type];
  const wrong = fits ? values.filter((value) => !fits(value)) : [];
  if (wrong.length === 0) return warnOfFit(field, known);
  return finding(
    'wrong-type',
    `${object}.${property} is a ${known.type}; ${quoteAll(wrong)} does not fit it.`,
    'Correct the value, or the property’s type in HubSpot.',
  );
}

const isDisposition = (property: string) => property === DISPOSITION;
const toLabel = ({ label }: PropertyOption) => label;
const toValue = ({ value }: PropertyOption) => value;

const OWNERS: OwnerWords = {
  owner: 'active owner of the account',
  access: 'Add the scope crm.objects.owners.read to the service key, or name owners by their id.',
  naming: 'Use the e-mail address or the owner id of an active user (Settings, Users & Teams).',
};

/** What text each of HubSpot's types takes; types that are not listed take any. */
const FITS: Record<string, (value: string) => boolean> = {
  number: (value) => value.trim() !== '' && Number.isFinite(Number(value)),
  bool: (value) => value === 'true' || value === 'false',
  datetime: (value) => readTime(value) !== undefined,
  date: (value) => readTime(value) !== undefined,
};

/* What may go wrong with a mapping's records and values although every name in it is right. */

/**
 * What HubSpot needs to create a record, beside what the adapter adds by itself.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/objects/deals/guide and …/tickets/guide
 */
const REQUIRED: Record<string, string[]> = {
  deals: ['dealname', 'dealstage'],
  tickets: ['subject', 'hs_pipeline_stage'],
};

/** What the account itself demands of objects that mappings name. One whose definition the key may not read demands nothing. */
async function requiredOf(
  transport: HubSpotTransport,
  ctx: Context,
  objects: Iterable<string>,
): Promise<Map<string, string[]>> {
  const required = new Map<string, string[]>();
  for (const object of objects) {
    try {
      const { body } = await new HubSpotSession(transport, ctx).send(readObjectSchema(object));
      required.set(object, asList(asObject(body).requiredProperties).map(String));
    } catch (thrown) {
      if (!isAboutObject(asHubSpotFailure(thrown))) throw thrown;
    }
  }
  return required;
}

/** What makes a value fit each type whatever the call says, and the kinds of values that do already. */
const SURE: Record<string, { transform: string; kinds: ValueKind[] }> = {
  number: { transform: 'number', kinds: ['number'] },
  bool: { transform: 'boolean', kinds: ['boolean'] },
  date: { transform: 'date', kinds: ['date', 'datetime'] },
  datetime: { transform: 'datetime', kinds: ['date', 'datetime'] },
};

/** A value that is passed on as the call says it may not fit: HubSpot then refuses it, one call at a time. */
function warnOfFit(
  { object, property, values, gives, owners, at }: MappedField,
  { type, options }: Property,
): Finding[] {
  const sure = SURE[type];
  if (values !== undefined || owners !== undefined) return [];
  const warning = (message: string, hint: string): Finding[] => [
    { severity: 'warning', code: 'may-not-fit', message, hint, at },
  ];
  if (sure && !(gives && sure.kinds.includes(gives)))
    return warning(
      `${object}.${property} is a ${type}, and is written as the call says it.`,
      `Add transform: ${sure.transform}; what is none is then left out.`,
    );
  if (type === 'enumeration' && options.length > 0 && gives !== 'boolean')
    return warning(
      `${object}.${property} has ${options.length} options, and is written as the call says it.`,
      'Add a map from what the agent may say to the options, with default: null for the rest.',
    );
  return [];
}
