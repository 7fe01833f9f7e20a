import { personKey } from '@wrapup/call';
import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { expect, test } from 'vitest';
import type { FieldRules } from '../src/engine/rows/row.ts';
import {
  canonicalOf,
  foundKey,
  foundMemory,
  newPersonMemory,
  personMemory,
  recallWritten,
  recordMemory,
  settleRow,
  writtenMemories,
} from '../src/engine/rows/written-values.ts';
import { RequestFailure } from '../src/http/request-failure.ts';

const NAME = recordMemory({ object: 'deals', key: 'main:c1:deal' });
const CALL = { key: 'main:c1', ended_at: Date.parse('2026-11-20T10:00:00Z') };
const RULES: FieldRules = { limitOf: () => 0, encode: (_object, _field, value) => value };

test.each([
  ['12000', 12_000],
  ['12000.0', 12_000],
  ['2026-11-23T18:06:26Z', '2026-11-23T18:06:26.000Z'],
  ['2026-11-23T18:06:26.000Z', String(Date.parse('2026-11-23T18:06:26Z'))],
  ['true', true],
  ['Dana@Example.com', 'dana@example.com'],
  ['one<br/>two', 'one<br>two'],
  ['one\r\ntwo ', 'one\ntwo'],
  ['one\rtwo', 'one\ntwo'],
  ['one<br />two', 'one<br>two'],
  ['-0', '0'],
  ['2026-11-23T18:06:26+01:00', '2026-11-23T17:06:26Z'],
  ['2026-11-23T18:06:26+0100', '2026-11-23T17:06:26Z'],
  ['2026-11-23', '2026-11-23T00:00:00Z'],
  ['b;a', 'a;b'],
  ['beta;alpha;gamma', 'gamma;beta;alpha;'],
  ['', null],
  ['', undefined],
])('%j and %j are one value', (one, other) => {
  const canonical = (value: string | number | boolean | null | undefined) => canonicalOf(RULES, 'deals', 'x', value);
  expect(canonical(one)).toBe(canonical(other));
});

test.each([
  ['007', '7'],
  ['one two', 'two one'],
  ['2026-11-23', '2026-11-24'],
  ['Closed', 'closed'],
  ['on 2026-11-23', 'from 2026-11-23'],
  ['2026-11-23 (moved)', '2026-11-23 (kept)'],
  ['room 5 (left)', 'room 5 (right)'],
  ['2026-13-45', '2026-99-99'],
  ['ask Ada@example.com', 'ask ada@example.com'],
  ['ada@example.com Mondays', 'ada@example.com mondays'],
  ['straße@example.com', 'strasse@example.com'],
  ['b c;a', 'a;b c'],
  ['b;a c', 'a c;b'],
])('%j and %j are two values', (one, other) => {
  expect(canonicalOf(RULES, 'deals', 'x', one)).not.toBe(canonicalOf(RULES, 'deals', 'x', other));
});

test('what is about to be written is known for ours beside what was; after the answer only what stands', async () => {
  const ctx = makeMemoryContext(makeMemoryCommons());
  const first = await recallWritten(ctx, [NAME]);
  await first.intend(NAME, new Map([['stage', 'new']]), CALL);
  await first.settle(NAME, new Set(['stage']));
  const second = await recallWritten(ctx, [NAME]);
  await second.intend(NAME, new Map([['stage', 'qualified']]), CALL);
  const crashed = await recallWritten(ctx, [NAME]);
  expect(['new', 'qualified', 'won'].map((value) => crashed.originOf(NAME, 'stage', value, 'lost'))).toEqual([
    'ours',
    'ours',
    'changed',
  ]);
  await second.settle(NAME, new Set(['stage']));
  const settled = await recallWritten(ctx, [NAME]);
  expect(['new', 'qualified'].map((value) => settled.originOf(NAME, 'stage', value, 'lost'))).toEqual([
    'changed',
    'ours',
  ]);
  expect(settled.originOf(NAME, 'amount', '5', '6')).toBe('unknown');
});

test('what was refused, or dropped, is not known for ours', async () => {
  const ctx = makeMemoryContext(makeMemoryCommons());
  const values = await recallWritten(ctx, [NAME]);
  await values.intend(NAME, new Map([['stage', 'new']]), CALL);
  await values.settle(NAME, undefined);
  expect((await recallWritten(ctx, [NAME])).originOf(NAME, 'stage', 'new', 'x')).toBe('unknown');
  await values.intend(NAME, new Map([...new Map([['stage', 'new']]), ['amount', '5']]), CALL);
  await values.settle(NAME, new Set(['amount']));
  const after = await recallWritten(ctx, [NAME]);
  expect([after.originOf(NAME, 'stage', 'new', 'x'), after.originOf(NAME, 'amount', '5', '6')]).toEqual([
    'unknown',
    'ours',
  ]);
});

test('what the CRM made of a value is known for ours as well', async () => {
  const ctx = makeMemoryContext(makeMemoryCommons());
  const values = await recallWritten(ctx, [NAME]);
  await values.intend(NAME, new Map([['body', '<b>one</b>']]), CALL);
  await values.settle(NAME, new Set(['body']), new Map([['body', '<strong>one</strong>']]));
  const after = await recallWritten(ctx, [NAME]);
  expect(after.originOf(NAME, 'body', '<strong>one</strong>', 'two')).toBe('ours');
});

test('of two properties both former values are forgotten, and what the CRM made of a third is not noted', async () => {
  const values = await recallWritten(makeMemoryContext(makeMemoryCommons()), []);
  const write = async (stage: string, amount: string, stored: [string, string][] = []) => {
    await values.intend(NAME, new Map(Object.entries({ stage, amount })), CALL);
    await values.settle(NAME, new Set(['stage', 'amount']), new Map(stored));
  };
  await write('new', '5');
  await write('won', '6', [['owner', '7']]);
  const originOf = (property: string, from: string) => values.originOf(NAME, property, from, 'x');
  expect([originOf('stage', 'new'), originOf('stage', 'won')]).toEqual(['changed', 'ours']);
  expect([originOf('amount', '5'), originOf('amount', '6')]).toEqual(['changed', 'ours']);
  expect(originOf('owner', '7')).toBe('unknown');
  await values.settle(NAME, undefined);
  expect(originOf('stage', 'won')).toBe('ours');
});

test('as many values or links as before, and others, are noted', async () => {
  const ctx = makeMemoryContext(makeMemoryCommons());
  const values = await recallWritten(ctx, []);
  await values.intend(NAME, new Map([['stage', 'new']]), CALL);
  await values.settle(NAME, new Set(['stage']));
  await values.intend(NAME, new Map([['stage', 'won']]), CALL);
  await values.settle(NAME, new Set(['stage']), new Map([['stage', 'closedwon']]));
  const [first, second] = [
    { object: 'deals', id: '1' },
    { object: 'deals', id: '2' },
  ];
  await values.noteLinks(NAME, CALL, [first]);
  await values.noteLinks(NAME, CALL, [second], [first]);
  const read = await recallWritten(ctx, [NAME]);
  expect(['new', 'won', 'closedwon'].map((from) => read.originOf(NAME, 'stage', from, 'x'))).toEqual([
    'changed',
    'ours',
    'ours',
  ]);
  expect([read.hasLink(NAME, first), read.hasLink(NAME, second)]).toEqual([false, true]);
});

test.each([
  ['won', 'won', 'unchanged'],
  ['new', 'new', 'same'],
  ['won', 'lost', 'ours'],
  ['new', 'lost', 'changed'],
])('of a stage that was written as won, and is %s where the call says %s: %s', async (from, to, expected) => {
  const values = await recallWritten(makeMemoryContext(makeMemoryCommons()), []);
  expect([values.sinceWritten(NAME, 'stage', to, to), values.sinceWritten(NAME, 'stage', 'x', to)]).toEqual([
    'same',
    'unknown',
  ]);
  await values.intend(NAME, new Map([['stage', 'won']]), CALL);
  expect(values.sinceWritten(NAME, 'stage', from, to)).toBe(expected);
});

test('the links of a call are known however many there are, and of those before the latest', async () => {
  const ctx = makeMemoryContext(makeMemoryCommons());
  const person = { object: 'contacts', id: '1' };
  const deals = (from: number) =>
    Array.from({ length: 100 }, (_, n) => ({ object: 'deals', id: String(from + n), label: 'Subject' }));
  const link = async (...made: { object: string; id: string }[]) =>
    (await recallWritten(ctx, [NAME])).noteLinks(NAME, CALL, made);
  await link(person, ...deals(0).flatMap((deal) => [{ object: deal.object, id: deal.id }, deal]));
  const first = await recallWritten(ctx, [NAME]);
  expect([person, ...deals(0)].every((end) => first.wasLinked(NAME, end))).toBe(true);
  await link(person, ...deals(100));
  const second = await recallWritten(ctx, [NAME]);
  expect([person, ...deals(100)].every((end) => second.wasLinked(NAME, end))).toBe(true);
  expect(deals(0).map((end) => second.wasLinked(NAME, end))).toEqual(deals(0).map((_, n) => n >= 25));
});

test('a record, a person, a new person and a record that was found are noted under names of their own', () => {
  const names = [
    recordMemory({ object: 'deals', key: 'a' }),
    recordMemory({ object: 'deals', key: 'b' }),
    recordMemory({ object: 'tasks', key: 'a' }),
    recordMemory({ object: 'deals', key: foundKey('a') }),
    personMemory({ object: 'contacts', id: 'a' }),
    newPersonMemory('a'),
    foundMemory('a'),
    foundMemory('b'),
  ];
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).not.toContain('undefined');
});

test('of a person who is to be forgotten every name is known', () => {
  const record = { object: 'deals', id: '9', key: 'main:c1:deal' };
  const keyed = (contact: { phone?: string; email?: string }) => newPersonMemory(personKey(contact) ?? '');
  const names = writtenMemories({
    phones: ['+14155550142'],
    emails: ['a@example.com', ' '],
    calls: [],
    records: [record],
  } as never);
  expect(names).toEqual([
    recordMemory(record),
    recordMemory({ object: 'deals', key: foundKey('9') }),
    personMemory(record),
    foundMemory('main:c1:deal'),
    keyed({ phone: '+14155550142' }),
    keyed({ email: 'a@example.com' }),
  ]);
});

test('what is noted under another name is taken for this one, where nothing is noted under it', async () => {
  const ctx = makeMemoryContext(makeMemoryCommons());
  const before = await recallWritten(ctx, []);
  await before.intend('old', new Map([['stage', 'new']]), CALL);
  await before.intend('own', new Map([['stage', 'won']]), CALL);
  const values = await recallWritten(ctx, [
    { name: 'mine', others: ['absent', 'old'] },
    { name: 'own', others: ['old'] },
    { name: 'none', others: ['absent'] },
  ]);
  expect(values.originOf('mine', 'stage', 'new', 'x')).toBe('ours');
  expect(values.originOf('own', 'stage', 'new', 'x')).toBe('changed');
  expect(values.originOf('none', 'stage', 'new', 'x')).toBe('unknown');
});

test('which call was the last, and when it ended', async () => {
  const values = await recallWritten(makeMemoryContext(makeMemoryCommons()), []);
  expect([values.endedOf(NAME), values.isLast(NAME, CALL)]).toEqual([undefined, false]);
  await values.intend(NAME, new Map(), CALL);
  expect(values.endedOf(NAME)).toBeUndefined();
  await values.intend(NAME, new Map([['stage', 'new']]), CALL);
  expect([values.endedOf(NAME), values.isLast(NAME, CALL), values.isLast(NAME, { key: 'main:c2' })]).toEqual([
    CALL.ended_at,
    true,
    false,
  ]);
});

test('a note is read as it was written, and one that cannot be read is none', async () => {
  const ctx = makeMemoryContext(makeMemoryCommons());
  await (await recallWritten(ctx, [])).intend(
    NAME,
    new Map([
      ['stage', 'new'],
      ['amount', '5'],
    ]),
    CALL,
  );
  const read = await recallWritten(ctx, [NAME, NAME]);
  expect([read.endedOf(NAME), read.isLast(NAME, CALL), read.originOf(NAME, 'amount', '5', '6')]).toEqual([
    CALL.ended_at,
    true,
    'ours',
  ]);
  for (const text of ['', 'no bar in it', '12345678~~|abc']) {
    await ctx.memory.set(NAME, text, 1_000);
    expect((await recallWritten(ctx, [NAME])).endedOf(NAME), text).toBeUndefined();
  }
});

test('a link is known with its label, and whether it was there already', async () => {
  const ctx = makeMemoryContext(makeMemoryCommons());
  const values = await recallWritten(ctx, []);
  const [deal, company] = [
    { object: 'deals', id: '1' },
    { object: 'companies', id: '1' },
  ];
  await values.intend(NAME, new Map([['stage', 'new']]), CALL);
  await values.noteLinks(NAME, CALL, [deal, { ...company, found: true }]);
  expect([
    values.hasLink(NAME, deal),
    values.wasLinked(NAME, deal),
    values.wasLinked(NAME, { ...deal, label: 'x' }),
  ]).toEqual([true, true, false]);
  expect([values.hasLink(NAME, company), values.wasLinked(NAME, company)]).toEqual([true, false]);
  expect([values.hasLink(NAME, { object: 'deals', id: '2' }), values.hasLink('other', deal)]).toEqual([false, false]);
  expect(values.originOf(NAME, 'stage', 'new', 'x')).toBe('ours');
  await values.noteLinks(NAME, CALL, [deal], [company, deal]);
  expect([values.hasLink(NAME, deal), values.hasLink(NAME, company)]).toEqual([false, true]);
});

test('what has not changed is not noted again, and a memory that does not answer costs nothing but a warning', async () => {
  const warned: [unknown, string][] = [];
  const ctx = makeMemoryContext(makeMemoryCommons(), {
    log: {
      warn: (why: unknown, what: string) => warned.push([why, what]),
      info: () => {},
      debug: () => {},
      error: () => {},
    } as never,
  });
  const values = await recallWritten(ctx, []);
  const deal = { object: 'deals', id: '1' };
  await values.noteLinks(NAME, CALL, [deal]);
  const sets: string[] = [];
  const { set } = ctx.memory;
  ctx.memory.set = (name, ...rest) => {
    sets.push(name);
    return set.call(ctx.memory, name, ...rest);
  };
  await values.intend(NAME, new Map([['stage', 'new']]), CALL);
  await values.settle(NAME, new Set(['stage']));
  expect(sets).toEqual([NAME]);
  await values.noteLinks(NAME, CALL, [deal]);
  await values.settle(NAME, new Set(['stage']));
  await values.rename('nowhere', 'other');
  expect(sets).toEqual([NAME]);
  expect(warned).toEqual([]);
  ctx.memory.set = () => Promise.reject(new Error('away'));
  await values.noteLinks(NAME, CALL, [{ object: 'deals', id: '2' }]);
  await values.rename(NAME, 'other');
  await expect(values.intend(NAME, new Map([['stage', 'won']]), CALL)).rejects.toThrow('away');
  await values.settle(NAME, new Set());
  const why = { error: 'Error: away' };
  expect(warned).toEqual([
    [why, 'what was linked could not be noted'],
    [why, 'what was written could not be noted'],
    [why, 'what was written could not be noted'],
  ]);
});

test('the note of a new person moves to their record', async () => {
  const ctx = makeMemoryContext(makeMemoryCommons());
  const values = await recallWritten(ctx, []);
  await values.intend('new', new Map([['stage', 'new']]), CALL);
  await values.rename('new', 'record');
  await values.rename('absent', 'nowhere');
  const read = await recallWritten(ctx, ['new', 'record', 'nowhere']);
  expect(['new', 'record', 'nowhere'].map((name) => read.originOf(name, 'stage', 'new', 'x'))).toEqual([
    'unknown',
    'ours',
    'unknown',
  ]);
});

test.each<[string, object, string, string]>([
  ['was taken', { ok: true, id: '9', created: false, dropped: [] }, 'ours', 'ours'],
  [
    'was taken without a field',
    { ok: true, id: '9', created: false, dropped: [{ property: 'stage' }] },
    'unknown',
    'ours',
  ],
  ['was refused', { ok: false, failure: new RequestFailure('refused', 'no'), dropped: [] }, 'unknown', 'unknown'],
  [
    'may have been taken',
    { ok: false, failure: new RequestFailure('timeout', 'no answer', {}, { outcome_unknown: true }), dropped: [] },
    'ours',
    'ours',
  ],
])('a row that %s', async (_what, result, stage, amount) => {
  const values = await recallWritten(makeMemoryContext(makeMemoryCommons()), []);
  await values.intend(
    NAME,
    new Map([
      ['stage', 'new'],
      ['amount', '5'],
    ]),
    CALL,
  );
  await settleRow(values, RULES, { name: NAME, object: 'deals' }, { fields: {}, ...result } as never);
  expect([values.originOf(NAME, 'stage', 'new', 'x'), values.originOf(NAME, 'amount', '5', '6')]).toEqual([
    stage,
    amount,
  ]);
});

test('what the CRM stored is known in canonical form', async () => {
  const values = await recallWritten(makeMemoryContext(makeMemoryCommons()), []);
  await values.intend(NAME, new Map([['amount', '5']]), CALL);
  const result = { ok: true, id: '9', created: true, dropped: [], fields: {}, stored: { amount: '5.50' } };
  await settleRow(values, RULES, { name: NAME, object: 'deals' }, result as never);
  expect(values.originOf(NAME, 'amount', '5.5', '6')).toBe('ours');
});
