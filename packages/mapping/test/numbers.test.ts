import { expect, test } from 'vitest';
import { someCall } from './support/call.ts';
import { plan, reasonOf, written } from './support/compile.ts';
import { expectMistake, type Mistake } from './support/mistake.ts';

const read = (text: string, form = '{ from: vars.n, transform: number }') =>
  written(form, someCall({ vars: { n: text } }));

test.each([
  ['12000', 12_000],
  ['12,000', 12_000],
  ['$12,000', 12_000],
  ['12,000.50', 12_000.5],
  ['1.200,50 €', 1200.5],
  ['1.200.000', 1_200_000],
  ['1,5', 1.5],
  ['1.5', 1.5],
  ['0.125', 0.125],
  ['1 200', 1200],
  ['12k', 12_000],
  ['$12k', 12_000],
  ['12k EUR', 12_000],
  ['65 Tsd', 65_000],
  ['1.5 million', 1_500_000],
  ['1,5 Mio.', 1_500_000],
  ['1.1 million dollars', 1_100_000],
  ['2 Mrd', 2_000_000_000],
  ['usd 5', 5],
  ['15 %', 15],
  [' 12 ', 12],
  ['1e3', 1000],
  ['12.25e3', 12_250],
  ['1234567890123456', 1_234_567_890_123_456],
  ['1E+12', 1e12],
  ['5e-2', 0.05],
  ['−2e1', -20],
  ['-2e1', -20],
  [`12${' '.repeat(58)}`, 12],
])('%s is %d in every country', (text, number) => {
  expect(read(text)).toBe(number);
});

test.each(['65.000', '65.000 €', '1.200', '-65.000', '65.000k'])(
  '%s is two numbers, and left out unless the mapping says which',
  (text) => {
    const call = someCall({ vars: { n: text } });
    expect(read(text)).toBeUndefined();
    expect(reasonOf('{ from: vars.n, transform: number }', call)).toMatch(/two countries/);
    const [de, en] = ['de', 'en'].map((writing) => read(text, `{ from: vars.n, transform: { number: ${writing} } }`));
    expect([typeof de, typeof en]).toEqual(['number', 'number']);
    expect(de).not.toBe(en);
  },
);

test.each([
  'about 12',
  '12 apples',
  'twelve',
  '1.2.3',
  '400k to 450k',
  '2 billion',
  '5 mil',
  '1e3x',
  'x1e3',
  '1ee3',
  '1e',
  'ae3',
  '1.e3',
  '1.xe3',
  '1exx',
  '1e308k',
  '1234,567',
  // Nothing and some thousands is no number, and a fraction of three digits is none in some countries.
  '0,125',
  `12${' '.repeat(59)}`,
])('%s is no number', (text) => {
  expect(read(text)).toBeUndefined();
});

test.each([
  ['de', '65.000', 65_000],
  ['de', '12,000', 12],
  ['en', '65.000', 65],
  ['en', '12', 12],
  ['de', '1 200,5', 1200.5],
  ['de', '0,125', 0.125],
  ['en', '2 billion', 2_000_000_000],
  ['fr', '1 234,5', 1234.5],
  ['ch', '1’234.5', 1234.5],
] as const)('in the writing %s %s is %d, said by the line or once by the mapping', (writing, text, number) => {
  const call = someCall({ vars: { n: text } });
  expect(read(text, `{ from: vars.n, transform: { number: ${writing} } }`)).toBe(number);
  expect(read(text, `"{{ vars.n | number: ${writing} }}"`)).toBe(number);
  const whole = plan(`number: ${writing}\nperson: { fields: { x: { from: vars.n, transform: number } } }`, call);
  expect(whole.person?.fields[0]?.value).toBe(number);
});

test('a power of ten is how machines write, with a point', () => {
  expect(read('1e3', '{ from: vars.n, transform: { number: de } }')).toBeUndefined();
});

const deal = (when: string, vars: Record<string, string>, head = '') =>
  plan(`${head}deals: [ { name: deal, title: A deal, when: ${when} } ]`, someCall({ vars }));

test.each([
  ['{ path: vars.n, gt: 10000 }', '$12,000', true],
  ['{ path: vars.n, gt: 10000 }', '12k', true],
  ['{ path: vars.n, gt: 10000 }', '9,999', false],
  ['{ path: vars.n, equals: 12000 }', '12,000', true],
  ['{ path: vars.n, in: [1, 12000] }', '$12,000.00', true],
  ['{ path: vars.n, transform: { number: de }, gt: 10000 }', '65.000', true],
  ['{ path: vars.n, transform: [trim, lower], equals: yes }', ' YES ', true],
  ['{ path: vars.n, transform: { split: "," }, contains: b }', 'a,b', true],
  ['{ path: vars.n, transform: number, exists: true }', 'a lot', false],
])('%s of "%s" holds: %s', (when, n, holds) => {
  expect(deal(when, { n }).records.length).toBe(holds ? 1 : 0);
});

test('a condition that cannot compare what the call says does not hold, and says so', () => {
  const planned = deal('{ path: vars.n, gt: 10000 }', { n: '65.000' });
  expect(planned.records).toEqual([]);
  expect(planned.left_out).toMatchObject([
    { field: 'deal', reason: expect.stringMatching(/vars\.n.*two countries/), unusable: 'ambiguous_number' },
  ]);
  expect(deal('{ path: vars.n, gt: 10000 }', { n: '65.000' }, 'number: de\n').records).toHaveLength(1);
  expect(deal('{ path: vars.n, gt: 10000 }', {}).left_out).toEqual([]);
});

test('the time zone of the mapping reaches every transform that reads or makes times, and conditions', () => {
  const vars = { at: '2026-12-01 10:00', late: '2026-11-30T23:30:00Z' };
  const planned = plan(
    `time_zone: Europe/Berlin
person:
  fields:
    at: { from: vars.at, transform: datetime }
    before: "{{ vars.at | plus: -1 day }}"
    day: { from: vars.late, transform: date }
    named: { from: vars.at, transform: { datetime: UTC } }
deals: [ { name: deal, title: A, when: { path: vars.at, lt: "2026-12-01T09:30:00Z" } } ]
`,
    someCall({ vars }),
  );
  expect(Object.fromEntries(planned.person?.fields.map(({ name, value }) => [name, value]) ?? [])).toEqual({
    at: '2026-12-01T09:00:00.000Z',
    before: '2026-11-30T09:00:00.000Z',
    day: '2026-12-01',
    named: '2026-12-01T10:00:00.000Z',
  });
  expect(planned.records).toHaveLength(1);
});

test('what the call says and nothing could be made of is distinguished from what it does not say', () => {
  const planned = plan(
    `person: { fields: { a: { from: vars.n, transform: number }, b: { from: vars.gone, transform: number }, c: { from: vars.n, map: { x: y } } } }
deals: [ { name: promise, title: A, fields: { amount: { from: vars.n, transform: number, required: true } } } ]`,
    someCall({ vars: { n: 'a lot' } }),
  );
  expect(planned.left_out.map(({ field, unusable }) => [field, unusable])).toEqual([
    ['person.a', 'unreadable_number'],
    ['person.b', undefined],
    ['person.c', 'unmapped_value'],
    ['promise', 'unreadable_number'],
  ]);
});

const MISTAKES: Mistake[] = [
  [
    'a writing is none',
    'person: { fields: { x: { from: vars.n, transform: { number: »german } } } }\n',
    { code: 'bad-argument', says: /one of en, de, fr, ch/ },
  ],
  [
    'the writing of the mapping is none',
    'number: »german\nperson: { fields: { x: vars.n } }\n',
    { code: 'bad-value', says: /none of en, de/ },
  ],
  [
    'a condition transforms by an unknown name',
    'deals: [ { name: a, title: A, when: { path: vars.n, transform: »nummber, gt: 1 } } ]\n',
    { code: 'unknown-transform', says: /nummber/, hint: /number/ },
  ],
];

test.each(MISTAKES)('%s', (...mistake) => expectMistake(mistake));
