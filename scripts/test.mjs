/**
 * `npm test`: sets everything up, then lint, types and all tests. Arguments go to vitest:
 * `npm test -- packages/call -t "voicemail"`. Ends with the ten slowest tests and a line that counts: `N passed, N failed`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { findRedisServer } from './local-redis.mjs';
import { COMPILE_CACHE, goOnPinned, pinnedNode, ROOT, runToEnd } from './set-up.mjs';

process.chdir(ROOT);
await goOnPinned();

const work = mkdtempSync(join(tmpdir(), 'wrapup-results-'));
const SLOWEST = 10;
const count = { passed: 0, failed: 0, skipped: 0 };
try {
  await step('lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--diagnostic-level=error', '.']);
  await step('unused code', ['node_modules/knip/bin/knip.js', '--no-config-hints']);
  for (const project of ['tsconfig.json', 'apps/dashboard/browser/tsconfig.json'])
    await step('types', ['node_modules/typescript/bin/tsc', '-p', project, '--noEmit']);
  await findRedisServer();
  await runTests(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  count.failed += 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
console.log(`${count.passed} passed, ${count.failed} failed${skipped}`);
process.exit(count.failed > 0 ? 1 : 0);

/** A check that counts only when it fails. */
async function step(name, args) {
  if ((await runToEnd(pinnedNode(), args)) === 0) return;
  console.log(`\n${name}: FAILED, see above\n`);
  count.failed += 1;
}

async function runTests(args) {
  const results = join(work, 'results.json');
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json'];
  const code = await runToEnd(pinnedNode(), [...vitest, `--outputFile.json=${results}`, ...args], {
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...process.env },
  });
  const report = read(results);
  count.passed += report?.numPassedTests ?? 0;
  count.skipped += (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  // A file that cannot even be loaded has no tests to fail: it counts as one.
  const broken = report?.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const failed = (report?.numFailedTests ?? 0) + (broken?.length ?? 0);
  count.failed += code !== 0 && failed === 0 ? 1 : failed;
  showSlowest(report?.testResults ?? []);
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
