/** Under which key a record is made where none was found, as far as the CRM's answers tell. */
import { expect, test } from 'vitest';
import { beginPlan, type Existing } from '../src/engine/plan/plan-write.ts';
import { holdKeys, keyOfNew, keysOfNew, readKeys } from '../src/engine/records/find-keys.ts';
import type { Item, KeyLadder, KeyStrategy, RecordReading } from '../src/engine/records/record-verbs.ts';
import { RequestFailure } from '../src/http/request-failure.ts';
import { makeMemoryCommons, makeMemoryContext } from '../src/index.ts';
import { Failure } from '../src/port/failure.ts';
import { type SampleNames, samplePlan } from '../src/testing/sample-plan.ts';

const NAMES: SampleNames = {
  ...{ call_log: 'calls', task: 'tasks', create_as: 'contact', owner: 'owner', title: 'title', subject: 'subject' },
  ...{ first_name: 'first', last_name: 'last', phone: 'phone', email: 'email', note: 'note' },
  ...{ call_log_extra: {}, task_extra: {} },
};
const AT = { file: 'mappings/sample.yaml', line: 70, column: 5 };

function itemOf(index: number): Item {
  const write = {
    ...beginPlan(samplePlan(NAMES, { id: `c${index}` }), index),
    person: { object: 'contacts', id: '1' },
  };
  const find = { open: true, none: 'create', key: `find:${index}`, at: AT, why: 'none is open' } as const;
  const record = {
    type: 'deal',
    object: 'deals',
    name: 'known',
    key: `c${index}:known`,
    associate: [],
    fields: [],
    find,
  };
  return { write, record, targets: [] };
}

test('a look under the keys that failed stays a failure, whatever the account says of the key itself', async () => {
  const items = [itemOf(0), itemOf(1)];
  const [refused, throttled] = [
    new RequestFailure('missing_property', 'There is no such key.'),
    new RequestFailure('throttled', 'Too many requests.'),
  ];
  const strategy: KeyStrategy = {
    upserts: true,
    keyed: (row) => row,
    read: async (asked) =>
      new Map(asked.map((item): [Item, RecordReading] => [item, item.write.index === 0 ? refused : throttled])),
  };
  const look = async (absent: boolean) => {
    const ladder: KeyLadder = {
      strategyFor: async () => strategy,
      isKeyRefused: (_object, { code }) => code === 'missing_property',
      stepDown: async () => ({ next: undefined, absent }),
      explain: (failure) => failure,
    };
    const keys = await keysOfNew({ keys: ladder }, items);
    return items.map((item) => keys.get(item));
  };
  expect(await look(true)).toEqual([{ key: 'find:0:1:1' }, throttled]);
  expect(await look(false)).toEqual([refused, throttled]);
});

test('an account of which it is not known whether it takes keys has no key for a new record yet', async () => {
  const ladder = (failure: Failure) => ({
    keys: { strategyFor: () => Promise.reject(failure), explain: (one: Failure) => one },
  });
  const item = itemOf(0);
  const away = new Failure('unavailable', 'Redis is away.');
  expect((await keysOfNew(ladder(away), [item])).get(item)).toBe(away);
  const none = new Failure('missing_property', 'deals has no unique key.');
  expect((await keysOfNew(ladder(none), [item])).get(item)).toEqual({ key: 'find:0:1:1' });
});

/** An item whose `find` says otherwise. */
function finding(find: object | undefined, rest: object = {}): Item {
  const item = itemOf(0);
  const { find: before, ...record } = item.record;
  return {
    ...item,
    record: { ...record, ...(find ? { find: { ...before, ...find } } : {}), ...rest } as Item['record'],
  };
}

/** An account that has these records under their keys, and a search that takes those whose `stage` is open. */
function accountWith(has: Record<string, Existing>) {
  const asked: string[][] = [];
  const fields: string[][] = [];
  const strategy: KeyStrategy = {
    upserts: true,
    keyed: (row) => row,
    read: async (items) => {
      asked.push(items.map(({ record }) => record.key));
      fields.push(items[0]?.record.fields.map(({ name }) => name) ?? []);
      return new Map(items.map((item): [Item, RecordReading] => [item, has[item.record.key] ?? 'absent']));
    },
  };
  const crm = {
    keys: { strategyFor: async () => strategy, explain: (failure: Failure) => failure },
    search: {
      reads: () => ['stage'],
      fits: async (_item: Item, { properties }: Existing) => properties.stage === 'open',
    },
  };
  return { asked, crm: crm as never as Parameters<typeof keysOfNew>[0], fields };
}

const deal = (id: string, stage: string): Existing => ({ id, properties: { stage } });

test('the key of what is made is that of the person, where it is looked for among what is open', () => {
  expect(keyOfNew(itemOf(0))).toBe('find:0:1');
  expect(keyOfNew(finding({ open: undefined }))).toBe('find:0');
  expect(keyOfNew(finding({ key: undefined }))).toBeUndefined();
  expect(keyOfNew(finding(undefined))).toBeUndefined();
  const { person: _, ...write } = itemOf(0).write;
  expect(keyOfNew({ ...itemOf(0), write })).toBeUndefined();
});

test('only what is made where none is found, and has such a key, is asked about', async () => {
  const { asked, crm } = accountWith({});
  const items = [finding({ none: 'skip' }), finding({ key: undefined }), finding(undefined)];
  expect(await keysOfNew(crm, items)).toEqual(new Map());
  expect(asked).toEqual([]);
});

test('the first number counts whose record is missing, or is what is looked for', async () => {
  const settle = async (has: Record<string, Existing>) => {
    const { asked, crm } = accountWith(has);
    const item = itemOf(0);
    return { found: (await keysOfNew(crm, [item])).get(item), asked };
  };
  expect(await settle({})).toEqual({ found: { key: 'find:0:1:1' }, asked: [['find:0:1:1']] });
  expect((await settle({ 'find:0:1:1': deal('7', 'open') })).found).toEqual({
    ...deal('7', 'open'),
    key: 'find:0:1:1',
  });
  const closed = { 'find:0:1:1': deal('7', 'won'), 'find:0:1:2': deal('8', 'won') };
  expect(await settle(closed)).toEqual({
    found: { key: 'find:0:1:3' },
    asked: [['find:0:1:1'], expect.arrayContaining(['find:0:1:2', 'find:0:1:3'])],
  });
  expect((await settle({ ...closed, 'find:0:1:3': deal('9', 'open') })).found).toEqual({
    ...deal('9', 'open'),
    key: 'find:0:1:3',
  });
});

test('an object that has one record for each person knows no numbers', async () => {
  const { crm } = accountWith({ 'find:0:1:1': deal('7', 'won'), 'find:0:1:2': deal('7', 'won') });
  const item = itemOf(0);
  expect((await keysOfNew(crm, [item])).get(item)).toMatchObject({ id: '7', key: 'find:0:1:2' });
});

test('a person for whom a thousand were made gets no more', async () => {
  const has = new Proxy({}, { get: (_, key) => deal(String(key), 'won') });
  const { asked, crm } = accountWith(has as Record<string, Existing>);
  const item = itemOf(0);
  expect((await keysOfNew(crm, [item])).get(item)).toMatchObject({
    code: 'refused',
    details: { hint: expect.any(String) },
  });
  expect(asked.flat().length).toBeGreaterThanOrEqual(1_000);
  expect(asked.length).toBeLessThan(12);
});

test('what stands under keys is read with what tells whether it is meant, object by object', async () => {
  const { asked, crm, fields } = accountWith({ a: deal('7', 'open') });
  const [one, other] = [itemOf(0), finding({}, { object: 'tickets' })];
  const read = await readKeys(
    crm,
    new Map([
      [one, 'a'],
      [other, 'b'],
    ]),
  );
  expect([read.get(one), read.get(other)]).toEqual([{ ...deal('7', 'open'), key: 'a' }, 'absent']);
  expect([asked, fields]).toEqual([
    [['a'], ['b']],
    [['stage'], ['stage']],
  ]);
});

test('a failed look stays a failure, without a step down too', async () => {
  const refused = new RequestFailure('missing_property', 'There is no such key.');
  const strategy: KeyStrategy = {
    upserts: true,
    keyed: (row) => row,
    read: async (items) => new Map(items.map((item): [Item, RecordReading] => [item, refused])),
  };
  const keys: KeyLadder = { strategyFor: async () => strategy, explain: (failure) => failure };
  const item = itemOf(0);
  expect((await keysOfNew({ keys }, [item])).get(item)).toBe(refused);
  expect((await keysOfNew({ keys: { ...keys, isKeyRefused: () => true } }, [item])).get(item)).toEqual({
    key: 'find:0:1:1',
  });
});

test('keys of what may be made are held by one delivery', async () => {
  const commons = makeMemoryCommons();
  const [mine, theirs] = [makeMemoryContext(commons), makeMemoryContext(commons, { within: 200 })];
  const [item, other, keyless] = [itemOf(0), itemOf(0), finding(undefined)];
  const held = await holdKeys(mine, [item, other, keyless]);
  expect(held.failed.size).toBe(0);
  const late = await holdKeys(theirs, [itemOf(1), item, other, keyless]);
  expect([...late.failed.keys()]).toEqual([item, other]);
  await late.release();
  await held.release();
  expect((await holdKeys(mine, [item])).failed.size).toBe(0);
});
