/**
 * Companies by their domain. A company belongs to many calls: it is looked for by its domain first, whoever made it, and
 * only created when there is none, under a key that is made of the domain and not of the call. What is there is filled in
 * (`if_empty` unless the mapping says otherwise), and linked to the call's person.
 *
 * HubSpot has no unique domain. Its search lags like that of contacts, so ids are remembered for a while after a creation.
 */
import type { RecordPlan } from '@wrapup/mapping';
import { type SearchFilter, searchRecords } from './api.ts';
import { asHubSpotFailure, HubSpotFailure } from './errors.ts';
import type { Item, Writing } from './items.ts';
import { failJob } from './job.ts';
import { linkAll } from './links.ts';
import { type CrmRecord, readMany, toRecord, unaccounted } from './read-many.ts';
import { forgetCompany, recallCompany, rememberCompany } from './remembered.ts';
import { chunk } from './rows.ts';
import type { Session } from './session.ts';
import { updateKnown } from './update-known.ts';
import { asObject } from './vendor-error.ts';
import { writeObject } from './write-object.ts';

export const COMPANIES = 'companies';
/** Domains in one search: with the longest that are common its body keeps the limit of 3,000 characters. */
const IN_SEARCH = 40;

export function domainOf({ object, fields }: RecordPlan): string | undefined {
  if (object !== COMPANIES) return undefined;
  const value = fields.find(({ name }) => name === 'domain')?.value;
  return typeof value === 'string' && value.trim() !== '' ? value.trim().toLowerCase() : undefined;
}

/** Under the key of its domain, so that all calls of a company mean one record. */
export function keyedByDomain(record: RecordPlan): RecordPlan {
  const domain = domainOf(record);
  return domain === undefined ? record : { ...record, key: `company:${domain}` };
}

/** Never rejects. */
export async function writeCompanies(writing: Writing, items: Item[]): Promise<void> {
  const { session } = writing;
  const plansOf = (domain: string) =>
    items.filter(({ record }) => domainOf(record) === domain).map(({ job }) => job.index);
  const { found, failed } = await findCompanies(
    session,
    items.map(({ record }) => record),
    plansOf,
  );
  const known: { item: Item; id: string; properties: CrmRecord['properties'] }[] = [];
  const absent: Item[] = [];
  for (const item of items) {
    const domain = domainOf(item.record) ?? '';
    const failure = failed.get(domain);
    const record = found.get(domain);
    if (failure) failJob(item.job, failure, item.record.name);
    else if (record) known.push({ item, ...record });
    else absent.push(item);
  }
  if (known.length > 0) await linkAll(session, await updateKnown(writing, known));
  if (absent.length === 0) return;
  await writeObject(writing, absent);
  for (const { job, record } of absent) {
    const id = job.records.get(record.name)?.id;
    if (id !== undefined) await rememberCompany(session.ctx, domainOf(record) ?? '', id).catch(() => {});
  }
}

export interface CompaniesFound {
  /** By domain, in small letters; of several the oldest. */
  found: Map<string, CrmRecord>;
  failed: Map<string, HubSpotFailure>;
}

/** The companies of the records' domains. Never rejects; a look-up that failed is never "not there". */
export async function findCompanies(
  session: Session,
  records: RecordPlan[],
  plansOf: (domain: string) => number[],
): Promise<CompaniesFound> {
  const result: CompaniesFound = { found: new Map(), failed: new Map() };
  const domains = [...new Set(records.flatMap((record) => domainOf(record) ?? []))];
  const properties = [
    ...new Set(['domain', 'createdate', ...records.flatMap(({ fields }) => fields.map(({ name }) => name))]),
  ];
  await readRemembered(session, domains, properties, plansOf, result);
  const open = domains.filter((domain) => !result.found.has(domain) && !result.failed.has(domain));
  for (const part of chunk(open, IN_SEARCH)) {
    try {
      for (const record of await search(session, part, properties, part.flatMap(plansOf))) {
        const domain = (record.properties.domain ?? '').toLowerCase();
        const other = result.found.get(domain);
        if (part.includes(domain) && (!other || Number(record.id) < Number(other.id))) result.found.set(domain, record);
      }
    } catch (thrown) {
      for (const domain of part) result.failed.set(domain, asHubSpotFailure(thrown));
    }
  }
  return result;
}

async function readRemembered(
  session: Session,
  domains: string[],
  properties: string[],
  plansOf: (domain: string) => number[],
  { found, failed }: CompaniesFound,
): Promise<void> {
  const ids = new Map<string, string>();
  for (const domain of domains) {
    try {
      const id = await recallCompany(session.ctx, domain);
      if (id !== undefined) ids.set(domain, id);
    } catch (thrown) {
      failed.set(domain, asHubSpotFailure(thrown));
    }
  }
  if (ids.size === 0) return;
  const plansOfId = (id: string) => [...ids].filter(([, one]) => one === id).flatMap(([domain]) => plansOf(domain));
  const reading = await readMany(session, COMPANIES, ids.values(), properties, plansOfId);
  for (const [domain, id] of ids) {
    const failure = reading.failed.get(id);
    const record = reading.found.get(id);
    if (failure) failed.set(domain, failure);
    else if (record) found.set(domain, record);
    else await forgetCompany(session.ctx, domain).catch(() => {});
  }
}

/** Pages of 200 that are read before a search counts as too broad. */
const PAGES = 5;

async function search(
  session: Session,
  domains: string[],
  properties: string[],
  plans: number[],
): Promise<CrmRecord[]> {
  const records: CrmRecord[] = [];
  const filters: SearchFilter[] = [{ property: 'domain', in: domains }];
  let after: string | undefined;
  for (let page = 0; page < PAGES; page += 1) {
    const body = asObject((await session.send(searchRecords(COMPANIES, filters, properties, after), plans)).body);
    if (!Array.isArray(body.results)) throw unaccounted(COMPANIES);
    records.push(...body.results.map(toRecord).filter(({ id }) => id !== ''));
    const next = asObject(asObject(body.paging).next).after;
    if (next === undefined) return records;
    after = String(next);
  }
  throw new HubSpotFailure('refused', 'search companies: more than 1,000 companies have these domains.', {
    hint: 'Merge the companies that share a domain, then replay.',
  });
}
