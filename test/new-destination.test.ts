import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shellBlocks } from '../scripts/shell-blocks.mjs';

const run = promisify(execFile);
const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

let copy: string;

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'wrapup-new-destination-'));
  const left = /\/(?:node_modules|\.git|\.wrapup|\.turbo)$/;
  await cp(ROOT, copy, { recursive: true, filter: (path) => !left.test(path) });
  await linkModules();
});
afterAll(() => rm(copy, { recursive: true, force: true }));

/** The installed packages, and the workspaces of the copy in place of those of the repository. */
async function linkModules(): Promise<void> {
  const from = join(ROOT, 'node_modules');
  const to = join(copy, 'node_modules');
  await mkdir(join(to, '@wrapup'), { recursive: true });
  for (const name of await readdir(join(from, '@wrapup')))
    await symlink(await readlink(join(from, '@wrapup', name)), join(to, '@wrapup', name));
  for (const name of await readdir(from))
    if (name !== '@wrapup' && !/^\.(?!bin$)/.test(name)) await symlink(join(from, name), join(to, name));
  for (const kind of ['apps', 'packages'])
    for (const name of await readdir(join(ROOT, kind)))
      await symlink(join(ROOT, kind, name, 'node_modules'), join(copy, kind, name, 'node_modules')).catch(() => {});
}

test('the commands of the guide lead from the scaffold to green', async () => {
  const guide = await readFile(join(ROOT, 'docs/guide/new-destination.md'), 'utf8');
  const commands = shellBlocks(guide)[0]?.trim().split('\n') ?? [];
  expect(commands[0]).toBe('npm run new-destination -- acme');
  // The copy's own runner must not take its settings from the one that runs this.
  const { VITEST: _, NODE_OPTIONS: __, ...rest } = process.env;
  const env = { ...rest, PATH: `${dirname(process.execPath)}:${process.env.PATH}`, NO_COLOR: '1' };
  const said: string[] = [];
  for (const command of commands) said.push((await run('sh', ['-c', command], { cwd: copy, env })).stdout);
  expect(said.at(-1)).toMatch(/Test Files\s+2 passed/);
});

test('a name that is taken, or is none, is refused and changes nothing', async () => {
  for (const name of ['hubspot', 'Acme', '../acme', ''])
    await expect(run(process.execPath, ['scripts/new-destination.mjs', name], { cwd: copy })).rejects.toThrow();
});
