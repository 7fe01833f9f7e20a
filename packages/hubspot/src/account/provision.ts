import type { Context, Failure, ProvisionStep } from '@wrapup/destination';
import { type FieldKind, kindOfField } from '@wrapup/destination/check';
import type { CompiledMapping, MappedField } from '@wrapup/mapping';
import { createProperty, createPropertyGroup, type HubSpotPropertyDefinition } from '../client/api.ts';
import {
  forgetSchema,
  isAboutObject,
  keyProperty,
  type Property,
  readSchema,
  WATERMARK,
} from '../client/definitions.ts';
import { HubSpotSession, type HubSpotTransport } from '../client/transport.ts';
import { asHubSpotFailure } from '../errors/classify.ts';
import { isOurs } from '../errors/error-table.ts';

/**
 * Creates the unique keys, the watermark and the `wrapup_*` fields of mappings. Can be repeated: what is there is
 * `present`. A key that exists without being unique cannot be repaired, because HubSpot fixes uniqueness at creation.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/properties/guide
 */
export async function provisionAccount(
  transport: HubSpotTransport,
  request: { mappings: CompiledMapping[]; plan: boolean },
  ctx: Context,
): Promise<ProvisionStep[]> {
  const steps: ProvisionStep[] = [];
  const groups = new Set<string>();
  const schemas = new Map<string, Map<string, Property>>();
  for (const requirement of requirementsOf(request.mappings)) {
    const { object, definition } = requirement;
    // One refused object must not keep the others from being provisioned: each has a session of its own.
    const session = new HubSpotSession(transport, ctx);
    const what = `${object}.${definition.name}`;
    try {
      const schema = schemas.get(object) ?? (await readSchema(session, object, true));
      schemas.set(object, schema);
      const present = schema.get(definition.name);
      if (present) steps.push(judge(what, present, definition.hasUniqueValue));
      else if (request.plan) steps.push({ what, state: 'missing' });
      else steps.push({ what, state: await create(session, requirement, groups) });
    } catch (thrown) {
      const failure = asHubSpotFailure(thrown);
      if (isAboutObject(failure)) steps.push({ what, state: 'refused', hint: byHand(requirement, failure) });
      else throw failure;
    } finally {
      if (!request.plan) await forgetSchema(ctx, object);
    }
  }
  return steps;
}

function judge(what: string, present: Property, unique: boolean): ProvisionStep {
  if (!unique || present.unique) return { what, state: 'present' };
  return {
    what,
    state: 'refused',
    hint: `${what} exists but does not require unique values, and HubSpot cannot change that. Delete the property (Settings, Properties), then run \`wrapup provision\` again.`,
  };
}

/** Creates the property, and the group that it stands in. Both may be there already. */
async function create(
  session: HubSpotSession,
  { object, definition }: HubSpotRequirement,
  groups: Set<string>,
): Promise<'created'> {
  if (!groups.has(object)) {
    await ignoreExisting(session.send(createPropertyGroup(object, GROUP.name, GROUP.label)));
    groups.add(object);
  }
  await ignoreExisting(session.send(createProperty(object, definition)));
  return 'created';
}

async function ignoreExisting(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (thrown) {
    if (asHubSpotFailure(thrown).code !== 'conflict') throw thrown;
  }
}

function byHand({ object, definition }: HubSpotRequirement, failure: Failure): string {
  const kind =
    definition.type === 'datetime'
      ? 'date and time picker'
      : definition.type === 'string'
        ? 'single-line text'
        : definition.type;
  const unique = definition.hasUniqueValue ? ', with “Require unique values for this property” ticked' : '';
  return `${failure.message} Create it by hand: Settings, Properties, ${object}, “${definition.label}”, internal name ${definition.name}, ${kind}${unique}.`;
}

/* Properties that Wrapup itself needs in an account, and the custom ones that mappings write. */

interface HubSpotRequirement {
  object: string;
  definition: HubSpotPropertyDefinition;
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

function keyDefinition(object: string): HubSpotPropertyDefinition {
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
): HubSpotPropertyDefinition {
  return { name, label, description, type, fieldType, groupName: GROUP.name, hasUniqueValue };
}

function isWrite(field: MappedField): boolean {
  return field.use === 'write';
}

/** Type and kind of input of each. */
const TYPES: Record<FieldKind, [type: string, fieldType: string]> = {
  number: ['number', 'number'],
  boolean: ['bool', 'booleancheckbox'],
  date: ['date', 'date'],
  datetime: ['datetime', 'date'],
  text: ['string', 'text'],
  long_text: ['string', 'textarea'],
};

function customField(fields: MappedField[]) {
  return ({ object, property }: MappedField): HubSpotRequirement => {
    const same = fields.filter((field) => isWrite(field) && field.object === object && field.property === property);
    const label = property.replace(/^wrapup_/, '').replaceAll('_', ' ');
    const title = `${label.charAt(0).toUpperCase()}${label.slice(1)}`;
    const kind = kindOfField(same);
    const definition = define(property, title, 'Written by Wrapup.', ...TYPES[kind]);
    const options = [option('Yes', 'true', 0), option('No', 'false', 1)];
    return { object, definition: kind === 'boolean' ? { ...definition, options } : definition };
  };
}

function option(label: string, value: string, displayOrder: number) {
  return { label, value, displayOrder, hidden: false };
}
