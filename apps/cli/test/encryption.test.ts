import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { openInstallation } from './support/installation.ts';
import { wrapup } from './support/run.ts';

const key = () => randomBytes(32).toString('base64');

test('migrate encrypts what is there, and says from when on plain values are refused', async () => {
  const { env, receive } = await openInstallation();
  await receive('connected', { call_id: 'c-1' });
  const before = await wrapup(['encryption', 'status', '--json'], env);
  expect(before.json()).toMatchObject({ key: null, plain: 1, since: null, index_key: { kept_in: null } });
  const none = await wrapup(['encryption', 'migrate'], env);
  expect(none.code).toBe(2);
  expect(none.stderr).toContain('WRAPUP_ENCRYPTION_KEY is not set');

  const keyed = { ...env, WRAPUP_ENCRYPTION_KEY: key() };
  const done = await wrapup(['encryption', 'migrate'], keyed);
  expect(done.code).toBe(0);
  expect(done.stdout).toMatch(/^1 value encrypted, 0 taken over .*\nwhat is not encrypted is refused since \d{4}-/);
  const again = await wrapup(['encryption', 'migrate', '--json'], keyed);
  expect(again.json()).toMatchObject({ encrypted: 0, reencrypted: 0, current: 1, refused: 0, unreadable: [] });
  const after = await wrapup(['encryption', 'status'], keyed);
  expect(after.code).toBe(0);
  expect(after.stdout).toMatch(/1 value sealed with it, 0 not encrypted\n {2}what is not encrypted is refused since/);
  const doctor = await wrapup(['doctor', '--json'], env);
  expect(JSON.stringify(doctor.json())).toContain('WRAPUP_ENCRYPTION_KEY is not set, and everything');
});

test('the index key that Redis keeps can be set in the environment', async () => {
  const { env, receive } = await openInstallation();
  await receive('connected', { call_id: 'c-1' });
  const kept = await wrapup(['encryption', 'index-key'], env);
  expect(kept.code).toBe(0);
  const index = kept.stdout.trim();
  expect(Buffer.from(index, 'base64')).toHaveLength(32);
  expect((await wrapup(['calls', 'list', '--json'], { ...env, WRAPUP_INDEX_KEY: index })).code).toBe(0);
  const other = await wrapup(['calls', 'list'], { ...env, WRAPUP_INDEX_KEY: key() });
  expect(other.code).toBe(1);
  expect(other.stderr).toContain('set it to what `wrapup encryption index-key` prints');
  const status = await wrapup(['encryption', 'status'], env);
  expect(status.stdout).toMatch(/Index key: fingerprint [0-9a-f]{16}, kept in Redis/);
});
