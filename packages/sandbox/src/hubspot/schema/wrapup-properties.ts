/**
 * The custom properties that Wrapup writes, so that a sandbox can begin as an account that `provision` has seen. Tests
 * of `provision` begin without them.
 */
import { datetime, text } from './property.ts';
import type { HubSpotSchema } from './schema.ts';

const KEYED = ['contacts', 'companies', 'deals', 'tickets', 'tasks', 'notes', 'meetings'];

/** The unique keys, and the contacts' watermark of the latest call. */
export function provision(schema: HubSpotSchema): void {
  const now = new Date();
  const custom = { hubspotDefined: false, createdAt: now, updatedAt: now };
  const put = (object: string, definition: ReturnType<typeof text>) => {
    const type = schema.type(object);
    const [groupName = ''] = schema.groups(type).keys();
    schema.put(type, { ...definition, ...custom, groupName });
  };
  put('calls', text('wrapup_call_id', 'Wrapup call ID', { hasUniqueValue: true }));
  for (const object of KEYED) put(object, text('wrapup_key', 'Wrapup key', { hasUniqueValue: true }));
  put('contacts', datetime('wrapup_last_call_at', 'Wrapup: last call at'));
}
