import type { Context, Description, Probe } from '@wrapup/destination';
import { asObject } from '@wrapup/destination/http';
import { readLimits } from '../client/api.ts';
import { CALL_OBJECT } from '../client/objects.ts';
import { flowOf, type SalesforceSettings } from '../client/settings.ts';
import { SalesforceSession, type SalesforceTransport } from '../client/transport.ts';
import { asSalesforceFailure } from '../errors/classify.ts';
import { describeStep, keyStepOf } from '../keys/key-ladder.ts';
import { readOrg } from '../schema/org.ts';

const FLOWS = {
  jwt: 'a signed assertion (JWT)',
  refresh_token: 'a refresh token',
  client_credentials: 'client credentials',
} as const;

/**
 * Proves the credentials, says which org it is, what it has left of its API requests, and by which keys records are found
 * again. A missing key is no failure of the connection: deliveries that need it park, with the same hint.
 */
export async function probeAccount(
  transport: SalesforceTransport,
  settings: SalesforceSettings,
  ctx: Context,
): Promise<Probe> {
  const session = new SalesforceSession(transport, ctx);
  const limits = asObject((await session.send(readLimits())).body);
  const token = await transport.whose(ctx);
  const notes = [`Logged in by ${FLOWS[flowOf(settings)]} as user ${token.user}, API version ${settings.api_version}.`];
  const { Max, Remaining } = asObject(limits.DailyApiRequests);
  if (typeof Max === 'number' && typeof Remaining === 'number')
    notes.push(`${Remaining} of the org’s ${Max} API requests of 24 hours are left.`);
  if (!ctx.secrets.encrypted)
    notes.push('The access token is kept unencrypted in Redis: set WRAPUP_ENCRYPTION_KEY to encrypt it.');
  notes.push(...(await noteKeys(new SalesforceSession(transport, ctx))));
  return { account: token.org, notes };
}

async function noteKeys(session: SalesforceSession): Promise<string[]> {
  try {
    const org = await readOrg(session, [CALL_OBJECT], { fresh: true });
    return ['Task', 'Lead', 'Contact'].map((name) => {
      const object = org.object(name);
      return object
        ? describeStep(object, keyStepOf(org, object))
        : `${name}: the org has no such object, or the integration user may not see it.`;
    });
  } catch (thrown) {
    return [`The definitions cannot be read (${asSalesforceFailure(thrown).message})`];
  }
}

/** Fields of these objects that the user may write, with the values of their picklists. An object that is not seen is a note. */
export async function describeOrg(
  transport: SalesforceTransport,
  objects: string[],
  ctx: Context,
): Promise<Description> {
  const org = await readOrg(new SalesforceSession(transport, ctx), objects, { fresh: true });
  const description: Description = { objects: {}, notes: [] };
  for (const name of objects) {
    const object = org.object(name);
    if (!object) {
      description.notes.push(`${name}: the org has no such object, or the user does not see it.`);
      continue;
    }
    description.objects[name] = [...object.fields.values()].map((field) => ({
      name: field.name,
      type: field.length > 0 ? `${field.type}(${field.length})` : field.type,
      ...(field.createable || field.updateable ? {} : { read_only: true }),
      ...(field.values ? { options: field.values.map((value) => ({ value })) } : {}),
    }));
  }
  return description;
}
