import { describe, expect, it } from 'vitest';
import { ApiThrottle } from '../src/calls/api-throttle.ts';

describe('asking one API', () => {
  it('has a bound on how many ask at once', () => {
    const throttle = new ApiThrottle();
    const waits = Array.from({ length: 10 }, () => throttle.enter(0, () => 0.5));
    expect(waits.filter((ms) => ms === 0)).toHaveLength(8);
    expect(waits.at(-1)).toBeGreaterThanOrEqual(200);
    throttle.leave();
    expect(throttle.enter(0)).toBe(0);
  });

  it('pauses for all when it is shut, and opens by itself', () => {
    const throttle = new ApiThrottle();
    throttle.pause(1_000, 5_000);
    throttle.pause(10, 5_000);
    expect(throttle.enter(5_400, () => 0)).toBe(600);
    expect(throttle.enter(6_000, () => 0)).toBe(0);
  });

  it('stays shut longer each time, half a minute at most, until it is answered', () => {
    const throttle = new ApiThrottle();
    let now = 0;
    const next = () => {
      throttle.pause(undefined, now);
      throttle.pause(undefined, now);
      const ms = throttle.enter(now, () => 0);
      now += ms;
      return ms;
    };
    expect(Array.from({ length: 7 }, next)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    throttle.answered();
    expect(next()).toBe(1_000);
  });
});
