import { Failure } from '@wrapup/destination';
import { beforeEach, describe, expect, it } from 'vitest';
import { CircuitBreaker } from '../src/inbound/circuit-breaker.ts';

const slow = new Failure('timeout', 'slow');
const refused = new Failure('unauthorized', 'refused');
const quota = new Failure('throttled', 'quota');

let now: number;
let circuit: CircuitBreaker;
beforeEach(() => {
  now = 1_000;
  circuit = new CircuitBreaker(() => now);
});

const fail = (times: number, failure: unknown = slow) => {
  for (let i = 0; i < times; i += 1) circuit.failed(failure, false);
};

describe('the circuit', () => {
  it('opens with the third failure in a row', () => {
    fail(2);
    circuit.succeeded();
    fail(2);
    expect(circuit.ask()).toBe('ask');
    fail(1);
    expect([circuit.open, circuit.ask()]).toEqual([true, 'leave']);
  });

  it('opens at once when the connection itself is refused', () => {
    fail(1, refused);
    expect(circuit.ask()).toBe('leave');
  });

  it('does not open for quota, nor for what says nothing of the CRM', () => {
    fail(10, quota);
    fail(10, new Error('Redis'));
    fail(10, new Failure('internal', 'ours'));
    expect(circuit.ask()).toBe('ask');
  });

  it('lets one try after its pause, and closes when that one is answered', () => {
    fail(3);
    now += 4_999;
    expect(circuit.ask()).toBe('leave');
    now += 1;
    expect([circuit.ask(), circuit.ask()]).toEqual(['try', 'leave']);
    circuit.succeeded();
    expect(circuit.ask()).toBe('ask');
  });

  it('pauses twice as long after each trial that failed, a minute at most', () => {
    fail(3);
    for (const pause of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
      now += pause - 1;
      expect(circuit.ask()).toBe('leave');
      now += 1;
      expect(circuit.ask()).toBe('try');
      circuit.failed(slow, true);
    }
  });

  it('lets another try when the trial said nothing', () => {
    fail(3);
    now += 5_000;
    expect(circuit.ask()).toBe('try');
    circuit.failed(quota, true);
    expect(circuit.ask()).toBe('try');
  });

  it('does not take those for a trial that were on their way when it opened', () => {
    fail(3);
    now += 5_000;
    expect(circuit.ask()).toBe('try');
    fail(5);
    expect(circuit.ask()).toBe('leave');
    circuit.succeeded();
    expect(circuit.ask()).toBe('ask');
  });
});
