import { expect, it } from 'vitest';
import { addressesIn, emailForm, MAX_ADDRESSES, numberForms } from '../src/index.ts';

const numbersIn = (document: unknown) => [...addressesIn(document).numbers];
const hasNumber = (document: unknown) => {
  const forms = numberForms('(415) 555-0142', ['US'])?.numbers ?? [];
  return numbersIn(document).some((number) => forms.includes(number));
};
const emailsIn = (document: unknown) => [...addressesIn(document).emails];

it.each([
  ['call Dana at (415) 555-0142', true],
  ['14155550142', true],
  ['415.555.0142', true],
  ['+1 415 555 0142', true],
  ['0014155550142', true],
  ['on 2025-06-01 14:30 call 415 555 0142', true],
  ['4155550142 4155550199 4155550177', true],
  ['+1 415 555 0143', false],
  ['94155550142', false],
])('the number +1 415 555 0142 in "%s": %s', (text, found) => {
  expect(hasNumber({ call: { note: [text] } })).toBe(found);
});

it.each([
  ['Her address is Dana@Example.com.', ['dana@example.com']],
  ['mailto:dana@example.com?x', ['dana@example.com']],
  ["'dana@example.com'", ['dana@example.com']],
  ['jordana@example.com and x.dana@example.com', ['jordana@example.com', 'x.dana@example.com']],
  ['dana@example.com.au', ['dana@example.com.au']],
  ['nothing @ all, not@here', []],
  ['at @example.com, or dana@!example.com', []],
  ["''dana@example.com", ['dana@example.com']],
  [`dana@example.com ${'and so on '.repeat(20)}`, ['dana@example.com']],
  [`${'x'.repeat(64)}@example.com`, [`${'x'.repeat(64)}@example.com`]],
  [`${'x'.repeat(70)}@example.com`, [`${'x'.repeat(64)}@example.com`]],
])('the addresses in "%s" are %j', (text, emails) => {
  expect(emailsIn([text])).toEqual(emails);
});

it('reads names and numbers too, and leaves times and dates out', () => {
  expect(hasNumber({ phone: 14155550142 })).toBe(true);
  expect(hasNumber({ '+1 415 555 0142': true })).toBe(true);
  const times = { at: '2025-06-01T14:30:00.000Z', begun: 1_714_412_345_678, ended: '1714412345.678', seconds: 42 };
  expect(addressesIn(times)).toEqual({ numbers: new Set(), emails: new Set(), complete: true });
});

it('gives an address as it is asked for', () => {
  expect(emailsIn([' Dana@Example.COM '])).toEqual([emailForm('dana@example.com ')]);
  expect(numberForms('nonsense', ['US'])).toBeUndefined();
});

it.each([
  ['+1 415 555 0142', ['14155550142']],
  ['5550142', ['5550142']],
  ['5550142 5550143', ['55501425550143']],
  ['555014', []],
  ['00123456789012345', ['00123456789012345']],
  ['001234567890123456', []],
  ['2025-06-01', []],
  ['2025-06-01T14:30', []],
  ['2025-06-01T14:30:00 12345', []],
  ['2025-06-01 1430 12345', []],
  ['2025-06-01T143000 123', []],
  ['2025-06-01T14:30:00.123 4567', []],
  ['2025-06-01T14:30:00.123456 123', []],
  ['1234 2025-06-01', []],
  ['1714412345678', []],
  ['2000000000000', []],
  ['2200000000000', ['2200000000000']],
  ['91714412345678', ['91714412345678']],
  ['17144123456789', ['17144123456789']],
  [-4155550142, []],
  [4155550142.5, []],
  [null, []],
  [undefined, []],
  [true, []],
])('the numbers in %j are %j', (value, numbers) => {
  expect(numbersIn({ value })).toEqual(numbers);
});

it('does not take places in a long list for numbers', () => {
  expect(numbersIn(Array.from({ length: 1_000_010 }, () => 0))).toEqual([]);
});

it('gives each form that a number may stand in, of each country that it may belong to', () => {
  expect(numberForms('(415) 555-0142', ['US', 'CA'])).toEqual({
    e164: ['+14155550142'],
    numbers: ['14155550142', '0014155550142', '4155550142', '04155550142'],
  });
});

it.each([
  ['addresses', (count: number) => Array.from({ length: count }, (_, n) => `p${n}@example.com`), MAX_ADDRESSES],
  ['looks at what may be a number', (count: number) => Array(count).fill('4155550142'), 20_000],
  ['looks within one text', (count: number) => Array(count).fill('4155550142').join(', '), 20_000],
  ['numbers in a row', (count: number) => '4155550142 '.repeat(count), 39],
])('is complete up to a number of %s', (_what, documentOf, most) => {
  expect(addressesIn(documentOf(most)).complete).toBe(true);
  expect(addressesIn(documentOf(most + 1)).complete).toBe(false);
});

it('says so when there are more than it takes', () => {
  const many = Array.from({ length: MAX_ADDRESSES + 50 }, (_, index) => `person-${index}@example.com`);
  expect(addressesIn(many)).toMatchObject({ complete: false });
  expect(addressesIn(many).emails.size).toBeGreaterThanOrEqual(MAX_ADDRESSES);
});

it('takes no longer for a hostile text than for any other of its length', () => {
  // A pattern that backtracks over the whole text would not come back from these.
  const [words, signs, gap] = ['a'.repeat(2_000_000), '@'.repeat(1_000_000), `1${' '.repeat(1_000_000)}x`];
  expect(addressesIn([words, signs, gap])).toMatchObject({ numbers: new Set(), complete: true });
  expect(addressesIn('1 '.repeat(1_000_000)).complete).toBe(false);
  expect(addressesIn('11-11-11.'.repeat(1_000_000)).complete).toBe(false);
});
