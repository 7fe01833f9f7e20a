/** Who the people of calls are: what is asked of the CRM, in which order, and what its answers decide. */
import { describe, expect, it, test } from 'vitest';
import {
  askedFor,
  decide,
  groupUnknown,
  holdsPhone,
  lookUpPeople,
  type MatchResult,
} from '../../src/engine/people/match-people.ts';
import { rememberPerson } from '../../src/engine/people/person-cache.ts';
import type { AskedValues, CrmPerson, PeopleVerbs } from '../../src/engine/people/person-verbs.ts';
import { questionOf } from '../../src/engine/people/person-write.ts';
import { Failure } from '../../src/port/failure.ts';
import type { SampleCall } from '../../src/testing/sample-plan.ts';
import { newContext, personOf, planOf, writeOf } from './support/sample.ts';

const PHONE = '+14155550142';
const EMAIL = 'ada@example.com';
const AWAY = new Failure('unavailable', 'away');

const WORDS = {
  wording: { crm: 'HubSpot', person: 'contact', people: 'contacts', vanished: 'gone' },
  urlOf: (object: string, id: string) => (id === '404' ? undefined : `https://crm.example/${object}/${id}`),
};

/** A CRM that answers from what it is given, and notes what it was asked. */
function crmWith(has: {
  byId?: Record<string, CrmPerson | Failure>;
  byEmail?: Record<string, CrmPerson[] | Failure>;
  byPhone?: Record<string, CrmPerson[] | Failure>;
  mustRead?: boolean;
}) {
  const ctx = newContext();
  const asked: unknown[][] = [];
  const crm = {
    session: { ctx },
    personId: (text: string) => (/^\d+$/.test(text) ? text : undefined),
    byId: (id: string) => personOf(id),
    mustRead: () => has.mustRead === true,
    async read({ ids, emails }: { ids: AskedValues; emails: AskedValues }, properties: string[]) {
      asked.push(['read', Object.fromEntries(ids), Object.fromEntries(emails), properties]);
      return { byId: new Map(Object.entries(has.byId ?? {})), byEmail: new Map(Object.entries(has.byEmail ?? {})) };
    },
    async search(phones: AskedValues, properties: string[]) {
      asked.push(['search', Object.fromEntries(phones), properties]);
      return new Map(Object.entries(has.byPhone ?? {}));
    },
  } as unknown as Pick<PeopleVerbs, 'session' | 'personId' | 'byId' | 'mustRead' | 'read' | 'search'>;
  const lookUp = (...calls: Partial<SampleCall>[]) =>
    lookUpPeople(
      crm,
      calls.map((call, index) => questionOf(writeOf(call, index))),
      ['phone'],
    );
  return { asked, ctx, crm, lookUp };
}

describe('a question is asked step by step', () => {
  it('by id, then by address, then by number, until one finds a person', async () => {
    const { asked, lookUp } = crmWith({ byPhone: { [PHONE]: [personOf('7')] } });
    expect(await lookUp({ person: '5', email: 'Ada@Example.com', phone: PHONE })).toEqual([
      { found: 'one', by: 'phone', read: true, person: personOf('7') },
    ]);
    expect(asked).toEqual([
      ['read', { 5: [0] }, {}, ['phone']],
      ['read', {}, { [EMAIL]: [0] }, ['phone']],
      ['search', { [PHONE]: [0] }, ['phone']],
    ]);
  });

  it('and no further than the first that finds one', async () => {
    const { asked, lookUp } = crmWith({ byEmail: { [EMAIL]: [personOf('7')] } });
    expect(await lookUp({ email: EMAIL, phone: PHONE })).toMatchObject([{ found: 'one', by: 'email' }]);
    expect(asked.map(([how]) => how)).toEqual(['read']);
  });

  it('and has found no one once no step is left', async () => {
    const { lookUp } = crmWith({});
    expect(await lookUp({ phone: PHONE }, {})).toEqual([{ found: 'none' }, { found: 'none' }]);
  });

  it('without steps that say nothing: no id of a person, an empty address', async () => {
    const { asked, lookUp } = crmWith({});
    expect(await lookUp({ person: 'not-an-id', email: '  ' })).toEqual([{ found: 'none' }]);
    expect(asked).toEqual([]);
  });
});

test('calls that ask for one value share the request, and the answer', async () => {
  const { asked, lookUp } = crmWith({ byEmail: { [EMAIL]: [personOf('7')] } });
  const answers = await lookUp({ email: EMAIL }, { phone: PHONE }, { email: EMAIL });
  expect(answers.map(({ found }) => found)).toEqual(['one', 'none', 'one']);
  expect(asked).toEqual([
    ['read', {}, { [EMAIL]: [0, 2] }, ['phone']],
    ['search', { [PHONE]: [1] }, ['phone']],
  ]);
});

test('several people are told oldest first, with what they have in common', async () => {
  const people = [personOf('7'), personOf('8')];
  const { lookUp } = crmWith({ byEmail: { [EMAIL]: people }, byPhone: { [PHONE]: people } });
  expect(await lookUp({ email: EMAIL }, { phone: PHONE, said: ['phone'], trust: 'log' as never })).toEqual([
    { found: 'many', people, by: 'email', read: true },
    { found: 'many', people, by: 'phone', read: true, said: true },
  ]);
});

test.each([
  ['an id', { person: '5' }, { byId: { 5: AWAY } }],
  ['an address', { email: EMAIL }, { byEmail: { [EMAIL]: AWAY } }],
  ['a number', { phone: PHONE }, { byPhone: { [PHONE]: AWAY } }],
])('a step by %s that could not be asked never counts as not found', async (_by, call, has) => {
  expect(await crmWith(has).lookUp({ ...call, title: 'x' })).toEqual([{ found: 'failed', failure: AWAY }]);
});

describe('a record that has become another one', () => {
  const followed = { 5: personOf('5', { follow: '6' }), 6: personOf('6') };

  it('is followed from its id', async () => {
    const { asked, lookUp } = crmWith({ byId: followed });
    expect(await lookUp({ person: '5' })).toMatchObject([{ found: 'one', person: { id: '6' }, by: 'id' }]);
    expect(asked.map(([, ids]) => ids)).toEqual([{ 5: [0] }, { 6: [0] }]);
  });

  it('is followed from its number', async () => {
    const { lookUp } = crmWith({ byId: followed, byPhone: { [PHONE]: [personOf('5', { follow: '6' })] } });
    expect(await lookUp({ phone: PHONE })).toMatchObject([{ found: 'one', person: { id: '6' } }]);
  });

  it('is a choice among several where it is one of them', async () => {
    const { lookUp } = crmWith({ byPhone: { [PHONE]: [personOf('5', { follow: '6' }), personOf('8')] } });
    expect(await lookUp({ phone: PHONE })).toMatchObject([{ found: 'many' }]);
    const byEmail = { [EMAIL]: [personOf('5', { follow: '6' }), personOf('8')] };
    expect(await crmWith({ byEmail }).lookUp({ email: EMAIL })).toMatchObject([{ found: 'many' }]);
  });

  it('fails where records lead to each other without an end', async () => {
    const { lookUp, asked } = crmWith({
      byId: { 5: personOf('5', { follow: '6' }), 6: personOf('6', { follow: '5' }) },
    });
    expect(await lookUp({ person: '5' })).toMatchObject([{ found: 'failed', failure: { code: 'unaccounted' } }]);
    expect(asked).toHaveLength(12);
  });
});

describe('a person who is remembered for a number', () => {
  const remembered = async (has: Parameters<typeof crmWith>[0], set: string[] = []) => {
    const made = crmWith(has);
    await rememberPerson(made.ctx, [{ by: 'phone', value: PHONE }], '7', set);
    return made;
  };

  it('is not read where nothing has to be known of them', async () => {
    const { asked, lookUp } = await remembered({}, ['phone']);
    expect(await lookUp({ phone: PHONE })).toEqual([
      { found: 'one', by: 'phone', read: false, person: personOf('7', { set: new Set(['phone']) }) },
    ]);
    expect(asked).toEqual([]);
  });

  it('is read by the id where the plan needs values, or the id has to be read', async () => {
    const { asked, lookUp } = await remembered({ byId: { 7: personOf('7') }, mustRead: true });
    expect(await lookUp({ phone: PHONE })).toMatchObject([
      { found: 'one', person: { id: '7' }, read: true, by: 'phone' },
    ]);
    expect(asked).toEqual([['read', { 7: [0] }, {}, ['phone']]]);
  });

  it('is forgotten and searched for where the record is gone', async () => {
    const { asked, lookUp } = await remembered({ byPhone: { [PHONE]: [personOf('8')] }, mustRead: true });
    expect(await lookUp({ phone: PHONE })).toMatchObject([{ found: 'one', person: { id: '8' } }]);
    expect(asked.map(([how]) => how)).toEqual(['read', 'search']);
    asked.length = 0;
    await lookUp({ phone: PHONE });
    expect(asked.map(([how]) => how)).toEqual(['search']);
  });

  it('is forgotten where the record was converted, and the answer counts', async () => {
    const { asked, lookUp } = await remembered({ byId: { 7: personOf('7', { converted: true }) }, mustRead: true });
    expect(await lookUp({ phone: PHONE })).toMatchObject([{ found: 'one', person: { id: '7' } }]);
    asked.length = 0;
    await lookUp({ phone: PHONE });
    expect(asked.map(([how]) => how)).toEqual(['search']);
  });

  it('needs no search where the number became remembered while the CRM was asked for another step', async () => {
    const { asked, crm, ctx, lookUp } = await crmWith({ byId: { 7: personOf('7') }, mustRead: true });
    const { read } = crm;
    crm.read = async (...question) => {
      await rememberPerson(ctx, [{ by: 'phone', value: PHONE }], '7');
      return await read(...question);
    };
    expect(await lookUp({ email: EMAIL, phone: PHONE })).toMatchObject([{ found: 'one', person: { id: '7' } }]);
    expect(asked.map(([how]) => how)).toEqual(['read', 'read']);
  });

  it('does not count where an operator chose among several', async () => {
    const { asked, lookUp } = await remembered({ byPhone: { [PHONE]: [personOf('8')] } });
    await lookUp({ phone: PHONE, chosen: [{ id: '8' }] });
    expect(asked.map(([how]) => how)).toEqual(['search']);
  });

  it('is a failure of the question where memory does not answer', async () => {
    const { ctx, lookUp } = crmWith({});
    ctx.memory.get = () => Promise.reject(AWAY);
    expect(await lookUp({ phone: PHONE })).toEqual([{ found: 'failed', failure: AWAY }]);
  });
});

test('each value is asked for once, for all plans', () => {
  expect(
    askedFor([
      ['a', [1]],
      ['b', [2]],
      ['a', [3, 4]],
    ]),
  ).toEqual(
    new Map([
      ['a', [1, 3, 4]],
      ['b', [2]],
    ]),
  );
});

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
  [['415 555 0143'], false],
  [['0142'], false],
  [['+44 415 555 0142'], false],
  [[], false],
])('of %j one is the number +1 415 555 0142: %s', (values, expected) => {
  expect(holdsPhone(values, PHONE)).toBe(expected);
});
