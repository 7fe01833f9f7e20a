/** What HubSpot calls its objects, and the links between them. */

/**
 * Object type ids by the names that paths take. Those that are listed can be written.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/understanding-the-crm
 */
const TYPE_IDS: Record<string, string> = {
  contacts: '0-1',
  companies: '0-2',
  deals: '0-3',
  tickets: '0-5',
  products: '0-7',
  line_items: '0-8',
  quotes: '0-14',
  communications: '0-18',
  tasks: '0-27',
  notes: '0-46',
  meetings: '0-47',
  calls: '0-48',
  emails: '0-49',
  invoices: '0-53',
  subscriptions: '0-69',
  discounts: '0-84',
  fees: '0-85',
  taxes: '0-86',
  postal_mail: '0-116',
  orders: '0-123',
  leads: '0-136',
  carts: '0-142',
  services: '0-162',
  courses: '0-410',
  listings: '0-420',
  appointments: '0-421',
  projects: '0-970',
};

const NAMES = new Map(Object.entries(TYPE_IDS).map(([name, id]) => [id, name]));

/** Objects with words and rules of their own, and the section of a mapping that writes them. */
const SECTIONS: Record<string, string> = {
  contacts: 'person',
  calls: 'call_log',
  tasks: 'tasks',
  notes: 'notes',
  meetings: 'meetings',
  companies: 'companies',
  deals: 'deals',
  tickets: 'tickets',
};

/**
 * The object that a mapping names: by its name or type id, a custom one by its type id or its fully qualified name. Bare names of
 * custom objects work no more. https://developers.hubspot.com/docs/api-reference/latest/crm/understanding-the-crm
 */
export function readObject(given: string): string | { problem: string; hint: string } {
  const name = NAMES.get(given) ?? given;
  const section = Object.hasOwn(SECTIONS, name) ? SECTIONS[name] : undefined;
  if (section !== undefined)
    return { problem: `${given} has a section of its own in the mapping`, hint: `write it under ${section}:` };
  if (Object.hasOwn(TYPE_IDS, name) || /^(?:[02]-\d+|p\d+_\w+)$/.test(name)) return name;
  const all = Object.keys(TYPE_IDS).filter((one) => !Object.hasOwn(SECTIONS, one));
  return {
    problem: `HubSpot has no object "${given}"`,
    hint: `one of ${all.join(', ')}; a custom object goes by its type id, 2-3453932`,
  };
}

/** How paths of records for people name an object. Undefined where only HubSpot knows. */
export function pathName(object: string): string | undefined {
  return TYPE_IDS[object] ?? (/^[02]-\d+$/.test(object) ? object : undefined);
}

/** Activities need `hs_timestamp`, their place on the timeline. */
export const ACTIVITIES: ReadonlySet<string> = new Set([
  'calls',
  'tasks',
  'notes',
  'meetings',
  'emails',
  'communications',
  'postal_mail',
]);

/**
 * Numbers of the default links, from → to, all `HUBSPOT_DEFINED`. A pair that is not listed is linked after creation
 * by the endpoint that needs no number. Of leads the first is the link to the primary contact, without which there is none.
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
  leads: { contacts: 578, companies: 610 },
};

export function linkType(from: string, to: string): number | undefined {
  return LINKS[from]?.[to];
}

/**
 * Objects of which a record is made only with a link to one of these, in the very request that makes it.
 * https://developers.hubspot.com/docs/api-reference/crm-leads-v3/guide
 */
const LINKED_TO: Record<string, readonly string[]> = { leads: ['contacts', 'companies'] };

export function linkedTo(object: string): readonly string[] {
  return LINKED_TO[object] ?? [];
}
