/** People as queries and searches give them. */

import type { Failure } from '@wrapup/destination';
import {
  type CrmPerson,
  halvesOf,
  type PeopleRead,
  type PeopleVerbs,
  type PersonWrite,
} from '@wrapup/destination/engine';
import { asList, asObject, asText } from '@wrapup/destination/http';
import { type PersonObject, personObjectOf } from '../client/objects.ts';
import { isIn, queryTogether, select } from '../client/query.ts';
import type { SalesforceSession } from '../client/transport.ts';
import { asSalesforceFailure, SalesforceFailure } from '../errors/classify.ts';
import type { OrgDefinitions, OrgObject } from '../schema/org.ts';
import { propertiesOf } from '../schema/values.ts';

/** Numbers that are not the person's own to be called on. */
const NOT_A_PHONE = new Set(['Fax', 'PersonFax']);

export function phoneFieldsOf(object: OrgObject): string[] {
  return [...object.fields.values()]
    .filter(({ name, type }) => type === 'phone' && !NOT_A_PHONE.has(name))
    .map(({ name }) => name);
}

/** Fields that telling people apart takes, by object. */
const IDENTITY: Record<PersonObject, string[]> = {
  Contact: ['Email', 'AccountId', 'IsPersonAccount', 'LastName'],
  Lead: ['Email', 'IsConverted', 'ConvertedContactId', 'LastName', 'Company'],
  Account: ['Name', 'IsPersonAccount', 'PersonContactId', 'PersonEmail'],
};

/** Fields to ask for: those that exist of what is wanted, and what telling people apart takes. */
export function fieldsToAsk(object: OrgObject, wanted: Iterable<string>): string[] {
  const names = [...IDENTITY[object.name as PersonObject], ...phoneFieldsOf(object), ...wanted];
  return [...new Set(['Id', 'CreatedDate', ...names.filter((name) => object.fields.has(name))])];
}

export function readPeople(rows: unknown): CrmPerson[] {
  return asList(rows).flatMap((row) => readPerson(asObject(row)) ?? []);
}

/** @returns undefined for a record that is no person, such as a lead that was converted and became none */
function readPerson(row: Record<string, unknown>): CrmPerson | undefined {
  const id = asText(row.Id);
  const object = personObjectOf(id);
  if (!object) return undefined;
  const properties = propertiesOf(row);
  // An account that is a person is met as its contact, which activities point at.
  const contact = object === 'Account' ? asText(row.PersonContactId) : '';
  if (contact)
    return { id: contact, object: 'Contact', properties, written_as: { object: 'Account', id }, follow: contact };
  if (object === 'Lead' && row.IsConverted === true) {
    const follow = asText(row.ConvertedContactId);
    return follow ? { id, object, properties, follow, converted: true } : undefined;
  }
  const account = object === 'Contact' ? asText(row.AccountId) : '';
  const isPerson = row.IsPersonAccount === true && account !== '';
  return {
    id,
    object,
    properties,
    ...(account ? { account } : {}),
    ...(isPerson ? { written_as: { object: 'Account', id: account } } : {}),
  };
}

/** Contact before lead before person account before company. */
function rank({ object, written_as }: CrmPerson): number {
  if (object === 'Contact') return written_as === undefined ? 0 : 2;
  return object === 'Lead' ? 1 : 3;
}

/** Those of the best kind, each once, oldest first. */
export function bestOf(people: CrmPerson[]): CrmPerson[] {
  const byId = new Map<string, CrmPerson>();
  for (const person of people) {
    const known = byId.get(person.id);
    if (!known || isMetAsAccount(known)) byId.set(person.id, person);
  }
  const all = [...byId.values()];
  const best = Math.min(...all.map(rank));
  return all.filter((person) => rank(person) === best).sort(byAge);
}

/** True for a person of whom only its account was read. */
export function isMetAsAccount({ id, follow }: CrmPerson): boolean {
  return follow === id;
}

function byAge(a: CrmPerson, b: CrmPerson): number {
  const created = ({ properties }: CrmPerson) => Date.parse(asText(properties.CreatedDate)) || 0;
  return created(a) - created(b) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** E-mail addresses by which an object's people are found. */
function emailFieldOf(object: OrgObject): string | undefined {
  const name = object.name === 'Account' ? undefined : 'Email';
  return name !== undefined && object.fields.has(name) ? name : undefined;
}

/** Where-clause for people with these ids or addresses; undefined when the object has none of them to look for. */
function whoseIdOrEmail(object: OrgObject, ids: string[], emails: string[]): string | undefined {
  const ours = ids.filter((id) => personObjectOf(id) === object.name);
  const email = emailFieldOf(object);
  const clauses: string[] = [];
  if (ours.length > 0) clauses.push(isIn('Id', ours));
  if (email && emails.length > 0) {
    const open = object.fields.has('IsConverted') ? ' AND IsConverted = false' : '';
    clauses.push(`(${isIn(email, emails)}${open})`);
  }
  return clauses.length > 0 ? clauses.join(' OR ') : undefined;
}

/** The objects that people can be, as far as the org has them. */
export function peopleObjects(org: OrgDefinitions): OrgObject[] {
  return (['Contact', 'Lead', 'Account'] as const).flatMap((name) => org.object(name) ?? []);
}

/* Reads people by id and by address, whatever object they belong to, in one request. */

/** Never rejects. */
export async function readByIdOrEmail(
  session: SalesforceSession,
  org: OrgDefinitions,
  { ids, emails }: Parameters<PeopleVerbs['read']>[0],
  properties: string[],
): Promise<PeopleRead> {
  const queries = peopleObjects(org).flatMap((object) => {
    const where = whoseIdOrEmail(object, [...ids.keys()], [...emails.keys()]);
    return where ? [{ object: object.name, soql: select(object.name, fieldsToAsk(object, properties), where) }] : [];
  });
  try {
    const plans = [...ids.values(), ...emails.values()].flat();
    const results = await queryTogether(session, 'look people up', queries, plans, [...emails.keys()]);
    if (results.some(({ whole }) => !whole)) return await inHalves(session, org, { ids, emails }, properties);
    const people = results.flatMap(({ records }) => readPeople(records));
    return {
      byId: new Map(people.filter(({ id }) => ids.has(id)).map((person) => [person.id, person])),
      byEmail: new Map([...emails.keys()].map((email) => [email, bestOf(people.filter(hasEmail(email)))])),
    };
  } catch (thrown) {
    const failure = asSalesforceFailure(thrown);
    return { byId: failAll(ids, failure), byEmail: failAll(emails, failure) };
  }
}

const hasEmail = (email: string) => (person: CrmPerson) => asText(person.properties.Email).toLowerCase() === email;

function failAll(asked: ReadonlyMap<string, unknown>, failure: Failure): Map<string, Failure> {
  return new Map([...asked.keys()].map((key) => [key, failure]));
}

/** More records than one answer holds: fewer at once, ids apart from addresses. @throws SalesforceFailure for a single one */
async function inHalves(
  session: SalesforceSession,
  org: OrgDefinitions,
  { ids, emails }: Parameters<PeopleVerbs['read']>[0],
  properties: string[],
): Promise<PeopleRead> {
  const all = [...[...ids].map((one) => ({ ids: one })), ...[...emails].map((one) => ({ emails: one }))];
  if (all.length <= 1)
    throw new SalesforceFailure('refused', 'look people up: more than 2,000 records have this e-mail address.', {
      hint: 'Clean up the records that share this address, then replay.',
    });
  const parts = halvesOf(all).map((half) => ({
    ids: new Map(half.flatMap((one) => ('ids' in one ? [one.ids] : []))),
    emails: new Map(half.flatMap((one) => ('emails' in one ? [one.emails] : []))),
  }));
  const reads: PeopleRead[] = [];
  for (const part of parts) reads.push(await readByIdOrEmail(session, org, part, properties));
  return {
    byId: new Map(reads.flatMap(({ byId }) => [...byId])),
    byEmail: new Map(reads.flatMap(({ byEmail }) => [...byEmail])),
  };
}

/** A person of whom nothing but the id is known. */
export function knownById(id: string): CrmPerson {
  return { id, object: personObjectOf(id) ?? 'Contact', properties: {} };
}

/** Object whose records are created for people of that kind. */
export function createdAs(writes: readonly PersonWrite[]): Exclude<PersonObject, 'Account'> {
  return writes[0]?.plan.person?.create_as === 'contact' ? 'Contact' : 'Lead';
}
