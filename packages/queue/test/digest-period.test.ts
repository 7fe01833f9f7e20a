import { describe, expect, it } from 'vitest';
import { type DigestTimes, describePeriod, lastPeriod, nextDue, readPeriod } from '../src/index.ts';

const at = (text: string) => Date.parse(text);
const utc = (ms: number) => new Date(ms).toISOString().replace(':00.000Z', 'Z');
const BERLIN: DigestTimes = { every: 'week', at: 8 * 60, time_zone: 'Europe/Berlin' };
const DAILY: DigestTimes = { ...BERLIN, every: 'day' };

const shown = (times: DigestTimes, now: string) => {
  const { name, from, until, before, due } = lastPeriod(times, at(now));
  return [name, ...[before, from, until, due].map(utc)];
};

describe('the week that is due', () => {
  it.each([
    // Monday, 08:00 in Berlin is 07:00 UTC in winter.
    ['a moment before', '2026-11-30T06:59:59Z', '2026-W47'],
    ['at that moment', '2026-11-30T07:00:00Z', '2026-W48'],
    ['on the Sunday after', '2026-12-06T23:00:00Z', '2026-W48'],
  ])('%s', (_, now, name) => {
    expect(lastPeriod(BERLIN, at(now)).name).toBe(name);
  });

  it('is from Monday to Monday on the clock of its zone, whatever that does on the Sunday between', () => {
    // On 29 March 2026 Berlin loses an hour, on 25 October it gains one.
    expect(shown(BERLIN, '2026-03-30T12:00Z')).toEqual([
      ...['2026-W13', '2026-03-15T23:00Z', '2026-03-22T23:00Z', '2026-03-29T22:00Z', '2026-03-30T06:00Z'],
    ]);
    expect(shown(BERLIN, '2026-10-26T12:00Z')).toEqual([
      ...['2026-W43', '2026-10-11T22:00Z', '2026-10-18T22:00Z', '2026-10-25T23:00Z', '2026-10-26T07:00Z'],
    ]);
  });

  it('is numbered as ISO 8601 has it at the turn of a year', () => {
    expect(lastPeriod(BERLIN, at('2026-01-05T12:00Z')).name).toBe('2026-W01');
    expect(lastPeriod(BERLIN, at('2027-01-04T12:00Z')).name).toBe('2026-W53');
    expect(lastPeriod(BERLIN, at('2025-01-06T12:00Z')).name).toBe('2025-W01');
  });
});

describe('the day that is due', () => {
  it('has 23 hours in spring, and 25 in autumn', () => {
    const hours = ({ from, until }: { from: number; until: number }) => (until - from) / 3_600_000;
    expect(hours(lastPeriod(DAILY, at('2026-03-30T12:00Z')))).toBe(23);
    expect(hours(lastPeriod(DAILY, at('2026-10-26T12:00Z')))).toBe(25);
  });

  it('is due once on days on which its hour is skipped or comes twice', () => {
    const night = { ...DAILY, at: 2 * 60 + 30 };
    // 02:30 is no time on 29 March: it is due when the clock shows 03:30. On 25 October the first 02:30 counts.
    expect(utc(lastPeriod(night, at('2026-03-29T12:00Z')).due)).toBe('2026-03-29T01:30Z');
    expect(utc(lastPeriod(night, at('2026-10-25T12:00Z')).due)).toBe('2026-10-25T00:30Z');
    for (const day of ['2026-03-29', '2026-10-25']) {
      const names = Array.from({ length: 48 }, (_, half) => lastPeriod(night, at(`${day}T00:00Z`) + half * 1_800_000));
      const changes = names.filter(({ name }, place) => name !== names[place - 1]?.name);
      expect(changes.length).toBeLessThanOrEqual(2);
      expect(changes.map(({ due }) => due)).toEqual(changes.map(({ due }) => due).toSorted());
    }
  });

  it('begins where its zone has no midnight', () => {
    // Santiago goes from 23:59:59 on 5 September 2026 to 01:00.
    const { name, from, until } = lastPeriod({ ...DAILY, time_zone: 'America/Santiago' }, at('2026-09-07T15:00Z'));
    expect([name, utc(from), utc(until)]).toEqual(['2026-09-06', '2026-09-06T04:00Z', '2026-09-07T03:00Z']);
  });
});

describe('a period by its name', () => {
  it('is the one that is meant', () => {
    const now = at('2026-11-30T12:00Z');
    for (const times of [BERLIN, DAILY])
      for (let earlier = 0; earlier < 60; earlier++) {
        const period = lastPeriod(times, now, earlier);
        expect(readPeriod(period.name, times, now)).toEqual(period);
      }
  });

  it.each([
    ['not over', BERLIN, '2026-W49'],
    ['of a week that the year does not have', BERLIN, '2025-W53'],
    ['a day where weeks are meant', BERLIN, '2026-11-29'],
    ['a day that is none', DAILY, '2026-02-30'],
    ['today', DAILY, '2026-11-30'],
    ['nonsense', DAILY, 'yesterday'],
  ])('is none: %s', (_, times, name) => {
    expect(readPeriod(name, times, at('2026-11-30T12:00Z'))).toBeUndefined();
  });

  it('is followed by the next', () => {
    expect(utc(nextDue(BERLIN, at('2026-11-30T06:00Z')))).toBe('2026-11-30T07:00Z');
    expect(utc(nextDue(BERLIN, at('2026-11-30T07:00Z')))).toBe('2026-12-07T07:00Z');
    expect(utc(nextDue(DAILY, at('2026-11-30T07:00Z')))).toBe('2026-12-01T07:00Z');
  });

  it('is described in words', () => {
    const words = (times: DigestTimes, now: string) => describePeriod(lastPeriod(times, at(now)));
    expect(words(BERLIN, '2026-11-30T12:00Z')).toBe('Week 48, 23 to 29 November 2026');
    expect(words(BERLIN, '2026-12-07T12:00Z')).toBe('Week 49, 30 November to 6 December 2026');
    expect(words(BERLIN, '2027-01-04T12:00Z')).toBe('Week 53, 28 December 2026 to 3 January 2027');
    expect(words(DAILY, '2026-11-30T12:00Z')).toMatch(/^Sunday,? 29 November 2026$/);
  });
});
