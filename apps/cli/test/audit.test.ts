import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { operator } from '../src/connect/operator.ts';
import { AMBIGUOUS, openInstallation } from './support/installation.ts';
import { wrapup } from './support/run.ts';

test('what commands did is listed with user and host, and exported as JSON lines', async () => {
  const { env, settle } = await openInstallation();
  for (const call_id of ['c-1', 'c-2', 'c-3']) await settle({ call_id }, AMBIGUOUS);
  const run = async (...args: string[]) => expect(await wrapup(args, env)).toMatchObject({ code: 0 });
  await run('parked', 'drop', 'c-1', '--reason', 'a test call');
  await run('calls', 'show', 'c-2', '--payload');
  await run('replay', 'c-2');
  await run('parked', 'replay', '--all');
  await run('connections', 'pause', 'sales', '--reason', 'moving');
  await run('forget', 'c-3');

  const exported = await wrapup(['audit', '--since', '1h', '--json'], env);
  expect(exported.code).toBe(0);
  const entries = exported.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { name } = operator();
  for (const entry of entries) {
    expect(entry).toMatchObject({ by: name, via: 'command line', from: hostname() });
    expect(new Date(entry.at).toISOString()).toBe(entry.at);
  }
  expect(entries).toMatchObject([
    { action: 'drop', source: 'main', call_id: 'c-1', was: { state: 'parked', code: 'ambiguous_person' } },
    { action: 'read payload', call_id: 'c-2' },
    { action: 'replay', call_id: 'c-2', route: 'sales-calls' },
    { action: 'replay many', step: 'begun', of: 1 },
    { action: 'replay many', step: 'ended', of: 1, done: 1 },
    { action: 'pause', connection: 'sales', reason: 'moving' },
    { action: 'forget', call_id: 'c-3' },
  ]);

  const shown = await wrapup(['audit', '--action', 'drop'], env);
  expect(shown.stdout).toMatch(
    new RegExp(
      `${name} +command line, ${hostname()} +drop +c-1 on sales-calls, was parked \\(ambiguous_person\\), reason: a test call\n$`,
    ),
  );
  expect((await wrapup(['audit', '--call', 'c-9'], env)).stdout).toBe('Nothing was done.\n');
  expect(await wrapup(['audit', '--action', 'droop'], env)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no action is called "droop"'),
  });
  expect(await wrapup(['audit', '--client', 'bolt'], env)).toMatchObject({ code: 2 });
});
