/**
 * Keys of records that are made because `find:` found none (docs/decisions/0051-keys-of-records-that-are-found.md).
 *
 * Such a record belongs to a person, not to a call: its key is made of what it is found by, so that two calls at once make
 * one. A record that is closed is not found any more and still holds its key; the key therefore ends in a number. The
 * first number counts whose record is missing, or is still what the mapping looks for: it can be read off the CRM alone, and
 * all who look at the same time come to the same one. A lease keeps them from looking at the same time at all; the unique key
 * decides where a lease is lost.
 */
import type { FieldWrite } from '@wrapup/mapping';
import { asRequestFailure } from '../../http/request-failure.ts';
import type { Context } from '../../port/context.ts';
import { Failure } from '../../port/failure.ts';
import { digest, leaseEach } from '../people/person-cache.ts';
import type { Existing } from '../plan/plan-write.ts';
import type { Item, KeyLadder, KeyStrategy, RecordReading, RecordVerbs } from './record-verbs.ts';

/** Records of one person that are looked through at most. */
const MAX_KEYS = 1_000;

type KeyReader = Pick<RecordVerbs, 'keys' | 'search'>;

/** What the key is made of; undefined where the record that is made is the call's own. */
export function keyOfNew({ write, record: { find } }: Item): string | undefined {
  if (find?.key === undefined) return undefined;
  if (!find.open) return find.key;
  return write.person ? `${find.key}:${write.person.id}` : undefined;
}

/** Holds the keys of what may be made until it is written. Never rejects. */
export async function holdKeys(ctx: Context, items: Item[]) {
  const groups = [...Map.groupBy(items, keyOfNew)].flatMap(([key, all]) => (key === undefined ? [] : [{ key, all }]));
  const nameOf = ({ key, all }: { key: string; all: Item[] }) => [`find:${all[0]?.record.object}:${digest(key)}`];
  const { failed, release } = await leaseEach(ctx, groups, nameOf);
  return { failed: new Map([...failed].flatMap(([{ all }, failure]) => all.map((item) => [item, failure]))), release };
}

/**
 * For items of which none was found: the record that another call has made and that is still what the mapping looks for, or the
 * key under which one is made. Items without such a key are left out.
 */
export async function keysOfNew(
  crm: KeyReader,
  items: Item[],
): Promise<Map<Item, Existing | { key: string } | Failure>> {
  const settled = new Map<Item, Existing | { key: string } | Failure>();
  const closed = new Map<Item, string>();
  let open = items.filter((item) => item.record.find?.none === 'create' && keyOfNew(item) !== undefined);
  // Most have none yet: more keys are read at once only of those who have.
  for (let from = 1, many = 1; open.length > 0 && from <= MAX_KEYS; from += many, many = 2 * from) {
    const numbers = Array.from({ length: many }, (_, at) => from + at);
    const asked = open.flatMap((item) => numbers.map((n) => ({ item, key: `${keyOfNew(item)}:${n}` })));
    const readings = await readEach(crm, asked);
    for (const { item, key } of asked) {
      if (settled.has(item)) continue;
      const reading = readings.get(item)?.get(key) ?? 'absent';
      if (reading === 'absent') settled.set(item, { key });
      else if (reading instanceof Failure || (await crm.search?.fits(item, reading))) settled.set(item, reading);
      // An object of which the CRM itself has one for each person knows no numbers: that one is the record.
      else if (closed.get(item) === reading.id) settled.set(item, reading);
      else closed.set(item, reading.id);
    }
    open = open.filter((item) => !settled.has(item));
  }
  const failure = new Failure('refused', `More than ${MAX_KEYS} records have been made for this person.`, {
    hint: 'Look at why the mapping makes so many: it may look for something that no record that it makes ever is.',
  });
  for (const item of open) settled.set(item, failure);
  return settled;
}

/** What stands under each item's key. */
export async function readKeys(crm: KeyReader, keys: ReadonlyMap<Item, string>): Promise<Map<Item, RecordReading>> {
  const readings = await readEach(
    crm,
    [...keys].map(([item, key]) => ({ item, key })),
  );
  return new Map([...keys].map(([item, key]) => [item, readings.get(item)?.get(key) ?? 'absent']));
}

/** By item and key. */
async function readEach(
  crm: KeyReader,
  asked: { item: Item; key: string }[],
): Promise<Map<Item, Map<string, RecordReading>>> {
  const readings = new Map<Item, Map<string, RecordReading>>();
  for (const [object, all] of Map.groupBy(asked, ({ item }) => item.record.object)) {
    const wanted = all.map(({ item, key }) => ({ item, key, standIn: standInFor(crm, item, key) }));
    const read = await readByLadder(
      crm,
      object,
      wanted.map(({ standIn }) => standIn),
    );
    for (const { item, key, standIn } of wanted) {
      const reading = read.get(standIn) ?? 'absent';
      const keyed = reading === 'absent' || reading instanceof Failure ? reading : { ...reading, key };
      readings.set(item, (readings.get(item) ?? new Map<string, RecordReading>()).set(key, keyed));
    }
  }
  return readings;
}

/**
 * What stands under the items' keys, by the first strategy that the account allows. An account that takes no key at all has no
 * such record; that nothing can be written to it is said when it is.
 */
async function readByLadder(crm: KeyReader, object: string, items: Item[]): Promise<ReadonlyMap<Item, RecordReading>> {
  const { keys } = crm;
  const readings = new Map<Item, RecordReading>();
  let open = items;
  let strategy: KeyStrategy | undefined;
  try {
    strategy = await strategyIn(keys, object);
  } catch (thrown) {
    return new Map(items.map((item) => [item, Failure.of(thrown)]));
  }
  while (strategy) {
    const read: ReadonlyMap<Item, RecordReading> = await strategy.read(open);
    const isRefused = (item: Item) => {
      const reading = read.get(item);
      return reading instanceof Failure && keys.isKeyRefused?.(object, asRequestFailure(reading)) === true;
    };
    for (const item of open) if (!isRefused(item)) readings.set(item, read.get(item) ?? 'absent');
    open = open.filter(isRefused);
    if (open.length === 0) break;
    const step = await keys.stepDown?.(object, strategy);
    strategy = step?.next;
    if (!step || strategy || step.absent) continue;
    // There is such a property, or it is not known: under its keys anything may stand.
    for (const item of open) readings.set(item, keys.explain(asRequestFailure(read.get(item))));
  }
  return readings;
}

/** The strategy in force; undefined where the account takes no key. @throws Failure where that cannot be known */
export async function strategyIn(keys: KeyLadder, object: string): Promise<KeyStrategy | undefined> {
  try {
    return await keys.strategyFor(object);
  } catch (thrown) {
    const failure = Failure.of(thrown);
    if (failure.next === 'park') return undefined;
    throw failure;
  }
}

/** An item under that key, with the properties that tell whether the record is one that the mapping looks for. */
function standInFor({ search }: KeyReader, item: Item, key: string): Item {
  const { record } = item;
  const at = record.find?.at ?? { file: '', line: 1, column: 1 };
  const reads = (search?.reads(record) ?? []).map((name): FieldWrite => ({ name, value: null, write: 'if_empty', at }));
  return { ...item, record: { ...record, key, fields: [...record.fields, ...reads] } };
}
