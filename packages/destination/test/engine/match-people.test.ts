/** Who the people of calls are: what is asked of the CRM, and in which order. */
import { describe, expect, it, test } from 'vitest';
import { askedFor, lookUpPeople } from '../../src/engine/people/match-people.ts';
import { rememberPerson } from '../../src/engine/people/person-cache.ts';
import type { AskedValues, CrmPerson, PeopleVerbs } from '../../src/engine/people/person-verbs.ts';
import { questionOf } from '../../src/engine/people/person-write.ts';
import { Failure } from '../../src/port/failure.ts';
import type { SampleCall } from '../../src/testing/sample-plan.ts';
import { newContext, personOf, writeOf } from './support/sample.ts';

const PHONE = '+14155550142';
const EMAIL = 'ada@example.com';
const AWAY = new Failure('unavailable', 'away');

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

test('a search reads properties as soon as one of its calls needs them', async () => {
  const { asked, crm } = crmWith({});
  const asking = (phone: string, index: number, needs: boolean) => ({
    ...questionOf(writeOf({ phone }, index)),
    mustRead: () => needs,
  });
  await lookUpPeople(crm, [asking(PHONE, 0, false), asking('+14155550143', 1, true)], ['phone']);
  await lookUpPeople(crm, [asking(PHONE, 2, false)], ['phone']);
  expect(asked).toEqual([
    ['search', { [PHONE]: [0], '+14155550143': [1] }, ['phone']],
    ['search', { [PHONE]: [2] }, []],
  ]);
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

test('several people are named oldest first, with what they have in common', async () => {
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

  it('is not read by an adapter of which no id has to be read', async () => {
    const { asked, crm, lookUp } = await remembered({}, ['phone']);
    delete (crm as { mustRead?: unknown }).mustRead;
    expect(await lookUp({ phone: PHONE })).toMatchObject([{ found: 'one', person: { id: '7' }, read: false }]);
    expect(asked).toEqual([]);
  });

  it('stays remembered where the record is as it was, or leads to another', async () => {
    for (const has of [{ 7: personOf('7') }, { 7: personOf('7', { follow: '8' }), 8: personOf('8') }]) {
      const { asked, lookUp } = await remembered({ byId: has, mustRead: true });
      await lookUp({ phone: PHONE });
      asked.length = 0;
      await lookUp({ phone: PHONE });
      expect(asked[0]).toEqual(['read', { 7: [0] }, {}, ['phone']]);
    }
  });

  it('is asked for once where nothing was read meanwhile', async () => {
    const { ctx, lookUp } = crmWith({});
    let times = 0;
    ctx.memory.get = async () => {
      times += 1;
      return undefined;
    };
    await lookUp({ phone: PHONE });
    expect(times).toBe(1);
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
