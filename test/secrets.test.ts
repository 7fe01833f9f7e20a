/** The files in which an installation keeps its secrets. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { keepSecret, makePrivateTree, missingSecrets, readSecret } from '../scripts/secrets.mjs';

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-secrets-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

test('a secret is made once, at random, and read from then on', () => {
  const folder = join(emptyFolder(), 'secrets');
  const made = keepSecret(folder, 'WRAPUP_ENCRYPTION_KEY');
  expect(made).toMatch(/^[0-9a-f]{64}$/);
  expect(keepSecret(folder, 'WRAPUP_ENCRYPTION_KEY')).toBe(made);
  expect(keepSecret(join(emptyFolder(), 'secrets'), 'WRAPUP_ENCRYPTION_KEY')).not.toBe(made);
  expect(readdirSync(folder)).toEqual(['WRAPUP_ENCRYPTION_KEY']);
  expect([modeOf(folder), modeOf(join(folder, 'WRAPUP_ENCRYPTION_KEY'))]).toEqual(['700', '600']);
});

test('processes that ask at once get the same one', async () => {
  const folder = join(emptyFolder(), 'secrets');
  const module = new URL('../scripts/secrets.mjs', import.meta.url).href;
  const script = `process.stdout.write((await import(${JSON.stringify(module)})).keepSecret(process.argv[1], 'X'))`;
  const answers = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', script, folder]);
      const [said] = await Promise.all([text(child.stdout), once(child, 'close')]);
      return said;
    }),
  );
  expect(new Set(answers)).toEqual(new Set([readFileSync(join(folder, 'X'), 'utf8')]));
  expect(readdirSync(folder)).toEqual(['X']);
});

test('an empty file is an error that names it, as what the lost secret encrypted would stay closed', () => {
  const folder = emptyFolder();
  writeFileSync(join(folder, 'WRAPUP_ENCRYPTION_KEY'), '\n');
  expect(() => keepSecret(folder, 'WRAPUP_ENCRYPTION_KEY')).toThrow(/WRAPUP_ENCRYPTION_KEY is empty: .*backup/);
});

test('what others could read is closed to them', () => {
  const folder = emptyFolder();
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, 'A'), 'a', { mode: 0o644 });
  makePrivateTree(folder);
  expect([modeOf(folder), modeOf(join(folder, 'A'))]).toEqual(['700', '600']);
  chmodSync(join(folder, 'A'), 0o644);
  expect(readSecret(folder, 'A')).toBe('a');
  expect(modeOf(join(folder, 'A'))).toBe('600');
});

test('what is given is not made; a path token only together with the webhook secret', () => {
  const missing = (...given: string[]) => missingSecrets((name) => given.includes(name));
  const all = missing();
  expect(all.sort()).toEqual([
    'DASHBOARD_PASSWORD',
    'SYNTHFLOW_WEBHOOK_SECRET',
    'WEBHOOK_PATH_TOKEN',
    'WRAPUP_ENCRYPTION_KEY',
    'WRAPUP_INDEX_KEY',
  ]);
  expect(missing('DASHBOARD_PASSWORD')).not.toContain('DASHBOARD_PASSWORD');
  expect(missing('SYNTHFLOW_WEBHOOK_SECRET')).not.toContain('WEBHOOK_PATH_TOKEN');
  expect(missing('WEBHOOK_PATH_TOKEN')).toContain('SYNTHFLOW_WEBHOOK_SECRET');
});
