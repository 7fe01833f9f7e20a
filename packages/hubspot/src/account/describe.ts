import type { Context, Description } from '@wrapup/destination';
import { asObject } from '@wrapup/destination/http';
import type { AccountField } from '@wrapup/mapping';
import { readProperties } from '../client/api.ts';
import type { HubSpotTransport } from '../client/transport.ts';
import { asHubSpotFailure } from '../errors/classify.ts';
import { HubSpotSession } from '../session.ts';

/** Properties of these objects as people know them, with their options. An object that may not be read is a note. */
export async function describeAccount(
  transport: HubSpotTransport,
  objects: string[],
  ctx: Context,
): Promise<Description> {
  const description: Description = { objects: {}, notes: [] };
  for (const object of objects) {
    // One refused object must not keep the others from being read: each has a session of its own.
    const session = new HubSpotSession(transport, ctx);
    try {
      const body = asObject((await session.send(readProperties(object))).body);
      description.objects[object] = (Array.isArray(body.results) ? body.results : []).map(toField);
    } catch (thrown) {
      const failure = asHubSpotFailure(thrown);
      if (failure.code !== 'missing_scope' && failure.next !== 'park' && failure.code !== 'bad_request') throw failure;
      description.notes.push(`${object}: ${failure.message}${failure.hint ? ` ${failure.hint}` : ''}`);
    }
  }
  return description;
}

function toField(item: unknown): AccountField {
  const property = asObject(item);
  const options = (Array.isArray(property.options) ? property.options : []).map(asObject);
  const shown = options.filter(({ hidden }) => hidden !== true);
  return {
    name: String(property.name ?? ''),
    ...(property.label ? { label: String(property.label) } : {}),
    ...(property.type ? { type: String(property.type) } : {}),
    ...(asObject(property.modificationMetadata).readOnlyValue === true || property.calculated === true
      ? { read_only: true }
      : {}),
    ...(shown.length > 0
      ? {
          options: shown.map(({ value, label }) => ({
            value: String(value ?? ''),
            ...(label ? { label: String(label) } : {}),
          })),
        }
      : {}),
  };
}
