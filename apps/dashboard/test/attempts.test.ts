import { describe, expect, it } from 'vitest';
import { Attempts } from '../src/security/attempts.ts';

const limits = { burst: 3, refill: 1_000 };

describe('wrong passwords', () => {
  it('use up an allowance that fills again with time', () => {
    let now = 0;
    const attempts = new Attempts(limits, () => now);
    for (let guess = 0; guess < 3; guess += 1) attempts.failed('10.0.0.1');
    expect(attempts.wait('10.0.0.1')).toBe(1_000);
    now += 500;
    expect(attempts.wait('10.0.0.1')).toBe(500);
    now += 500;
    expect(attempts.wait('10.0.0.1')).toBe(0);
    attempts.failed('10.0.0.1');
    expect(attempts.wait('10.0.0.1')).toBe(1_000);
  });

  it('of one address do not stop another', () => {
    const attempts = new Attempts(limits, () => 0);
    for (let guess = 0; guess < 3; guess += 1) attempts.failed('10.0.0.1');
    expect(attempts.wait('10.0.0.2')).toBe(0);
  });

  it('from very many addresses stop everybody', () => {
    const attempts = new Attempts(limits, () => 0);
    for (let address = 0; address < 30; address += 1) attempts.failed(`10.0.1.${address}`);
    expect(attempts.wait('10.0.0.2')).toBeGreaterThan(0);
  });

  it('are forgotten once the right one came', () => {
    const attempts = new Attempts(limits, () => 0);
    attempts.failed('10.0.0.1');
    attempts.failed('10.0.0.1');
    attempts.succeeded('10.0.0.1');
    attempts.failed('10.0.0.1');
    expect(attempts.wait('10.0.0.1')).toBe(0);
  });
});
