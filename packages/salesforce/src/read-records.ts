/** Reads our own records by their keys. Queries see a write at once, unlike searches. */
import { asObject, asText, type Item, type Properties } from '@wrapup/destination/delivery';
import { QUERIES } from './api.ts';
import { asSalesforceFailure, type SalesforceFailure } from './errors.ts';
import { keyStepOf } from './key-step.ts';
import { type Query, queryTogether } from './query.ts';
import { namesToRead } from './record-row.ts';
import { isIn, select } from './soql.ts';
import { readValue } from './values.ts';
import type { Work } from './work.ts';

export type Reading = { id: string; current: Properties } | 'absent';

/** Keys of one query: a text of 100,000 characters is allowed, and long keys are rare. */
const KEYS = 200;
const DELETED = ['IsDeleted'];

/** What is there of each item, or why that could not be read. */
export async function readRecords(
  work: Pick<Work, 'session' | 'org'>,
  items: Item[],
): Promise<Map<Item, Reading | SalesforceFailure>> {
  const readings = new Map<Item, Reading | SalesforceFailure>();
  const queries: { query: Query; items: Item[]; field: string }[] = [];
  for (const [name, all] of Map.groupBy(items, ({ record }) => record.object)) {
    const object = work.org.object(name);
    const step = object && keyStepOf(work.org, object);
    const field = step?.field;
    if (!object || !field) continue;
    for (let start = 0; start < all.length; start += KEYS) {
      const part = all.slice(start, start + KEYS);
      const keys = new Set(part.map(({ record }) => record.key));
      // What is archived after a year is asked for too.
      const where = isIn(field, keys) + (step?.step === 'key' ? '' : onlyRecent(part));
      const soql = select(
        name,
        ['Id', ...DELETED.filter((one) => object.fields.has(one)), field, ...namesToRead(object, part)],
        where,
      );
      queries.push({ query: { object: name, soql, all: object.fields.has('IsArchived') }, items: part, field });
    }
  }
  for (let start = 0; start < queries.length; start += QUERIES) {
    const part = queries.slice(start, start + QUERIES);
    const asked = part.flatMap((one) => one.items);
    try {
      const results = await queryTogether(
        work.session,
        'look for what is written already',
        part.map(({ query }) => query),
        asked.map(({ job }) => job.index),
        asked.map(({ record }) => record.key),
      );
      for (const [index, { items: of, field }] of part.entries())
        for (const item of of) readings.set(item, readingOf(item, field, results[index]?.records ?? []));
    } catch (thrown) {
      for (const item of asked) readings.set(item, asSalesforceFailure(thrown));
    }
  }
  return readings;
}

/** CallObject has no index: what is older than the calls themselves is not looked through. */
function onlyRecent(items: Item[]): string {
  const earliest = Math.min(...items.map(({ job }) => job.ended_at));
  return Number.isFinite(earliest) && earliest > 0
    ? ` AND CreatedDate >= ${new Date(earliest - DAY).toISOString()}`
    : '';
}

const DAY = 24 * 3_600_000;

function readingOf({ record }: Item, field: string, rows: unknown[]): Reading {
  const row = rows.map(asObject).find((one) => one.IsDeleted !== true && asText(one[field]) === record.key);
  if (!row) return 'absent';
  const { attributes: _, ...values } = row;
  return {
    id: asText(row.Id),
    current: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, readValue(value)])),
  };
}
