import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isPasswordOf, readUsers } from '@wrapup/config';
import { expect, test } from 'vitest';
import { operator } from '../src/connect/operator.ts';
import { openInstallation } from './support/installation.ts';
import { wrapup } from './support/run.ts';

test('a login is added with a password that is shown once, listed without it, changed and removed', async () => {
  const { env, store } = await openInstallation();
  const file = join(dirname(env.WRAPUP_CONFIG as string), 'users.yaml');
  const added = await wrapup(['user', 'add', 'dana', '--role', 'operator', '--json'], env);
  expect(added).toMatchObject({ code: 0 });
  const { password } = added.json() as { password: string };
  const text = readFileSync(file, 'utf8');
  expect(text).not.toContain(password);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await isPasswordOf(password, readUsers(file).dana?.password ?? '')).toBe(true);
  expect(await isPasswordOf('another password', readUsers(file).dana?.password ?? '')).toBe(false);

  const again = await wrapup(['user', 'add', 'dana', '--role', 'viewer'], env);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('add --replace') });
  const given = 'correct horse battery staple';
  const changed = await wrapup(
    ['user', 'add', 'dana', '--role', 'viewer', '--replace', '--password', '-'],
    env,
    `${given}\n`,
  );
  expect(changed).toMatchObject({ code: 0 });
  expect(changed.stdout).not.toContain(given);
  expect(await isPasswordOf(given, readUsers(file).dana?.password ?? '')).toBe(true);
  const list = await wrapup(['user', 'list'], env);
  expect(list.stdout).toMatch(/^USER +ROLE +CLIENT\ndana +viewer +all\n$/);

  expect(await wrapup(['user', 'remove', 'dana'], env)).toMatchObject({ code: 0 });
  expect(readUsers(file)).toEqual({});
  expect(await wrapup(['user', 'remove', 'dana'], env)).toMatchObject({ code: 1 });
  const { entries } = await store.audit.page({ action: 'change access' });
  expect(entries).toMatchObject([
    { by: operator().name, target: 'user dana', reason: 'removed' },
    { target: 'user dana', reason: 'added as viewer' },
    { target: 'user dana', reason: 'added as operator' },
  ]);
});

test('what is no login is refused, and writes nothing', async () => {
  const { env } = await openInstallation();
  const file = join(dirname(env.WRAPUP_CONFIG as string), 'users.yaml');
  const refused = async (args: string[], said: string, stdin = '') =>
    expect(await wrapup(['user', 'add', ...args], env, stdin)).toMatchObject({ stderr: expect.stringContaining(said) });
  await refused(['dana'], '--role');
  await refused(['a:b', '--role', 'viewer'], 'is no name');
  await refused(['dana', '--role', 'owner'], 'viewer, operator, admin');
  await refused(['dana', '--role', 'viewer', '--password', 'hunter2hunter2hunter2'], 'no argument');
  await refused(['dana', '--role', 'viewer', '--password', '-'], 'at least 15', 'short\n');
  await refused(['dana', '--role', 'viewer', '--client', 'bolt'], 'no client "bolt"');
  expect(existsSync(file)).toBe(false);
  writeFileSync(file, 'dana: { role: viewer, password: hunter2 }\n');
  await refused(['tom', '--role', 'viewer'], 'dana.password: is no hash');
});
