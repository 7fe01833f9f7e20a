/** A rise is found, and noise is not taken for one, also where figures follow each other closely. */
import { describe, expect, it } from 'vitest';
import { makeRandom, type Random } from '../support/random.ts';
import { judge, judgeSlope } from './judge.ts';
import type { Sample } from './samples.ts';
import { LEAST_POINTS, type Point, slopeOf } from './slope.ts';

const RUNS = 80;

/** Of variance 1 each; `likeness` is how much of a value stays in the next one. */
function noise(random: Random, count: number, likeness: number): number[] {
  const values: number[] = [];
  let last = 0;
  for (let n = 0; n < count; n += 1) {
    // Twelve even numbers together are nearly normal.
    const fresh = Array.from({ length: 12 }, random).reduce((sum, one) => sum + one, -6);
    last = likeness * last + Math.sqrt(1 - likeness ** 2) * fresh;
    values.push(last);
  }
  return values;
}

const seriesOf = (random: Random, { slope = 0, likeness = 0, count = 200 }): Point[] =>
  noise(random, count, likeness).map((value, n) => [n, 50 + slope * n + value]);

describe('a slope', () => {
  it('of a line is exact, and outliers do not move it', () => {
    const points = Array.from({ length: 60 }, (_, n): Point => [n, n % 11 === 5 ? 900 : 7 + 0.25 * n]);
    expect(slopeOf(points)?.slope).toBeCloseTo(0.25, 3);
    expect(slopeOf(points.slice(0, LEAST_POINTS - 1))).toBeUndefined();
  });

  it.each([0, 0.5, 0.9])('has bounds that hold in nearly all runs where values stay by %d', (likeness) => {
    const random = makeRandom(11);
    const outside = Array.from({ length: RUNS }, () => {
      const found = slopeOf(seriesOf(random, { slope: 0.03, likeness }));
      return found && (found.low > 0.03 || found.high < 0.03);
    }).filter(Boolean).length;
    // One in a hundred by their definition; more where few points are as good as fewer.
    expect(outside / RUNS).toBeLessThan(likeness > 0.8 ? 0.12 : 0.04);
  });

  it('is distinguished from none where points say enough, and else is not', () => {
    const random = makeRandom(5);
    const found = (slope: number, count: number) =>
      Array.from(
        { length: RUNS },
        () => (slopeOf(seriesOf(random, { slope, count, likeness: 0.5 }))?.low ?? 0) > 0,
      ).filter(Boolean).length / RUNS;
    expect(found(0.03, 200)).toBeGreaterThan(0.95);
    expect(found(0.03, 25)).toBeLessThan(0.2);
  });
});

describe('the rule', () => {
  it('tells a rise, what is flat, and what is not shown', () => {
    const of = (low: number, slope: number, high: number) => ({ low, slope, high, level: 1, points: 99 });
    expect(judgeSlope(of(-1, 0, 1), 2)).toBe('flat');
    expect(judgeSlope(of(0.5, 1, 1.5), 2)).toBe('flat');
    expect(judgeSlope(of(2.5, 3, 4), 2)).toBe('rises');
    expect(judgeSlope(of(0.5, 3, 6), 2)).toBe('rises');
    expect(judgeSlope(of(-5, 3, 9), 2)).toBe('not shown');
    expect(judgeSlope(of(-5, 0, 9), 2)).toBe('not shown');
    expect(judgeSlope(undefined, 2)).toBe('not shown');
  });

  /** An hour with two calls in a second, of which a worker keeps so many bytes. */
  function hour(leak: number): Sample[] {
    const random = makeRandom(3);
    return Array.from({ length: 360 }, (_, n) => {
      const calls = n * 20;
      const wave = 400_000 * Math.sin(n / 9) + 300_000 * random();
      return {
        ...{ at: n * 10, calls },
        processes: {
          worker: {
            ...{ asked: n, up: n, rss: 180e6 + wave * 4, heap: 60e6 + wave + leak * calls, fds: 30 + (n % 5) },
            ...{ resources: 9 - (n % 3), cpu: calls * 12, lag_p50: 10, lag_p99: 20, lag_max: 30 },
          },
        },
        ...(n % 3 === 0 && {
          redis: {
            ...{ used: 9e6, rss: 2e7, clients: 30 - (n % 4), keys: 4000 + (n % 40), calls: 1400 + (n % 60) },
            bytes: { ledger: 3e6 + 1e4 * random(), payload: 2e6 },
          },
        }),
      };
    });
  }

  it('finds a worker that keeps a kilobyte of each call, and finds nothing else', () => {
    const rising = (leak: number) =>
      judge(hour(leak), 900)
        .filter(({ verdict }) => verdict === 'rises')
        .map(({ name }) => name);
    expect(rising(1000)).toEqual(['worker: heap after a collection']);
    expect(rising(0)).toEqual([]);
  });

  it('takes nothing for flat that it was not shown', () => {
    const verdicts = judge(hour(0), 3_500).flatMap(({ verdict }) => verdict ?? []);
    expect(new Set(verdicts)).toEqual(new Set(['not shown']));
    const of_an_hour = judge(hour(0), 900).filter(({ verdict }) => verdict === 'flat');
    expect(of_an_hour.map(({ name }) => name)).toContain('worker: heap after a collection');
  });
});
