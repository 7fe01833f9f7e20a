import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLogger, LogThrottle, logConnectionErrors } from '../src/index.ts';

afterEach(() => void vi.useRealTimers());

describe('throttle', () => {
  it('lets one of a kind through, counts the others, and begins again after a while', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const throttle = new LogThrottle(1_000);
    expect([throttle.admit('a'), throttle.admit('a'), throttle.admit('b')]).toEqual([0, undefined, 0]);
    vi.advanceTimersByTime(999);
    expect(throttle.admit('a')).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect([throttle.admit('a'), throttle.admit('b')]).toEqual([2, 0]);
  });

  it('logs each error of a connection once', () => {
    const lines: string[] = [];
    const log = createLogger('test', { level: 'info', stream: { write: (line: string) => void lines.push(line) } });
    const note = logConnectionErrors(log, 'Redis connection');
    for (let i = 0; i < 5; i++) note(new Error('refused'));
    note(new Error('reset'));
    expect(lines).toHaveLength(2);
  });
});
