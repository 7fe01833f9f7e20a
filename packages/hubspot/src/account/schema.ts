/** The account's own property definitions: read when something asks for them, remembered for a short while. */

import type { Context } from '@wrapup/destination';
import { asObject } from '@wrapup/destination/http';
import { readProperties } from '../client/api.ts';
import type { HubSpotSession } from '../session.ts';

export interface Property {
  name: string;
  /** `string`, `number`, `bool`, `enumeration`, `date`, `datetime`, `phone_number`, … */
  type: string;
  read_only: boolean;
  unique: boolean;
  /** Empty for properties without. */
  options: Option[];
}

export interface Option {
  value: string;
  label: string;
  hidden: boolean;
}

/** Ms that definitions are remembered. Short, so that a property created just now is soon known. */
const KEPT_MS = 60_000;
const keyOf = (object: string) => `schema:${object}`;

/** Properties of an object by name. @throws the failure of the request */
export async function readSchema(
  session: HubSpotSession,
  object: string,
  fresh = false,
): Promise<Map<string, Property>> {
  const known = fresh ? undefined : await session.ctx.memory.get(keyOf(object));
  const properties = known === undefined ? await ask(session, object) : (JSON.parse(known) as Property[]);
  return new Map(properties.map((property) => [property.name, property]));
}

export async function forgetSchema(ctx: Context, object: string): Promise<void> {
  await ctx.memory.delete(keyOf(object));
}

async function ask(session: HubSpotSession, object: string): Promise<Property[]> {
  const body = asObject((await session.send(readProperties(object))).body);
  const properties = (Array.isArray(body.results) ? body.results : []).map(toProperty);
  await session.ctx.memory.set(keyOf(object), JSON.stringify(properties), KEPT_MS);
  return properties;
}

function toProperty(item: unknown): Property {
  const property = asObject(item);
  return {
    name: String(property.name ?? ''),
    type: String(property.type ?? ''),
    read_only: asObject(property.modificationMetadata).readOnlyValue === true || property.calculated === true,
    unique: property.hasUniqueValue === true,
    options: toOptions(item),
  };
}

/** The options of a property as HubSpot answers it. */
export function toOptions(property: unknown): Option[] {
  const { options } = asObject(property);
  return (Array.isArray(options) ? options : []).map((item) => {
    const option = asObject(item);
    return { value: String(option.value ?? ''), label: String(option.label ?? ''), hidden: option.hidden === true };
  });
}

/**
 * Asked after the account refused a property that it does not know: a test for every other one that it does not know
 * either, so that one more attempt is enough. Knows nothing when the definitions cannot be read.
 */
export async function knownProperties(
  session: HubSpotSession,
  object: string,
): Promise<ReadonlySet<string> | undefined> {
  try {
    const schema = await readSchema(session, object);
    return schema.size > 0 ? new Set(schema.keys()) : undefined;
  } catch {
    return undefined;
  }
}
