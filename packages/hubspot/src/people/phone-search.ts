/**
 * Finds contacts by telephone number: many at once, in as few searches as fit.
 *
 * HubSpot has no unique phone. Its calculated properties hold area code and local number without country code, so a
 * search finds too much; candidates are compared in full E.164 here.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm
 */
import { parsePhone } from '@wrapup/call';
import { holdsPhone } from '@wrapup/destination/engine';
import { asObject } from '@wrapup/destination/http';
import { type SearchFilter, searchBody, searchRecords } from '../client/api.ts';
import { type CrmRecord, toRecord } from '../client/batch-read.ts';
import { asHubSpotFailure, HubSpotFailure, unaccounted } from '../errors/classify.ts';
import type { HubSpotSession } from '../session.ts';

/** Characters that the body of a search may have; HubSpot's limit is 3,000. */
const MAX_BODY = 2_950;
/** Pages of 200 that are read before a search counts as too broad. */
const MAX_PAGES = 10;

const PHONES = ['hs_searchable_calculated_phone_number', 'hs_searchable_calculated_mobile_number'];
/** What candidates are compared and ordered by. */
export const CANDIDATE_PROPERTIES = ['phone', 'mobilephone', 'createdate'];

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
  for (const part of pack([...phones.keys()], wanted)) {
    try {
      const plans = part.flatMap((phone) => phones.get(phone) ?? []);
      const records = await runSearch(session, part, wanted, plans);
      for (const phone of part) {
        const holds = ({ properties: { phone: one, mobilephone } }: CrmRecord) => holdsPhone([one, mobilephone], phone);
        results.set(phone, records.filter(holds).sort(byAge));
      }
    } catch (thrown) {
      for (const phone of part) results.set(phone, asHubSpotFailure(thrown));
    }
  }
  return results;
}

/** Oldest first: by creation, then by id. */
function byAge(a: CrmRecord, b: CrmRecord): number {
  const created = (record: CrmRecord) => Date.parse(record.properties.createdate ?? '') || 0;
  return created(a) - created(b) || Number(a.id) - Number(b.id);
}

function filtersOf(phones: string[]): SearchFilter[] {
  return filtersFor([...new Set(phones.map(digitsOf))]);
}

function filtersFor(digits: string[]): SearchFilter[] {
  return PHONES.map((property) => ({ property, in: digits }));
}

/** What the calculated properties hold of a number. */
function digitsOf(phone: string): string {
  return parsePhone(phone)?.digits ?? phone.replace(/\D/g, '');
}

/** Splits into searches whose bodies keep HubSpot's limit. */
function pack(phones: string[], properties: string[]): string[][] {
  // Room for the cursor of later pages.
  const sizeOf = (digits: string[]) => JSON.stringify(searchBody(filtersFor(digits), properties, '0000000000')).length;
  const parts: string[][] = [];
  let part: string[] = [];
  let digits: string[] = [];
  for (const one of phones) {
    const longer = [...digits, digitsOf(one)];
    if (part.length > 0 && sizeOf(longer) > MAX_BODY) {
      parts.push(part);
      [part, digits] = [[one], longer.slice(-1)];
    } else {
      part.push(one);
      digits = longer;
    }
  }
  return part.length > 0 ? [...parts, part] : parts;
}

async function runSearch(
  session: HubSpotSession,
  phones: string[],
  properties: string[],
  plans: number[],
): Promise<CrmRecord[]> {
  const records: CrmRecord[] = [];
  let after: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const call = searchRecords('contacts', filtersOf(phones), properties, after);
    const body = asObject((await session.send(call, plans)).body);
    const results = body.results;
    if (!Array.isArray(results) || typeof body.total !== 'number') throw unaccounted('search contacts');
    records.push(...results.map(toRecord).filter((record) => record.id !== ''));
    const next = asObject(asObject(body.paging).next).after;
    after = next === undefined ? undefined : String(next);
    if (after === undefined) {
      if (records.length < body.total) throw unaccounted('search contacts');
      return records;
    }
  }
  throw new HubSpotFailure('refused', 'search contacts: the number fits more than 2,000 contacts.', {
    hint: 'Clean up the contacts that share this number, then replay.',
  });
}
