/** `npm run release`, in a copy of the manifests. */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const MANIFESTS = ['package.json', '{packages,apps}/*/package.json', '.changeset/config.json', 'package-lock.json'];

function copyOfManifests() {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-version-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const file of globSync(MANIFESTS, { cwd: ROOT })) cpSync(join(ROOT, file), join(folder, file));
  writeFileSync(join(folder, 'CHANGELOG.md'), '# Changelog\n\nWhat changed.\n\n## 0.1.0 (2026-11-25)\n\nThe engine.\n');
  const add = (name: string, releases: string, summary: string) =>
    writeFileSync(join(folder, '.changeset', `${name}.md`), `---\n${releases}\n---\n\n${summary}\n`);
  const release = () =>
    execFileSync(process.execPath, [join(ROOT, 'scripts/release.mjs')], {
      cwd: folder,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  return { folder, add, release, read: (file: string) => readFileSync(join(folder, file), 'utf8') };
}

test('a release gives all packages one version, and the changelog a section of what waited', () => {
  const { folder, add, release, read } = copyOfManifests();
  add('one', '"@wrapup/ingress": minor\n"@wrapup/cli": patch', 'Count strangers by address.\n\nBehind a proxy too.');
  add('two', '"@wrapup/cli": patch', 'Say which file is missing.');
  release();
  const versions = globSync(MANIFESTS.slice(0, 2), { cwd: folder }).map((file) => JSON.parse(read(file)).version);
  expect(new Set(versions)).toEqual(new Set(['0.2.0']));
  const today = new Date().toISOString().slice(0, 10);
  expect(read('CHANGELOG.md')).toBe(`# Changelog

What changed.

## 0.2.0 (${today})

### New

- Count strangers by address.
  
  Behind a proxy too.

### Fixed

- Say which file is missing.

## 0.1.0 (2026-11-25)

The engine.
`);
  expect(readdirSync(join(folder, '.changeset'))).toEqual(['config.json']);
});

test('nothing is released when nothing waits', () => {
  const { release } = copyOfManifests();
  expect(release).toThrow(/Nothing to release/);
});
