/** Properties that Wrapup knows, and what the account itself says of its own. */
import { type Context, Failure, remembered } from '@wrapup/destination';
import { asList, asObject } from '@wrapup/destination/http';
import type { Plan, RecordPlan } from '@wrapup/mapping';
import { readAccount, readProperties } from './api.ts';
import { ACTIVITIES, pathName } from './objects.ts';
import type { HubSpotSettings } from './settings.ts';
import type { HubSpotSession } from './transport.ts';

/** The unique property by which our records of an object are found again. */
export function keyProperty(object: string): string {
  return object === 'calls' ? 'wrapup_call_id' : 'wrapup_key';
}

/** Whom a record of any kind belongs to. https://developers.hubspot.com/docs/guides/api/crm/owners */
export const OWNER = 'hubspot_owner_id';

/** When the last call ended that was written to a contact: what `if_newer` compares. */
export const WATERMARK = 'wrapup_last_call_at';

/** An activity's place on the timeline: what the mapping says, else when the call ended. Undefined for other objects. */
export function timestampOf(plan: Plan, { object, fields }: RecordPlan): string | undefined {
  const given = fields.find(({ name }) => name === 'hs_timestamp')?.value;
  if (given !== undefined && given !== null && given !== '') return String(given);
  return ACTIVITIES.has(object) ? plan.ended_at : undefined;
}

/** Values a text property takes; documented for notes, assumed for the rest. */
export const TEXT_LIMIT = 65_536;

/** Address of a record for a person to open, when the account is known. */
export function recordUrl(account: HubSpotAccount | undefined, object: string, id: string): string | undefined {
  const name = pathName(object);
  if (!account || name === undefined) return undefined;
  // A sandbox names itself, and has no certificate.
  const scheme = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/.test(account.domain) ? 'http' : 'https';
  return `${scheme}://${account.domain}/contacts/${account.portal}/record/${name}/${id}`;
}

export interface HubSpotAccount {
  portal: string;
  /** `app.hubspot.com`, or the one of the account's region. */
  domain: string;
}

/* What the account says of itself: its id and domain, for links, and its own property definitions. */

export interface Property {
  name: string;
  label: string;
  /** `string`, `number`, `bool`, `enumeration`, `date`, `datetime`, `phone_number`, … */
  type: string;
  read_only: boolean;
  unique: boolean;
  /** Empty for properties without. */
  options: PropertyOption[];
}

export interface PropertyOption {
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
  const read = async () => asList(asObject((await session.send(readProperties(object))).body).results).map(toProperty);
  const properties = await remembered(session.ctx, keyOf(object), DEFINITIONS_KEPT_MS, read, fresh);
  return new Map(properties.map((property) => [property.name, property]));
}

export async function forgetSchema(ctx: Context, object: string): Promise<void> {
  await ctx.memory.delete(keyOf(object));
}

/** True for a refusal of one object's definitions: those of the others may well be read. */
export function isAboutObject({ code, next }: Failure): boolean {
  return code === 'missing_scope' || code === 'bad_request' || next === 'park';
}

export function toProperty(item: unknown): Property {
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
export function toOptions(property: unknown): PropertyOption[] {
  return asList(asObject(property).options).map((item) => {
    const option = asObject(item);
    return { value: String(option.value ?? ''), label: String(option.label ?? ''), hidden: option.hidden === true };
  });
}

export const ACCOUNT_MEMORY = 'account';
const ACCOUNT_KEPT_MS = 30 * 24 * 3_600_000;
const DOMAIN = 'app.hubspot.com';

/** Asks HubSpot whose token it is, and remembers it. */
export async function askAccount(session: HubSpotSession, settings: HubSpotSettings): Promise<HubSpotAccount> {
  const { portalId, uiDomain } = asObject((await session.send(readAccount(settings.api_version))).body);
  if (typeof portalId !== 'number' && typeof portalId !== 'string')
    throw new Failure('unaccounted', 'read the account: HubSpot’s answer names no account.');
  const account = { portal: String(portalId), domain: typeof uiDomain === 'string' && uiDomain ? uiDomain : DOMAIN };
  await session.ctx.memory.set(ACCOUNT_MEMORY, JSON.stringify(account), ACCOUNT_KEPT_MS);
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
): Promise<HubSpotAccount | undefined> {
  const { portal } = settings;
  const kept = await session.ctx.memory.get(ACCOUNT_MEMORY).catch(() => undefined);
  if (kept !== undefined) {
    const account = JSON.parse(kept) as HubSpotAccount;
    return portal === undefined ? account : { ...account, portal };
  }
  if (portal !== undefined) return { portal, domain: DOMAIN };
  return ask ? askAccount(session, settings).catch(() => undefined) : undefined;
}
