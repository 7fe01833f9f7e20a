/** What HubSpot calls its objects, and the numbers of the links between them. */
import type { Plan, RecordPlan } from '@wrapup/mapping';

/**
 * Object type ids, for links to records.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/understanding-the-crm
 */
const TYPE_IDS: Record<string, string> = {
  contacts: '0-1',
  companies: '0-2',
  deals: '0-3',
  tickets: '0-5',
  tasks: '0-27',
  notes: '0-46',
  meetings: '0-47',
  calls: '0-48',
};

/** Activities need `hs_timestamp`, their place on the timeline. */
export const ACTIVITIES: ReadonlySet<string> = new Set(['calls', 'tasks', 'notes', 'meetings']);

/**
 * Numbers of the default links, from → to, all `HUBSPOT_DEFINED`. A pair that is not listed is linked after creation
 * by the endpoint that needs no number.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/associations/associations-overview
 */
const LINKS: Record<string, Record<string, number>> = {
  calls: { contacts: 194, companies: 182, deals: 206, tickets: 220 },
  notes: { contacts: 202, companies: 190, deals: 214, tickets: 228 },
  tasks: { contacts: 204, companies: 192, deals: 216, tickets: 230 },
  meetings: { contacts: 200, companies: 188, deals: 212, tickets: 226 },
  companies: { contacts: 280, deals: 342, tickets: 340 },
  contacts: { companies: 279, deals: 4, tickets: 15 },
  deals: { contacts: 3, companies: 341 },
  tickets: { contacts: 16, companies: 339 },
};

export function linkType(from: string, to: string): number | undefined {
  return LINKS[from]?.[to];
}

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
export function recordUrl(account: Account | undefined, object: string, id: string): string | undefined {
  if (!account) return undefined;
  // A sandbox names itself, and has no certificate.
  const scheme = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/.test(account.domain) ? 'http' : 'https';
  return `${scheme}://${account.domain}/contacts/${account.portal}/record/${TYPE_IDS[object] ?? object}/${id}`;
}

export interface Account {
  portal: string;
  /** `app.hubspot.com`, or the one of the account's region. */
  domain: string;
}
