import { expect, it } from 'vitest';
import { readMoment, readRange, stepsOf, writeMoment } from '../src/queries/time-range.ts';

const DAY_MS = 24 * 3_600_000;
/** A Monday in the week in which clocks go back in Berlin, 23:30 there. */
const NOW = Date.parse('2026-10-26T22:30:00Z');
const range = (query: Record<string, string>, zone = 'Europe/Berlin') => readRange((name) => query[name], zone, NOW);
const iso = (ms: number) => new Date(ms).toISOString();

it.each([
  ['today', {}, '2026-10-25T23:00:00.000Z', '2026-10-26T23:00:00.000Z', 'hour'],
  // 25 hours long.
  ['yesterday', {}, '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z', 'hour'],
  ['7d', {}, '2026-10-19T22:00:00.000Z', '2026-10-26T23:00:00.000Z', 'day'],
  ['30d', {}, '2026-09-26T22:00:00.000Z', '2026-10-26T23:00:00.000Z', 'day'],
])('%s begins and ends with days of the reader', (name, _, from, until, step) => {
  const found = range({ range: name });
  expect([iso(found.from), iso(found.until), found.step]).toEqual([from, until, step]);
});

it('is two days with all between them where these are given, and seven days where nothing that it knows is', () => {
  const days = range({ from: '2026-10-01', to: '2026-10-02' });
  expect([iso(days.from), iso(days.until)]).toEqual(['2026-09-30T22:00:00.000Z', '2026-10-02T22:00:00.000Z']);
  expect(iso(range({ from: '2026-10-05', to: '2026-10-01' }).until)).toBe('2026-10-05T22:00:00.000Z');
  expect(range({ from: '1999-01-01', to: '2026-10-01' }).until).toBe(range({ from: '1999-01-01' }).from + 92 * DAY_MS);
  expect(range({ range: '__proto__', from: 'x' }).name).toBe('7d');
  expect(range({ from: '2026-13-45' }).name).toBe('7d');
});

it('has one step for each day, also where one is longer, and one for each hour', () => {
  const week = stepsOf(range({ range: '7d' }), 'Europe/Berlin');
  expect(week).toHaveLength(8);
  expect(new Set(week.map((at) => writeMoment(at, 'Europe/Berlin').slice(11)))).toEqual(new Set(['00:00']));
  expect(stepsOf(range({ range: 'yesterday' }), 'Europe/Berlin')).toHaveLength(26);
});

it('a moment is read as it is written, on the clock of the zone', () => {
  for (const zone of ['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/New_York']) {
    const at = Math.floor(NOW / 60_000) * 60_000;
    expect(readMoment(writeMoment(at, zone), zone)).toBe(at);
  }
  expect(readMoment('tomorrow', 'UTC')).toBeUndefined();
});
