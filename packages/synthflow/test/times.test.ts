import { describe, expect, it } from 'vitest';
import { readInstant, readSeconds } from '../src/parse/times.ts';
import { notesAt, read } from './support/read.ts';

describe('the start of a call', () => {
  it.each<[string, unknown, string, string | undefined]>([
    ['ISO with offset', '2026-05-04T10:59:46+02:00', '2026-05-04T08:59:46.000Z', '+02:00'],
    ['ISO with microseconds, as in 2024', '2024-05-04T10:59:46.123456-07:00', '2024-05-04T17:59:46.123Z', '-07:00'],
    ['ISO with an offset of half hours', '2026-05-04T10:59:46+0530', '2026-05-04T05:29:46.000Z', '+05:30'],
    ['ISO with an offset of whole hours', '2026-05-04T10:59:46-03', '2026-05-04T13:59:46.000Z', '-03:00'],
    ['ISO in UTC', '2026-05-04T08:59:46Z', '2026-05-04T08:59:46.000Z', '+00:00'],
    ['with a blank for the T', '2026-05-04 10:59:46+02:00', '2026-05-04T08:59:46.000Z', '+02:00'],
    ['without seconds', '2026-05-04T10:59+02:00', '2026-05-04T08:59:00.000Z', '+02:00'],
    ['epoch milliseconds in a text', '1777885186000', '2026-05-04T08:59:46.000Z', undefined],
    ['epoch milliseconds', 1777885186123, '2026-05-04T08:59:46.123Z', undefined],
    ['epoch seconds in a text', '1777885186.5', '2026-05-04T08:59:46.500Z', undefined],
    ['epoch seconds', 1777885186, '2026-05-04T08:59:46.000Z', undefined],
  ])('%s', (_, start_time, iso, offset) => {
    const call = read({ start_time, duration: 10 });
    expect(call.started_at).toBe(iso);
    expect(call.ended_at).toBe(new Date(Date.parse(iso) + 10_000).toISOString());
    expect(call.utc_offset).toBe(offset);
    expect(call.notes).toEqual([]);
  });

  it('without a zone is UTC, and noted', () => {
    const call = read({ start_time: '2026-05-04T08:59:46', timezone: 'Europe/Berlin' });
    expect(call).toMatchObject({ started_at: '2026-05-04T08:59:46.000Z', timezone: 'Europe/Berlin' });
    expect(notesAt(call, 'call.start_time')).toHaveLength(1);
  });

  it.each([
    ['yesterday'],
    ['2026-02-30T10:00:00Z'],
    ['2026-05-04T25:00:00Z'],
    ['2026-05-04T10:61:00Z'],
    ['2026-05-04T10:00:61Z'],
    ['2026-05-04T10:00:00+99:00'],
    ['2026-05-04'],
    ['1966-05-04T10:00:00Z'],
    [0],
    [-1777885186000],
    [Number.MAX_VALUE],
    [Number.POSITIVE_INFINITY],
    [true],
    [{}],
    ['9'.repeat(17)],
  ])('is absent and noted when it is %s', (start_time) => {
    const call = read({ start_time });
    expect(call).not.toHaveProperty('started_at');
    expect(call).not.toHaveProperty('ended_at');
    expect(notesAt(call, 'call.start_time')).toHaveLength(1);
  });

  it('is absent when it is a megabyte of text', () => {
    expect(read({ start_time: '2'.repeat(1_000_000) })).not.toHaveProperty('started_at');
  });

  it.each([[null], [undefined], ['']])('is absent without a note when there is none (%s)', (start_time) => {
    const call = read({ start_time });
    expect(call).not.toHaveProperty('started_at');
    expect(call.notes).toEqual([]);
  });

  it('is not believed when it lies more than a day after the payload came', () => {
    const received_at = Date.UTC(2026, 4, 4);
    const late = read({ start_time: '2026-05-06T00:00:00Z' }, {}, { received_at });
    expect(late).not.toHaveProperty('started_at');
    expect(late.received_at).toBe('2026-05-04T00:00:00.000Z');
    expect(notesAt(late, 'call.start_time')).toHaveLength(1);
    expect(read({ start_time: '2026-05-04T02:00:00Z' }, {}, { received_at }).started_at).toBeDefined();
  });

  it('comes from the telephony where only that names it', () => {
    expect(read({ telephony_start: '2026-05-04T08:59:46' }).started_at).toBe('2026-05-04T08:59:46.000Z');
  });
});

describe('the duration of a call', () => {
  it.each<[unknown, number]>([
    [113, 113],
    ['113', 113],
    [' 113.25 ', 113.25],
    [0, 0],
    ['0', 0],
    [12.3456789, 12.346],
  ])('%s', (duration, seconds) => {
    const call = read({ duration });
    expect(call.duration).toBe(seconds);
    expect(call.notes).toEqual([]);
  });

  it.each([[-1], ['-1'], ['1:53'], ['two minutes'], [Number.POSITIVE_INFINITY], [1e9], ['1e3'], [true], [[113]]])(
    'is absent and noted when it is %s',
    (duration) => {
      const call = read({ duration });
      expect(call).not.toHaveProperty('duration');
      expect(notesAt(call, 'call.duration')).toHaveLength(1);
    },
  );

  it('is absent where there is none, and the call ends when it starts', () => {
    const call = read({ duration: null, start_time: '2026-05-04T08:59:46Z' });
    expect(call).not.toHaveProperty('duration');
    expect(call.ended_at).toBe(call.started_at);
  });

  it('is not taken from the telephony, which counts the ringing too', () => {
    expect(read({ telephony_duration: 9000 })).not.toHaveProperty('duration');
  });
});

describe('an instant at its edges', () => {
  it.each<[unknown, string | undefined]>([
    ['2000-01-01T00:00:00Z', '2000-01-01T00:00:00.000Z'],
    ['1999-12-31T23:59:59.999Z', undefined],
    ['2199-12-31T23:59:59.999Z', '2199-12-31T23:59:59.999Z'],
    ['2200-01-01T00:00:00Z', undefined],
    ['2026-05-04T10:59:59Z', '2026-05-04T10:59:59.000Z'],
    ['2026-05-04T10:59:60Z', undefined],
    ['2026-05-04T10:59:46,5Z', '2026-05-04T10:59:46.500Z'],
    ['2026-05-04t10:59:46.1239z', '2026-05-04T10:59:46.123Z'],
    ['2026-05-04T10:59:46 +02:00', '2026-05-04T08:59:46.000Z'],
    ['2026-05-04T23:59:46+14:59', '2026-05-04T09:00:46.000Z'],
    ['2026-05-04T10:59:46+15:00', undefined],
    ['2026-05-04T10:59:46+05:60', undefined],
    [`2026-05-04T10:59:46Z${' '.repeat(44)}`, '2026-05-04T10:59:46.000Z'],
    [`2026-05-04T10:59:46Z${' '.repeat(45)}`, undefined],
    ['on 2026-05-04T10:59:46Z', undefined],
    ['2026-05-04T10:59:46Z.', undefined],
    ['1777885186.1239', '2026-05-04T08:59:46.123Z'],
    ['at 1777885186', undefined],
    ['1777885186 s', undefined],
    [Number.NaN, undefined],
    [Number.NEGATIVE_INFINITY, undefined],
  ])('%j is %s', (text, iso) => {
    expect(readInstant(text)?.ms).toBe(iso === undefined ? undefined : Date.parse(iso));
  });

  it('names its offset where the text does, and says where it does not', () => {
    expect(readInstant('2026-05-04T10:59:46-03:30')).toMatchObject({ offset: '-03:30', naive: false });
    expect(readInstant('2026-05-04T10:59:46')).toEqual({ ms: Date.UTC(2026, 4, 4, 10, 59, 46), naive: true });
    expect(readInstant(1_777_885_186)).toEqual({ ms: 1_777_885_186_000, naive: false });
  });
});

it.each<[unknown, number | undefined]>([
  [604_800, 604_800],
  ['604800', 604_800],
  [604_800.1, undefined],
  [0.0004, 0],
  [Number.NaN, undefined],
  ['about 5', undefined],
  ['5 s', undefined],
  [null, undefined],
])('%j is a length of %s seconds', (value, seconds) => {
  expect(readSeconds(value)).toBe(seconds);
});
