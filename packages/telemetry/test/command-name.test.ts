import { Writable } from 'node:stream';
import { afterEach, expect, test, vi } from 'vitest';
import { createLogger } from '../src/index.ts';
import { callable } from '../src/process/command-name.ts';

afterEach(() => vi.unstubAllEnvs());

test('log lines and their hints name commands as they are called here', () => {
  vi.stubEnv('WRAPUP_COMMAND', 'npm run wrapup --');
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  createLogger('worker', { stream }).warn({ hint: 'Run `wrapup provision`.' }, 'wrapup doctor says how');
  expect(JSON.parse(lines.join(''))).toMatchObject({
    hint: 'Run `npm run wrapup -- provision`.',
    msg: 'npm run wrapup -- doctor says how',
  });
});

test('only commands are named otherwise, and what a name holds is text', () => {
  vi.stubEnv('WRAPUP_COMMAND', '$& x');
  expect(
    callable('wrapup check, wrapup.yaml, wrapup-check, npm run wrapup -- check, Wrapup checks, wrapup --help'),
  ).toBe('$& x check, wrapup.yaml, wrapup-check, npm run wrapup -- check, Wrapup checks, $& x --help');
  // What a caller says is no command.
  for (const text of ['wrapup call with Ann', 'wrapup checks', 'wrapup test-drive']) expect(callable(text)).toBe(text);
});
