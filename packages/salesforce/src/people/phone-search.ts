/**
 * Finds people by telephone number: many at once, in as few searches as fit.
 *
 * Salesforce has no unique phone, and stores a number as it was typed. Its search index knows numbers by their digits, with
 * and without country; a search matches tokens, so candidates are compared in full E.164 here.
 * https://developer.salesforce.com/docs/platform/salesforce-soql-sosl/guide/sforce-api-calls-sosl-in.html
 */
import { parsePhone } from '@wrapup/call';
import type { Failure } from '@wrapup/destination';
import { type CrmPerson, halvesOf, holdsPhone } from '@wrapup/destination/engine';
import { asObject } from '@wrapup/destination/http';
import { searchPeople as searchCall } from '../client/api.ts';
import { escapeTerm } from '../client/query.ts';
import type { SalesforceSession } from '../client/transport.ts';
import { asSalesforceFailure, SalesforceFailure, unaccounted } from '../errors/classify.ts';
import type { OrgDefinitions, OrgObject } from '../schema/org.ts';
import { bestOf, fieldsToAsk, isMetAsAccount, peopleObjects, phoneFieldsOf, readPeople } from './candidates.ts';

/** Characters between the braces: above 4,000 Salesforce ignores the operators. */
const MAX_TERMS = 3_900;
/** Characters of the whole search in an address, of the 16,384 that address and headers may have together. */
const MAX_ADDRESS = 12_000;
/** Records that one search gives at most. */
const MAX_RESULTS = 2_000;

/**
 * Searches for all of them, and gives each its own candidates, oldest first, or the failure of its search. Never rejects.
 * @param phones E.164, and the numbers of the plans that ask
 */
export async function searchPeople(
  session: SalesforceSession,
  org: OrgDefinitions,
  phones: ReadonlyMap<string, readonly number[]>,
  properties: string[],
): Promise<Map<string, CrmPerson[] | Failure>> {
  const results = new Map<string, CrmPerson[] | Failure>();
  for (const part of pack([...phones.keys()], org, properties)) {
    const asked = new Map(part.map((phone) => [phone, phones.get(phone) ?? []]));
    for (const [phone, found] of await searchPart(session, org, asked, properties)) results.set(phone, found);
  }
  return results;
}

async function searchPart(
  session: SalesforceSession,
  org: OrgDefinitions,
  phones: ReadonlyMap<string, readonly number[]>,
  properties: string[],
): Promise<Map<string, CrmPerson[] | Failure>> {
  const all = [...phones.keys()];
  try {
    const call = searchCall(sosl(all, org, properties), all);
    const rows = asObject((await session.send(call, [...phones.values()].flat())).body).searchRecords;
    if (!Array.isArray(rows)) throw unaccounted('search people');
    if (rows.length < MAX_RESULTS) {
      const people = readPeople(rows);
      return new Map(all.map((phone) => [phone, bestOf(people.filter((person) => hasPhone(person, org, phone)))]));
    }
    if (all.length === 1) throw tooMany();
    const found = new Map<string, CrmPerson[] | Failure>();
    for (const half of halvesOf([...phones]))
      for (const [phone, people] of await searchPart(session, org, new Map(half), properties)) found.set(phone, people);
    return found;
  } catch (thrown) {
    return new Map(all.map((phone) => [phone, asSalesforceFailure(thrown)]));
  }
}

function hasPhone(person: CrmPerson, org: OrgDefinitions, e164: string): boolean {
  // A person account met as an account shows the account's own numbers.
  const object = org.object(isMetAsAccount(person) ? 'Account' : person.object);
  return (
    object !== undefined &&
    holdsPhone(
      phoneFieldsOf(object).map((name) => person.properties[name]),
      e164,
    )
  );
}

/** What the index may hold of a number: its national digits, and all of them. */
export function termsOf(e164: string): string[] {
  const all = e164.replace(/\D/g, '');
  const national = parsePhone(e164)?.digits ?? all;
  return [...new Set([national, all])];
}

function find(phones: string[]): string {
  const terms = [...new Set(phones.flatMap(termsOf))];
  return terms.map(escapeTerm).join(' OR ');
}

function sosl(phones: string[], org: OrgDefinitions, properties: string[]): string {
  const returning = peopleObjects(org).map((object) => `${object.name}(${spec(object, properties)})`);
  return `FIND {${find(phones)}} IN PHONE FIELDS RETURNING ${returning.join(', ')} LIMIT ${MAX_RESULTS}`;
}

function spec(object: OrgObject, properties: string[]): string {
  const open = object.fields.has('IsConverted') ? ' WHERE IsConverted = false' : '';
  return `${fieldsToAsk(object, properties).join(', ')}${open}`;
}

/** Splits into searches that keep Salesforce's limits. */
function pack(phones: string[], org: OrgDefinitions, properties: string[]): string[][] {
  const rest = encodeURIComponent(sosl([], org, properties)).length;
  const parts: string[][] = [];
  let part: string[] = [];
  let terms = 0;
  let address = rest;
  for (const one of phones) {
    const more = find([one]).length + ' OR '.length;
    const longer = encodeURIComponent(`${find([one])} OR `).length;
    if (part.length > 0 && (terms + more > MAX_TERMS || address + longer > MAX_ADDRESS)) {
      parts.push(part);
      [part, terms, address] = [[], 0, rest];
    }
    part.push(one);
    terms += more;
    address += longer;
  }
  return part.length > 0 ? [...parts, part] : parts;
}

function tooMany(): SalesforceFailure {
  return new SalesforceFailure('refused', 'search people: the number fits more than 2,000 records.', {
    hint: 'Clean up the records that share this number, then replay.',
  });
}
