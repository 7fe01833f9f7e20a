import { decideFields, readTime } from '@wrapup/destination/engine';
import { sampleField } from '@wrapup/destination/sample-plan';
import { expect, test } from 'vitest';
import { FIELD_RULES } from '../src/records/record-verbs.ts';

const call = { key: 'main:c1', ended_at: Date.parse('2026-11-20T10:00:00Z'), watermark: undefined };

test('values are text, and a field that stays says why', () => {
  const fields = [
    sampleField('a', 12, 'overwrite'),
    sampleField('b', 'new', 'if_empty'),
    sampleField('c', null, 'overwrite'),
  ];
  const decide = (current: Record<string, string> | undefined) =>
    decideFields(fields, current, call, (name) => FIELD_RULES.limitOf('contacts', name)).map((decision) => ({
      ...decision,
      to: FIELD_RULES.encode('contacts', decision.field, decision.to),
    }));
  expect(decide({ a: '11', b: 'old', c: 'gone' })).toMatchObject([
    { from: '11', to: '12', applies: true },
    { from: 'old', to: 'new', applies: false, why: 'the CRM already has a value' },
    { from: 'gone', to: '', applies: true },
  ]);
  expect(decide(undefined).map(({ applies }) => applies)).toEqual([true, true, true]);
});

test('times are read in both of HubSpot’s forms', () => {
  expect(readTime('2026-11-20T10:00:00Z')).toBe(call.ended_at);
  expect(readTime(String(call.ended_at))).toBe(call.ended_at);
  for (const nothing of ['', null, undefined, 'yesterday']) expect(readTime(nothing)).toBeUndefined();
});
