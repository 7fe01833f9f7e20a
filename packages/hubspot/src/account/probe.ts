import type { Context, Probe } from '@wrapup/destination';
import { readOneContact } from '../client/api.ts';
import { askAccount, keyProperty, readSchema } from '../client/definitions.ts';
import type { HubSpotSettings } from '../client/settings.ts';
import { HubSpotSession, type HubSpotTransport } from '../client/transport.ts';
import { asHubSpotFailure } from '../errors/classify.ts';
import { stepOf } from '../keys/key-ladder.ts';

/**
 * Proves the token and that it may read contacts, and says which account it is. Notes which records carry their unique
 * key; a missing one is no failure of the connection: deliveries that need it park, with the same hint.
 */
export async function probeAccount(
  transport: HubSpotTransport,
  settings: HubSpotSettings,
  ctx: Context,
): Promise<Probe> {
  const session = new HubSpotSession(transport, ctx);
  const account = await askAccount(session, settings);
  await session.send(readOneContact());
  const notes: string[] = [];
  for (const object of ['calls', 'contacts'])
    notes.push(await noteKey(new HubSpotSession(transport, ctx), object, settings));
  return { account: account.portal, notes };
}

/** Which step of the key ladder (`key-steps.ts`) holds for an object. */
async function noteKey(session: HubSpotSession, object: string, settings: HubSpotSettings): Promise<string> {
  const name = keyProperty(object);
  try {
    const property = (await readSchema(session, object)).get(name);
    if (property?.unique)
      return (await stepOf(session, object)) === 'read'
        ? `${object}: key ladder, step 2 of 3: unique key ${name}, read and then created, since the account refuses upserts. Exactly one record all the same.`
        : `${object}: key ladder, step 1 of 3: unique key ${name}, by upsert. Exactly one record.`;
    const lacks = property ? `${name} exists but is not unique` : `the unique property ${name} is missing`;
    if (settings.without_key === 'id_map')
      return `${object}: key ladder, step 3 of 3: ${lacks}; records are found again by remembered ids and a line in their text. Weaker: two installations that share no Redis can write a call twice.`;
    return property
      ? `${object}: ${lacks}; delete it, then run \`wrapup provision\`. Until then deliveries are parked (without_key: park).`
      : `${object}: ${lacks}; nothing is written until \`wrapup provision\` has run. Where the account refuses it: without_key: id_map.`;
  } catch (thrown) {
    return `${object}: properties cannot be read (${asHubSpotFailure(thrown).message})`;
  }
}
