import { expect, test } from 'vitest';
import { type Turn, timeTurns } from '../src/index.ts';

const turn = (text: string, start?: number, end?: number): Turn => ({
  speaker: 'agent',
  text,
  ...(start === undefined ? {} : { start }),
  ...(end === undefined ? {} : { end }),
});
const times = (turns: Turn[], duration: number | undefined, how: 'exact' | 'estimated') => {
  const timed = timeTurns(turns, duration, how);
  return typeof timed === 'string' ? timed : timed.map(({ start, end }) => [start, end]);
};

test('turns that carry their times keep them; an end that is missing is the next start, the last one the call’s', () => {
  expect(times([turn('a', 0, 2), turn('b', 3), turn('c', 5)], 9, 'exact')).toEqual([
    [0, 2],
    [3, 5],
    [5, 9],
  ]);
  // A platform that tells whole seconds gives two turns one start.
  expect(times([turn('a', 1), turn('b', 1)], 9, 'exact')).toEqual([
    [1, 1.001],
    [1, 9],
  ]);
});

test('exact times are never made up', () => {
  expect(times([turn('a', 0), turn('b')], 9, 'exact')).toBe('the source does not tell when 1 of 2 turns were said');
  expect(times([turn('a', 5), turn('b', 2)], 9, 'exact')).toBe('the source does not tell when 2 of 2 turns were said');
  expect(times([turn('a', 0), turn('b', 4)], undefined, 'exact')).toBe('the call does not tell how long it was');
});

test('estimated turns fill the call, each by its share of the letters', () => {
  expect(times([turn('aaaa'), turn('bb'), turn(' '), turn('cccc')], 10, 'estimated')).toEqual([
    [0, 4],
    [4, 6],
    [6, 10],
  ]);
});

test('what a source does tell bounds the estimate', () => {
  expect(times([turn('aa'), turn('bb'), turn('cc', 8), turn('dd')], 10, 'estimated')).toEqual([
    [0, 4],
    [4, 8],
    [8, 9],
    [9, 10],
  ]);
});

test('without a length, or without words, there is nothing to spread', () => {
  expect(times([turn('a')], undefined, 'estimated')).toBe('the call does not tell how long it was');
  expect(times([turn('a')], 0, 'estimated')).toBe('the call does not tell how long it was');
  expect(times([turn(' ')], 10, 'estimated')).toContain('nobody said anything');
});
