/**
 * `npm run new-destination -- acme`: a new adapter as packages/acme, with its error table, the conformance suite and a fake
 * of its CRM to run that on. A copy of scripts/new-destination with the name put in place of "acme" and "Acme".
 * docs/guide/new-destination.md says what follows.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const TEMPLATES = join(ROOT, 'scripts/new-destination');

const [name = '', title = name.charAt(0).toUpperCase() + name.slice(1)] = process.argv.slice(2);
if (!/^[a-z][a-z0-9]*$/.test(name) || !/^[A-Z][A-Za-z0-9]*$/.test(title))
  stop(
    'Usage: npm run new-destination -- <name> [<Title>], the name in lower-case letters and digits: pipedrive Pipedrive',
  );
const target = join(ROOT, 'packages', name);
if (existsSync(target)) stop(`packages/${name} is there already.`);

const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'packages/destination/package.json'), 'utf8'));
for (const entry of readdirSync(TEMPLATES, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const from = join(entry.parentPath, entry.name);
  const to = join(target, fill(from.slice(TEMPLATES.length)));
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, fill(readFileSync(from, 'utf8')).replace('ZOD_VERSION', dependencies.zod));
}
// Longer names make longer lines.
const biome = join(ROOT, 'node_modules/.bin/biome');
execFileSync(biome, ['check', '--write', `packages/${name}`], {
  cwd: ROOT,
  stdio: 'ignore',
  shell: process.platform === 'win32',
});
process.stdout.write(
  `packages/${name} is there. Next: npx vitest run packages/${name}, then docs/guide/new-destination.md\n`,
);

/** @param {string} text */
function fill(text) {
  return text.replaceAll('ACME', name.toUpperCase()).replaceAll('Acme', title).replaceAll('acme', name);
}

/** @param {string} message @returns {never} */
function stop(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
