import { describe, expect, it, test } from 'vitest';
import type { Item } from '../../src/engine/records/record-verbs.ts';
import { firstOfEachKey, joinShared, withSharedKey } from '../../src/engine/records/shared-key.ts';
import { sampleField } from '../../src/testing/sample-plan.ts';
import { writeOf } from './support/sample.ts';

const item = (key: string, rest: Partial<Item['record']> & { object?: string } = {}, minute = 0): Item => {
  const write = writeOf({ ended_at: `2026-11-20T10:0${minute}:00.000Z` }, minute);
  const record = write.plan.records[0] as Item['record'];
  return { write, record: { ...record, key, fields: [], ...rest }, targets: [] };
};

test('a record that several calls mean stands under one key: the mapping’s own, else that of the CRM', () => {
  const crm = { sharedKey: () => 'example.com' };
  expect(withSharedKey(crm, item('a')).record.key).toBe('example.com');
  const own = item('a', { own_key: { person: true } as never });
  expect(
    withSharedKey(crm, { ...own, write: { ...own.write, person: { id: '7', object: 'contacts' } } }).record.key,
  ).toBe('a:7');
  expect(withSharedKey(crm, own).record.key).toBe('a:');
  expect(withSharedKey(crm, item('a', { own_key: {} as never })).record.key).toBe('example.com');
  const alone = item('a');
  expect(withSharedKey({}, alone)).toBe(alone);
});

test('a key stands once in a request, unless its items are written as one record', () => {
  const [one, again, other] = [item('a'), item('a'), item('b')];
  const elsewhere = item('a', { object: 'tasks' });
  expect(firstOfEachKey([one, again, other, elsewhere])).toEqual([one, other, elsewhere]);
  expect(firstOfEachKey([one, again, other], (joined) => joined === again)).toEqual([one, again, other]);
});

describe('items of one shared key', () => {
  const fieldsOf = (items: Item[]) =>
    joinShared(items, () => true).map(({ lead }) => lead.record.fields.map(({ name, value }) => [name, value]));

  it('are one record, that of the first, and the others follow', () => {
    const [one, two, three] = [item('a'), item('a'), item('b')];
    expect(joinShared([one, two, three], () => true).map(({ followers }) => followers)).toEqual([[two], []]);
    expect(joinShared([one, two], () => false).map(({ lead }) => lead)).toEqual([one, two]);
    expect(joinShared([one, item('a', { object: 'tasks' })], () => true)).toHaveLength(2);
    expect(joinShared([one], () => true)[0]?.lead).toBe(one);
  });

  it('have gaps filled by the earliest call, and what may be overwritten by the last', () => {
    const saying = (value: string, minute: number) =>
      item(
        'a',
        {
          fields: [
            sampleField('gap', value, 'if_empty'),
            sampleField('over', value, 'overwrite'),
            sampleField('ours', value, 'if_ours'),
          ],
        },
        minute,
      );
    expect(fieldsOf([saying('late', 2), saying('early', 1)])).toEqual([
      [
        ['gap', 'early'],
        ['over', 'late'],
        ['ours', 'late'],
      ],
    ]);
  });

  it('have every field that one of them brings', () => {
    const [one, two] = [item('a', { fields: [sampleField('x', '1')] }), item('a', { fields: [sampleField('y', '2')] })];
    expect(fieldsOf([one, two])).toEqual([
      [
        ['x', '1'],
        ['y', '2'],
      ],
    ]);
  });
});
