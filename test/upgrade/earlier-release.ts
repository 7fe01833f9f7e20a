/** The release before this one, whose data this one reads and beside which it runs while processes are replaced. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const MODULES = join(ROOT, 'node_modules');

/** Of 0.1.0 there is no tag: it is the state of 2026-11-25 that CHANGELOG.md describes. */
export const EARLIER = { release: '0.1.0', commit: 'a8ffce7124685dc74e8ad3e604d6e03af9f87b8a' };

/**
 * A checkout whose processes start with `startProcess`: its own sources on the packages that are installed here. The caller
 * removes it. Outside of node_modules, where Node runs no TypeScript.
 * @returns undefined where the history of this checkout does not go back so far
 */
export function checkOutEarlier(): string | undefined {
  try {
    execFileSync('git', ['cat-file', '-e', `${EARLIER.commit}^{commit}`], { cwd: ROOT, stdio: 'ignore' });
  } catch {
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), `wrapup-${EARLIER.release}-`));
  const sources = execFileSync('git', ['archive', EARLIER.commit], { cwd: ROOT, maxBuffer: 256 * 1024 * 1024 });
  execFileSync('tar', ['x', '-C', folder], { input: sources });
  linkModules(folder);
  return folder;
}

function linkModules(checkout: string): void {
  const own = join(checkout, 'node_modules');
  mkdirSync(join(own, '@wrapup'), { recursive: true });
  for (const name of readdirSync(MODULES))
    if (name !== '@wrapup' && name !== '.cache') symlinkSync(join(MODULES, name), join(own, name));
  for (const parent of ['packages', 'apps'])
    for (const name of readdirSync(join(checkout, parent))) {
      const manifest = join(checkout, parent, name, 'package.json');
      if (!existsSync(manifest)) continue;
      const scoped = JSON.parse(readFileSync(manifest, 'utf8')) as { name: string };
      const link = join(own, '@wrapup', basename(scoped.name));
      symlinkSync(relative(join(own, '@wrapup'), join(checkout, parent, name)), link);
    }
}
