import { describe, expect, it } from 'vitest';
import { LoginThrottle } from '../src/security/login-throttle.ts';

function fail(throttle: LoginThrottle, address: string, times: number): void {
  for (let time = 0; time < times; time += 1) throttle.failed(address);
}

describe('the delay after wrong passwords', () => {
  it('doubles with each, up to two seconds', () => {
    const throttle = new LoginThrottle(() => 0);
    const delays = Array.from({ length: 8 }, () => {
      throttle.failed('192.0.2.1');
      return throttle.delay('192.0.2.1');
    });
    expect(delays).toEqual([250, 500, 1_000, 2_000, 2_000, 2_000, 2_000, 2_000]);
    fail(throttle, '192.0.2.1', 10_000);
    expect(throttle.delay('192.0.2.1')).toBe(2_000);
  });

  it('is of that address alone, however many others fail', () => {
    const throttle = new LoginThrottle(() => 0);
    for (let address = 0; address < 200; address += 1) fail(throttle, `192.0.2.${address}`, 10);
    expect(throttle.delay('198.51.100.1')).toBe(0);
  });

  it('ends with the right password, or a quarter of an hour after the last wrong one', () => {
    let now = 0;
    const throttle = new LoginThrottle(() => now);
    fail(throttle, '192.0.2.1', 5);
    throttle.succeeded('192.0.2.1');
    expect(throttle.delay('192.0.2.1')).toBe(0);
    fail(throttle, '192.0.2.1', 5);
    now += 15 * 60_000 - 1;
    expect(throttle.delay('192.0.2.1')).toBe(2_000);
    now += 1;
    expect(throttle.delay('192.0.2.1')).toBe(0);
    throttle.failed('192.0.2.1');
    expect(throttle.delay('192.0.2.1')).toBe(250);
  });

  it('remembers 10,000 addresses and drops the one that failed longest ago', () => {
    const throttle = new LoginThrottle(() => 0);
    for (let address = 0; address < 10_000; address += 1) throttle.failed(`a${address}`);
    throttle.failed('a0');
    for (let address = 0; address < 5_000; address += 1) throttle.failed(`b${address}`);
    expect(throttle.size).toBe(10_000);
    expect([throttle.delay('a0'), throttle.delay('a1'), throttle.delay('a9999')]).toEqual([500, 0, 250]);
  });
});
