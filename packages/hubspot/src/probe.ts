import type { Context, Probe } from '@wrapup/destination';
import { askAccount } from './account.ts';
import { readOneContact } from './api.ts';
import { asHubSpotFailure } from './errors.ts';
import { keyProperty } from './objects.ts';
import { readSchema } from './schema.ts';
import { Session } from './session.ts';
import type { HubSpotSettings } from './settings.ts';
import type { Transport } from './transport.ts';

/**
 * Proves the token and that it may read contacts, and says which account it is. Notes which records carry their unique
 * key; a missing one is no failure of the connection: deliveries that need it park, with the same hint.
 */
export async function probeAccount(transport: Transport, settings: HubSpotSettings, ctx: Context): Promise<Probe> {
  const session = new Session(transport, ctx);
  const account = await askAccount(session, settings);
  await session.send(readOneContact());
  const notes: string[] = [];
  for (const object of ['calls', 'contacts']) notes.push(await noteKey(new Session(transport, ctx), object));
  return { account: account.portal, notes };
}

async function noteKey(session: Session, object: string): Promise<string> {
  const name = keyProperty(object);
  try {
    const property = (await readSchema(session, object)).get(name);
    if (!property)
      return `${object}: the unique property ${name} is missing; nothing is written until \`wrapup provision\` has run.`;
    return property.unique
      ? `${object}: unique key ${name} in force.`
      : `${object}: ${name} exists but is not unique; delete it, then run \`wrapup provision\`.`;
  } catch (thrown) {
    return `${object}: properties cannot be read (${asHubSpotFailure(thrown).message})`;
  }
}
