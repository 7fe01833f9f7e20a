/**
 * Finds contacts by telephone number: many at once, in as few searches as fit.
 *
 * HubSpot has no unique phone. Its calculated properties hold area code and local number without country code, so a
 * search finds too much; candidates are compared in full E.164 here.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm
 */
import { parsePhone } from '@wrapup/call';
import { asObject, holdsPhone } from '@wrapup/destination/delivery';
import { type SearchFilter, searchBody, searchRecords } from './client/api.ts';
import { type CrmRecord, toRecord } from './client/batch-read.ts';
import { asHubSpotFailure, HubSpotFailure, unaccounted } from './errors/classify.ts';
import type { Session } from './session.ts';

export interface Sought {
  /** E.164. */
  phone: string;
  plans: number[];
}

export type SearchResult = { ok: true; records: CrmRecord[] } | { ok: false; failure: HubSpotFailure };

/** Characters that the body of a search may have; HubSpot's limit is 3,000. */
const BODY_LIMIT = 2_950;
/** Pages of 200 that are read before a search counts as too broad. */
const PAGES = 10;

const PHONES = ['hs_searchable_calculated_phone_number', 'hs_searchable_calculated_mobile_number'];
/** What candidates are compared and ordered by. */
export const CANDIDATE_PROPERTIES = ['phone', 'mobilephone', 'createdate'];

/** Searches for all of them. Never rejects: each gets its own candidates, oldest first, or the failure of its search. */
export async function searchPeople(
  session: Session,
  sought: Sought[],
  properties: string[],
): Promise<Map<Sought, SearchResult>> {
  const wanted = [...new Set([...CANDIDATE_PROPERTIES, ...properties])];
  const results = new Map<Sought, SearchResult>();
  for (const part of pack(sought, wanted)) {
    try {
      const records = await runSearch(session, part, wanted);
      for (const one of part)
        results.set(one, {
          ok: true,
          records: records
            .filter((record) => holdsPhone([record.properties.phone, record.properties.mobilephone], one.phone))
            .sort(byAge),
        });
    } catch (thrown) {
      for (const one of part) results.set(one, { ok: false, failure: asHubSpotFailure(thrown) });
    }
  }
  return results;
}

/** Oldest first: by creation, then by id. */
export function byAge(a: CrmRecord, b: CrmRecord): number {
  const created = (record: CrmRecord) => Date.parse(record.properties.createdate ?? '') || 0;
  return created(a) - created(b) || Number(a.id) - Number(b.id);
}

function filtersOf(sought: Sought[]): SearchFilter[] {
  return filtersFor([...new Set(sought.map(digitsOf))]);
}

function filtersFor(digits: string[]): SearchFilter[] {
  return PHONES.map((property) => ({ property, in: digits }));
}

/** What the calculated properties hold of a number. */
function digitsOf({ phone }: Sought): string {
  return parsePhone(phone)?.digits ?? phone.replace(/\D/g, '');
}

/** Splits into searches whose bodies keep HubSpot's limit. */
function pack(sought: Sought[], properties: string[]): Sought[][] {
  // Room for the cursor of later pages.
  const sizeOf = (digits: string[]) => JSON.stringify(searchBody(filtersFor(digits), properties, '0000000000')).length;
  const parts: Sought[][] = [];
  let part: Sought[] = [];
  let digits: string[] = [];
  for (const one of sought) {
    const longer = [...digits, digitsOf(one)];
    if (part.length > 0 && sizeOf(longer) > BODY_LIMIT) {
      parts.push(part);
      [part, digits] = [[one], longer.slice(-1)];
    } else {
      part.push(one);
      digits = longer;
    }
  }
  return part.length > 0 ? [...parts, part] : parts;
}

async function runSearch(session: Session, sought: Sought[], properties: string[]): Promise<CrmRecord[]> {
  const records: CrmRecord[] = [];
  let after: string | undefined;
  for (let page = 0; page < PAGES; page += 1) {
    const answer = await session.send(
      searchRecords('contacts', filtersOf(sought), properties, after),
      sought.flatMap((one) => one.plans),
    );
    const body = asObject(answer.body);
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
