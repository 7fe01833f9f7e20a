import { expect, test } from 'vitest';
import { FAILURE_CODES, Failure, type FailureCode, NEXT, scrub, withoutQuotes } from '../src/index.ts';
import { nameCandidates, parkedBy } from '../src/port/failure.ts';

test('every code says what happens next, and a failure may say otherwise', () => {
  for (const [code, next] of Object.entries(FAILURE_CODES)) {
    expect(NEXT).toContain(next);
    expect(new Failure(code as FailureCode, 'x').next).toBe(next);
  }
  expect(new Failure('conflict', 'x', { next: 'park' }).next).toBe('park');
});

test('more can be said about a failure without losing what was said', () => {
  const first = new Failure('refused', 'no', { hint: 'correct it', status: 400 });
  const more = first.with({ record: 'call_log', done: { person: '1' } });
  expect(more).toMatchObject({
    code: 'refused',
    message: 'no',
    hint: 'correct it',
    details: { hint: 'correct it', status: 400, record: 'call_log', done: { person: '1' } },
  });
});

test('anything thrown is a failure that is tried again, and says nothing personal', () => {
  const failure = Failure.of(new TypeError('cannot call +1 415 555 0142'));
  expect([failure.code, failure.next]).toEqual(['internal', 'retry']);
  expect(failure.message).toBe('TypeError: cannot call [number]');
  const known = new Failure('gone', 'x');
  expect(Failure.of(known)).toBe(known);
  expect(Failure.of('just text').message).toBe('just text');
});

test.each([
  ['call +1 (415) 555-0142 now', 'call [number] now'],
  ['0049 30 901820', '[number]'],
  ['write to Ada.Lovelace+x@mail.example.co.uk!', 'write to [e-mail]'],
  ['Existing ID: 70000000123', 'Existing ID: 70000000123'],
  ['in 2026', 'in 2026'],
  ['nothing to hide', 'nothing to hide'],
])('%j is scrubbed to %j', (text, scrubbed) => {
  expect(scrub(text)).toBe(scrubbed);
});

test('long texts are cut', () => {
  expect(scrub('x'.repeat(600))).toHaveLength(500);
  expect(scrub('x'.repeat(600), 10)).toBe('xxxxxxxxx…');
  expect(scrub('x'.repeat(500))).toBe('x'.repeat(500));
});

test('what a message quotes is left out for logs, also where the quotation has one in it', () => {
  const said =
    'search contacts: HubSpot refused it. HubSpot: “Property “name” is not valid: Dana Example” [VALIDATION_ERROR]';
  expect(withoutQuotes(said)).toBe('search contacts: HubSpot refused it. HubSpot: “…” [VALIDATION_ERROR]');
  expect(withoutQuotes('no answer within 5 s')).toBe('no answer within 5 s');
});

test('a failure keeps what it was caused by, and has no cause where there is none', () => {
  const cause = new Error('away');
  expect(new Failure('unavailable', 'x', { cause }).cause).toBe(cause);
  expect('cause' in new Failure('unavailable', 'x')).toBe(false);
});

test('candidates have links where their addresses are known', () => {
  const people = [
    { object: 'contacts', id: '7' },
    { object: 'contacts', id: '8' },
  ];
  expect(nameCandidates(people, (_object, id) => (id === '7' ? '/7' : undefined))).toEqual({
    ...{ candidates: ['7', '8'], candidate_urls: { 7: '/7' } },
  });
  expect(nameCandidates(people, () => undefined)).toStrictEqual({ candidates: ['7', '8'] });
});

test('a call that lacks what the mapping requires waits for a person, with the line that says so', () => {
  const at = { file: 'mappings/acme.yaml', line: 3, column: 5 };
  expect(parkedBy({ parked: { field: 'deal.amount', reason: 'vars.amount is absent', at } as never })).toMatchObject({
    code: 'required_value',
    next: 'park',
    message: 'deal.amount is required, and absent: vars.amount is absent.',
    details: { at, hint: expect.stringContaining('replay') },
  });
  expect(parkedBy({})).toBeUndefined();
});
