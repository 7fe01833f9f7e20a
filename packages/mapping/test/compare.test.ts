/** When two values are the same to the author of a mapping, and which paths there are. */
import { describe, expect, it, test } from 'vitest';
import { looksLikePath, parsePath, readOwn } from '../src/language/path.ts';
import { parseStep } from '../src/language/placeholders.ts';
import { isUnclear, readPoint, sameValue } from '../src/values/compare.ts';
import { Absent, LONGEST_TEXT, toText, toValue } from '../src/values/found.ts';

test.each<[string | number | boolean, string | number | boolean, boolean]>([
  ['HIGH', ' high ', true],
  ['high', 'low', false],
  ['yes', true, true],
  ['True', true, true],
  ['no', true, false],
  ['maybe', false, false],
  ['12000', 12_000, true],
  ['$12,000', 12_000, true],
  [12_000, '12000.0', true],
  [12_000, '$12,000', true],
  [5, 'five', false],
  ['five', 5, false],
  ['12', '12.0', false],
  [5, 6, false],
  [5, '6', false],
  [65.125, '65.125', true],
])('%j is the %j of a mapping: %s', (found, wanted, same) => {
  expect(sameValue(found, wanted)).toBe(same);
});

test('a number is read as its country writes it, and is unclear where that is not said', () => {
  const german = { zone: 'UTC', number: 'de' as const };
  expect([readPoint('1.200', 'number', german), readPoint('1,5', 'number', german)]).toEqual([1200, 1.5]);
  expect(readPoint('many', 'number')).toBeUndefined();
  for (const none of [Number.POSITIVE_INFINITY, '1e999', '1e308k']) expect(readPoint(none, 'number')).toBeUndefined();
  expect([isUnclear('65.000', 'number'), isUnclear('65.000', 'number', german)]).toEqual([true, false]);
  expect([isUnclear('65', 'number'), isUnclear('65.000', 'moment')]).toEqual([false, false]);
  expect(readPoint('2026-11-20T10:00:00Z', 'moment')).toBe(Date.parse('2026-11-20T10:00:00Z'));
  expect(readPoint('soon', 'moment')).toBeUndefined();
});

test('a quote in an argument opens only where the argument begins', () => {
  const args = (text: string) => {
    const step = parseStep(text, 0);
    return 'error' in step ? step.error.code : step.args.map((arg) => [arg.text, arg.quoted]);
  };
  expect(args(`x: O'Brien, "a, b"`)).toEqual([
    ["O'Brien", false],
    ['a, b', true],
  ]);
  expect(args(`x: "a"",b"`)).toEqual([
    ['a"', true],
    ['b"', false],
  ]);
  expect(args(`x: a "b, c"`)).toEqual([
    ['a "b', false],
    ['c"', false],
  ]);
  expect(args('x: "a')).toBe('bad-placeholder');
});

describe('a path', () => {
  it.each<[string, (string | number)[]]>([
    ['call', ['call']],
    [' call.outcome ', ['call', 'outcome']],
    ['raw.items[0].x', ['raw', 'items', 0, 'x']],
    ['vars["with space"]', ['vars', 'with space']],
    ["vars['it\"s']", ['vars', 'it"s']],
    ['vars[""]', ['vars', '']],
    ['a[1][2]["b"].c', ['a', 1, 2, 'b', 'c']],
    ['größe.x-1', ['größe', 'x-1']],
  ])('%s is read', (text, segments) => {
    expect(parsePath(text)).toEqual({ segments });
  });

  it.each<[string, number]>([
    ['.call', 0],
    ['[0]', 0],
    ['["a"]', 0],
    ['call..x', 4],
    ['call.[0]', 4],
    ['call.["a"]', 4],
    ['call outcome', 4],
    ['call[x]', 4],
    [' call[1234567] ', 5],
    ['call[0]x', 7],
    ['call.', 4],
    ['call.constructor', 4],
    ['', 0],
    ['  ', 0],
  ])('%j is none from character %s on', (text, offset) => {
    expect(parsePath(text)).toMatchObject({ error: { offset, message: expect.any(String), hint: expect.any(String) } });
  });

  it('has 32 parts at most', () => {
    const parts = (count: number) => Array.from({ length: count }, () => 'a').join('.');
    expect('segments' in parsePath(parts(32))).toBe(true);
    expect(parsePath(parts(33))).toMatchObject({ error: { offset: 0 } });
  });

  it('reads what a document itself holds', () => {
    const document = { a: [{ b: 1 }], n: null, t: 'text' };
    expect(readOwn(document, ['a', 0, 'b'])).toBe(1);
    expect(readOwn(document, [])).toBe(document);
    for (const path of [
      ['a', 'length'],
      ['a', 1],
      ['t', 0],
      ['t', 'length'],
      ['n', 'x'],
      ['toString'],
      ['a', '0'],
      ['x', 'y'],
    ] as const)
      expect(readOwn(document, path), String(path)).toBeUndefined();
  });
});

test.each(['laed.phone', ' a.b ', 'a[0]', 'a["b"]', '_x.y', 'größe.x', 'b-1.c', 'a._b', 'a.größe'])(
  '%j was meant as a path',
  (text) => expect(looksLikePath(text)).toBe(true),
);

test.each(['HIGH', 'Call back', 'a', '3.5', '1a.b', '-a.b', 'a.5', 'a.', 'see a.b', 'a.b now', 'a. b', 'a, b.c'])(
  '%j was meant as itself',
  (text) => expect(looksLikePath(text)).toBe(false),
);

test('a value as a property of a CRM takes it', () => {
  expect(['a\u0000b\tc\n\ud800', 5, false].map((value) => toValue(value))).toEqual(['ab\tc\n\ufffd', 5, false]);
  expect(toValue(new Absent('no'))).toEqual(new Absent('no'));
  expect(toValue(Number.POSITIVE_INFINITY)).toMatchObject({ unusable: 'unreadable_number' });
  expect(toValue(['a'])).toMatchObject({ reason: expect.stringMatching(/^it is a list/) });
  expect(toValue({ a: 1 })).toMatchObject({ reason: expect.stringMatching(/^it is a section/) });
});

test('a value as part of a text', () => {
  expect([toText('a'), toText(5), toText(true), toText(['a', 1])]).toEqual(['a', '5', 'true', 'a, 1']);
  expect(toText('x'.repeat(LONGEST_TEXT))).toHaveLength(LONGEST_TEXT);
  expect(toText('x'.repeat(LONGEST_TEXT + 1))).toHaveLength(LONGEST_TEXT);
  expect(String(toText(Array.from({ length: 1_001 }, () => 1))).split(', ')).toHaveLength(1_000);
  for (const none of [[], { a: 1 }, ['a', { b: 1 }], new Absent('no')] as const)
    expect(toText(none as never)).toBeInstanceOf(Absent);
});
