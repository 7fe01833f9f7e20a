/**
 * Companies by their domain. A company belongs to many calls: it is looked for by its domain first, even one that is not ours, and
 * only created when there is none, under a key that is made of the domain and not of the call. What is there is filled in
 * (`if_empty` unless the mapping says otherwise), and linked to the call's person.
 *
 * HubSpot has no unique domain. Its search lags like that of contacts, so ids are remembered for a while after a creation.
 */
import type { Context } from '@wrapup/destination';
import type { Item, RecordReading, Written } from '@wrapup/destination/engine';
import { askedFor, chunk, digest } from '@wrapup/destination/engine';
import type { RecordPlan } from '@wrapup/mapping';
import { type CrmRecord, propertiesOf, readMany, searchAll } from '../client/batches.ts';
import type { HubSpotSession } from '../client/transport.ts';
import { asHubSpotFailure, type HubSpotFailure } from '../errors/classify.ts';

const COMPANIES = 'companies';
/** Domains in one search: with the longest that are common its body keeps the limit of 3,000 characters. */
const MAX_DOMAINS = 40;
/** Pages of 200 that are read before a search counts as too broad. */
const MAX_PAGES = 5;
const TOO_MANY = {
  says: 'more than 1,000 companies have these domains',
  hint: 'Merge the companies that share a domain, then replay.',
};
/** HubSpot's search finds a new company only after a while: its id is remembered for so long. */
const REMEMBERED_MS = 15 * 60_000;

function domainOf({ object, fields }: RecordPlan): string | undefined {
  if (object !== COMPANIES) return undefined;
  const value = fields.find(({ name }) => name === 'domain')?.value;
  return typeof value === 'string' && value.trim() !== '' ? value.trim().toLowerCase() : undefined;
}

/** The key of its domain, so that all calls of a company mean one record. */
export function companyKey(record: RecordPlan): string | undefined {
  const domain = domainOf(record);
  return domain === undefined ? undefined : `company:${domain}`;
}

/** The companies of the items' domains; of several of one domain the oldest. Never rejects. */
export async function findCompanies(session: HubSpotSession, items: Item[]): Promise<Map<Item, RecordReading>> {
  const byDomain = Map.groupBy(items, ({ record }) => domainOf(record) ?? '');
  const properties = [...new Set(['domain', 'createdate', ...propertiesOf(items)])];
  const plansOf = (domain: string) => (byDomain.get(domain) ?? []).map(({ write }) => write.index);
  const readings = await readRemembered(session, [...byDomain.keys()], properties, plansOf);
  const open = [...byDomain.keys()].filter((domain) => !readings.has(domain));
  for (const part of chunk(open, MAX_DOMAINS)) {
    try {
      const filters = [[{ property: 'domain', in: part }]];
      const { records } = await searchAll(session, {
        ...{ object: COMPANIES, filters, properties, plans: part.flatMap(plansOf), max_pages: MAX_PAGES },
        too_many: TOO_MANY,
      });
      for (const record of records) {
        const domain = (record.properties.domain ?? '').toLowerCase();
        const other = readings.get(domain);
        if (part.includes(domain) && (!other || ('id' in other && Number(record.id) < Number(other.id))))
          readings.set(domain, record);
      }
    } catch (thrown) {
      for (const domain of part) readings.set(domain, asHubSpotFailure(thrown));
    }
  }
  return new Map(items.map((item) => [item, readings.get(domainOf(item.record) ?? '') ?? 'absent']));
}

export async function rememberCompanies(ctx: Context, written: Written[]): Promise<void> {
  for (const { item, receipt } of written)
    await ctx.memory.set(memoryKey(domainOf(item.record) ?? ''), receipt.id, REMEMBERED_MS).catch(() => {});
}

const memoryKey = (domain: string) => `company-id:${digest(domain)}`;

async function readRemembered(
  session: HubSpotSession,
  domains: string[],
  properties: string[],
  plansOf: (domain: string) => number[],
): Promise<Map<string, CrmRecord | HubSpotFailure>> {
  const { ctx } = session;
  const readings = new Map<string, CrmRecord | HubSpotFailure>();
  const ids = new Map<string, string>();
  for (const domain of domains) {
    try {
      const id = await ctx.memory.get(memoryKey(domain));
      if (id !== undefined) ids.set(domain, id);
    } catch (thrown) {
      readings.set(domain, asHubSpotFailure(thrown));
    }
  }
  const found = await readMany(session, {
    object: COMPANIES,
    ids: askedFor([...ids].map(([domain, id]) => [id, plansOf(domain)])),
    properties,
  });
  for (const [domain, id] of ids) {
    const reading = found.get(id);
    if (reading) readings.set(domain, reading);
    else await ctx.memory.delete(memoryKey(domain)).catch(() => {});
  }
  return readings;
}
