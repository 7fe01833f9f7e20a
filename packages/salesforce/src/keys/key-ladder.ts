/**
 * By what a record is found again: the ladder of keys.
 *
 *   key          a unique external id on the object: nothing is ever written twice, whatever happens
 *   object       tasks in an org whose activities take no such field: a record of Wrapup_Call__c, which has the key, stands
 *                for each task, is made first and names it afterwards
 *   one_each     objects of which the org has one record for a person and another record, and refuses a second by itself, such as
 *                members of a campaign: no key is needed
 *   call_object  tasks in an org without either: the key stands in the standard field CallObject and is asked for before
 *                anything is created, under a lease; two workers that lose it at the same moment could both write
 *
 * The org's definitions decide; doctor says which step is in force. Other objects have the first step or none.
 */
import { Failure } from '@wrapup/destination';
import {
  chunk,
  type Item,
  type KeyLadder,
  type KeyStrategy,
  type RecordReading,
  type RowWriter,
} from '@wrapup/destination/engine';
import { asObject, asText } from '@wrapup/destination/http';
import { MAX_QUERIES } from '../client/api.ts';
import { CALL_OBJECT, KEY, keyField, OWNER, oneEach, TASK_ID } from '../client/objects.ts';
import { isIn, isRecordId, isSameId, type Query, queryTogether, select } from '../client/query.ts';
import type { SalesforceSession } from '../client/transport.ts';
import { asSalesforceFailure } from '../errors/classify.ts';
import type { OrgDefinitions, OrgObject } from '../schema/org.ts';
import { propertiesOf } from '../schema/values.ts';
import { reserveTasks } from './task-reservations.ts';

type SalesforceKeyStep =
  | { step: 'key'; field: string }
  | { step: 'one_each'; field: string }
  | { step: 'object'; field: 'CallObject' }
  | { step: 'call_object'; field: 'CallObject' };

/** Undefined: nothing can be written to the object without the risk of writing it twice. */
export function keyStepOf(org: OrgDefinitions, object: OrgObject): SalesforceKeyStep | undefined {
  const each = oneEach(object.name);
  if (each) return { step: 'one_each', field: each.of };
  const field = keyField(object.name);
  if (isExternalKey(object, field)) return { step: 'key', field };
  if (object.name !== 'Task') return undefined;
  const call_object = object.fields.get('CallObject');
  const usable = call_object?.createable === true && call_object.filterable;
  const standIn = org.object(CALL_OBJECT);
  if (!usable) return undefined;
  const stands = standIn && isExternalKey(standIn, KEY) && standIn.fields.get(TASK_ID)?.updateable;
  return { step: stands ? 'object' : 'call_object', field: 'CallObject' };
}

function isExternalKey(object: OrgObject, name: string): boolean {
  return isUniqueKey(object, name) && object.fields.get(name)?.external === true;
}

/** True when the org refuses a second record with the same value there. */
export function isUniqueKey(object: OrgObject | undefined, name: string): boolean {
  const field = object?.fields.get(name);
  return field?.unique === true && field.createable;
}

export function keyLadder(session: SalesforceSession, org: OrgDefinitions, rows: RowWriter): KeyLadder {
  const unique: KeyStrategy = {
    upserts: false,
    keyed: withKeyField(org),
    read: (items) => readByKey(session, org, items),
  };
  const steps: Record<SalesforceKeyStep['step'], KeyStrategy> = {
    key: unique,
    one_each: { upserts: false, keyed: (row) => row, read: (items) => readOneEach(session, org, items) },
    object: { ...unique, ...reserveTasks(session, rows, 'object') },
    call_object: { ...unique, ...reserveTasks(session, rows, 'call_object') },
  };
  return {
    async strategyFor(name) {
      const object = org.object(name);
      if (!object)
        throw new Failure('refused', `The org has no object ${name}, or the integration user may not see it.`, {
          hint: 'Correct the object in the mapping, or give the user access; then replay.',
        });
      const step = keyStepOf(org, object);
      if (step) return steps[step.step];
      throw new Failure('missing_property', `${name} has no unique key: nothing is written to it without one.`, {
        hint: 'Run `wrapup provision --deploy` (or deploy the package that it writes), then replay.',
      });
    },
    // A unique value that stays contested after it was looked for is another record's, and a matter for a person.
    explain: (failure) => (failure.code === 'conflict' ? failure.with({ next: 'park' }) : failure),
  };
}

/** The key as a field of the row, where the row creates. */
function withKeyField(org: OrgDefinitions): KeyStrategy['keyed'] {
  return (row) => {
    const object = org.object(row.object);
    const field = object && keyStepOf(org, object)?.field;
    if (row.key === undefined || field === undefined) return row;
    return { ...row, fields: { ...row.fields, [field]: row.key }, required: new Set([...row.required, field]) };
  };
}

/** Why it is that step, for doctor. */
export function describeStep(object: OrgObject, step: SalesforceKeyStep | undefined): string {
  const field = keyField(object.name);
  const known = object.fields.get(field);
  const why = !known
    ? `${object.name} has no field ${field}, or the integration user does not see it`
    : `${object.name}.${field} is not a unique external id that the user may write`;
  const remedy = 'run `wrapup provision --deploy`';
  switch (step?.step) {
    case 'key':
      return `${object.name}: unique key ${field} in force (step 1 of 3).`;
    case 'one_each':
      return `${object.name}: one for each person and ${step.field}, which Salesforce itself sees to.`;
    case 'object':
      return `${object.name}: ${why}; ${CALL_OBJECT} keeps the keys instead (step 2 of 3, two requests more a batch).`;
    case 'call_object':
      return `${object.name}: ${why}; the key stands in CallObject (step 3 of 3), which is weaker: two workers could write a task twice. To repair it, ${remedy}.`;
    default:
      return `${object.name}: ${why}; no record of it is written. To repair it, ${remedy}.`;
  }
}

/* Reads our own records by their keys. Queries see a write at once, unlike searches. */

/** Keys of one query: a text of 100,000 characters is allowed, and long keys are rare. */
const MAX_KEYS = 200;
const DAY_MS = 24 * 3_600_000;

/** A query that is asked for items of one object. */
interface ItemQuery {
  query: Query;
  items: Item[];
  /** Which of its rows is an item's. */
  isOf(item: Item, row: Record<string, unknown>): boolean;
}

/** What is there of the items, five queries in a request; items of which none asks are absent. Never rejects. */
async function readItems(
  session: SalesforceSession,
  name: string,
  all: Iterable<Item>,
  queries: ItemQuery[],
): Promise<Map<Item, RecordReading>> {
  const readings = new Map<Item, RecordReading>([...all].map((item) => [item, 'absent']));
  for (const part of chunk(queries, MAX_QUERIES)) {
    const asked = part.flatMap(({ items }) => items);
    try {
      const texts = part.map(({ query }) => query);
      const plans = asked.map(({ write }) => write.index);
      const sent = asked.map(({ record }) => record.key);
      const results = await queryTogether(session, name, texts, plans, sent);
      for (const [index, { items, isOf }] of part.entries()) {
        const rows = (results[index]?.records ?? []).map(asObject);
        for (const item of items) {
          const row = rows.find((one) => isOf(item, one));
          if (row) readings.set(item, { id: asText(row.Id), properties: propertiesOf(row) });
        }
      }
    } catch (thrown) {
      for (const item of asked) readings.set(item, asSalesforceFailure(thrown));
    }
  }
  return readings;
}

/** By their keys; what is archived after a year is asked for too. Never rejects. */
function readByKey(session: SalesforceSession, org: OrgDefinitions, items: Item[]): Promise<Map<Item, RecordReading>> {
  const queries = [...Map.groupBy(items, ({ record }) => record.object)].flatMap(([name, all]) => {
    const object = org.object(name);
    const step = object && keyStepOf(org, object);
    if (!object || !step) return [];
    return chunk(all, MAX_KEYS).map((part): ItemQuery => {
      const where = isIn(step.field, new Set(part.map(({ record }) => record.key)));
      const deleted = object.fields.has('IsDeleted') ? ['IsDeleted'] : [];
      const fields = ['Id', ...deleted, step.field, ...namesToRead(object, part)];
      const soql = select(name, fields, where + (step.step === 'key' ? '' : onlyRecent(part)));
      return {
        query: { object: name, soql, all: object.fields.has('IsArchived') },
        items: part,
        isOf: ({ record }, row) => row.IsDeleted !== true && asText(row[step.field]) === record.key,
      };
    });
  });
  return readItems(session, 'look for what is written already', items, queries);
}

/** The records of these items’ people, ours or not. Never rejects. */
function readOneEach(
  session: SalesforceSession,
  org: OrgDefinitions,
  items: Item[],
): Promise<Map<Item, RecordReading>> {
  const groups = Map.groupBy(items, (item) => `${item.record.object} ${personField(item) ?? ''}`);
  const queries = [...groups.values()].flatMap((all) =>
    chunk(all, MAX_KEYS).flatMap((part): ItemQuery[] => {
      const [first] = part;
      const object = first && org.object(first.record.object);
      const each = first && oneEach(first.record.object);
      const by = first && personField(first);
      if (!object || !each || by === undefined) return [];
      const people = new Set(part.map(({ write }) => write.person?.id ?? ''));
      const of = new Set(part.map((item) => ownerOf(item, each.of)).filter((id) => isRecordId(id)));
      if (of.size === 0) return [];
      const where = `${isIn(each.of, of)} AND ${isIn(by, people)}`;
      const soql = select(object.name, ['Id', each.of, by, ...namesToRead(object, part)], where);
      const isOf: ItemQuery['isOf'] = (item, row) =>
        isSameId(row[each.of], ownerOf(item, each.of)) && isSameId(row[by], item.write.person?.id);
      return [{ query: { object: object.name, soql }, items: part, isOf }];
    }),
  );
  return readItems(session, 'look for what is there already', items, queries);
}

function personField({ record, write }: Item): string | undefined {
  return oneEach(record.object)?.person[write.person?.object ?? ''];
}

function ownerOf({ record }: Item, field: string): string {
  return String(record.fields.find(({ name }) => name === field)?.value ?? '');
}

/** Records by their ids, wherever they were made. Never rejects. */
export function readById(
  session: SalesforceSession,
  org: OrgDefinitions,
  ids: ReadonlyMap<Item, string>,
): Promise<Map<Item, RecordReading>> {
  // Anything but an id would fail the whole query.
  const valid = [...ids.keys()].filter((item) => isRecordId(ids.get(item) ?? ''));
  const queries = [...Map.groupBy(valid, ({ record }) => record.object)].flatMap(([name, all]) => {
    const object = org.object(name);
    if (!object) return [];
    return chunk(all, MAX_KEYS).map((part): ItemQuery => {
      const key = object.fields.has(keyField(name)) ? [keyField(name)] : [];
      const where = isIn('Id', new Set(part.map((item) => ids.get(item) ?? '')));
      const soql = select(name, ['Id', ...key, ...namesToRead(object, part)], where);
      return { query: { object: name, soql }, items: part, isOf: (item, { Id }) => isSameId(Id, ids.get(item)) };
    });
  });
  return readItems(session, 'look for records that are to be changed', ids.keys(), queries);
}

/** CallObject has no index: what is older than the calls themselves is not looked through. */
function onlyRecent(items: Item[]): string {
  const earliest = Math.min(...items.map(({ write }) => write.ended_at));
  return Number.isFinite(earliest) && earliest > 0
    ? ` AND CreatedDate >= ${new Date(earliest - DAY_MS).toISOString()}`
    : '';
}

/** Fields to read of records that exist: what is written, and what links them. */
export function namesToRead(object: OrgObject, items: Item[]): string[] {
  const names = new Set(items.flatMap(({ record }) => record.fields.map(({ name }) => name)));
  for (const { name, references } of object.fields.values())
    if (references.length > 0 && name !== OWNER) names.add(name);
  for (const name of ['Status', 'ActivityDate', 'IsReminderSet', OWNER]) names.add(name);
  return [...names].filter((name) => object.fields.has(name));
}
