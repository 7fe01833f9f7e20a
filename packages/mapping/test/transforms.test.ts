import type { Json } from '@wrapup/call';
import { listTransforms, registerTransform } from '@wrapup/mapping';
import { afterAll, expect, test, vi } from 'vitest';
import { LONGEST_TEXT } from '../src/values/found.ts';
import { someCall } from './support/call.ts';
import { reasonOf, written } from './support/compile.ts';

// What is registered here is for no other file: the next file of this process loads the modules anew.
afterAll(() => vi.resetModules());

/** Transform as written, what goes in, what comes out; undefined when nothing does. */
const CASES: [string, unknown, unknown][] = [
  ['trim', '  a b ', 'a b'],
  ['lower', 'ÄB', 'äb'],
  ['upper', 'straße', 'STRASSE'],
  ['title_case', 'voicemail_left', 'Voicemail Left'],
  ['title_case', 'ronald McDonald-smith', 'Ronald McDonald-Smith'],
  ['e164', '(415) 555-0142', undefined],
  ['e164: US', '(415) 555-0142', '+14155550142'],
  ['e164: US', '+49 30 901820', '+4930901820'],
  ['national', '+14155550142', '(415) 555-0142'],
  ['national', 'anonymous', undefined],
  ['first_name', 'Dana Example', 'Dana'],
  ['first_name', 'Example, Dana', 'Dana'],
  ['last_name', 'Dana van der Example', 'van der Example'],
  ['last_name', 'Example, Dana', 'Example'],
  ['last_name', 'Dana', undefined],
  ['email', ' Dana@Example.COM ', 'dana@example.com'],
  ['email', 'dana at example', undefined],
  ['email', 'a@b@example.com', undefined],
  ['email', '@example.com', undefined],
  ['email', `${'a'.repeat(64)}@example.com`, `${'a'.repeat(64)}@example.com`],
  ['email', `${'a'.repeat(65)}@example.com`, undefined],
  ['email', `a@${'b.'.repeat(124)}com`, `a@${'b.'.repeat(124)}com`],
  ['email', `a@${'b.'.repeat(126)}com`, undefined],
  ['email', '"a b"@example.com', undefined],
  ['email', 'a(b)@example.com', undefined],
  ['email', 'a@example', undefined],
  ['email', 'example.com', undefined],
  ['email', 'write to dana@example.com', undefined],
  ['email', `aa@${'b.'.repeat(124)}com`, `aa@${'b.'.repeat(124)}com`],
  ['email', `aaa@${'b.'.repeat(124)}com`, undefined],
  ['email', 'a@mail.example.com', 'a@mail.example.com'],
  ['email', 'a@example.com!', undefined],
  ['email', 'a@!example.com', undefined],
  ['e164: US', ['(415) 555-0142'], undefined],
  ['first_name', '  Dana   Example ', 'Dana'],
  ['last_name', ' Dana  van  Example ', 'van Example'],
  ['redact', 'call 555 0142', 'call [number]'],
  ['redact', 'call 555 014', 'call 555 014'],
  ['redact', 'call +1 415 555 0142. Then', 'call [number] Then'],
  ['redact', '@dana@acme and a@b', '[e-mail] and [e-mail]'],
  ['redact', 'call 555 0142.', 'call [number].'],
  ['redact', 'x@y@example.com and @example', '[e-mail] and @example'],
  ['url_host', '\u00a0https://app.example.com ', 'app.example.com'],
  ['url_host', 'nowhere', undefined],
  ['email_domain', ' Dana@Acme.Example ', 'acme.example'],
  ['email_domain', 'dana@gmail.com', undefined],
  ['email_domain', 'dana at acme', undefined],
  ['number', '$12,000.50', 12_000.5],
  ['number', '1.200,50 €', 1200.5],
  ['number', '12 000', 12_000],
  ['number', 'USD 5', 5],
  ['number', '-3', -3],
  ['number', '1,5', 1.5],
  ['number', '1,200', 1200],
  ['number', '12 or so', undefined],
  ['number', '1e999', undefined],
  ['integer', '7.6', 8],
  ['boolean', 'Yes', true],
  ['boolean', 0, false],
  ['boolean', 'perhaps', undefined],
  ['date', '2026-11-20T23:30:00Z', '2026-11-20'],
  ['date: America/New_York', '2026-11-20T03:30:00Z', '2026-11-19'],
  ['date', '2026-11-20', '2026-11-20'],
  ['date', '2026-02-30', undefined],
  ['date', '0050-01-01', undefined],
  ['date', '11/20/2026', undefined],
  ['datetime', '2026-11-20T10:00:00+01:00', '2026-11-20T09:00:00.000Z'],
  ['datetime', '2026-11-20T10:00', '2026-11-20T10:00:00.000Z'],
  ['datetime: America/New_York', '2026-07-01 10:00', '2026-07-01T14:00:00.000Z'],
  ['datetime', 1_795_170_386, '2026-11-20T10:26:26.000Z'],
  ['datetime', '2026-11-20T25:00:00Z', undefined],
  ['plus: 30 minutes', '2026-11-20T09:50:00Z', '2026-11-20T10:20:00.000Z'],
  // Friday, and summer time begins on the Sunday after.
  ['plus: 1 business day at 09:00, Europe/Berlin', '2026-03-27T18:00', '2026-03-30T07:00:00.000Z'],
  ['plus: 1 day', 'tomorrow', undefined],
  ['duration', 134, '2 min 14 s'],
  ['duration', 3900, '1 h 5 min'],
  ['duration', '59.6', '1 min'],
  ['duration', -1, undefined],
  ['seconds_to_ms', 134.0004, 134_000],
  ['round', 2.5, 3],
  ['round: 2', '3.14159', 3.14],
  [`replace: "-", ""`, '1-2-3', '123'],
  ['replace: a, aa', 'banana', 'baanaanaa'],
  ['split: ";" | last', 'a; b ;;', 'b'],
  ['split: "," | join: ";"', 'a, b', 'a;b'],
  ['join: ";"', ['a', 2, true], 'a;2;true'],
  ['join: ";"', [], undefined],
  ['join: ";"', [{}], undefined],
  ['join: ";"', ['a', null, '', 'b'], 'a;b'],
  ['join: ";"', ['', null], undefined],
  ['join: ";"', ['a', ['b']], undefined],
  ['last', ['a', 'b', 'c'], 'c'],
  ['last', [], undefined],
  ['last', 'alone', 'alone'],
  ['slice: 1, 2', 'abc', 'b'],
  ['slice: 0, 2', 1234, '12'],
  ['slice: 0, 1', '😀', '\ufffd'],
  ['boolean', ['yes'], undefined],
  ['boolean', ' NO ', false],
  ['date', ' 2026-11-20 ', '2026-11-20'],
  ['date', 1_795_170_386, '2026-11-20'],
  ['date: America/New_York', '2026-11-20', '2026-11-20'],
  ['duration', 0, '0 s'],
  ['duration', 59, '59 s'],
  ['duration', 60, '1 min'],
  ['duration', 3600, '1 h'],
  ['duration', 'long', undefined],
  ['e164: US', 4_155_550_142, '+14155550142'],
  ['e164: US', { number: '(415) 555-0142' }, undefined],
  ['redact', 'a@b and c@', '[e-mail] and c@'],
  ['replace: "", x', 'abc', 'abc'],
  ['replace: a, b', 'aXa', 'bXb'],
  ['default: true', '', true],
  ['default: false', '', false],
  ['default: -12.5', '', -12.5],
  ['default: 0.25', '', 0.25],
  ['default: 120', '', 120],
  ['default: "12"', '', '12'],
  ['default: 007', '', '007'],
  ['default: 12 km', '', '12 km'],
  ['default: no 12', '', 'no 12'],
  ['default: 1x', '', '1x'],
  ['default: "lead.first_name"', '', 'lead.first_name'],
  ["default: 'a, b'", '', 'a, b'],
  ["default: 'it | is'", '', 'it | is'],
  ["default: O'Brien", '', "O'Brien"],
  ["replace: O'B, O B", "O'Brien", 'O Brien'],
  ['replace: ",", " and "', 'a,b', 'a and b'],
  ["replace: ' ' , '}}'", 'a b', 'a}}b'],
  ['replace: "|", "{{"', 'a|b', 'a{{b'],
  ['first', ['a', 'b'], 'a'],
  ['last', ['a', 'b'], 'b'],
  ['first', 'alone', 'alone'],
  ['slice: 0, 3', 'abcdef', 'abc'],
  ['slice: -2', 'abcdef', 'ef'],
  ['slice: 1 | join: ","', ['a', 'b', 'c'], 'b,c'],
  ['truncate: 4', 'abcdef', 'abc…'],
  ['truncate: 3', '😀😀', '😀…'],
  ['truncate: 6', 'abcdef', 'abcdef'],
  ['default: x', '', 'x'],
  ['json', { a: [1, null] }, '{"a":[1,null]}'],
  ['url_host', 'https://app.example.com:8443/x?y', 'app.example.com:8443'],
  ['url_host', 'not a url', undefined],
  [
    'redact',
    'Write to dana@example.com, or call +1 (415) 555-0142 by 5 pm.',
    'Write to [e-mail], or call [number] by 5 pm.',
  ],
  ['hash', 'a', 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'],
  ['list_contains: Renewal', ['renewal'], true],
  ['list_contains: b', 'a; B', true],
  ['list_contains: c', 'a; B', false],
  ['list_contains: a', [['a']], false],
  ['upper', ['a', 'b'], 'A, B'],
  ['upper', { a: 1 }, undefined],
];

test.each(CASES)('%s of %j', (transform, given, wanted) => {
  const call = someCall({ vars: { x: given as never } });
  expect(written(JSON.stringify(`{{ vars.x | ${transform} }}`), call)).toEqual(wanted);
});

test('what a transform makes is no longer than a text may be', () => {
  const made = (transform: string, given: unknown) =>
    written(JSON.stringify(`{{ vars.x | ${transform} }}`), someCall({ vars: { x: given as never } }));
  const long = 'x'.repeat(LONGEST_TEXT);
  expect(made('join: "-"', [long, 'y']) === long).toBe(true);
  expect(
    String(
      made(
        'join: "-"',
        Array.from({ length: 1_001 }, () => 'x'),
      ),
    ).split('-'),
  ).toHaveLength(1_000);
  expect(made('json', long.slice(2)) === `"${long.slice(2)}"`).toBe(true);
  expect(made('json', long.slice(1))).toBeUndefined();
  expect(made('replace: -, +', 'a-'.repeat(1_000))).toBe('a+'.repeat(1_000));
  const replace = listTransforms().find(({ name }) => name === 'replace');
  expect(String(replace?.apply(long, 'x', 'yyyy'))).toHaveLength((LONGEST_TEXT / 4) * 7);
});

test('why there is nothing is said', () => {
  const why = (transform: string, call = someCall()) => reasonOf(`{ from: raw, transform: ${transform} }`, call);
  let deep: Json = 'x';
  for (let level = 0; level < 50_000; level += 1) deep = [deep];
  expect(why('json', someCall({ raw: deep }))).toBe('json: it is too long or too deep');
  expect(why('last_name', someCall({ raw: 'Dana' }))).toBe('last_name: the name is a single word');
  expect(why('last_name', someCall({ raw: ', Dana' }))).toBe('last_name: the name is a single word');
  expect(why('url_host', someCall({ raw: 'nowhere' }))).toBe('url_host: it is no web address');
  expect(why('date', someCall({ raw: 'soon' }))).toBe('date: it is no ISO 8601 date');
  expect(why('datetime', someCall({ raw: 'soon' }))).toBe('datetime: it is no ISO 8601 date and time');
  expect(why('{ plus: 1 day }', someCall({ raw: 'soon' }))).toBe('plus: it is no ISO 8601 date and time');
  expect(why('email_domain', someCall({ raw: 'dana@gmail.com' }))).toMatch(/mail provider/);
  expect(why('trim', someCall({ raw: [] }))).toBe('the list is empty');
});

test('every transform has a case here', () => {
  const tried = new Set(CASES.flatMap(([transform]) => transform.split('|').map((step) => step.split(':')[0]?.trim())));
  expect(listTransforms().filter(({ name }) => !tried.has(name))).toEqual([]);
});

test('a transform of one’s own is used like the others', () => {
  registerTransform({
    name: 'reverse',
    does: 'The letters the other way round.',
    parameters: [],
    apply: (value) => [...String(value)].reverse().join(''),
  });
  expect(written('"{{ lead.first_name | reverse | upper }}"')).toBe('ANAD');
  const again = { name: 'reverse', does: '', parameters: [], apply: () => '' };
  expect(() => registerTransform(again)).toThrow(/already/);
  expect(() => registerTransform({ ...again, name: 'default' })).toThrow(/already/);
  for (const name of ['No Name', 'no name', 'noName', '1st', ''])
    expect(() => registerTransform({ ...again, name })).toThrow(/no name/);
});

test('a transform that throws costs one field', () => {
  registerTransform({
    name: 'explode',
    does: 'Throws.',
    parameters: [],
    apply() {
      throw new Error('secret');
    },
  });
  expect(written('"{{ lead.name | explode | default: saved }}"')).toBe('saved');
});
