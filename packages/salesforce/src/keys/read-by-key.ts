/** Reads our own records by their keys. Queries see a write at once, unlike searches. */

import type { Item, Reading } from '@wrapup/destination/engine';
import { chunk } from '@wrapup/destination/engine';
import { asObject, asText } from '@wrapup/destination/http';
import type { Org, SObject } from '../account/schema.ts';
import { readValue } from '../account/values.ts';
import { MAX_QUERIES } from '../client/api.ts';
import { type Query, queryTogether } from '../client/query.ts';
import { isIn, select } from '../client/soql.ts';
import { asSalesforceFailure } from '../errors/classify.ts';
import { OWNER } from '../objects.ts';
import type { SalesforceSession } from '../session.ts';
import { keyStepOf } from './key-ladder.ts';

/** Keys of one query: a text of 100,000 characters is allowed, and long keys are rare. */
const MAX_KEYS = 200;
const DAY_MS = 24 * 3_600_000;

/** What is there of each item; those of objects that have no key are left out. Never rejects. */
export async function readByKey(session: SalesforceSession, org: Org, items: Item[]): Promise<Map<Item, Reading>> {
  const readings = new Map<Item, Reading>();
  const queries: { query: Query; items: Item[]; field: string }[] = [];
  for (const [name, all] of Map.groupBy(items, ({ record }) => record.object)) {
    const object = org.object(name);
    const step = object && keyStepOf(org, object);
    if (!object || !step) continue;
    for (const part of chunk(all, MAX_KEYS)) {
      const where = isIn(step.field, new Set(part.map(({ record }) => record.key)));
      const fields = [
        'Id',
        ...(object.fields.has('IsDeleted') ? ['IsDeleted'] : []),
        step.field,
        ...namesToRead(object, part),
      ];
      const soql = select(name, fields, where + (step.step === 'key' ? '' : onlyRecent(part)));
      // What is archived after a year is asked for too.
      queries.push({
        query: { object: name, soql, all: object.fields.has('IsArchived') },
        items: part,
        field: step.field,
      });
    }
  }
  for (const part of chunk(queries, MAX_QUERIES)) {
    const asked = part.flatMap((one) => one.items);
    try {
      const results = await queryTogether(
        session,
        'look for what is written already',
        part.map(({ query }) => query),
        asked.map(({ write }) => write.index),
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
  const earliest = Math.min(...items.map(({ write }) => write.ended_at));
  return Number.isFinite(earliest) && earliest > 0
    ? ` AND CreatedDate >= ${new Date(earliest - DAY_MS).toISOString()}`
    : '';
}

/** Fields to read of records that exist: what is written, and what links them. */
function namesToRead(object: SObject, items: Item[]): string[] {
  const names = new Set(items.flatMap(({ record }) => record.fields.map(({ name }) => name)));
  for (const { name, references } of object.fields.values())
    if (references.length > 0 && name !== OWNER) names.add(name);
  for (const name of ['Status', 'ActivityDate', 'IsReminderSet', OWNER]) names.add(name);
  return [...names].filter((name) => object.fields.has(name));
}

function readingOf({ record }: Item, field: string, rows: unknown[]): Reading {
  const row = rows.map(asObject).find((one) => one.IsDeleted !== true && asText(one[field]) === record.key);
  if (!row) return 'absent';
  const { attributes: _, ...values } = row;
  const properties = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, readValue(value)]));
  return { id: asText(row.Id), properties };
}
