/** Clocks of time zones, held against the library that knows their rules. */
import { TZDate } from '@date-fns/tz';
import { addBusinessDays } from 'date-fns/addBusinessDays';
import { addDays } from 'date-fns/addDays';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileDue, isBefore } from '../src/time/due.ts';
import { clockAt, isTimeZone, momentOf } from '../src/time/zone.ts';

const ZONES = [
  'UTC',
  'America/New_York',
  'America/St_Johns',
  'Europe/Berlin',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'Africa/Casablanca',
];
const zone = fc.constantFrom(...ZONES);
const moment = fc.integer({ min: Date.UTC(1995, 0, 1), max: Date.UTC(2037, 0, 1) });

test('a clock shows what the library says, and leads back to the moment', () => {
  fc.assert(
    fc.property(zone, moment, (where, ms) => {
      const shown = clockAt(ms, where);
      const date = new TZDate(ms, where);
      const [year, month, day, hour] = [date.getFullYear(), date.getMonth(), date.getDate(), date.getHours()];
      expect(shown).toBe(
        Date.UTC(year, month, day, hour, date.getMinutes(), date.getSeconds(), date.getMilliseconds()),
      );
      // An hour that comes twice has two moments: the first is taken.
      const back = momentOf(shown, where);
      expect(clockAt(back, where)).toBe(shown);
      expect(back).toBeLessThanOrEqual(ms);
    }),
    { numRuns: Number(process.env.FAST_CHECK_RUNS ?? 1000) },
  );
});

test('days and business days are those of the library, in every zone', () => {
  fc.assert(
    fc.property(zone, moment, fc.integer({ min: 0, max: 400 }), fc.boolean(), (where, ms, amount, business) => {
      const start = new TZDate(Math.floor(ms / 1000) * 1000, where);
      const due = business ? addBusinessDays(start, amount) : addDays(start, amount);
      const ours = compileDue(`${amount} ${business ? 'business days' : 'days'}`, where)?.(start.getTime());
      // Only of an hour that comes twice, or never, may the library choose another reading.
      const apart = Math.abs(Date.parse(ours ?? '') - due.getTime());
      if (apart > 0) expect([1_800_000, 3_600_000]).toContain(apart);
    }),
    { numRuns: Number(process.env.FAST_CHECK_RUNS ?? 500) },
  );
});

test.each([
  // Summer time begins on 8 March 2026 in New York, at two: half past two is half past three.
  ['America/New_York', '1 day', '2026-03-07T07:30:00Z', '2026-03-08T07:30:00.000Z'],
  ['America/New_York', '1 day at 02:30', '2026-03-07T12:00:00Z', '2026-03-08T07:30:00.000Z'],
  // It ends on 1 November: half past one comes twice, and the first is meant.
  ['America/New_York', '1 day at 01:30', '2026-10-31T12:00:00Z', '2026-11-01T05:30:00.000Z'],
  ['America/New_York', '1 day', '2026-03-07T18:00:00Z', '2026-03-08T17:00:00.000Z'],
  ['America/New_York', '1 day at 03:30', '2026-03-07T12:00:00Z', '2026-03-08T07:30:00.000Z'],
  ['America/New_York', '1 day', '2026-10-31T17:00:00Z', '2026-11-01T18:00:00.000Z'],
  ['Europe/Berlin', '1 day at 02:30', '2026-10-24T10:00:00Z', '2026-10-25T00:30:00.000Z'],
  ['America/New_York', '1 business day', '2026-03-06T18:00:00Z', '2026-03-09T17:00:00.000Z'],
  ['Europe/Berlin', '1 business day at 09:00', '2026-11-20T23:30:00Z', '2026-11-23T08:00:00.000Z'],
  ['Asia/Tokyo', '1 business day at 09:00', '2026-11-19T23:30:00Z', '2026-11-23T00:00:00.000Z'],
  ['UTC', ' 2 weeks ', '2026-11-20T18:00:00Z', '2026-12-04T18:00:00.000Z'],
  ['UTC', '- 3 days', '2026-11-20T18:00:00Z', '2026-11-17T18:00:00.000Z'],
  ['UTC', '+ 3 days', '2026-11-20T18:00:00Z', '2026-11-23T18:00:00.000Z'],
  ['UTC', '-90 min', '2026-11-20T18:00:00Z', '2026-11-20T16:30:00.000Z'],
  ['UTC', '1  Business  Day', '2026-11-20T18:00:00Z', '2026-11-23T18:00:00.000Z'],
  ['UTC', '0 days', '2026-11-20T18:00:00Z', '2026-11-20T18:00:00.000Z'],
  ['UTC', '1 week', '2026-11-20T18:00:00Z', '2026-11-27T18:00:00.000Z'],
  ['Europe/Berlin', '36 hours', '2026-03-28T12:00:00Z', '2026-03-30T00:00:00.000Z'],
])('in %s, %s after %s is %s', (where, span, from, due) => {
  expect(compileDue(span, where)?.(Date.parse(from))).toBe(due);
});

test.each(['30 minutes at 09:00', '1 hour at 09:00', '1 day at 25:00', '1 year', 'soon', '1 day later'])(
  '%s is no span',
  (text) => {
    expect(compileDue(text, 'UTC')).toBeUndefined();
  },
);

test('what lies beyond the calendar is due at no time, and a minus leads to before', () => {
  const last = 8.64e15;
  expect(compileDue('1 minute', 'UTC')?.(last - 60_000)).toBe(new Date(last).toISOString());
  expect(compileDue('1 minute', 'UTC')?.(last)).toBeUndefined();
  expect([isBefore('-1 day'), isBefore(' - 1 day'), isBefore('1 day'), isBefore('+1 day')]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test('zones are those that the runtime knows', () => {
  expect([isTimeZone('Europe/Berlin'), isTimeZone('Europe/Bielefeld'), isTimeZone('')]).toEqual([true, false, false]);
});
