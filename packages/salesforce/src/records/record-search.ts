/**
 * Records that `find:` means by what they are: open ones of a contact or their account (`related.ts`), and those whose fields
 * have some values, which are asked for all together. Queries see a write at once.
 */
import { Failure } from '@wrapup/destination';
import { chunk, type Existing, type Item, type RecordSearch } from '@wrapup/destination/engine';
import { asObject, asText } from '@wrapup/destination/http';
import type { FindField, RecordPlan } from '@wrapup/mapping';
import { MAX_QUERIES } from '../client/api.ts';
import { keyField } from '../client/objects.ts';
import { isSameId, type Query, queryTogether, quote, select } from '../client/query.ts';
import type { SalesforceSession } from '../client/transport.ts';
import { asSalesforceFailure, SalesforceFailure } from '../errors/classify.ts';
import { namesToRead } from '../keys/key-ladder.ts';
import type { OrgDefinitions, OrgField, OrgObject } from '../schema/org.ts';
import { propertiesOf } from '../schema/values.ts';

const CLOSED = 'IsClosed';
const CREATED = 'CreatedDate';
/** A record type has stages of its own: where the mapping names one, only its records are looked for. */
const RECORD_TYPE = 'RecordTypeId';

type Candidates = Map<Item, Existing[] | Failure>;

export function recordSearch(session: SalesforceSession, org: OrgDefinitions): RecordSearch {
  return {
    employer: 'Account',
    reads(record) {
      const object = org.object(record.object);
      // What it points at stays, so it has to be known.
      return [...reads(record), ...(object ? namesToRead(object, []) : [])];
    },
    keyProperty: keyField,
    fits: async ({ record }, existing) => fits(record, existing, org.object(record.object)),
    async byValues(items) {
      const found: Candidates = new Map();
      for (const [name, all] of Map.groupBy(items, ({ record }) => record.object)) {
        const object = org.object(name);
        const same = Map.groupBy(all, ({ record }) => (record.find?.by ?? []).map((one) => one.name).join(' '));
        const failure = new SalesforceFailure('refused', `The org has no object ${name}.`);
        for (const some of same.values())
          for (const [item, records] of object
            ? await byValues({ session, object }, some)
            : some.map((one) => [one, failure] as const))
            found.set(item, records);
      }
      return found;
    },
  };
}

function reads({ object, find, fields }: RecordPlan): string[] {
  const type = fields.some(({ name }) => name === RECORD_TYPE) ? [RECORD_TYPE] : [];
  return [
    CREATED,
    keyField(object),
    ...(find?.open ? [CLOSED, ...type] : []),
    ...(find?.by ?? []).map(({ name }) => name),
  ];
}

function fits({ find, fields }: RecordPlan, { properties }: Pick<Existing, 'properties'>, object?: OrgObject): boolean {
  const { by = [], open } = find ?? {};
  if (!open) return by.every(({ name, value }) => isSame(object?.fields.get(name), properties[name], value));
  const wanted = fields.find(({ name }) => name === RECORD_TYPE)?.value;
  return properties[CLOSED] === false && (!wanted || isSameId(wanted, properties[RECORD_TYPE]));
}

interface Finder {
  session: SalesforceSession;
  object: OrgObject;
}

/** What is read of records: what is written, what links them, what tells whether they fit. */
function fieldsOf(object: OrgObject, items: Item[]): string[] {
  const wanted = items.flatMap(({ record }) => reads(record));
  return [...new Set(['Id', ...wanted.filter((name) => object.fields.has(name)), ...namesToRead(object, items)])];
}

function toExisting(row: Record<string, unknown>): Existing {
  return { id: asText(row.Id), properties: propertiesOf(row) };
}

/** The newest first. */
function byAge(a: Existing, b: Existing): number {
  const created = ({ properties }: Existing) => Date.parse(asText(properties[CREATED])) || 0;
  return created(b) - created(a) || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

/* By values. */

/** Items of one query. */
const MAX_ITEMS = 200;

/** All of one object, by the same fields. */
async function byValues({ session, object }: Finder, items: Item[]): Promise<Candidates> {
  const found: Candidates = new Map();
  for (const item of items) {
    const failure = notFoundBy(object, item);
    if (failure) found.set(item, failure);
  }
  const asking = items.filter((item) => !found.has(item));
  for (const parts of chunk(chunk(asking, MAX_ITEMS), MAX_QUERIES)) {
    const asked = parts.flat();
    try {
      const queries = parts.map((part): Query => {
        const soql = select(object.name, fieldsOf(object, part), conditionsOf(object, part));
        return { object: object.name, soql };
      });
      const plans = asked.map(({ write }) => write.index);
      const sent = asked.flatMap(({ record }) => (record.find?.by ?? []).map(({ value }) => value));
      const results = await queryTogether(session, `look for records of ${object.name}`, queries, plans, sent);
      if (results.some(({ whole }) => !whole))
        throw new SalesforceFailure(
          'refused',
          `look for records of ${object.name}: more than 2,000 have these values.`,
          {
            hint: 'Find them by a value that is a record’s own.',
          },
        );
      const records = results.flatMap((result) => result.records).map((row) => toExisting(asObject(row)));
      for (const item of asked) found.set(item, records.filter((one) => fits(item.record, one, object)).sort(byAge));
    } catch (thrown) {
      for (const item of asked) found.set(item, asSalesforceFailure(thrown));
    }
  }
  return found;
}

/** Any of the items' values of each field: which record has those of one item is compared afterwards. */
function conditionsOf(object: OrgObject, items: Item[]): string {
  const literals = new Map<string, Set<string>>();
  for (const { name, value } of items.flatMap(({ record }) => record.find?.by ?? [])) {
    const field = object.fields.get(name);
    const literal = field && literalOf(field, value);
    if (literal !== undefined) literals.set(name, (literals.get(name) ?? new Set()).add(literal));
  }
  return [...literals].map(([name, all]) => `${name} IN (${[...all].join(', ')})`).join(' AND ');
}

/** Why the item cannot be looked for: such a query would fail for all of them. */
function notFoundBy(object: OrgObject, { record }: Item): Failure | undefined {
  for (const { name, value } of record.find?.by ?? []) {
    const field = object.fields.get(name);
    const why = !field
      ? 'the org has no such field that the user sees'
      : !field.filterable
        ? 'Salesforce cannot search by it'
        : literalOf(field, value) === undefined
          ? `it is a field of type ${field.type}`
          : undefined;
    if (why)
      return new Failure('mapping', `No ${object.name} is found by ${name}: ${why}.`, {
        hint: 'Correct find: { by: … } in the mapping, then replay.',
        ...(record.find ? { at: record.find.at } : {}),
      });
  }
  return undefined;
}

const NUMBERS: ReadonlySet<string> = new Set(['int', 'double', 'currency', 'percent', 'long']);

/** Types of fields that values of a call are not compared with. */
const TIMES: ReadonlySet<string> = new Set(['date', 'datetime', 'time']);

export function canBeFoundBy({ filterable, type }: OrgField): boolean {
  return filterable && !TIMES.has(type);
}

/** A value as a query takes it, which depends on the field. Undefined: it is no such value. */
function literalOf({ type }: OrgField, value: FindField['value']): string | undefined {
  if (NUMBERS.has(type))
    return Number.isFinite(Number(value)) && String(value).trim() !== '' ? String(Number(value)) : undefined;
  if (type === 'boolean') return /^(?:true|false)$/.test(String(value)) ? String(value) : undefined;
  if (TIMES.has(type)) return undefined;
  return quote(String(value));
}

/** As a query compares: texts without regard to case, ids of 15 and of 18 characters alike. */
function isSame(field: OrgField | undefined, stored: unknown, wanted: FindField['value']): boolean {
  if (stored === null || stored === undefined) return false;
  if (field && NUMBERS.has(field.type)) return Number(stored) === Number(wanted);
  if (field?.type === 'reference' || field?.type === 'id') return isSameId(stored, wanted);
  return String(stored).toLowerCase() === String(wanted).toLowerCase();
}
