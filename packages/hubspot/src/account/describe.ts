import type { Context, Description } from '@wrapup/destination';
import type { AccountField } from '@wrapup/mapping';
import { isAboutObject, type Property, readSchema } from '../client/definitions.ts';
import { HubSpotSession, type HubSpotTransport } from '../client/transport.ts';
import { asHubSpotFailure } from '../errors/classify.ts';

/** Properties of these objects as people know them, with their options. An object that may not be read is a note. */
export async function describeAccount(
  transport: HubSpotTransport,
  objects: string[],
  ctx: Context,
): Promise<Description> {
  const description: Description = { objects: {}, notes: [] };
  for (const object of objects) {
    try {
      // One refused object must not keep the others from being read: each has a session of its own.
      const schema = await readSchema(new HubSpotSession(transport, ctx), object, true);
      description.objects[object] = [...schema.values()].map(toField);
    } catch (thrown) {
      const failure = asHubSpotFailure(thrown);
      if (!isAboutObject(failure)) throw failure;
      description.notes.push(`${object}: ${failure.message}${failure.hint ? ` ${failure.hint}` : ''}`);
    }
  }
  return description;
}

function toField({ name, label, type, read_only, options }: Property): AccountField {
  const shown = options.filter(({ hidden }) => !hidden);
  return {
    name,
    ...(label ? { label } : {}),
    ...(type ? { type } : {}),
    ...(read_only ? { read_only } : {}),
    ...(shown.length > 0
      ? { options: shown.map((option) => ({ value: option.value, ...(option.label ? { label: option.label } : {}) })) }
      : {}),
  };
}
