/** HubSpot's contacts, as the write engine asks for them. */
import type { Failure } from '@wrapup/destination';
import type { CrmPerson, LeaveOut, PeopleRead, PeopleVerbs, RecordVerbs, Row } from '@wrapup/destination/engine';
import { inOrder } from '@wrapup/destination/engine';
import type { RequestFailure } from '@wrapup/destination/http';
import { type CrmRecord, readMany } from '../client/batch-read.ts';
import { asHubSpotFailure } from '../errors/classify.ts';
import { keyProperty, WATERMARK } from '../objects.ts';
import type { HubSpotSession } from '../session.ts';
import { contactKeys } from './person-keys.ts';
import { CANDIDATE_PROPERTIES, searchPeople } from './phone-search.ts';

const CONTACTS = 'contacts';
/** Characters of property names that still go into a search. */
const MAX_IN_SEARCH = 1_500;

/** @param weaker people may be created without a unique key */
export function peopleVerbs(session: HubSpotSession, records: RecordVerbs, weaker: boolean): PeopleVerbs {
  const { create, update, upsert, rowsNamed, knownFields, limits, drops_fields, owner, fields, urlOf } = records;
  const read: PeopleVerbs['read'] = (ask, properties) => readPeople(session, ask, properties);
  const verbs: PeopleVerbs = {
    ...{ session, create, update, rowsNamed, limits, drops_fields, owner, fields, urlOf, read },
    ...(upsert ? { upsert } : {}),
    ...(knownFields ? { knownFields } : {}),
    wording: {
      crm: 'HubSpot',
      person: 'contact',
      people: 'contacts',
      vanished: 'The contact was deleted or merged while it was being written.',
    },
    watermark: WATERMARK,
    identifying: ['firstname', 'lastname', 'email', 'phone', 'company'],
    keys: contactKeys(session, weaker, () => verbs),
    // HubSpot's ids are numbers; anything else would fail the whole batch.
    personId: (text) => (/^\d{1,20}$/.test(text) ? text : undefined),
    byId: (id) => toPerson({ id, properties: {} }),
    search: (phones, properties) => searchContacts(session, phones, properties),
    foundBy: () => ['phone', 'mobilephone', 'email'],
    newObject: () => CONTACTS,
    complete: (_object, values, writes) => complete(values as Record<string, string>, writes),
    required_of_new: new Set([keyProperty(CONTACTS)]),
    judge: (person, row, failure) => judge(person, row, failure, drops_fields),
    holderOf,
    identityOf: ({ properties: { firstname, lastname, email, phone, mobilephone, company } }) => ({
      name: [firstname, lastname],
      email: [email],
      phone: [phone, mobilephone],
      company: [company],
    }),
  };
  return verbs;
}

const toPerson = (record: CrmRecord): CrmPerson => ({ object: CONTACTS, ...record });

/** Main and additional addresses alike: HubSpot's read by address knows both. */
async function readPeople(
  session: HubSpotSession,
  { ids, emails }: Parameters<PeopleVerbs['read']>[0],
  properties: string[],
): Promise<PeopleRead> {
  const wanted = { object: CONTACTS, properties: [...new Set([...properties, ...CANDIDATE_PROPERTIES])] };
  const byId = new Map<string, CrmPerson | Failure>();
  const byEmail = new Map<string, CrmPerson[] | Failure>();
  if (ids.size > 0) {
    const plansOf = (id: string) => [...(ids.get(id) ?? [])];
    const { found, failed } = await readMany(session, { ...wanted, ids: ids.keys(), plansOf });
    for (const [id, failure] of failed) byId.set(id, failure);
    for (const [id, record] of found) byId.set(id, toPerson(record));
  }
  if (emails.size > 0) {
    const plansOf = (email: string) => [...(emails.get(email) ?? [])];
    const { found, failed } = await readMany(session, { ...wanted, ids: emails.keys(), by: 'email', plansOf });
    for (const [email, failure] of failed) byEmail.set(email, failure);
    for (const [email, record] of found) byEmail.set(email, [toPerson(record)]);
  }
  return { byId, byEmail };
}

async function searchContacts(
  session: HubSpotSession,
  phones: Parameters<PeopleVerbs['search']>[0],
  properties: string[],
): Promise<Map<string, CrmPerson[] | Failure>> {
  // The body of a search is limited: many properties would leave no room for numbers, and are read apart.
  const slim = JSON.stringify(properties).length > MAX_IN_SEARCH;
  const found = await searchPeople(session, phones, slim ? [] : properties);
  const people = new Map<string, CrmPerson[] | Failure>();
  for (const [phone, records] of found) people.set(phone, Array.isArray(records) ? records.map(toPerson) : records);
  const hits = [...people].flatMap(([phone, some]) =>
    Array.isArray(some) ? some.map(({ id }) => ({ id, phone })) : [],
  );
  if (!slim || hits.length === 0) return people;
  const plans = Map.groupBy(hits, ({ id }) => id);
  const ids = new Map([...plans].map(([id, all]) => [id, all.flatMap(({ phone }) => phones.get(phone) ?? [])]));
  const { byId } = await readPeople(session, { ids, emails: new Map() }, properties);
  for (const [phone, some] of people) {
    if (!Array.isArray(some)) continue;
    const read = some.map(
      ({ id }) => byId.get(id) ?? asHubSpotFailure(new Error('a contact vanished while it was read')),
    );
    const failure = read.find((one) => one instanceof Error);
    people.set(phone, failure ? (failure as Failure) : (read as CrmPerson[]));
  }
  return people;
}

/**
 * What a contact needs in addition when it is created: HubSpot wants an e-mail address or a name, and the next call
 * must find it by its number. https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/guide
 */
function complete(values: Record<string, string>, writes: Parameters<PeopleVerbs['newObject']>[0]) {
  const whole = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
  for (const { plan } of inOrder(writes)) {
    const { phone, email } = plan.person?.fallback ?? {};
    if (phone && !whole.phone && !whole.mobilephone) whole.phone = phone;
    if (email) whole.email ??= email;
  }
  const name = writes[0]?.plan.person?.fallback.name;
  if (name && !whole.firstname && !whole.lastname && !whole.email) whole.firstname = name;
  return whole;
}

/** The address that a call gave belongs to another contact. Where the policy drops fields the rest is written without it. */
function judge(person: CrmPerson, row: Row, failure: RequestFailure, drops_fields: boolean): Failure | LeaveOut {
  if (failure.code !== 'conflict') return failure;
  const { owner } = asHubSpotFailure(failure).vendor ?? {};
  const why = `Contact ${person.id} and contact ${owner ?? 'another one'} claim the same unique value, mostly an e-mail address: merge them in HubSpot, then replay.`;
  if (drops_fields && 'email' in row.fields) return { leave_out: 'email', why };
  return failure.with({ next: 'park', hint: why, ...(owner ? { candidates: [person.id, owner] } : {}) });
}

/** HubSpot tells only in words which value another contact holds: the key stands in them; `Existing ID` is said of an address. */
function holderOf(failure: RequestFailure, { key, fields }: Row): { id?: string; values: unknown[] } {
  const { vendor } = asHubSpotFailure(failure);
  const words = [vendor?.message ?? '', ...(vendor?.details ?? []).map(({ message }) => message)].join('\n');
  const isKey = key !== undefined && words.includes(key);
  const values = isKey ? [key] : /Existing ID/i.test(words) ? [fields.email] : Object.values(fields);
  return { values, ...(vendor?.owner ? { id: vendor.owner } : {}) };
}
