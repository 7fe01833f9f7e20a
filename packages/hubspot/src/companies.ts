/**
 * Companies by their domain. A company belongs to many calls: it is looked for by its domain first, whoever made it, and
 * only created when there is none, under a key that is made of the domain and not of the call. What is there is filled in
 * (`if_empty` unless the mapping says otherwise), and linked to the call's person.
 *
 * HubSpot has no unique domain. Its search lags like that of contacts, so ids are remembered for a while after a creation.
 */
import { asObject, chunk, failJob, type Item } from '@wrapup/destination/delivery';
import type { RecordPlan } from '@wrapup/mapping';
import { type SearchFilter, searchRecords } from './client/api.ts';
import { asHubSpotFailure, HubSpotFailure } from './errors/classify.ts';
import type { Writing } from './items.ts';
import { linkAll, type Written } from './links.ts';
import { type CrmRecord, readMany, toRecord, unaccounted } from './read-many.ts';
import { forgetCompany, recallCompany, rememberCompany } from './remembered.ts';
import type { Session } from './session.ts';
import { updateKnown } from './update-known.ts';
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

/** Each company once, whichever of its calls says what; all of them are linked to it. Never rejects. */
export async function writeCompanies(writing: Writing, items: Item[]): Promise<void> {
  const { session } = writing;
  const groups = [...Map.groupBy(items, ({ record }) => record.key).values()];
  const leads = groups.map(joinFields);
  const plansOf = (domain: string) =>
    items.filter(({ record }) => domainOf(record) === domain).map(({ job }) => job.index);
  const records = leads.map(({ record }) => record);
  const { found, failed } = await findCompanies(session, records, plansOf);
  const known: { item: Item; id: string; properties: CrmRecord['properties'] }[] = [];
  const absent: Item[] = [];
  for (const item of leads) {
    const domain = domainOf(item.record) ?? '';
    const failure = failed.get(domain);
    const record = found.get(domain);
    if (failure) failJob(item.job, failure, item.record.name);
    else if (record) known.push({ item, ...record });
    else absent.push(item);
  }
  const written = known.length > 0 ? await updateKnown(writing, known) : [];
  if (absent.length > 0) await writeObject(writing, absent);
  for (const { job, record } of absent) {
    const id = job.records.get(record.name)?.id;
    if (id !== undefined) await rememberCompany(session.ctx, domainOf(record) ?? '', id).catch(() => {});
  }
  await linkAll(session, [...written, ...groups.flatMap((group) => followers(group, written))]);
}

/** The first call stands for all: gaps are filled by whoever comes first, what may be overwritten is said by the last. */
function joinFields(group: Item[]): Item {
  const items = group.toSorted((a, b) => a.job.ended_at - b.job.ended_at);
  const lead = group[0] as Item;
  const fields = new Map<string, RecordPlan['fields'][number]>();
  for (const { record } of items)
    for (const field of record.fields)
      if (!fields.has(field.name) || field.write === 'overwrite') fields.set(field.name, field);
  return { ...lead, record: { ...lead.record, fields: [...fields.values()] } };
}

/** The other calls of a company: linked to what the first one wrote, or ended by what ended it. */
function followers([lead, ...others]: Item[], written: Written[]): Written[] {
  if (!lead) return [];
  const receipt = lead.job.records.get(lead.record.name) ?? written.find(({ item }) => item.job === lead.job)?.receipt;
  return others.flatMap((item) => {
    if (receipt) return [{ item, receipt: { ...receipt, name: item.record.name, did: 'unchanged' as const } }];
    const { outcome } = lead.job;
    if (outcome && !outcome.ok) failJob(item.job, outcome.failure, item.record.name);
    return [];
  });
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
