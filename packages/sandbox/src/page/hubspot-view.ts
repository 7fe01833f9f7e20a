/** HubSpot's account: contacts, and what is linked to them. */
import type { Account } from '../hubspot/account.ts';
import type { HubSpotRecord } from '../hubspot/records/records.ts';
import type { ObjectType } from '../hubspot/schema/object-types.ts';
import { entryOf, labelOf, TIMELINE } from './hubspot-timeline.ts';
import { hubspotAnchor, initialsOf, latestFirst, MOST_LOOSE, MOST_PEOPLE, type PersonView, type View } from './view.ts';

const ALWAYS_COUNTED = ['contacts', 'calls', 'tasks'];
const COUNTED = ['contacts', 'calls', 'tasks', 'notes', 'deals', 'tickets', 'meetings', 'companies'];

export function hubspotView(account: Account): View {
  const { schema } = account;
  const contacts = schema.type('contacts');
  const records = (type: ObjectType) => account.records.all(type).filter((record) => !record.archivedAt);
  const people = records(contacts)
    .map((record) => ({ record, at: lastChange(account, record) }))
    .sort((a, b) => b.at - a.at);
  const loose = TIMELINE.flatMap((object) => records(schema.type(object)))
    .filter((record) => account.associations.of(record, contacts).length === 0)
    .sort((a, b) => b.updatedAt.getTime() - a.updatedAt.getTime());
  return {
    crm: 'HubSpot',
    about: `account number ${account.portalId}`,
    counts: COUNTED.map((object) => ({ type: schema.type(object), count: records(schema.type(object)).length }))
      .filter(({ type, count }) => count > 0 || ALWAYS_COUNTED.includes(type.name))
      .map(({ type, count }) => ({ label: count === 1 ? type.singular : type.name, count })),
    people: people.slice(0, MOST_PEOPLE).map(({ record }) => personOf(account, record)),
    morePeople: Math.max(0, people.length - MOST_PEOPLE),
    loose: loose
      .slice(0, MOST_LOOSE)
      .map((record) => entryOf(account, record))
      .sort(latestFirst),
    moreLoose: Math.max(0, loose.length - MOST_LOOSE),
  };
}

/** When the contact or anything of theirs was last written. */
function lastChange(account: Account, contact: HubSpotRecord): number {
  return Math.max(contact.updatedAt.getTime(), ...linked(account, contact).map((record) => record.updatedAt.getTime()));
}

function linked(account: Account, contact: HubSpotRecord): HubSpotRecord[] {
  return TIMELINE.map((object) => account.schema.type(object)).flatMap((type) =>
    account.associations
      .of(contact, type)
      .map(({ id }) => account.records.get(type, id))
      .filter((record) => record !== undefined),
  );
}

/** Properties that a card shows in its own places, or that say nothing to a person. */
const NOT_FACTS = /^(hs_|createdate$|lastmodifieddate$|firstname$|lastname$|hubspot_owner_assigneddate$)/;

function personOf(account: Account, contact: HubSpotRecord): PersonView {
  const { properties, type, id } = contact;
  const name = [properties.get('firstname'), properties.get('lastname')].filter(Boolean).join(' ');
  const known = name || properties.get('email') || properties.get('phone') || `Contact ${id}`;
  const facts = [...properties].filter(([property]) => !NOT_FACTS.test(property));
  return {
    kind: 'Contact',
    id,
    anchor: hubspotAnchor(type.singular, id),
    name: known,
    initials: initialsOf(known),
    status: properties.has('hs_lead_status') ? labelOf(account.schema, type, 'hs_lead_status', properties) : undefined,
    facts: facts.map(([property, value]) => ({
      label: account.schema.property(type, property)?.label ?? property,
      value: labelOf(account.schema, type, property, properties) ?? value,
      isKey: property.startsWith('wrapup_'),
    })),
    entries: linked(account, contact)
      .map((record) => entryOf(account, record))
      .sort(latestFirst),
  };
}
