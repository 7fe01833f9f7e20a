import { describe, expect, it, test } from 'vitest';
import { asObject, emptyCall, isObject, jsonOrText, own, parseJson } from '../src/index.ts';

describe('an object of JSON', () => {
  it.each([
    [{}, true],
    [{ a: 1 }, true],
    [[], false],
    [null, false],
    ['{}', false],
    [undefined, false],
    [() => 1, false],
  ])('%j: %s', (value, expected) => {
    expect(isObject(value)).toBe(expected);
    expect(asObject(value)).toEqual(expected ? value : {});
  });
});

test('only what a document itself says is read of it', () => {
  expect(own({ a: 1 }, 'a')).toBe(1);
  expect(own({}, 'toString')).toBeUndefined();
  expect(own('text', 'length')).toBeUndefined();
});

test('a text that is not JSON is itself, or nothing', () => {
  expect(parseJson('{"a":1}')).toEqual({ a: 1 });
  expect(parseJson('{')).toBeUndefined();
  expect(jsonOrText('null')).toBeNull();
  expect(jsonOrText('{')).toBe('{');
});

test('a call without facts is one that a person answered and that says nothing', () => {
  const call = emptyCall({ id: 'c1', source: 'main', outcome: 'voicemail' });
  expect(call).toMatchObject({ id: 'c1', source: 'main', status: 'completed', terminal: true, outcome: 'voicemail' });
  expect([call.turns, call.notes, call.lead, call.collected]).toEqual([[], [], {}, {}]);
});
