import { expect, test } from 'vitest';
import { openInstallation } from './support/installation.ts';
import { wrapup } from './support/run.ts';

test('a token is shown once, listed without its secret, and revoked', async () => {
  const { env, store } = await openInstallation();
  const made = await wrapup(
    ['token', 'add', '--role', 'operator', '--name', 'night shift', '--expires', '7d', '--json'],
    env,
  );
  expect(made).toMatchObject({ code: 0 });
  const { token, id, expires_at } = made.json() as { token: string; id: string; expires_at: string };
  expect(Date.parse(expires_at) - Date.now()).toBeLessThanOrEqual(7 * 86_400_000);
  expect(await store.tokens.verify(token)).toMatchObject({ id, role: 'operator', name: 'night shift' });
  const list = await wrapup(['token', 'list'], env);
  expect(list.stdout).toMatch(new RegExp(`${id} +night shift +operator +all +20`));
  expect(list.stdout + (await wrapup(['token', 'list', '--json'], env)).stdout).not.toContain(
    token.split('_')[2] ?? token,
  );
  expect(await wrapup(['token', 'revoke', id], env)).toMatchObject({ code: 0 });
  expect(await store.tokens.verify(token)).toBeUndefined();
  expect(await wrapup(['token', 'revoke', id], env)).toMatchObject({ code: 1 });
  expect((await wrapup(['token', 'list'], env)).stdout).toContain('No tokens.');
  expect((await store.audit.page()).entries).toMatchObject([
    { action: 'change access', target: `token night shift (${id})`, reason: 'revoked' },
    { action: 'change access', target: `token night shift (${id})`, reason: 'added as operator' },
  ]);
  expect(await wrapup(['token', 'add', '--role', 'viewer', '--expires', '400d'], env)).toMatchObject({ code: 2 });
  expect(await wrapup(['token', 'add', '--role', 'viewer', '--client', 'bolt'], env)).toMatchObject({ code: 2 });
  expect(await wrapup(['token', 'add'], env)).toMatchObject({ code: 2 });
});
