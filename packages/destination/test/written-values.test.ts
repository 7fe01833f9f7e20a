import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { expect, test } from 'vitest';
import type { FieldRules } from '../src/engine/rows/row.ts';
import { canonicalOf, recallWritten, recordMemory } from '../src/engine/rows/written-values.ts';

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
  ['b;a', 'a;b'],
  ['', null],
])('%j and %j are one value', (one, other) => {
  const canonical = (value: string | number | boolean | null) => canonicalOf(RULES, 'deals', 'x', value);
  expect(canonical(one)).toBe(canonical(other));
});

test.each([
  ['007', '7'],
  ['one two', 'two one'],
  ['2026-11-23', '2026-11-24'],
  ['Closed', 'closed'],
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
