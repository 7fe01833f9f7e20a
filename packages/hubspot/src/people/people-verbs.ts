/** HubSpot's contacts, as the write engine asks for them. */

import { own, parsePhone } from '@wrapup/call';
import { Failure } from '@wrapup/destination';
import {
  askedFor,
  type CrmPerson,
  type CrmRow,
  holdsPhone,
  inOrder,
  type LeaveOut,
  type PeopleRead,
  type PeopleVerbs,
  type RecordVerbs,
} from '@wrapup/destination/engine';
import type { RequestFailure } from '@wrapup/destination/http';
import type { SearchFilter } from '../client/api.ts';
import { type CrmRecord, packSearches, readMany, searchAll } from '../client/batches.ts';
import { keyProperty, WATERMARK } from '../client/definitions.ts';
import type { HubSpotSession } from '../client/transport.ts';
import { asHubSpotFailure, type HubSpotFailure, unaccounted } from '../errors/classify.ts';
import { contactKeys } from '../keys/key-ladder.ts';

const CONTACTS = 'contacts';
/** Characters of property names that still go into a search. */
const MAX_IN_SEARCH = 1_500;

/** Objects of the records that a question may name, of all and of the open ones. */
const RELATED: Record<string, string> = {
  deals: 'deals',
  companies: 'companies',
  open_deal: 'deals',
  open_ticket: 'tickets',
};

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
    relatedOf({ id }, name) {
      const object = own(RELATED, name);
      return object === undefined ? undefined : { of: CONTACTS, id, object };
    },
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
  const [byId, byEmail] = await Promise.all([
    readMany(session, { ...wanted, ids }),
    readMany(session, { ...wanted, ids: emails, by: 'email' }),
  ]);
  return {
    byId: new Map([...byId].map(([id, one]) => [id, one instanceof Failure ? one : toPerson(one)])),
    byEmail: new Map([...byEmail].map(([email, one]) => [email, one instanceof Failure ? one : [toPerson(one)]])),
  };
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
    Array.isArray(some) ? some.map(({ id }): [string, readonly number[]] => [id, phones.get(phone) ?? []]) : [],
  );
  if (!slim || hits.length === 0) return people;
  const ids = askedFor(hits);
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
function judge(person: CrmPerson, row: CrmRow, failure: RequestFailure, drops_fields: boolean): Failure | LeaveOut {
  if (failure.code !== 'conflict') return failure;
  const { owner } = asHubSpotFailure(failure).vendor ?? {};
  const why = `Contact ${person.id} and contact ${owner ?? 'another one'} claim the same unique value, mostly an e-mail address: merge them in HubSpot, then replay.`;
  if (drops_fields && 'email' in row.fields) return { leave_out: 'email', why };
  return failure.with({ next: 'park', hint: why, ...(owner ? { candidates: [person.id, owner] } : {}) });
}

/** HubSpot tells only in words which value another contact holds: the key stands in them; `Existing ID` is said of an address. */
function holderOf(failure: RequestFailure, { key, fields }: CrmRow): { id?: string; values: unknown[] } {
  const { vendor } = asHubSpotFailure(failure);
  const words = [vendor?.message ?? '', ...(vendor?.details ?? []).map(({ message }) => message)].join('\n');
  const isKey = key !== undefined && words.includes(key);
  const values = isKey ? [key] : /Existing ID/i.test(words) ? [fields.email] : Object.values(fields);
  return { values, ...(vendor?.owner ? { id: vendor.owner } : {}) };
}

/*
 * Finds contacts by telephone number: many at once, in as few searches as fit.
 *
 * HubSpot has no unique phone. Its calculated properties hold area code and local number without country code, so a
 * search finds too much; candidates are compared in full E.164 here.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm
 */

/** Pages of 200 that are read before a search counts as too broad. */
const MAX_PAGES = 10;
const TOO_MANY = {
  says: 'the number fits more than 2,000 contacts',
  hint: 'Clean up the contacts that share this number, then replay.',
};

const PHONES = ['hs_searchable_calculated_phone_number', 'hs_searchable_calculated_mobile_number'];
/** What candidates are compared and ordered by. */
const CANDIDATE_PROPERTIES = ['phone', 'mobilephone', 'createdate'];

/**
 * Searches for all of them, and gives each its own candidates, oldest first, or the failure of its search. Never rejects.
 * @param phones E.164, and the numbers of the plans that ask
 */
export async function searchPeople(
  session: HubSpotSession,
  phones: ReadonlyMap<string, readonly number[]>,
  properties: string[],
): Promise<Map<string, CrmRecord[] | HubSpotFailure>> {
  const wanted = [...new Set([...CANDIDATE_PROPERTIES, ...properties])];
  const results = new Map<string, CrmRecord[] | HubSpotFailure>();
  const search = async (part: Sought[]): Promise<void> => {
    try {
      const { records, total } = await searchAll(session, {
        ...{ object: CONTACTS, filters: filtersFor(part), properties: wanted, max_pages: MAX_PAGES },
        plans: part.flatMap(({ phone }) => phones.get(phone) ?? []),
        too_many: TOO_MANY,
      });
      if (typeof total !== 'number' || records.length < total) throw unaccounted('search contacts');
      for (const { phone } of part) {
        const holds = ({ properties: { phone: one, mobilephone } }: CrmRecord) => holdsPhone([one, mobilephone], phone);
        results.set(phone, records.filter(holds).sort(byAge));
      }
    } catch (thrown) {
      for (const { phone } of part) results.set(phone, asHubSpotFailure(thrown));
    }
  };
  const sought = [...phones.keys()].map((phone): Sought => ({ phone, digits: digitsOf(phone) }));
  await Promise.all(packSearches(sought, wanted, filtersFor).map(search));
  return results;
}

/** A number, and what the calculated properties hold of it. */
interface Sought {
  phone: string;
  digits: string;
}

/** Oldest first: by creation, then by id. */
function byAge(a: CrmRecord, b: CrmRecord): number {
  const created = (record: CrmRecord) => Date.parse(record.properties.createdate ?? '') || 0;
  return created(a) - created(b) || Number(a.id) - Number(b.id);
}

function filtersFor(sought: Sought[]): SearchFilter[][] {
  const digits = [...new Set(sought.map((one) => one.digits))];
  return PHONES.map((property) => [{ property, in: digits }]);
}

function digitsOf(phone: string): string {
  return parsePhone(phone)?.digits ?? phone.replace(/\D/g, '');
}
