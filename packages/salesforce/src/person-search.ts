/**
 * Finds people by telephone number: many at once, in as few searches as fit.
 *
 * Salesforce has no unique phone, and stores a number as it was typed. Its search index knows numbers by their digits, with
 * and without country; a search matches tokens, so candidates are compared in full E.164 here.
 * https://developer.salesforce.com/docs/platform/salesforce-soql-sosl/guide/sforce-api-calls-sosl-in.html
 */
import { parsePhone } from '@wrapup/call';
import { asObject, holdsPhone } from '@wrapup/destination/delivery';
import type { Org, SObject } from './account/schema.ts';
import { bestOf, fieldsToAsk, type Person, peopleObjects, phoneFieldsOf, readPeople } from './candidates.ts';
import { searchPeople as searchCall } from './client/api.ts';
import { escapeTerm } from './client/soql.ts';
import { asSalesforceFailure, SalesforceFailure, unaccounted } from './errors/classify.ts';
import type { Session } from './session.ts';

export interface Sought {
  /** E.164. */
  phone: string;
  plans: number[];
}

export type SearchResult = { ok: true; people: Person[] } | { ok: false; failure: SalesforceFailure };

/** Characters between the braces: above 4,000 Salesforce ignores the operators. */
const MOST_TERMS = 3_900;
/** Characters of the whole search in an address, of the 16,384 that address and headers may have together. */
const MOST_ADDRESS = 12_000;
/** Records that one search gives at most. */
const MOST_RESULTS = 2_000;

/** Searches for all of them. Never rejects: each gets its own candidates, oldest first, or the failure of its search. */
export async function searchPeople(
  session: Session,
  org: Org,
  sought: Sought[],
  properties: string[],
): Promise<Map<Sought, SearchResult>> {
  const results = new Map<Sought, SearchResult>();
  for (const part of pack(sought, org, properties)) await searchPart(session, org, part, properties, results);
  return results;
}

async function searchPart(
  session: Session,
  org: Org,
  part: Sought[],
  properties: string[],
  results: Map<Sought, SearchResult>,
): Promise<void> {
  try {
    const call = searchCall(
      sosl(part, org, properties),
      part.map(({ phone }) => phone),
    );
    const answer = await session.send(
      call,
      part.flatMap(({ plans }) => plans),
    );
    const rows = asObject(answer.body).searchRecords;
    if (!Array.isArray(rows)) throw unaccounted('search people', false);
    if (rows.length >= MOST_RESULTS) {
      const [first, ...others] = part;
      if (first && others.length === 0) throw tooMany();
      const middle = Math.ceil(part.length / 2);
      await searchPart(session, org, part.slice(0, middle), properties, results);
      await searchPart(session, org, part.slice(middle), properties, results);
      return;
    }
    const people = readPeople(rows);
    for (const one of part)
      results.set(one, { ok: true, people: bestOf(people.filter((person) => hasPhone(person, org, one.phone))) });
  } catch (thrown) {
    for (const one of part) results.set(one, { ok: false, failure: asSalesforceFailure(thrown) });
  }
}

export function hasPhone(person: Person, org: Org, e164: string): boolean {
  // A person account met as an account shows the account's own numbers.
  const object = org.object(person.unread ? 'Account' : person.object);
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

function find(sought: Sought[]): string {
  const terms = [...new Set(sought.flatMap(({ phone }) => termsOf(phone)))];
  return terms.map(escapeTerm).join(' OR ');
}

export function sosl(sought: Sought[], org: Org, properties: string[]): string {
  const returning = peopleObjects(org).map((object) => `${object.name}(${spec(object, properties)})`);
  return `FIND {${find(sought)}} IN PHONE FIELDS RETURNING ${returning.join(', ')} LIMIT ${MOST_RESULTS}`;
}

function spec(object: SObject, properties: string[]): string {
  const open = object.fields.has('IsConverted') ? ' WHERE IsConverted = false' : '';
  return `${fieldsToAsk(object, properties).join(', ')}${open}`;
}

/** Splits into searches that keep Salesforce's limits. */
function pack(sought: Sought[], org: Org, properties: string[]): Sought[][] {
  const rest = encodeURIComponent(sosl([], org, properties)).length;
  const parts: Sought[][] = [];
  let part: Sought[] = [];
  let terms = 0;
  let address = rest;
  for (const one of sought) {
    const more = find([one]).length + ' OR '.length;
    const longer = encodeURIComponent(`${find([one])} OR `).length;
    if (part.length > 0 && (terms + more > MOST_TERMS || address + longer > MOST_ADDRESS)) {
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
