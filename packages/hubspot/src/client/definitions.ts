/** What the account says of itself: its id and domain, for links, and its own property definitions. */
import { type Context, Failure } from '@wrapup/destination';
import { asList, asObject } from '@wrapup/destination/http';
import { readAccount, readProperties } from './api.ts';
import type { Account } from './objects.ts';
import type { HubSpotSettings } from './settings.ts';
import type { HubSpotSession } from './transport.ts';

export interface Property {
  name: string;
  label: string;
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
const DEFINITIONS_KEPT_MS = 60_000;
const keyOf = (object: string) => `schema:${object}`;

/** Properties of an object by name. @throws the failure of the request */
export async function readSchema(
  session: HubSpotSession,
  object: string,
  fresh = false,
): Promise<Map<string, Property>> {
  const { memory } = session.ctx;
  const known = fresh ? undefined : await memory.get(keyOf(object));
  if (known !== undefined) return byName(JSON.parse(known) as Property[]);
  const properties = asList(asObject((await session.send(readProperties(object))).body).results).map(toProperty);
  await memory.set(keyOf(object), JSON.stringify(properties), DEFINITIONS_KEPT_MS);
  return byName(properties);
}

const byName = (properties: Property[]) => new Map(properties.map((property) => [property.name, property]));

export async function forgetSchema(ctx: Context, object: string): Promise<void> {
  await ctx.memory.delete(keyOf(object));
}

/** True for a refusal of one object's definitions: those of the others may well be read. */
export function isAboutObject({ code, next }: Failure): boolean {
  return code === 'missing_scope' || code === 'bad_request' || next === 'park';
}

function toProperty(item: unknown): Property {
  const property = asObject(item);
  return {
    name: String(property.name ?? ''),
    label: String(property.label ?? ''),
    type: String(property.type ?? ''),
    read_only: asObject(property.modificationMetadata).readOnlyValue === true || property.calculated === true,
    unique: property.hasUniqueValue === true,
    options: toOptions(item),
  };
}

/** The options of a property as HubSpot answers it. */
export function toOptions(property: unknown): Option[] {
  return asList(asObject(property).options).map((item) => {
    const option = asObject(item);
    return { value: String(option.value ?? ''), label: String(option.label ?? ''), hidden: option.hidden === true };
  });
}

const ACCOUNT = 'account';
const ACCOUNT_KEPT_MS = 30 * 24 * 3_600_000;
const DOMAIN = 'app.hubspot.com';

/** Asks HubSpot whose token it is, and remembers it. */
export async function askAccount(session: HubSpotSession, settings: HubSpotSettings): Promise<Account> {
  const { portalId, uiDomain } = asObject((await session.send(readAccount(settings.api_version))).body);
  if (typeof portalId !== 'number' && typeof portalId !== 'string')
    throw new Failure('unaccounted', 'read the account: HubSpot’s answer names no account.');
  const account = { portal: String(portalId), domain: typeof uiDomain === 'string' && uiDomain ? uiDomain : DOMAIN };
  await session.ctx.memory.set(ACCOUNT, JSON.stringify(account), ACCOUNT_KEPT_MS);
  return account;
}

/**
 * The account, for links: from the settings, or from an earlier probe. Undefined where it is not known. Never rejects.
 * @param ask a human looks at the answers and wants to open the records: HubSpot is asked where it is not known
 */
export async function accountFor(
  session: HubSpotSession,
  settings: HubSpotSettings,
  ask: boolean,
): Promise<Account | undefined> {
  const { portal } = settings;
  const kept = await session.ctx.memory.get(ACCOUNT).catch(() => undefined);
  if (kept !== undefined) {
    const account = JSON.parse(kept) as Account;
    return portal === undefined ? account : { ...account, portal };
  }
  if (portal !== undefined) return { portal, domain: DOMAIN };
  return ask ? askAccount(session, settings).catch(() => undefined) : undefined;
}
