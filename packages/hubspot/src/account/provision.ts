import type { Context, Failure, ProvisionStep } from '@wrapup/destination';
import type { CompiledMapping } from '@wrapup/mapping';
import { createProperty, createPropertyGroup } from '../client/api.ts';
import type { HubSpotTransport } from '../client/transport.ts';
import { asHubSpotFailure } from '../errors/classify.ts';
import { HubSpotSession } from '../session.ts';
import { GROUP, type HubSpotRequirement, requirementsOf } from './requirements.ts';
import { forgetSchema, type Property, readSchema } from './schema.ts';

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
      if (failure.next === 'park' || failure.code === 'missing_scope' || failure.code === 'bad_request')
        steps.push({ what, state: 'refused', hint: byHand(requirement, failure) });
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
