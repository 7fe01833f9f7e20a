/** docs/guide/api.md: its script runs as it stands there, and the committed document is the one that is served. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { makeOpenApi } from '../src/api/openapi.ts';
import { tokenFor } from './support/api.ts';
import { parked, startDashboard } from './support/harness.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const guide = readFileSync(join(ROOT, 'docs/guide/api.md'), 'utf8');

it('the script of the guide lists what is parked and replays it, in at most twenty lines', async () => {
  const script = /```js\n(.*?)```/s.exec(guide)?.[1] ?? '';
  expect(script.trimEnd().split('\n').length).toBeLessThanOrEqual(20);
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-guide-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'replay-parked.mjs');
  writeFileSync(file, script);
  const dashboard = await startDashboard();
  onTestFinished(() => dashboard.close());
  const ids: string[] = [];
  for (let n = 0; n < 60; n += 1)
    ids.push(await dashboard.seed(parked({ code: 'invalid_field', hint: 'Put it right.' })));
  const other = await dashboard.seed(parked());
  const run = async (token: string) =>
    promisify(execFile)(process.execPath, [file, 'invalid_field'], {
      env: { WRAPUP_API: `${dashboard.url}/api/v1`, WRAPUP_API_TOKEN: token },
    });
  const { stdout } = await run(await tokenFor(dashboard, 'operator'));
  const lines = stdout.trimEnd().split('\n');
  expect(lines.at(-1)).toBe('60 of 60 replayed');
  expect(lines.slice(0, -1).sort()).toEqual(
    ids.map((id) => `${id} on sales-calls: invalid_field. Put it right.`).sort(),
  );
  expect((await dashboard.delivery(ids[0] as string)).replayed?.by).toBe('operator of a test');
  expect((await dashboard.delivery(other)).state).toBe('parked');
  await expect(run(await tokenFor(dashboard, 'viewer'))).rejects.toThrow('The role of this token does not allow it');
});

it('the committed document is up to date', () => {
  expect(JSON.parse(readFileSync(join(ROOT, 'docs/reference/openapi.json'), 'utf8')), 'npm run generate').toEqual(
    makeOpenApi(),
  );
});
