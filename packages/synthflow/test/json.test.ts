/** Values from outside: what is kept of them, and how much. */
import { describe, expect, it, test } from 'vitest';
import {
  copyJson,
  copyObject,
  isSameJson,
  isShallow,
  keysOf,
  MAX_MEMBERS,
  parseNested,
  readObject,
} from '../src/parse/json.ts';
import { Notes } from '../src/parse/notes.ts';

const nest = (levels: number): unknown => (levels === 0 ? 'x' : { a: nest(levels - 1) });
const noting = <Value>(read: (notes: Notes) => Value) => {
  const notes = new Notes();
  return { value: read(notes), notes: notes.list().map(({ message }) => message) };
};

describe('JSON text in a string', () => {
  it.each<[unknown, unknown, boolean]>([
    ['{"a":1}', { a: 1 }, false],
    [' [1]', [1], false],
    [JSON.stringify('{"a":1}'), { a: 1 }, false],
    [JSON.stringify(JSON.stringify('{"a":1}')), '{"a":1}', false],
    ['{broken', '{broken', true],
    ['"quoted', '"quoted', false],
    ['plain', 'plain', false],
    [{ a: 1 }, { a: 1 }, false],
  ])('%j is %j', (text, value, failed) => {
    expect(parseNested(text)).toEqual({ value, failed });
  });

  it('is left as it is where it has more than four million characters', () => {
    const long = (length: number) => `["${'x'.repeat(length - 4)}"]`;
    expect(parseNested(long(4_000_000)).failed).toBe(false);
    expect(parseNested(long(4_000_001))).toEqual({ value: long(4_000_001), failed: true });
  });

  it('is left as it is where it holds too many values for its length', () => {
    const dense = (count: number) => `[${Array.from({ length: count }, () => '{}').join(',')}]`;
    expect(parseNested(dense(150)).value).toHaveLength(150);
    // 3 characters a value: 200 in any case, and one more for eight characters.
    expect(parseNested(dense(318)).value).toHaveLength(318);
    expect(parseNested(dense(319)).failed).toBe(true);
    const sparse = JSON.stringify(Array.from({ length: 2_000 }, () => 'a text of some length'));
    expect(parseNested(sparse).value).toHaveLength(2_000);
    expect(parseNested(`{${' '.repeat(300)}`)).toMatchObject({ failed: true });
  });
});

test('an object may be one, its text, or a list of keys and values', () => {
  const pairs = [{ key: 'a', value: 1 }, { key: 'b' }, { value: 3 }];
  expect(noting((notes) => readObject({ a: 1 }, 'p', notes))).toEqual({ value: { a: 1 }, notes: [] });
  expect(noting((notes) => readObject(pairs, 'p', notes)).value).toEqual({ a: 1, b: undefined });
  expect(noting((notes) => readObject([], 'p', notes))).toEqual({ value: {}, notes: [] });
  for (const none of [[1], 'text', 5]) expect(noting((notes) => readObject(none, 'p', notes)).notes).toHaveLength(1);
  for (const none of [undefined, null, ''])
    expect(noting((notes) => readObject(none, 'p', notes))).toEqual({ value: undefined, notes: [] });
});

test('a value is copied down to 64 levels', () => {
  expect(noting((notes) => copyJson(nest(64), 'p', notes))).toEqual({ value: nest(64), notes: [] });
  const { value, notes } = noting((all) => copyJson(nest(65), 'p', all));
  expect([value, notes]).toEqual([undefined, [expect.stringContaining('64 levels')]]);
});

test('a copy holds clean text, finite numbers and no refused keys', () => {
  const { value, notes } = noting((all) =>
    copyJson(
      { text: 'a\0b', list: [1, null, true], big: Number.POSITIVE_INFINITY, constructor: 1, odd: () => 1 },
      'p',
      all,
    ),
  );
  expect(value).toEqual({ text: 'ab', list: [1, null, true], big: null, odd: null });
  expect(notes).toHaveLength(2);
});

test('members that say nothing, or have a refused name, are left out', () => {
  const { value, notes } = noting((all) => copyObject({ a: 1, b: null, prototype: 2 }, 'p', all));
  expect([{ ...value }, notes]).toEqual([{ a: 1 }, [expect.stringContaining('no mapping may read')]]);
  const deep = noting((all) => copyObject({ a: nest(65), b: nest(64) }, 'p', all));
  expect([Object.keys(deep.value), deep.notes.length]).toEqual([['b'], 1]);
});

test('the first five thousand members are read', () => {
  const members = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, n]));
  expect(noting((notes) => keysOf(members(MAX_MEMBERS), 'p', notes).length)).toEqual({ value: 5_000, notes: [] });
  const { value, notes } = noting((all) => keysOf(members(MAX_MEMBERS + 1), 'p', all));
  expect([value.length, value.at(-1), notes.length]).toEqual([5_000, 'k4999', 1]);
});

test.each<[unknown, unknown, boolean]>([
  [Number.NaN, Number.NaN, true],
  [0, -0, true],
  [[1, [2]], [1, [2]], true],
  [[1], [1, 2], false],
  [[], {}, false],
  [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [{ a: undefined }, { b: undefined }, false],
  [{ a: 1 }, { a: 2 }, false],
  [null, {}, false],
  ['1', 1, false],
])('%j and %j are the same: %s', (one, other, expected) => {
  expect(isSameJson(one, other)).toBe(expected);
});

test('a value is as deep as its deepest member', () => {
  expect([isShallow('x', 0), isShallow(null, 0), isShallow({}, 0), isShallow([], 0)]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect([isShallow({ a: 1, b: [1] }, 2), isShallow({ a: 1, b: [[]] }, 2)]).toEqual([true, false]);
});
