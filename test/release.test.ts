/** `npm run release`, in a copy of the manifests. */
import { execFileSync, spawnSync } from 'node:child_process';
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

/** `npm run release:check` in a copy of what it looks at. */
function copyOfRepository() {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-release-check-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const rest = ['.nvmrc', '.npmrc', 'CHANGELOG.md', 'Dockerfile', '.changeset/*.md', '.github/workflows/*'];
  for (const file of globSync([...MANIFESTS, ...rest], { cwd: ROOT })) cpSync(join(ROOT, file), join(folder, file));
  const edit = (file: string, from: string | RegExp, to: string) =>
    writeFileSync(join(folder, file), readFileSync(join(folder, file), 'utf8').replace(from, to));
  const check = (...args: string[]) => {
    const script = join(ROOT, 'scripts/release-check.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
    return { status, output: stdout + stderr };
  };
  return { folder, edit, check };
}

test('the tree can be released, as far as that can be tried without a network', () => {
  const { check } = copyOfRepository();
  const { status, output } = check();
  expect(output).not.toContain('WRONG');
  expect(status).toBe(0);
});

test('what would break a release is named, each with its place', () => {
  const { folder, edit, check } = copyOfRepository();
  writeFileSync(join(folder, '.changeset/wrong.md'), '---\n"@wrapup/nothing": patch\n---\n\nA change.\n');
  edit('packages/call/package.json', '"version": "', '"version": "9.');
  edit('Dockerfile', 'org.opencontainers.image.revision=', 'revision=');
  edit('Dockerfile', /^USER node$/m, 'USER root');
  edit('.github/workflows/release.yml', /checkout@[0-9a-f]{40} # v5\.0\.0/, 'checkout@v5');
  edit('.github/workflows/release.yml', '- run: npm ci', '- run: npm ci && if');
  edit('.github/workflows/ci.yml', 'runs-on: ubuntu-24.04', 'run-on: ubuntu-24.04');
  const { status, output } = check('--tag', 'v9.9.9');
  expect(status).toBe(1);
  for (const said of [
    ...['.changeset/wrong.md: there is no @wrapup/nothing', 'packages/call/package.json: 9.', 'the tag is v9.9.9'],
    ...[
      'no label org.opencontainers.image.revision',
      'the last USER of the image is root',
      'not pinned: - uses: actions/checkout@v5',
    ],
    ...['release.yml: job check: bash:', 'unexpected key "run-on"'],
  ])
    expect(output).toContain(said);
});
