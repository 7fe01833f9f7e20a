/** What calls make of one person: what is read, what is written, and in which order. */
import type { Plan, Value } from '@wrapup/mapping';
import { describe, expect, it, test } from 'vitest';
import type { KnownPerson, PersonWrite } from '../../src/engine/people/person-verbs.ts';
import {
  asResumed,
  beginWrite,
  contactSteps,
  inOrder,
  joinById,
  latestOf,
  mustRead,
  namesOfSet,
  propertiesToRead,
  questionOf,
  resetWrite,
  resolvePlan,
  standingOf,
  withNote,
  writtenBefore,
} from '../../src/engine/people/person-write.ts';
import { beginPlan } from '../../src/engine/plan/plan-write.ts';
import { personMemory, recallWritten } from '../../src/engine/rows/written-values.ts';
import { type SampleCall, sampleField } from '../../src/testing/sample-plan.ts';
import { newContext, PLAIN_RULES, personOf, planOf, writeOf } from './support/sample.ts';

const PHONE = '+14155550142';
const at = (minute: number) => `2026-11-20T10:0${minute}:00.000Z`;
const ms = (minute: number) => Date.parse(at(minute));

/** A write whose plan is filled in once something of the person is known. */
function waitingWrite(call: Partial<SampleCall> = {}): PersonWrite {
  const write = writeOf(call);
  const settle = (person: Record<string, Value>): Plan => ({
    ...write.plan,
    needs: [],
    records: write.plan.records.slice(0, 1),
    person: {
      ...(write.plan.person as NonNullable<Plan['person']>),
      fields: [sampleField('note', person.title ?? 'none')],
    },
  });
  const plan = { ...write.plan, needs: ['title'], settle } as Plan;
  return { ...write, plan, start: { plan, notes: [] }, resolved: false };
}

describe('a plan that reads of the person', () => {
  it('is filled in once, with what is known', () => {
    const resolved = resolvePlan(waitingWrite(), { title: 'Dr' });
    expect([resolved.resolved, resolved.plan.person?.fields[0]?.value]).toEqual([true, 'Dr']);
    expect(resolvePlan(resolved, { title: 'Prof' })).toBe(resolved);
  });

  it('stays limited, and keeps what an earlier attempt has made', () => {
    const resume = { attempts: 2, records: { person: '7' } };
    const resolved = resolvePlan({ ...waitingWrite({ resume }), limited: true }, {});
    expect([resolved.plan.person?.fields, resolved.plan.resume]).toEqual([[], resume]);
    expect('resume' in resolvePlan(waitingWrite(), {}).plan).toBe(false);
  });

  it('goes back to before where the person is another than was thought', () => {
    const write = withNote({ ...resolvePlan(waitingWrite(), {}), limited: true, chosen: true, done: true }, 'noted');
    expect(resetWrite(write)).toMatchObject({
      ...{ notes: [], resolved: false, limited: false, chosen: false, done: false },
      plan: { needs: ['title'] },
    });
    expect(resetWrite(writeOf()).resolved).toBe(true);
  });
});

test('a plan that is begun anew goes over the records again that it made', () => {
  const receipt = (name: string, id: string) => ({ receipt: { name, id, object: 'x', did: 'created' as const } });
  const begun = asResumed(writeOf({ resume: { attempts: 3, records: { a: '1', b: '2' }, done: ['a'] } }), [
    receipt('b', '5'),
  ]);
  expect(begun.start.plan.resume).toEqual({ attempts: 3, records: { a: '1', b: '5' }, done: [] });
  expect(asResumed(writeOf(), [receipt('b', '5')]).start.plan.resume).toEqual({
    attempts: 1,
    records: { b: '5' },
    done: [],
  });
});

test('calls are written in the order in which they ended, and at one moment in that of the delivery', () => {
  const writes = [writeOf({ ended_at: at(2) }, 0), writeOf({ ended_at: at(1) }, 2), writeOf({ ended_at: at(1) }, 1)];
  expect(inOrder(writes).map(({ index }) => index)).toEqual([1, 2, 0]);
});

test('a person is found by numbers and addresses beside ids', () => {
  expect(contactSteps({ plan: planOf({ person: '7', phone: PHONE }) })).toEqual([{ by: 'phone', value: PHONE }]);
  expect(contactSteps({ plan: { ...planOf(), person: null } })).toEqual([]);
});

describe('people who turn out to be one', () => {
  const known = (id: string, index: number, rest: Partial<KnownPerson> = {}): KnownPerson => ({
    ...{ person: personOf(id), writes: [writeOf({}, index)] },
    ...rest,
  });
  const indexes = (people: KnownPerson[]) => people.map(({ writes }) => writes.map(({ index }) => index));

  it('are one entry with all calls', () => {
    expect(indexes(joinById([known('7', 0), known('8', 1), known('7', 2)]))).toEqual([[0, 2], [1]]);
  });

  it('keep what was read of them, whichever of them was read', () => {
    const read = { person: personOf('7', { properties: { note: 'x' } }), asked: new Set(['note']) };
    for (const people of [
      [known('7', 0), known('7', 1, read)],
      [known('7', 0, read), known('7', 1)],
    ])
      expect(joinById(people)[0]).toMatchObject(read);
    const first = known('7', 0, { ...read, asked: new Set(['first']) });
    expect(joinById([first, known('7', 1, read)])[0]?.asked).toEqual(new Set(['first']));
  });

  it('are new, or to be read, only where all of them are', () => {
    const both = { created: true, verify: true };
    expect(joinById([known('7', 0, both), known('7', 1, both)])[0]).toMatchObject(both);
    for (const people of [
      [known('7', 0, both), known('7', 1)],
      [known('7', 0), known('7', 1, both)],
    ])
      expect(joinById(people)[0]).toMatchObject({ created: false, verify: false });
  });
});

describe('what is asked about a person', () => {
  it('is first whom an earlier attempt has written', () => {
    const write = writeOf({ phone: PHONE, resume: { attempts: 1, records: { person: '7' }, done: ['person'] } });
    expect(writtenBefore(write)).toBe('7');
    expect(questionOf(write).match).toEqual([
      { by: 'id', value: '7' },
      { by: 'phone', value: PHONE },
    ]);
    expect(questionOf(write, new Set(['7'])).match).toEqual([{ by: 'phone', value: PHONE }]);
  });

  it('is nothing of a mapping without a person', () => {
    const write = writeOf();
    expect(questionOf({ ...write, plan: { ...write.plan, person: null } }).match).toEqual([]);
  });

  it('says whether an operator chose', () => {
    expect([questionOf(writeOf({ chosen: [{ id: '7' }] })).chosen, questionOf(writeOf()).chosen]).toEqual([
      true,
      false,
    ]);
    expect(questionOf(writeOf({ chosen: [] })).chosen).toBe(false);
  });

  it.each<[string, PersonWrite, string[] | undefined, boolean]>([
    ['gaps may have to be filled', writeOf({ phone: PHONE }), undefined, true],
    ['the gaps are known to be filled', writeOf({ phone: PHONE }), ['phone'], false],
    ['another gap is filled', writeOf({ phone: PHONE }), ['email'], true],
    ['who wrote last decides', writeOf({ first_name: 'Ada' }), ['first'], true],
    ['all is overwritten', writeOf({ person_fields: [sampleField('note', 'x')] }), undefined, false],
    ['nothing is written', writeOf(), undefined, false],
    ['the mapping reads of them', waitingWrite(), undefined, true],
    ['an earlier attempt wrote them', { ...writeOf({ first_name: 'Ada' }), done: true }, undefined, false],
    [
      'the call comes again, and colleagues may have changed it',
      writeOf({ phone: PHONE, resume: { attempts: 1, records: {} } }),
      ['phone'],
      true,
    ],
  ])('has to be read where %s', (_why, write, set, expected) => {
    expect(mustRead([write], set && new Set(set))).toBe(expected);
    expect(questionOf(write).mustRead(new Set(set))).toBe(expected);
  });
});

test('a person has to be read as soon as one of the calls needs it', () => {
  const filling = writeOf({ phone: PHONE });
  expect(mustRead([filling, writeOf()])).toBe(true);
  expect(mustRead([writeOf(), writeOf()])).toBe(false);
  expect(mustRead([])).toBe(false);
});

test('of a mapping without a person nothing is read', () => {
  const plain = writeOf({ ended_at: at(1) });
  const none = { ...plain, plan: { ...plain.plan, person: null } };
  expect([mustRead([none]), namesOfSet({}, [none], { phone: PHONE }), latestOf([none])]).toEqual([
    false,
    [],
    undefined,
  ]);
});

test('a plan that begins asks who owns what at once, or once it is filled in where it reads of the person', () => {
  const owners = { byEmail: new Map([['dana@example.com', '42']]) };
  const at = { file: 'mappings/acme.yaml', line: 1, column: 1 };
  const owner = {
    property: 'owner',
    steps: [
      { by: 'email' as const, value: 'gone@example.com' },
      { by: 'email' as const, value: 'Dana@Example.com' },
    ],
    at,
  };
  const plain = planOf({ phone: PHONE });
  const plan = { ...plain, person: { ...plain.person, owner } } as Plan;
  const ownerOf = (write: PersonWrite) => write.plan.person?.fields.find(({ name }) => name === 'owner')?.value;
  const begun = beginWrite(beginPlan(plan, 0), owners);
  expect([ownerOf(begun), begun.notes.length, begun.start.notes.length]).toEqual(['42', 1, 1]);
  expect(begun).toMatchObject({ resolved: true, chosen: false, limited: false, done: false, owners });
  const waiting = { ...plan, needs: ['title'], settle: () => ({ ...plan, needs: [] }) } as Plan;
  const waits = beginWrite(beginPlan(waiting, 0), owners);
  expect([ownerOf(waits), waits.resolved, waits.notes]).toEqual([undefined, false, []]);
  const filled = resolvePlan(withNote(waits, 'before'), {});
  expect([ownerOf(filled), filled.notes.length, filled.notes[0]]).toEqual(['42', 2, 'before']);
  const without = beginWrite(beginPlan(plan, 0), undefined);
  expect([ownerOf(without), without.notes, 'owners' in without]).toEqual([undefined, [], false]);
});

test('fields that have a value are known by name, placeholders apart', () => {
  const writes = [writeOf({ phone: PHONE, first_name: 'Ada', last_name: 'L' })];
  const known = { phone: PHONE, first: '', last: 'unknown', email: 'x@example.com' };
  expect(namesOfSet({}, writes, known)).toEqual(['last', 'phone']);
  expect(namesOfSet({ withoutPlaceholders: (all) => ({ ...all, last: null }) }, writes, known)).toEqual(['phone']);
});

test('what is read is what is decided, what mappings read, and who wrote last where that is asked', () => {
  const plan = planOf({ phone: PHONE });
  expect(propertiesToRead([{ ...plan, needs: ['title'] }, plan], 'last_call')).toEqual(['title', 'phone']);
  expect(propertiesToRead([planOf({ first_name: 'Ada' })], 'last_call')).toEqual(['first', 'last_call']);
  expect(propertiesToRead([{ ...plan, person: null }], 'last_call')).toEqual([]);
});

test('the latest of the calls that ask who wrote last', () => {
  const asking = (minute: number, rest: Partial<PersonWrite> = {}) => ({
    ...writeOf({ first_name: 'A', ended_at: at(minute) }),
    ...rest,
  });
  expect(latestOf([asking(1), asking(3), asking(2)])).toBe(ms(3));
  expect(latestOf([asking(1), asking(3, { done: true }), writeOf({ ended_at: at(5) })])).toBe(ms(1));
  expect(latestOf([writeOf()])).toBeUndefined();
});

describe('whose value a person has', () => {
  const NAME = personMemory({ object: 'contacts', id: '7' });
  const standing = async (
    write: PersonWrite,
    {
      noted,
      patched,
      watermark,
      converted,
    }: {
      noted?: { key: string; minute: number };
      patched?: string[];
      watermark?: number;
      converted?: boolean;
    } = {},
  ) => {
    const values = await recallWritten(newContext(), []);
    if (noted) await values.intend(NAME, new Map([['other', 'x']]), { key: noted.key, ended_at: ms(noted.minute) });
    const person = { object: 'contacts', id: '7', values, ...(converted ? { converted } : {}) };
    const call = standingOf(PLAIN_RULES, write, watermark, person, new Set(patched));
    const originOf = (name: string, mode: 'if_newer' | 'if_ours', from: string, to = 'new') =>
      call.originOf?.(sampleField(name, to, mode), from, to);
    return { ...call, originOf };
  };

  it('is the same in any spelling, ours where this very write set it, else unknown', async () => {
    const { originOf } = await standing(writeOf(), { patched: ['note', 'same'] });
    expect(originOf('same', 'if_ours', ' new ')).toBe('same');
    expect(originOf('note', 'if_ours', 'old')).toBe('ours');
    expect(originOf('title', 'if_ours', 'old')).toBe('unknown');
  });

  it('is ours where another delivery of the call, or one since, says a field for the first time', async () => {
    const again = (minute: number) => writeOf({ ended_at: at(minute), resume: { attempts: 1, records: {} } });
    const noted = { key: 'main:c1', minute: 2 };
    expect((await standing(writeOf({ ended_at: at(2) }), { noted })).originOf('title', 'if_newer', 'old')).toBe('ours');
    expect((await standing(writeOf({ ended_at: at(2) }), { noted })).originOf('title', 'if_ours', 'old')).toBe(
      'unknown',
    );
    expect((await standing(again(3), { noted })).originOf('title', 'if_newer', 'old')).toBe('ours');
    expect((await standing(again(2), { noted })).originOf('title', 'if_newer', 'old')).toBe('unknown');
    const other = { key: 'main:other', minute: 1 };
    expect((await standing(writeOf({ ended_at: at(2) }), { noted: other })).originOf('title', 'if_newer', 'old')).toBe(
      'unknown',
    );
  });

  it('is not ours where a colleague changed it after another delivery of the call', async () => {
    const noted = { key: 'main:c1', minute: 2 };
    const { originOf } = await standing(writeOf({ ended_at: at(2) }), { noted });
    expect(originOf('other', 'if_newer', 'by hand')).toBe('changed');
    expect(originOf('other', 'if_newer', 'x')).toBe('ours');
  });

  it.each<[string, Partial<SampleCall>, { watermark?: number; converted?: boolean }, boolean]>([
    ['for the first time', {}, {}, false],
    ['with the watermark of this call', {}, { watermark: ms(0) }, true],
    ['with that of another', {}, { watermark: ms(1) }, false],
    ['after an attempt that wrote the person', { resume: { attempts: 1, records: { person: '7' } } }, {}, true],
    ['after an attempt that wrote another', { resume: { attempts: 1, records: { person: '8' } } }, {}, false],
    [
      'after an attempt that wrote what they were',
      { resume: { attempts: 1, records: { person: '8' } } },
      { converted: true },
      true,
    ],
    ['as what they have become', {}, { converted: true }, false],
    [
      'as what they have become, after an attempt without them',
      { resume: { attempts: 1, records: {} } },
      { converted: true },
      false,
    ],
  ])('is written %s', async (_how, call, rest, repeated) => {
    expect((await standing(writeOf(call), rest)).repeated).toBe(repeated);
  });
});
