import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLogger, logConnectionErrors, Sparingly } from '../src/index.ts';

afterEach(() => void vi.useRealTimers());

describe('sparingly', () => {
  it('lets one of a kind through, counts the others, and begins again after a while', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const sparingly = new Sparingly(1_000);
    expect([sparingly.admit('a'), sparingly.admit('a'), sparingly.admit('b')]).toEqual([0, undefined, 0]);
    vi.advanceTimersByTime(999);
    expect(sparingly.admit('a')).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect([sparingly.admit('a'), sparingly.admit('b')]).toEqual([2, 0]);
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
