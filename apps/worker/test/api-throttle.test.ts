import { describe, expect, it } from 'vitest';
import { Gate } from '../src/calls/api-throttle.ts';

describe('asking one API', () => {
  it('has a bound on how many ask at once', () => {
    const gate = new Gate();
    const waits = Array.from({ length: 10 }, () => gate.enter(0, () => 0.5));
    expect(waits.filter((ms) => ms === 0)).toHaveLength(8);
    expect(waits.at(-1)).toBeGreaterThanOrEqual(200);
    gate.leave();
    expect(gate.enter(0)).toBe(0);
  });

  it('pauses for all when it is shut, and opens by itself', () => {
    const gate = new Gate();
    gate.shut(1_000, 5_000);
    gate.shut(10, 5_000);
    expect(gate.enter(5_400, () => 0)).toBe(600);
    expect(gate.enter(6_000, () => 0)).toBe(0);
  });

  it('stays shut longer each time, half a minute at most, until it is answered', () => {
    const gate = new Gate();
    let now = 0;
    const next = () => {
      gate.shut(undefined, now);
      gate.shut(undefined, now);
      const ms = gate.enter(now, () => 0);
      now += ms;
      return ms;
    };
    expect(Array.from({ length: 7 }, next)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    gate.opened();
    expect(next()).toBe(1_000);
  });
});
