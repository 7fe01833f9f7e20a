/**
 * `npm run release`: makes a release of the changesets that wait in `.changeset/`. All packages get the same new version,
 * and CHANGELOG.md a section that says what changed. Commit and tag are made by hand.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import readChangesets from '@changesets/read';

const ROOT = process.cwd();
const HEADING = { major: 'Breaking', minor: 'New', patch: 'Fixed' };
const RANK = Object.keys(HEADING);
const NO_RELEASE = RANK.length;

const changesets = await readChangesets(ROOT);
if (changesets.length === 0) {
  console.error('Nothing to release: no changeset waits. Describe a change with `npm run changeset`.');
  process.exit(1);
}
const changeset = createRequire(import.meta.url).resolve('@changesets/cli/bin.js');
execFileSync(process.execPath, [changeset, 'version'], { cwd: ROOT, stdio: 'inherit' });

const manifest = join(ROOT, 'package.json');
const { version } = JSON.parse(readFileSync(join(ROOT, 'apps/cli/package.json'), 'utf8'));
writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(/"version": "[^"]*"/, `"version": "${version}"`));
execFileSync('npm', ['install', '--package-lock-only', '--offline', '--no-audit', '--no-fund'], {
  cwd: ROOT,
  stdio: 'inherit',
});

const changelog = join(ROOT, 'CHANGELOG.md');
const [title, ...rest] = readFileSync(changelog, 'utf8').split('\n## ');
const section = `${version} (${new Date().toISOString().slice(0, 10)})\n\n${describe(changesets)}`;
writeFileSync(changelog, [title.trimEnd(), section, ...rest].join('\n\n## ').replace(/\n{3,}/g, '\n\n'));

/** The summaries, under the largest change that each makes to any package. */
function describe(all) {
  const rankOf = ({ releases }) => Math.min(NO_RELEASE, ...releases.map(({ type }) => RANK.indexOf(type)));
  return RANK.flatMap((type, rank) => {
    const entries = all
      .filter((one) => rankOf(one) === rank)
      .map(({ summary }) => `- ${summary.replaceAll('\n', '\n  ')}`);
    return entries.length === 0 ? [] : [`### ${HEADING[type]}\n\n${entries.join('\n')}\n`];
  }).join('\n');
}
