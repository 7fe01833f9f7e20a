import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';

const program = new URL('./support/stopping-process.ts', import.meta.url).pathname;
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function start(...args: string[]) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let output = '';
  const waiting: Array<() => void> = [];
  child.stdout.on('data', (chunk) => {
    output += chunk;
    for (const wake of waiting.splice(0)) wake();
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  async function says(text: string) {
    while (!output.includes(text)) await new Promise<void>((resolve) => waiting.push(resolve));
  }
  return { child, ended, says, output: () => output };
}

describe('a process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('runs its steps in order on %s and leaves with 0', async (signal) => {
    const { child, ended, says, output } = start('clean');
    await says('up');
    child.kill(signal);
    expect(await ended).toBe(0);
    expect(output()).toMatch(/stopping.*step\nsecond\n.*stopped/s);
  });

  it('goes on with the next step when one fails, and leaves with 1', async () => {
    const { child, ended, says, output } = start('failing');
    await says('up');
    child.kill('SIGTERM');
    expect(await ended).toBe(1);
    expect(output()).toContain('second');
    expect(output()).not.toContain('dana');
  });

  it('leaves with 1 when the deadline passes, naming the step', async () => {
    const { child, ended, says, output } = start('hanging', '100');
    await says('up');
    child.kill('SIGTERM');
    expect(await ended).toBe(1);
    expect(output()).toMatch(/"step":"first".*could not stop in time/);
  });

  it('exits also when its log is no longer read', async () => {
    const { child, says } = start('unheard');
    await says('up');
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.stdout?.destroy();
    child.stderr?.destroy();
    child.kill('SIGTERM');
    expect(await gone).toBe(0);
  });

  it('leaves at once on a second signal', async () => {
    const { child, ended, says } = start('hanging', '60000');
    await says('up');
    child.kill('SIGTERM');
    await says('stopping');
    child.kill('SIGTERM');
    expect(await ended).toBe(1);
  });

  it.each(['rejecting', 'throwing'])('that is %s logs it and leaves with 1', async (behaviour) => {
    const { ended, output } = start(behaviour);
    expect(await ended).toBe(1);
    expect(output()).toContain('"level":"fatal"');
    expect(output()).toContain('told [e-mail]');
  });
});
