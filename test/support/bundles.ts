/** The bundles that the image runs, for processes that tests start. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const ROOT = resolve(import.meta.dirname, '../..');
const CACHE = join(ROOT, 'node_modules/.cache/wrapup');
const KEPT_MS = 24 * 3_600_000;

/**
 * Makes them of the sources as they are. The folder is named by what is in it: where nothing has changed, Node has compiled it
 * already, and a run beside this one finds its own as it was.
 * @returns the folder
 */
export async function makeBundles(): Promise<string> {
  mkdirSync(CACHE, { recursive: true });
  const made = mkdtempSync(join(CACHE, 'bundles-new-'));
  await promisify(execFile)(process.execPath, [join(ROOT, 'scripts/bundle.mjs'), '--out', made]);
  const hash = createHash('sha256');
  for (const name of globSync('*', { cwd: made }).sort()) hash.update(name).update(readFileSync(join(made, name)));
  const folder = join(CACHE, `bundles-${hash.digest('hex').slice(0, 16)}`);
  try {
    renameSync(made, folder);
  } catch {
    // It is there already, of an earlier run.
    rmSync(made, { recursive: true, force: true });
  }
  const now = new Date();
  utimesSync(folder, now, now);
  for (const name of globSync('bundles-*', { cwd: CACHE })) {
    const path = join(CACHE, name);
    const age = now.getTime() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (age > KEPT_MS) rmSync(path, { recursive: true, force: true });
  }
  return folder;
}
