import { isOfficeOpen, officeHoursSchema, toOfficeHours } from '@wrapup/mapping';
import { describe, expect, it, test } from 'vitest';
import { compileDue } from '../src/time/due.ts';

const office = (written: object) => toOfficeHours(officeHoursSchema.parse(written));
const berlin = () =>
  office({
    time_zone: 'Europe/Berlin',
    weekdays: ['13:00-17:30', '09:00-12:00', '17:30-18:00'],
    friday: ' 09:00-12:15 ',
    wednesday: ' closed ',
    saturday: '10:15 - 14:00',
    holidays: ['12-25', '2026-11-20'],
  });

describe('the office is', () => {
  it.each([
    ['open at the first minute', '2026-11-23T08:00:00Z', true],
    ['closed a moment before', '2026-11-23T07:59:59Z', false],
    ['closed at lunch', '2026-11-23T11:30:00Z', false],
    ['open until the last minute', '2026-11-23T16:59:59Z', true],
    ['open where one range follows another', '2026-11-23T16:30:00Z', true],
    ['closed at the end', '2026-11-23T17:00:00Z', false],
    ['open until a quarter past', '2026-11-27T11:14:59Z', true],
    ['closed from a quarter past', '2026-11-27T11:15:00Z', false],
    ['closed before a quarter past', '2026-11-21T09:14:59Z', false],
    ['open an hour earlier by UTC in summer', '2026-07-06T07:00:00Z', true],
    ['closed on a day that says so', '2026-11-25T10:00:00Z', false],
    ['open on a day with hours of its own', '2026-11-21T10:00:00Z', true],
    ['closed on a day without any', '2026-11-22T10:00:00Z', false],
    ['closed on a holiday', '2026-11-20T09:00:00Z', false],
    ['closed on a holiday of every year', '2028-12-25T10:00:00Z', false],
    ['closed by the date of its zone', '2026-12-24T23:30:00Z', false],
  ])('%s', (_what, at, open) => expect(isOfficeOpen(berlin(), Date.parse(at))).toBe(open));
});

test.each([
  ['Asia/Tokyo', 'Asia/Tokyo'],
  [undefined, 'UTC'],
])('an office without a zone is in that of the mapping: %s', (zone, expected) => {
  const written = officeHoursSchema.parse({ weekdays: '09:00-17:00', sunday: 'closed' });
  expect(toOfficeHours(written, zone)).toEqual({
    time_zone: expected,
    days: Object.fromEntries(
      ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'].map((day) => [day, [[540, 1020]]]),
    ),
    holidays: new Set(),
  });
  expect(toOfficeHours(officeHoursSchema.parse({ time_zone: 'Europe/Berlin', monday: '09:00-17:00' }), zone)).toEqual({
    time_zone: 'Europe/Berlin',
    days: { monday: [[540, 1020]] },
    holidays: new Set(),
  });
});

test('a day may have all its hours', () => {
  const always = office({ weekdays: '00:00-24:00', saturday: '00:00-24:00', sunday: '00:00-24:00' });
  for (let hour = 0; hour < 24 * 7; hour += 1) expect(isOfficeOpen(always, hour * 3_600_000)).toBe(true);
});

test.each([
  ['2026-11-19T10:00:00Z', '1 business day', '2026-11-21T10:00:00.000Z'],
  ['2026-11-19T10:00:00Z', '1 business day at 09:00', '2026-11-21T08:00:00.000Z'],
  ['2026-11-23T10:00:00Z', '2 business days', '2026-11-26T10:00:00.000Z'],
  ['2026-11-24T22:30:00Z', '1 business day', '2026-11-26T22:30:00.000Z'],
  ['2026-11-19T10:00:00Z', '1 day', '2026-11-20T10:00:00.000Z'],
  // Days that are no business days are those of the mapping's zone.
  ['2026-11-19T10:00:00Z', '1 day at 09:00', '2026-11-20T09:00:00.000Z'],
  ['2026-11-21T10:00:00Z', '1 business day', '2026-11-23T10:00:00.000Z'],
  ['2026-11-24T10:00:00Z', '-2 business days', '2026-11-21T10:00:00.000Z'],
])('from %s %s is due at %s', (ended, text, due) => {
  expect(compileDue(text, 'UTC', berlin())?.(Date.parse(ended))).toBe(due);
});

test('an office that is closed all year has no business day', () => {
  const days = Array.from({ length: 366 }, (_, day) => new Date(Date.UTC(2028, 0, 1 + day)).toISOString().slice(5, 10));
  expect(compileDue('1 business day', 'UTC', office({ weekdays: '09:00-17:00', holidays: days }))?.(0)).toBeUndefined();
});

test('a business day is looked for 400 days ahead', () => {
  // The first Monday that is no holiday comes 400 days after a Sunday.
  const monday = Date.UTC(2026, 10, 23);
  const holidays = Array.from({ length: 57 }, (_, week) =>
    new Date(monday + week * 7 * 86_400_000).toISOString().slice(0, 10),
  );
  const due = compileDue('1 business day', 'UTC', office({ monday: '09:00-17:00', holidays }));
  expect(due?.(monday - 86_400_000)).toBe(new Date(monday + 399 * 86_400_000).toISOString());
  expect(due?.(monday - 2 * 86_400_000)).toBeUndefined();
});

test.each([
  ['nothing', {}, /must say when the office is open/],
  ['only closed days', { monday: 'closed' }, /must say when the office is open/],
  ['an unknown zone', { time_zone: 'Europe/Bielefeld', monday: '09:00-17:00' }, /IANA name/],
  ['a range backwards', { monday: '17:00-09:00' }, /passes midnight is two/],
  ['an empty range', { monday: '09:00-09:00' }, /passes midnight is two/],
  ['a time after the end of the day', { monday: '09:00-24:30' }, /such as 09:00-17:30(?!.*midnight)/],
  ['no time', { monday: 'whenever' }, /such as 09:00-17:30(?!.*midnight)/],
  ['no time in words', { monday: 'nine to five' }, /such as 09:00-17:30/],
  ['ranges that overlap', { monday: ['09:00-13:00', '12:00-17:00'] }, /must not overlap/],
  ['a date that is none', { monday: '09:00-17:00', holidays: ['2026-02-30'] }, /must be a date/],
  ['a date with more around it', { monday: '09:00-17:00', holidays: ['on 12-25'] }, /must be a date/],
  ['a date with more behind it', { monday: '09:00-17:00', holidays: ['12-25 and on'] }, /must be a date/],
  ['a date and time', { monday: '09:00-17:00', holidays: ['2026-12-25T10:00'] }, /must be a date/],
  ['a year of five digits', { monday: '09:00-17:00', holidays: ['12026-12-25'] }, /must be a date/],
  ['a year of more digits', { monday: '09:00-17:00', holidays: ['+012026-12-25'] }, /must be a date/],
  ['a word', { monday: '09:00-17:00', holidays: ['Christmas'] }, /must be a date/],
  ['a day that is none', { monday: '09:00-17:00', holidays: ['13-01'] }, /must be a date/],
])('%s is refused', (_what, written, says) => {
  const parsed = officeHoursSchema.safeParse(written);
  expect(JSON.stringify(parsed.error?.issues)).toMatch(says);
});
