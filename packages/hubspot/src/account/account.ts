import type { Context } from '@wrapup/destination';
import { Failure } from '@wrapup/destination';
import { asObject } from '@wrapup/destination/http';
import { readAccount } from '../client/api.ts';
import type { Account } from '../objects.ts';
import type { HubSpotSession } from '../session.ts';
import type { HubSpotSettings } from '../settings.ts';

const KEY = 'account';
/** Ms that the account's id and domain are remembered for links. */
const KEPT_MS = 30 * 24 * 3_600_000;
const DOMAIN = 'app.hubspot.com';

/** Asks HubSpot whose token it is, and remembers it. */
export async function askAccount(session: HubSpotSession, settings: HubSpotSettings): Promise<Account> {
  const body = asObject((await session.send(readAccount(settings.api_version))).body);
  const portal = body.portalId;
  if (typeof portal !== 'number' && typeof portal !== 'string')
    throw new Failure('unaccounted', 'read the account: HubSpot’s answer names no account.');
  const domain = body.uiDomain;
  const account = { portal: String(portal), domain: typeof domain === 'string' && domain ? domain : DOMAIN };
  await session.ctx.memory.set(KEY, JSON.stringify(account), KEPT_MS);
  return account;
}

/**
 * The account, asked for where it is not known: for what a person looks at and wants to open. Undefined when HubSpot does
 * not tell.
 */
export async function accountForReader(
  session: HubSpotSession,
  settings: HubSpotSettings,
): Promise<Account | undefined> {
  const known = await knownAccount(session.ctx, settings);
  return known ?? (await askAccount(session, settings).catch(() => undefined));
}

/** The account, where it is known without asking: from the settings, or from an earlier probe. For links only. */
export async function knownAccount(ctx: Context, settings: HubSpotSettings): Promise<Account | undefined> {
  try {
    const text = await ctx.memory.get(KEY);
    if (text !== undefined) {
      const account = JSON.parse(text) as Account;
      return settings.portal === undefined ? account : { ...account, portal: settings.portal };
    }
  } catch {
    // A link that cannot be made is left out; nothing else depends on it.
  }
  return settings.portal === undefined ? undefined : { portal: settings.portal, domain: DOMAIN };
}
