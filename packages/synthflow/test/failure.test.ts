/** What an answer of the API means that is no success. */
import { expect, it, test } from 'vitest';
import { failureOf } from '../src/api/failure.ts';

const of = (status: number, body: unknown = { detail: 'no' }, retry_after?: number) =>
  failureOf(status, body, { what: 'GET calls', missing: 'unknown_call', retry_after });

it.each([
  [299, 'refused'],
  [300, 'wrong_place'],
  [399, 'wrong_place'],
  [400, 'refused'],
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [404, 'unknown_call'],
  [408, 'timeout'],
  [413, 'too_large'],
  [422, 'refused'],
  [425, 'unavailable'],
  [429, 'throttled'],
  [499, 'refused'],
  [500, 'unavailable'],
  [503, 'unavailable'],
] as const)('%s is %s', (status, code) => {
  expect(of(status).code).toBe(code);
});

test('a 404 in words that are not the API’s own says nothing of the call', () => {
  expect(of(404, '<html>').code).toBe('wrong_place');
});

test.each([
  [{ detail: { description: 'a', category: 'b' }, message: 'c' }, 'a'],
  [{ detail: { category: 'b' }, message: 'c' }, 'b'],
  [{ detail: 'd', message: 'c' }, 'd'],
  [{ message: 'c', error: 'e' }, 'c'],
  [{ error: 'e' }, 'e'],
])('of %j it quotes %s', (body, quote) => {
  expect(of(400, body).message).toBe(`Synthflow answered 400 to GET calls: ${quote}`);
});

test.each([
  [401, false, /api_key and region/],
  [404, true, /minutes after their end/],
  [422, false, undefined],
  [429, true, undefined],
  [413, false, /more than can be read/],
] as const)('after %s the same question may be asked again: %s', (status, again, hint) => {
  const failure = of(status);
  expect(failure.again).toBe(again);
  if (hint) expect(failure.hint).toMatch(hint);
  else expect(failure.hint).toBeUndefined();
});

test('it knows what the API asked for and what its support asks for, and nothing that was not said', () => {
  expect(of(429, { detail: { request_id: 'r1' } }, 5_000).details).toStrictEqual({
    status: 429,
    retry_after: 5_000,
    request_id: 'r1',
  });
  expect(of(400, {}).details).toStrictEqual({ status: 400 });
  expect(of(400, {}).message).toBe('Synthflow answered 400 to GET calls');
});
