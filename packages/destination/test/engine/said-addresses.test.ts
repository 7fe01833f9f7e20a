/** What is done with a number or an address that a caller only said. */
import { describe, expect, it, test } from 'vitest';
import { rememberIssued, rememberMade } from '../../src/engine/people/person-cache.ts';
import {
  isKeySaid,
  judgeClaim,
  limitIfSaid,
  limitWrite,
  settleClaim,
  withoutUnproved,
} from '../../src/engine/people/said-addresses.ts';
import type { SampleCall } from '../../src/testing/sample-plan.ts';
import { newContext, personOf, planOf, writeOf } from './support/sample.ts';

const PHONE = '+14155550142';
const EMAIL = 'Ada@Example.com';
const heardEmail: Partial<SampleCall> = { email: EMAIL, said: ['email'] };

test.each<[string, Partial<SampleCall>, boolean]>([
  ['nothing', {}, false],
  ['a given number', { phone: PHONE }, false],
  ['a said number', { phone: PHONE, said: ['phone'] }, true],
  ['a said address', heardEmail, true],
  ['a given number and a said address', { ...heardEmail, phone: PHONE }, false],
  ['a said number and a given address', { phone: PHONE, email: EMAIL, said: ['phone'] }, false],
  ['both said', { phone: PHONE, email: EMAIL, said: ['phone', 'email'] }, true],
])('the key of %s is made of what was said: %s', (_what, call, expected) => {
  expect(isKeySaid(planOf(call))).toBe(expected);
});

test('a plan without a person has no key of what was said', () => {
  expect(isKeySaid({ ...planOf(heardEmail), person: null })).toBe(false);
});

describe('an id that a call claims', () => {
  const claim = { person: '7', issued_to: PHONE, phone: PHONE };

  it('counts where our own look-up gave it for that number', async () => {
    const ctx = newContext();
    await rememberIssued(ctx, PHONE, '7');
    expect((await settleClaim(ctx, planOf(claim))).person?.match).toEqual([
      { by: 'id', value: '7' },
      { by: 'phone', value: PHONE },
    ]);
  });

  it('is none where another was given, or it was given for another number', async () => {
    const ctx = newContext();
    await rememberIssued(ctx, PHONE, '8');
    await rememberIssued(ctx, '+14155550143', '7');
    expect((await settleClaim(ctx, planOf(claim))).person?.match).toEqual([{ by: 'phone', value: PHONE }]);
  });

  it('needs no proof where the customer’s own list names it', async () => {
    const plan = planOf({ person: '7', phone: PHONE });
    expect(await settleClaim(newContext(), plan)).toBe(plan);
    const without = { ...plan, person: null };
    expect(await settleClaim(newContext(), without)).toBe(without);
  });

  it('and one that the list names are looked at apart', async () => {
    const plan = planOf(claim);
    const listed = { by: 'id' as const, value: '9' };
    const person = { ...plan.person, match: [listed, ...(plan.person?.match ?? [])] } as NonNullable<
      typeof plan.person
    >;
    expect((await settleClaim(newContext(), { ...plan, person })).person?.match).toEqual([
      listed,
      { by: 'phone', value: PHONE },
    ]);
  });
});

describe('a person who was found only by what was said', () => {
  it.each([
    ['email', 'an e-mail address'],
    ['phone', 'a number'],
    ['id', 'an id'],
    [undefined, 'an address'],
  ] as const)('by %s gets little, and the receipt says by what', (by, what) => {
    const limited = limitWrite(writeOf({ ...heardEmail, first_name: 'Ada' }), by);
    expect(limited).toMatchObject({
      limited: true,
      notes: [expect.stringContaining(`Found by ${what} that was only said`)],
    });
    expect(limited.plan.person?.fields).toEqual([]);
  });

  it('is limited once', () => {
    const limited = limitWrite(writeOf(heardEmail), 'email');
    expect(limitWrite(limited, 'email')).toBe(limited);
  });

  it('is written whole where something vouches, or this very call made the person before', async () => {
    const ctx = newContext();
    const write = writeOf(heardEmail);
    const found = { person: personOf('7'), said: 'email' as const };
    expect(await limitIfSaid(ctx, write, { person: personOf('7') })).toBe(write);
    expect((await limitIfSaid(ctx, write, found)).limited).toBe(true);
    await rememberMade(ctx, write.plan.key, '8');
    expect((await limitIfSaid(ctx, write, found)).limited).toBe(true);
    await rememberMade(ctx, write.plan.key, '7');
    expect(await limitIfSaid(ctx, write, found)).toBe(write);
  });
});

describe('a record that holds a value of a new person', () => {
  const keyOf = (call: Partial<SampleCall>) => planOf(call).person?.key;
  const claim = (values: unknown[], ...calls: Partial<SampleCall>[]) =>
    judgeClaim(
      calls.map((call) => writeOf(call)),
      values,
    );

  it.each<[string, unknown[], Partial<SampleCall>, string]>([
    ['a given value', [PHONE], { phone: PHONE }, 'same'],
    ['the said one, in any spelling', [' ada@example.COM '], heardEmail, 'limit'],
    ['the said one, with blanks around it', ['ada@example.com'], { ...heardEmail, email: ` ${EMAIL} ` }, 'limit'],
    ['the said one of two', [EMAIL], { ...heardEmail, phone: PHONE }, 'limit'],
    ['the given one of two', [PHONE], { ...heardEmail, phone: PHONE }, 'same'],
    ['one of which either may be meant', [PHONE, EMAIL], { ...heardEmail, phone: PHONE }, 'limit'],
    ['the said one, which the mapping trusts', [EMAIL], { ...heardEmail, trust: 'match' }, 'same'],
    ['the said one, which the mapping ignores', [EMAIL], { ...heardEmail, trust: 'ignore' }, 'without'],
    ['a key that is made of what was said', [keyOf(heardEmail)], heardEmail, 'limit'],
    ['a key that is made of a given number', [keyOf({ phone: PHONE })], { ...heardEmail, phone: PHONE }, 'same'],
    ['the said one, in its own spelling of a number', [PHONE], { phone: PHONE, said: ['phone'] }, 'limit'],
    [
      'the key and a said value that the mapping trusts',
      [keyOf(heardEmail)],
      { ...heardEmail, trust: 'match' },
      'same',
    ],
    ['no text', [42, null], heardEmail, 'same'],
    ['nothing that is named', [], heardEmail, 'same'],
  ])('by %s is judged', (_what, values, call, expected) => {
    expect(claim(values, call)).toBe(expected);
  });

  it('is judged for all calls of the person by the most careful of them', () => {
    expect(claim([EMAIL], { email: EMAIL }, heardEmail)).toBe('limit');
    expect(claim([EMAIL], heardEmail, { ...heardEmail, trust: 'ignore' })).toBe('without');
    expect(judgeClaim([{ ...writeOf(), plan: { ...planOf(), person: null } }], [EMAIL])).toBe('same');
  });
});

describe('a new person without what was only said', () => {
  it('keeps what was given, and notes each field that is left out', () => {
    const write = withoutUnproved(writeOf({ ...heardEmail, phone: PHONE, first_name: 'Ada' }));
    const { person } = write.plan;
    expect(person?.fields.map(({ name }) => name)).toEqual(['first', 'phone']);
    expect(person?.fallback).toMatchObject({ phone: PHONE });
    expect([person?.fallback && 'email' in person.fallback, person && 'said_values' in person]).toEqual([false, false]);
    expect(write.notes).toEqual([
      {
        ...{ code: 'taken_value', record: 'person', field: 'email', at: expect.objectContaining({ line: 5 }) },
        ...{ reason: expect.stringContaining('only said'), hint: expect.stringContaining('said: match') },
      },
    ]);
  });

  it('is as it was where nothing was only said', () => {
    const write = writeOf({ phone: PHONE, email: EMAIL });
    expect(withoutUnproved(write).plan.person).toEqual(write.plan.person);
  });

  it('keeps what was noted before, and a plan without a person as it is', () => {
    expect(withoutUnproved({ ...writeOf(heardEmail), notes: ['before'] }).notes).toHaveLength(2);
    const none = { ...writeOf(), plan: { ...planOf(), person: null } };
    expect(withoutUnproved(none)).toBe(none);
  });
});
