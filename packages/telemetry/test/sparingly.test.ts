import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createLogger, logConnectionErrors, Sparingly } from '../src/index.ts';

describe('sparingly', () => {
  it('lets one of a kind through, counts the others, and begins again after a while', async () => {
    const sparingly = new Sparingly(60_000);
    expect([sparingly.admit('a'), sparingly.admit('a'), sparingly.admit('b')]).toEqual([0, undefined, 0]);
    const brief = new Sparingly(30);
    expect([brief.admit('a'), brief.admit('a'), brief.admit('a')]).toEqual([0, undefined, undefined]);
    await sleep(60);
    expect(brief.admit('a')).toBe(2);
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
