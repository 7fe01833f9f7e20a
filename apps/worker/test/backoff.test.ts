import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoff } from '../src/bullmq/backoff.ts';

describe('backoff', () => {
  it('spreads evenly between nothing and a doubling ceiling', () => {
    const retries = { base: 1000, cap: 600_000 };
    expect(backoff(1, retries, () => 0)).toBe(0);
    expect(backoff(1, retries, () => 1)).toBe(1000);
    expect(backoff(4, retries, () => 1)).toBe(8000);
    expect(backoff(4, retries, () => 0.5)).toBe(4000);
  });

  it('never waits longer than the cap, whatever the attempt', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const wait = backoff(attempt, { base: 1000, cap: 600_000 }, () => random);
        return wait >= 0 && wait <= 600_000 && Number.isInteger(wait);
      }),
    );
  });
});
