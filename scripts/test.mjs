/**
 * `npm test`: sets everything up, then all tests, and lint and types beside them. Arguments go to vitest:
 * `npm test -- packages/call -t "voicemail"`. Ends with what lint and types found, the ten slowest tests and a line that
 * counts: `N passed, N failed`.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { findRedisServer } from './local-redis.mjs';
import { COMPILE_CACHE, goOnPinned, pinnedNode, ROOT, runToEnd } from './set-up.mjs';

process.chdir(ROOT);
await goOnPinned();

const work = mkdtempSync(join(tmpdir(), 'wrapup-results-'));
const SLOWEST = 10;
/** Checks that need no test to have run, each with its command. */
const CHECKS = [
  ['lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--diagnostic-level=error', '.']],
  ['unused code', ['node_modules/knip/bin/knip.js', '--no-config-hints']],
  ['types', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--noEmit']],
  ['types of pages', ['node_modules/typescript/bin/tsc', '-p', 'apps/dashboard/browser/tsconfig.json', '--noEmit']],
];
const count = { passed: 0, failed: 0, skipped: 0 };
try {
  const checks = runChecks();
  const files = await runTests(process.argv.slice(2));
  for (const check of await checks) report(check);
  showSlowest(files);
} finally {
  rmSync(work, { recursive: true, force: true });
}
const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
console.log(`${count.passed} passed, ${count.failed} failed${skipped}`);
process.exit(count.failed > 0 ? 1 : 0);

/**
 * Runs the checks one after the other, with what processors the tests leave: those wait a lot, and start processes that have
 * deadlines to keep. What the checks say is kept until the tests have said what they have to.
 */
async function runChecks() {
  const done = [];
  for (const [name, args] of CHECKS) {
    const file = join(work, name);
    const output = openSync(file, 'w');
    const code = await runToEnd(pinnedNode(), args, {
      stdio: ['ignore', output, output],
      priority: constants.priority.PRIORITY_BELOW_NORMAL,
    });
    closeSync(output);
    done.push({ name, passes: code === 0, output: readFileSync(file, 'utf8') });
  }
  return done;
}

/** A check counts only when it fails. */
function report({ name, passes, output }) {
  console.log(passes ? `${name}: passed` : `\n${output.trim()}\n\n${name}: FAILED, see above\n`);
  if (!passes) count.failed += 1;
}

/** @returns what vitest reports of each file */
async function runTests(args) {
  try {
    await findRedisServer();
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    count.failed += 1;
    return [];
  }
  const file = join(work, 'results.json');
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json'];
  const code = await runToEnd(pinnedNode(), [...vitest, `--outputFile.json=${file}`, ...args], {
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...process.env },
  });
  const results = read(file);
  count.passed += results?.numPassedTests ?? 0;
  count.skipped += (results?.numPendingTests ?? 0) + (results?.numTodoTests ?? 0);
  // A file that cannot even be loaded has no tests to fail: it counts as one.
  const broken = results?.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  );
  const failed = (results?.numFailedTests ?? 0) + (broken?.length ?? 0);
  count.failed += code !== 0 && failed === 0 ? 1 : failed;
  return results?.testResults ?? [];
}

function showSlowest(files) {
  const tests = files.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ fullName, duration }) => ({ name: relative(ROOT, name), fullName, ms: duration ?? 0 })),
  );
  const slowest = tests.sort((a, b) => b.ms - a.ms).slice(0, SLOWEST);
  if (slowest.length < SLOWEST) return;
  console.log(`\nThe ${SLOWEST} slowest tests:`);
  for (const { name, fullName, ms } of slowest)
    console.log(`${(ms / 1000).toFixed(1).padStart(7)} s  ${name}  ${fullName}`);
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
