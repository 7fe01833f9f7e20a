/** Under which key a record is made where none was found, as far as the CRM's answers tell. */
import { expect, test } from 'vitest';
import { beginPlan } from '../src/engine/plan/plan-write.ts';
import { keysOfNew } from '../src/engine/records/find-keys.ts';
import type { Item, KeyLadder, KeyStrategy, RecordReading } from '../src/engine/records/record-verbs.ts';
import { RequestFailure } from '../src/http/request-failure.ts';
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
