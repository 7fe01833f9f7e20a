/** Which spellings of a date or a time are read, and what they mean. */
import { expect, test } from 'vitest';
import { readMoment } from '../src/time/moment.ts';

test.each<[unknown, string, boolean]>([
  ['2026-11-23', '2026-11-23T00:00:00.000Z', true],
  [' 2026-11-23 ', '2026-11-23T00:00:00.000Z', true],
  ['2026-11-23T18:06', '2026-11-23T18:06:00.000Z', false],
  ['2026-11-23 18:06:59', '2026-11-23T18:06:59.000Z', false],
  ['2026-11-23t18:59:26z', '2026-11-23T18:59:26.000Z', false],
  ['2026-11-23T18:06:26.5Z', '2026-11-23T18:06:26.500Z', false],
  ['2026-11-23T18:06:26,1239', '2026-11-23T18:06:26.123Z', false],
  ['2026-11-23T18:06:26+01:30', '2026-11-23T16:36:26.000Z', false],
  ['2026-11-23T18:06:26 -0330', '2026-11-23T21:36:26.000Z', false],
  ['2028-02-29', '2028-02-29T00:00:00.000Z', true],
  ['1000-01-01', '1000-01-01T00:00:00.000Z', true],
  ['9999-12-31', '9999-12-31T00:00:00.000Z', true],
  [1_795_453_586, '2026-11-23T17:06:26.000Z', false],
  [1_795_453_586_000, '2026-11-23T17:06:26.000Z', false],
  [1_795_453_586.0006, '2026-11-23T17:06:26.001Z', false],
  // Seconds until the year 5138, milliseconds from 1973.
  [1e11 - 1, '5138-11-16T09:46:39.000Z', false],
  [1e11, '1973-03-03T09:46:40.000Z', false],
  [Date.UTC(1000, 0, 1), '1000-01-01T00:00:00.000Z', false],
  [`2026-11-23${' '.repeat(30)}`, '2026-11-23T00:00:00.000Z', true],
])('%j is %s', (value, iso, dayOnly) => {
  const moment = readMoment(value);
  expect(moment && { ...moment, ms: new Date(moment.ms).toISOString() }).toEqual({ ms: iso, dayOnly });
});

test.each<[unknown]>([
  ['2026-04-31'],
  ['2026-13-01'],
  ['2026-00-10'],
  ['2026-02-00'],
  ['2026-02-29'],
  ['2026-11-23T24:00'],
  ['2026-11-23T10:60'],
  ['2026-11-23T10:00:60'],
  ['11/23/2026'],
  ['2026-11-23T10'],
  ['on 2026-11-23'],
  ['2026-11-23 or so'],
  [`2026-11-23${' '.repeat(31)}`],
  ['0999-12-31'],
  ['1000-01-01T00:00:00+01:00'],
  ['9999-12-31T23:59:59-01:00'],
  [Date.UTC(9999, 11, 31) + 86_400_000],
  [Date.UTC(1000, 0, 1) - 1],
  [8.64e15 + 1],
  [Number.NaN],
  [Number.POSITIVE_INFINITY],
  [null],
  [undefined],
  [true],
  [['2026-11-23']],
  [''],
])('%j is no date', (value) => {
  expect(readMoment(value)).toBeUndefined();
});

test.each([
  ['Europe/Berlin', '2026-07-01T10:00', '2026-07-01T08:00:00.000Z'],
  ['Europe/Berlin', '2026-07-01', '2026-06-30T22:00:00.000Z'],
  ['Europe/Berlin', '2026-07-01T10:00Z', '2026-07-01T10:00:00.000Z'],
  ['UTC', '2026-07-01T10:00', '2026-07-01T10:00:00.000Z'],
])('in %s, %s is %s', (zone, text, iso) => {
  expect(new Date(readMoment(text, zone)?.ms ?? 0).toISOString()).toBe(iso);
});
