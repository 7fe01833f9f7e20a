/** What a plan makes of the answer to who its person is, and who of the unknown are one. */
import { describe, expect, it, test } from 'vitest';
import { decide, groupUnknown, holdsPhone, type MatchResult } from '../../src/engine/people/match-people.ts';
import { NEW_PERSON } from '../../src/port/destination.ts';
import { Failure } from '../../src/port/failure.ts';
import type { SampleCall } from '../../src/testing/sample-plan.ts';
import { personOf, planOf, writeOf } from './support/sample.ts';

const PHONE = '+14155550142';
const EMAIL = 'ada@example.com';
const AWAY = new Failure('unavailable', 'away');

const WORDS = {
  wording: { crm: 'HubSpot', person: 'contact', people: 'contacts', vanished: 'gone' },
  urlOf: (object: string, id: string) => (id === '404' ? undefined : `https://crm.example/${object}/${id}`),
};

describe('what a plan makes of the answer', () => {
  const one: MatchResult = { found: 'one', by: 'phone', person: personOf('7'), read: true };
  const people = [personOf('7'), personOf('8'), personOf('404')];
  const many: MatchResult = { found: 'many', by: 'phone', people, read: false };
  const none: MatchResult = { found: 'none' };
  const after = (answer: MatchResult, call: Partial<SampleCall> = {}) =>
    decide(planOf({ phone: PHONE, ...call }), answer, WORDS);

  it('uses the one who was found, marked where only speech vouches', () => {
    expect(after(one)).toEqual({ do: 'use', person: personOf('7'), read: true });
    expect(after({ ...one, said: true })).toEqual({ do: 'use', person: personOf('7'), read: true, said: 'phone' });
  });

  it('logs only, for a mapping without a person', () => {
    expect(decide({ ...planOf(), person: null }, one, WORDS)).toEqual({
      do: 'log_only',
      note: 'The mapping has no person.',
    });
  });

  it('fails for a look-up that failed', () => {
    expect(after({ found: 'failed', failure: AWAY })).toEqual({ do: 'fail', failure: AWAY });
  });

  it('uses the oldest or the most recent of several, where the mapping says so', () => {
    expect(after(many, { ambiguous: 'oldest' })).toEqual({ do: 'use', person: people[0], read: false });
    expect(after(many, { ambiguous: 'most_recent' })).toEqual({ do: 'use', person: people[2], read: false });
  });

  it('parks several with the candidates, their links and what they share', () => {
    const decision = after(many);
    expect(decision).toMatchObject({
      do: 'fail',
      failure: {
        code: 'ambiguous_person',
        message: '3 contacts have the caller’s phone.',
        details: {
          candidates: ['7', '8', '404'],
          candidate_urls: { 7: 'https://crm.example/contacts/7', 8: 'https://crm.example/contacts/8' },
          ambiguous_by: 'phone',
          hint: expect.stringContaining('in HubSpot'),
        },
      },
    });
  });

  it.each([
    [{ ...many, said: true as const }, '3 contacts have the phone that was said.'],
    [{ ...many, by: 'id' as const }, '3 contacts have the caller’s id.'],
  ])('has nothing in common to choose by where it was said, or is an id', (answer, message) => {
    const decision = after(answer);
    expect(decision).toMatchObject({ failure: { message } });
    expect('failure' in decision && 'ambiguous_by' in decision.failure.details).toBe(false);
  });

  it.each([
    ['create', { do: 'create' }],
    [
      'park',
      { do: 'fail', failure: { code: 'unmatched_person', details: { hint: expect.stringContaining('HubSpot') } } },
    ],
    ['skip', { do: 'skip', note: expect.stringContaining('no contact was found') }],
    ['log_only', { do: 'log_only', note: 'No contact was found: logged without one, as the mapping says.' }],
  ] as const)('does with a caller whom no one knows what the mapping says: %s', (unmatched, decision) => {
    expect(after(none, { unmatched })).toMatchObject(decision);
  });

  it('creates no one who could not be found again', () => {
    expect(decide(planOf({ unmatched: 'create' }), none, WORDS)).toEqual({
      do: 'log_only',
      note: 'The call has no usable number or e-mail address: logged without a contact.',
    });
  });

  describe('with a choice of an operator', () => {
    const chosen = [{ id: '8' }];

    it('uses whom they chose', () => {
      expect(after(many, { chosen })).toEqual({ do: 'use', person: people[1], read: false, chosen: true });
      expect(after(one, { chosen: [{ id: '7' }] })).toMatchObject({ do: 'use', person: { id: '7' }, chosen: true });
    });

    it('makes a new person whatever the mapping says, for this call alone and where one could be found again', () => {
      const anew = { chosen: [{ id: NEW_PERSON }] };
      for (const unmatched of ['park', 'log_only', 'skip', 'create'] as const)
        expect(after(none, { ...anew, unmatched })).toEqual({ do: 'create' });
      expect(after(none, { chosen: [{ id: NEW_PERSON, of: 'phone' }], unmatched: 'park' })).toMatchObject({
        failure: { code: 'unmatched_person' },
      });
      expect(after(many, { chosen: [{ id: NEW_PERSON, of: 'phone' }] })).toMatchObject({
        failure: { message: expect.stringContaining('is none of them') },
      });
      const unknown = planOf({ unmatched: 'log_only', ...anew });
      expect(decide(unknown, none, WORDS)).toMatchObject({ do: 'log_only' });
      // Who has been found meanwhile is not made a second time.
      expect(after(one, { ...anew, unmatched: 'park' })).toMatchObject({ do: 'use', person: { id: '7' } });
      expect(after(many, anew)).toMatchObject({ failure: { code: 'ambiguous_person' } });
    });

    it('for the number only among several, and of that very kind', () => {
      expect(after(many, { chosen: [{ id: '8', of: 'phone' }] })).toMatchObject({ do: 'use', person: { id: '8' } });
      expect(after(one, { chosen: [{ id: '8', of: 'phone' }] })).toMatchObject({ do: 'use', person: { id: '7' } });
      expect(after(many, { chosen: [{ id: '8', of: 'email' }] })).toMatchObject({
        failure: { message: '3 contacts have the caller’s phone.' },
      });
      const heard = { ...many, said: true as const };
      expect(after(heard, { chosen: [{ id: '8', of: 'phone' }] })).toMatchObject({ do: 'fail' });
    });

    it('prefers the choice for the call to that for the number', () => {
      expect(after(many, { chosen: [{ id: '7', of: 'phone' }, { id: '8' }] })).toMatchObject({ person: { id: '8' } });
    });

    it.each([
      [
        many,
        [{ id: '9' }],
        '3 contacts have the caller’s phone, and contact 9, who was chosen for this call, is none of them.',
      ],
      [
        many,
        [{ id: '9', of: 'phone' as const }],
        '3 contacts have the caller’s phone, and contact 9, who was chosen for calls of this phone, is none of them.',
      ],
      [
        one,
        [{ id: '9' }],
        'The caller’s number or address leads to contact 7 now, and contact 9 was chosen for this call.',
      ],
      [
        none,
        [{ id: '9' }],
        'The caller’s number or address leads to no contact now, and contact 9 was chosen for this call.',
      ],
    ])('writes nothing where they are not found any more', (answer, lost, message) => {
      expect(after(answer, { chosen: lost })).toMatchObject({ failure: { code: 'ambiguous_person', message } });
    });

    it('names the candidates of now', () => {
      expect(after(many, { chosen: [{ id: '9' }] })).toMatchObject({
        failure: {
          details: {
            candidates: ['7', '8', '404'],
            ambiguous_by: 'phone',
            hint: expect.stringContaining('Choose one'),
          },
        },
      });
      expect(after(one, { chosen: [{ id: '9' }] })).toMatchObject({
        failure: { details: { hint: expect.stringContaining('taken back') } },
      });
    });
  });
});

describe('callers whom the CRM does not know', () => {
  const at = (minute: number) => `2026-11-20T10:0${minute}:00.000Z`;
  const indexes = (...calls: Partial<SampleCall>[]) =>
    groupUnknown(calls.map((call, index) => writeOf({ id: `c${index}`, ...call }, index)))
      .map(({ writes }) => writes.map(({ index }) => index))
      .sort();

  it('are one person where they share a number or an address, in the order of their calls', () => {
    expect(
      indexes({ phone: PHONE, ended_at: at(3) }, { email: EMAIL }, { phone: PHONE, email: EMAIL, ended_at: at(1) }),
    ).toEqual([[1, 2, 0]]);
  });

  it('are several where they share nothing', () => {
    expect(indexes({ phone: PHONE }, { phone: '+14155550143' })).toEqual([[0], [1]]);
  });

  it('have an empty key where the mapping has no person', () => {
    const none = writeOf();
    const plan = { ...none.plan, person: null };
    expect(groupUnknown([{ ...none, plan }])).toMatchObject([{ key: '', writes: [{ index: 0 }] }]);
  });

  it('are not joined by what was only said', () => {
    expect(indexes({ email: EMAIL }, { phone: PHONE, email: EMAIL, said: ['email'] })).toEqual([[0], [1]]);
    expect(indexes({ email: EMAIL }, { email: EMAIL, said: ['email'] })).toEqual([[0], [1]]);
  });

  it('have the key of the earliest call with a number, else of the earliest', () => {
    const keyOf = (...calls: Partial<SampleCall>[]) =>
      groupUnknown(calls.map((call, index) => writeOf({ id: `c${index}`, ...call }, index)))[0]?.key;
    const [ofEmail, ofPhone] = [planOf({ email: EMAIL }).person?.key, planOf({ phone: PHONE }).person?.key];
    expect(keyOf({ email: EMAIL, ended_at: at(1) }, { phone: PHONE, email: EMAIL, ended_at: at(2) })).toBe(ofPhone);
    expect(keyOf({ email: EMAIL })).toBe(ofEmail);
  });
});

test.each([
  [['(415) 555-0142'], true],
  [['+1 415 555 0142', null], true],
  [[null, 5, undefined, '4155550142'], true],
  [['x550142', '4155550142'], true],
  [['415 555 0143'], false],
  [['x550142'], false],
  [['no number'], false],
  [['0142'], false],
  [['+44 415 555 0142'], false],
  [[], false],
])('of %j one is the number +1 415 555 0142: %s', (values, expected) => {
  expect(holdsPhone(values, PHONE)).toBe(expected);
});
