import type { Context, Description } from '@wrapup/destination';
import type { SalesforceTransport } from '../client/transport.ts';
import { SalesforceSession } from '../session.ts';
import { readOrg } from './schema.ts';

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
