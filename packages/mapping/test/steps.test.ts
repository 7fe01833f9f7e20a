/** What stands after a `|` or under `transform`: how arguments are read, and what is said of those that do not fit. */
import { afterAll, describe, expect, it, test, vi } from 'vitest';
import { compileMapping, registerTransform } from '../src/index.ts';
import { LONGEST_TEXT } from '../src/values/found.ts';
import { compiled, written } from './support/compile.ts';
import { acmeDialect } from './support/dialect.ts';
import { expectMistake, field, type Mistake } from './support/mistake.ts';

// What is registered here is for no other file: the next file of this process loads the modules anew.
afterAll(() => vi.resetModules());

test.each<[string, unknown]>([
  ['{ from: vars.nothing, transform: { default: 5 } }', 5],
  ['{ from: vars.nothing, transform: { default: true } }', true],
  ['{ from: vars.nothing, transform: { default: "true" } }', true],
  ['{ from: vars.nothing, transform: { default: lead.phone } }', '+14155550142'],
  ['{ from: lead.name, transform: { truncate: 12 } }', 'Dana Example'],
  [`{ from: lead.name, transform: { truncate: ${LONGEST_TEXT} } }`, 'Dana Example'],
  ['{ from: lead.name, transform: { truncate: 1 } }', '…'],
  [`{ from: lead.name, transform: { slice: ${-LONGEST_TEXT} } }`, 'Dana Example'],
  [`{ from: lead.name, transform: { replace: [${'a'.repeat(1000)}, b] } }`, 'Dana Example'],
  [`'{{ vars["best time"] | replace: "n", "|" }}'`, 'mor|i|gs'],
  [`'{{ vars["best}}|time"] | default: "a|}}b" }}'`, 'a|}}b'],
  [`'{{ lead.name | replace: a, } }}'`, 'D}n} Ex}mple'],
  [`'{{ lead.name | replace: a, { }}'`, 'D{n{ Ex{mple'],
])('%s gives %j', (form, value) => {
  expect(written(form)).toBe(value);
});

const MISTAKES: Mistake[] = [
  [
    'an argument is a section',
    field('{ from: lead.name, transform: { truncate: »{ length: 5 } } }'),
    { code: 'bad-value', says: /must be text or a number .* not a section/ },
  ],
  [
    'an argument among several is empty',
    field('{ from: lead.name, transform: { replace: [a, »null] } }'),
    { code: 'bad-value', says: /has no value/ },
  ],
  [
    'a list holds a list',
    field('{ from: lead.name, transform: { replace: [a, »[b]] } }'),
    { code: 'bad-value', says: /not a list/ },
  ],
  [
    'a list of transforms holds a list',
    field('{ from: lead.name, transform: [trim, »[upper]] }'),
    { code: 'bad-value', says: /not a list/ },
  ],
  [
    'a text is no transform',
    field('{ from: lead.name, transform: »": 5" }'),
    { code: 'unknown-transform', says: /": 5" is no transform/, hint: /truncate: 20/ },
  ],
  [
    'arguments are more than it may have',
    field('"{{ lead.name | »slice: 1, 2, 3 }}"'),
    { code: 'bad-argument', says: /slice takes at most 2 arguments, not 3/, hint: /slice: start, \[end\]$/ },
  ],
  [
    'arguments are fewer than it needs',
    field('"{{ lead.name |  »replace: a }}"'),
    { code: 'bad-argument', says: /replace takes 2 arguments, not 1/ },
  ],
  [
    'an argument is missing between commas',
    field('"{{ lead.name | »replace: a, }}"'),
    { code: 'bad-placeholder', says: /replace: an argument is missing/ },
  ],
  [
    'the second argument is no number',
    field('"{{ lead.name | slice: 1,  »2x }}"'),
    { code: 'bad-argument', says: /must be a whole number from -200000 to 200000/ },
  ],
  [
    'a number has something before it',
    field('"{{ lead.name | truncate: »x12 }}"'),
    { code: 'bad-argument', says: /whole number from 1 to 200000/ },
  ],
  [
    'a number is too large',
    field(`"{{ lead.name | truncate: »${LONGEST_TEXT + 1} }}"`),
    { code: 'bad-argument', says: /whole number/ },
  ],
  [
    'a number is too small',
    field(`"{{ lead.name | slice: »${-LONGEST_TEXT - 1} }}"`),
    { code: 'bad-argument', says: /whole number/ },
  ],
  [
    'a text is too long',
    field(`{ from: lead.name, transform: { replace: [»${'a'.repeat(1001)}, b] } }`),
    { code: 'bad-argument', says: /at most 1000 characters/ },
  ],
  ...['us', 'USA', 'xUS', 'XQ', '12'].map(
    (country): Mistake => [
      `${country} is no country`,
      field(`"{{ lead.phone | e164: »${country} }}"`),
      { code: 'bad-argument', says: /ISO country code of two capitals/ },
    ],
  ),
  [
    'a quote is all of an argument',
    field(`'{{ lead.name | default: »" }}'`),
    { code: 'bad-placeholder', says: /quote never closes/ },
  ],
  [
    'a text begins with what closes',
    field('"»}} of {{ lead.name }}"'),
    { code: 'bad-placeholder', says: /without its/ },
  ],
];
test.each(MISTAKES)('%s', (...mistake) => expectMistake(mistake));

test('whole numbers of a transform of one’s own have the limits that it says, or none', () => {
  const apply = (_value: unknown, number?: string | number) => number ?? 0;
  registerTransform({ name: 'any_number', does: '', parameters: [{ name: 'n', type: 'integer' }], apply });
  registerTransform({ name: 'from_five', does: '', parameters: [{ name: 'n', type: 'integer', from: 5 }], apply });
  expect(written('{ from: lead.name, transform: { any_number: -999999999 } }')).toBe(-999_999_999);
  expect(written('{ from: lead.name, transform: { from_five: 999999999 } }')).toBe(999_999_999);
  expectMistake([
    'too small',
    field('{ from: lead.name, transform: { from_five: »4 } }'),
    { code: 'bad-argument', says: /n must be a whole number from 5 to ∞/ },
  ]);
  expectMistake([
    'none',
    field('{ from: lead.name, transform: { any_number: »x } }'),
    { code: 'bad-argument', says: /n must be a whole number from -∞ to ∞/ },
  ]);
});

describe('lines that mean something else than in the version before', () => {
  const changed = (text: string, { upgrade = true, presets = {} }: { upgrade?: boolean; presets?: object } = {}) => {
    const { mapping, findings } = compileMapping({
      ...{ name: 'mappings/acme.yaml', text, dialect: acmeDialect(presets as Record<string, string>) },
      ...{ readFile: () => undefined, tells_changes: upgrade },
    });
    expect(mapping).toBeDefined();
    return findings.map(({ code, severity, message, at }) => [code, severity, message.split(' ')[0], at?.line]);
  };
  const inBerlin = (form: string) => `time_zone: Europe/Berlin\n${field(form)}`;
  const DATE = ['changed-meaning', 'warning', 'date', 4];

  it.each<[string, string, unknown[]]>([
    ['a day by the zone of the mapping', inBerlin('"{{ call.ended_at | date }}"'), [DATE]],
    ['a day by a zone of its own', inBerlin('"{{ call.ended_at | date: UTC }}"'), []],
    ['a day where the mapping has no zone', field('"{{ call.ended_at | date }}"'), []],
    ['what goes by no zone', inBerlin('"{{ lead.name | upper }}"'), []],
    ['a number', field('"{{ vars.n | number }}"'), [['changed-meaning', 'warning', 'number', 3]]],
    ['a number whose writing is said', field('"{{ vars.n | number: en }}"'), []],
    ['a number where the mapping says the writing', `number: de\n${field('"{{ vars.n | number }}"')}`, []],
  ])('are named: %s', (_what, text, found) => {
    expect(changed(text)).toEqual(found);
    expect(changed(text, { upgrade: false })).toEqual([]);
  });

  it('are none of those that a preset brings along', () => {
    const presets = { base: 'call_log: { title: "{{ vars.n | number }}" }\n' };
    expect(changed('extends: acme/base\n', { presets })).toEqual([]);
  });
});

test.each<[string, string | undefined]>([
  ['call.duration', 'number'],
  ['"{{ call.duration }}"', 'number'],
  ['"{{ call.duration }} s"', 'text'],
  ['{ from: call.duration }', 'number'],
  ['vars.n', undefined],
  ['{ from: vars.n, transform: number }', 'number'],
  ['"{{ vars.n | number }}"', 'number'],
  ['{ from: vars.n, transform: [number, upper] }', undefined],
  ['{ from: vars.n, transform: [upper, number] }', 'number'],
  ['"{{ vars.n | upper | number }}"', 'number'],
  ['{ from: vars.n, transform: number, default: { from: vars.m, transform: number } }', 'number'],
  ['{ from: vars.n, transform: number, default: { from: vars.m, transform: date } }', undefined],
  ['{ from: vars.n, transform: number, default: lead.name }', undefined],
  ['{ from: vars.n, transform: number, map: { "1": one } }', undefined],
])('%s is known to be a %s', (form, gives) => {
  expect(compiled(field(form)).fields[0]?.gives).toBe(gives);
});

test.each<[string, unknown]>([
  ['call.direction', ['inbound', 'outbound']],
  ['"{{ call.direction }}"', ['inbound', 'outbound']],
  ['{ from: call.direction }', ['inbound', 'outbound']],
  ['"{{ call.direction | upper }}"', undefined],
  ['"{{ call.direction }}!"', undefined],
  ['{ from: call.direction, default: x }', undefined],
  ['{ from: call.direction, map: { inbound: 1, outbound: 2 } }', [1, 2]],
  ['{ from: vars.n, map: { a: 1, b: null }, default: 3 }', [1, 3]],
  ['{ from: vars.n, map: { a: 1 }, default: lead.name }', undefined],
  ['5', [5]],
])('of %s it is known which values there are: %j', (form, values) => {
  expect(compiled(field(form)).fields[0]?.values).toEqual(values);
});
