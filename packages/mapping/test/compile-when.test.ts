import type { Json } from '@wrapup/call';
import { formatFinding } from '@wrapup/findings';
import { compileWhen } from '@wrapup/mapping';
import { expect, test } from 'vitest';
import * as yaml from 'yaml';
import { someCall } from './support/call.ts';
import { plan } from './support/compile.ts';

const HOLDS = [
  '{ path: call.outcome, equals: connected }',
  '{ path: vars.wants_callback, equals: true }',
  '{ path: vars.seats, equals: "20" }',
  '{ path: vars.seats, equals: 20.0 }',
  '{ path: lead.first_name, equals: " dana" }',
  '{ path: call.outcome, in: [busy, connected] }',
  '{ path: lead.email, exists: true }',
  '{ path: vars.nothing, exists: false }',
  '{ path: vars.blank, exists: false }',
  '{ path: vars.nested, exists: true }',
  '{ path: call.duration, gt: 133 }',
  '{ path: call.duration, gte: 134, lte: 134 }',
  '{ path: call.duration, lt: 134.5 }',
  '{ path: vars.seats, gt: "19" }',
  '{ path: call.ended_at, gte: 2026-11-20 }',
  '{ path: call.ended_at, lt: "2026-11-20T19:06:27+01:00" }',
  '{ path: call.duration, lte: 134 }',
  '{ path: vars.seats, contains: 2 }',
  '{ path: vars.nested, exists: true, transform: json }',
  '{ path: vars.budget, transform: number, gt: 11999 }',
  '{ path: call.outcome, transform: { slice: [0, 3] }, equals: con }',
  '{ path: vars.topics, contains: security }',
  '{ path: lead.name, contains: exam }',
  '{ path: lead.phone, starts_with: "+1415" }',
  '{ all: [ { path: lead.email, exists: true }, { path: lead.phone, exists: true } ] }',
  '{ any: [ { path: vars.nothing, exists: true }, { path: lead.phone, exists: true } ] }',
  '{ not: { path: call.outcome, equals: busy } }',
  '{ not: { path: vars.nothing, equals: x } }',
  '{ all: [ { any: [ { not: { path: lead.email, exists: false } } ] } ] }',
];

const FAILS = [
  '{ path: call.outcome, equals: busy }',
  '{ path: vars.nothing, equals: x }',
  '{ path: vars.topics, equals: renewal }',
  '{ path: vars.nested, equals: x }',
  '{ path: call.outcome, in: [busy] }',
  '{ path: vars.topics, in: [renewal] }',
  '{ path: lead.email, exists: false }',
  '{ path: vars.nothing, exists: true }',
  '{ path: call.duration, gt: 134 }',
  '{ path: lead.name, gt: 0 }',
  '{ path: vars.blank, gte: 0 }',
  '{ path: call.ended_at, gt: 5 }',
  '{ path: call.duration, gte: 100, lt: 120 }',
  '{ path: call.duration, lt: 134 }',
  '{ path: call.duration, lte: 133 }',
  '{ path: vars.nested, contains: object }',
  '{ path: vars.nested, starts_with: "[" }',
  '{ path: vars.topics, contains: sec }',
  '{ path: lead.phone, starts_with: "415" }',
  '{ path: vars.nothing, starts_with: "" }',
  '{ path: vars.nothing, exists: false, equals: x }',
  '{ all: [ { path: lead.email, exists: true }, { path: call.outcome, equals: busy } ] }',
  '{ any: [ { path: call.outcome, equals: busy }, { path: vars.nothing, exists: true } ] }',
  '{ not: { path: call.outcome, equals: connected } }',
];

const written = (when: string) => plan(`call_log: { when: ${when}, title: x }`).records.length === 1;

test.each(HOLDS)('holds: %s', (when) => expect(written(when)).toBe(true));
test.each(FAILS)('does not hold: %s', (when) => expect(written(when)).toBe(false));

/** As the configuration hands it over: plain values, and places by path. */
function routeWhen(text: string) {
  const locate = (path: (string | number)[], of: 'key' | 'value') => ({
    file: 'wrapup.yaml',
    line: path.length + 1,
    column: of === 'key' ? 1 : 2,
  });
  return compileWhen(yaml.parse(text), locate);
}

test('a route’s condition is the same language', () => {
  for (const when of HOLDS) expect(routeWhen(when).when?.(someCall()), when).toBe(true);
  for (const when of FAILS) expect(routeWhen(when).when?.(someCall()), when).toBe(false);
});

test.each([
  ['{ path: cal.outcome, equals: connected }', 'unknown-path', 2, 2, /call\.outcome/],
  ['{ path: call.outcome, equals: conected }', 'unknown-value', 2, 2, /connected/],
  ['{ path: call.outcome, eqals: connected }', 'unknown-key', 2, 1, /equals/],
  ['{ all: [ { path: person.stage, equals: x } ] }', 'unknown-path', 4, 2, /looked up later/],
  ['{ path: call.outcome }', 'bad-value', 1, 2, /equals/],
  ['{ all: [] }', 'bad-value', 2, 2, /^$/],
  ['{ path: 5, exists: true }', 'bad-value', 2, 2, /^$/],
  ['{ path: call.outcome, in: busy }', 'bad-value', 2, 2, /^$/],
  ['{ path: call.outcome, transform: 5, exists: true }', 'bad-value', 2, 2, /^$/],
  ['{}', 'missing-key', 1, 2, /path/],
  ['connected', 'bad-value', 1, 2, /^$/],
] as const)('a route’s mistake: %s', (text, code, line, column, hint) => {
  const { when, findings } = routeWhen(text);
  expect(when).toBeUndefined();
  expect(findings.map(formatFinding)).toHaveLength(1);
  expect(findings[0]).toMatchObject({ severity: 'error', code, at: { file: 'wrapup.yaml', line, column } });
  expect(findings[0]?.hint ?? '').toMatch(hint);
});

test('a yes is a true, where the mapping asks for one', () => {
  const holds = (value: Json, wanted: string) =>
    plan(
      `tasks: [{ name: a, when: { path: vars.x, equals: ${wanted} }, subject: x }]\n`,
      someCall({ vars: { x: value } }),
    ).records.length === 1;
  for (const yes of [true, 'true', 'True', ' yes ', 'Y', '1', 1, 'on'])
    expect(holds(yes, 'true'), String(yes)).toBe(true);
  for (const no of [false, 'no', 'N', '0', 0, 'off']) expect(holds(no, 'false'), String(no)).toBe(true);
  for (const other of ['no', 'perhaps', 2, false]) expect(holds(other, 'true'), String(other)).toBe(false);
  // A text in quotes is a text.
  expect(holds('yes', '"true"')).toBe(false);
});

test.each([
  ['{ path: lead.name, gt: 0 }', 'its condition on lead.name does not hold: it is no number', 'unreadable_number'],
  [
    '{ path: lead.name, lt: 2026-11-20 }',
    'its condition on lead.name does not hold: it is no date or time',
    'unreadable_date',
  ],
  [
    '{ path: vars.seats, transform: e164, exists: true }',
    /its condition on vars.seats does not hold: e164/,
    /^unreadable/,
  ],
  ['{ path: vars.nothing, gt: 0 }', undefined, undefined],
  ['{ path: call.duration, gt: 500 }', undefined, undefined],
])('a condition that cannot be answered says why the record is not there: %s', (when, reason, unusable) => {
  const { records, left_out } = plan(`call_log: { when: ${when}, title: x }`);
  expect(records).toEqual([]);
  const doubt = left_out.find((one) => one.unusable !== undefined);
  const fits = (wanted: string | RegExp | undefined) =>
    wanted instanceof RegExp ? expect.stringMatching(wanted) : wanted;
  expect([doubt?.reason, doubt?.unusable]).toEqual([fits(reason), fits(unusable)]);
});
