/**
 * Records that `find:` means by what they are: open ones of a contact or their company (`related.ts`), and those whose
 * properties have some values.
 *
 * By values a record is read where the property is unique, else searched for, and read again, since what the search says of it
 * may be old. HubSpot's search sees a new or changed record only after a while.
 */
import { Failure, remembered } from '@wrapup/destination';
import { askedFor, type Existing, type Item, type RecordSearch } from '@wrapup/destination/engine';
import type { FindField, RecordFind, RecordPlan } from '@wrapup/mapping';
import { readProperty, type SearchFilter } from '../client/api.ts';
import { type CrmRecord, packSearches, propertiesOf, readMany, searchAll } from '../client/batches.ts';
import { keyProperty, type Property, toProperty } from '../client/definitions.ts';
import type { HubSpotSession } from '../client/transport.ts';
import { asHubSpotFailure, type HubSpotFailure } from '../errors/classify.ts';
import { byAge, CREATED, isOpen, stateOf } from './related.ts';

export function recordSearch(session: HubSpotSession): RecordSearch {
  return {
    employer: 'companies',
    reads,
    keyProperty,
    async fits(item, existing) {
      const { record, write } = item;
      if (record.find?.open) return isOpen(session, item, existing);
      const finder = { session, object: record.object, properties: [] };
      return hasValues(record, existing, await definitionsOf(finder, namesOf(record.find), [write.index]));
    },
    async byValues(items) {
      const found: Candidates = new Map();
      for (const [object, all] of Map.groupBy(items, ({ record }) => record.object)) {
        const reading = all.flatMap(({ record }) => reads(record));
        const finder = { session, object, properties: [...new Set([...propertiesOf(all), ...reading])] };
        for (const [names, some] of Map.groupBy(all, ({ record }) => namesOf(record.find)))
          for (const [item, records] of await byValues(finder, names, some)) found.set(item, records);
      }
      return found;
    },
  };
}

/** What tells whether a record is looked for, and which one of several is the newest. */
function reads({ object, find }: RecordPlan): string[] {
  return [
    ...CREATED,
    keyProperty(object),
    ...(find?.open ? stateOf(object) : []),
    ...(find?.by ?? []).map(({ name }) => name),
  ];
}

/** Names of the properties that are looked at, as one text. */
const namesOf = (find: RecordFind | undefined) => (find?.by ?? []).map(({ name }) => name).join(' ');

interface Finder {
  session: HubSpotSession;
  object: string;
  properties: string[];
}

type Candidates = Map<Item, Existing[] | Failure>;

/** The newest first, or the failure of a record that could not be read. */
function thoseThatFit(
  item: Item,
  records: (CrmRecord | HubSpotFailure)[],
  definitions: Property[],
): Existing[] | HubSpotFailure {
  const fitting = new Map<string, Existing>();
  for (const record of records) {
    if (record instanceof Failure) return record;
    if (hasValues(item.record, record, definitions)) fitting.set(record.id, record);
  }
  return [...fitting.values()].sort(byAge);
}

function hasValues(
  { find }: RecordPlan,
  { properties }: Pick<Existing, 'properties'>,
  definitions: Property[],
): boolean {
  return (find?.by ?? []).every(({ name, value }) => {
    const type = definitions.find((one) => one.name === name)?.type;
    return isSame(properties[name], value, type);
  });
}

/** Pages of 200 that are read before a search counts as too broad. */
const MAX_PAGES = 10;
/** How long the definition of a property is remembered, in ms. */
const KEPT_MS = 10 * 60_000;

async function byValues(finder: Finder, names: string, items: Item[]): Promise<Candidates> {
  const found: Candidates = new Map();
  const fail = (some: Item[], thrown: unknown) => {
    for (const item of some) found.set(item, asHubSpotFailure(thrown));
  };
  let definitions: Property[];
  try {
    const plans = items.map(({ write }) => write.index);
    definitions = await definitionsOf(finder, names, plans);
  } catch (thrown) {
    fail(items, thrown);
    return found;
  }
  // A value that is no number would fail the search of all of them.
  const isNumber = (name: string) => definitions.some((one) => one.name === name && one.type === 'number');
  const asking = items.filter((item) => {
    const wrong = item.record.find?.by?.find(({ name, value }) => isNumber(name) && !Number.isFinite(Number(value)));
    if (wrong) fail([item], unfit(finder.object, wrong.name, 'it is a number', item.record.find));
    return wrong === undefined;
  });
  const [only, ...others] = definitions;
  const unique = only?.unique === true && others.length === 0 ? only.name : undefined;
  const filters = (some: Item[]) => [filtersFor(definitions, some)];
  for (const part of unique ? [asking] : packSearches(asking, [], filters)) {
    let records: ReadRecords;
    try {
      records = unique ? await readUnique(finder, unique, part) : await search(finder, definitions, part);
    } catch (thrown) {
      fail(part, thrown);
      continue;
    }
    for (const item of part) {
      const ids = unique ? [String(item.record.find?.by?.[0]?.value)] : [...records.keys()];
      const candidates = ids.map((id) => records.get(id)).filter((one) => one !== undefined);
      found.set(item, thoseThatFit(item, candidates, definitions));
    }
  }
  return found;
}

type ReadRecords = ReadonlyMap<string, CrmRecord | HubSpotFailure>;

/** @returns by value */
function readUnique({ session, object, properties }: Finder, by: string, items: Item[]): Promise<ReadRecords> {
  const ids = askedFor(items.map(({ write, record }) => [String(record.find?.by?.[0]?.value), [write.index]]));
  return readMany(session, { object, ids, by, properties });
}

/** What a search finds for any of them, as it is now. @throws HubSpotFailure */
async function search({ session, object, properties }: Finder, by: Property[], items: Item[]): Promise<ReadRecords> {
  const plans = items.map(({ write }) => write.index);
  const { records } = await searchAll(session, {
    ...{ object, filters: [filtersFor(by, items)], properties: [], plans, max_pages: MAX_PAGES },
    too_many: { says: 'more than 2,000 have these values', hint: 'Find them by a value that is a record’s own.' },
  });
  return readMany(session, { object, ids: new Map(records.map(({ id }) => [id, plans])), properties });
}

/** Any of the items' values of each property: which record has those of one item is compared afterwards. */
function filtersFor(by: Property[], items: Item[]): SearchFilter[] {
  const wanted = ({ record }: Item, name: string) => record.find?.by?.find((one) => one.name === name)?.value;
  return by.map(({ name, type }) => {
    // Texts are indexed in lower case. https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm
    const values = items.map((item) => {
      const value = wanted(item, name);
      return type === 'number'
        ? String(Number(value))
        : type === 'string'
          ? String(value).toLowerCase()
          : String(value);
    });
    return { property: name, in: [...new Set(values)] };
  });
}

/** Texts without regard to case, as HubSpot's own search compares them; numbers by what they are. */
function isSame(stored: unknown, wanted: FindField['value'], type: string | undefined): boolean {
  if (stored === null || stored === undefined || stored === '') return false;
  const [a, b] = [String(stored).trim(), String(wanted).trim()];
  return type === 'number' ? Number(a) === Number(b) : a.toLowerCase() === b.toLowerCase();
}

/** @throws Failure where records cannot be found by one of them */
function definitionsOf(finder: Finder, names: string, plans: number[]): Promise<Property[]> {
  return Promise.all(names.split(' ').map((name) => definitionOf(finder, name, plans)));
}

/** @throws Failure where records cannot be found by it */
async function definitionOf({ session, object }: Finder, name: string, plans: number[]): Promise<Property> {
  const read = async () => toProperty((await session.send(readProperty(object, name), plans)).body);
  const property = await remembered(session.ctx, `property:${object}.${name}`, KEPT_MS, read);
  if (property.type === 'date' || property.type === 'datetime') throw unfit(object, name, `it is a ${property.type}`);
  return property;
}

function unfit(object: string, name: string, why: string, find?: RecordFind): Failure {
  return new Failure('mapping', `No ${object} are found by ${name}: ${why}.`, {
    hint: 'Find them by texts, numbers or choices: correct find: { by: … } in the mapping, then replay.',
    ...(find ? { at: find.at } : {}),
  });
}
