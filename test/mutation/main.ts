/**
 * Mutation tests: changes one expression at a time in the modules that decide and do no I/O, and runs the tests that reach it.
 *
 *   npm run mutation                    every package of `scopes.ts`
 *   npm run mutation -- call mapping    these
 *   npm run mutation -- --only 'packages/mapping/src/time/*.ts'    these files; may be given several times
 *
 * Results of the run before are kept in `.stryker-tmp`: what has not changed since is not run again. `--anew` begins without them.
 * `--survivors` prints what no test noticed. `--publish` writes the figures into docs/reliability.md.
 *
 * Exit code 1 when a package is below the score that is asked of it.
 */
import { existsSync, globSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { renderAgain } from '../faults/report.ts';
import {
  figuresOf,
  fileOf,
  filesOf,
  insteadOf,
  isJudged,
  isUnnoticed,
  lineOf,
  MIN_SCORE,
  type MutantResult,
  publishMutation,
} from './report.ts';
import { SCOPES, type Scope } from './scopes.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', multiple: true },
    anew: { type: 'boolean', default: false },
    survivors: { type: 'boolean', default: false },
    publish: { type: 'boolean', default: false },
    concurrency: { type: 'string', default: '2' },
  },
});
const unknown = positionals.filter((name) => !SCOPES.some((scope) => scope.name === name));
if (unknown.length > 0) {
  console.error(`No package ${unknown.join(', ')} is mutated: give ${SCOPES.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}
if (values.only !== undefined && values.publish) {
  console.error('What is published is of whole packages: leave --only or --publish out.');
  process.exit(2);
}

const only = values.only && new Set(globSync(values.only));
const wanted = SCOPES.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  .map((scope) => ({ scope, files: filesOf(scope).filter((file) => only?.has(file) ?? true) }))
  .filter(({ files }) => files.length > 0);
if (wanted.length === 0) {
  console.error(`No file that is mutated is ${values.only?.join(' or ')}: give globs from the root.`);
  process.exit(2);
}

let isBelow = false;
for (const { scope, files } of wanted) {
  const mutants = await mutate(scope, files);
  const figures = figuresOf(scope, mutants);
  if (values.survivors)
    for (const line of mutants.filter((one) => isUnnoticed(one) && !isJudged(one)).map(describe)) console.log(line);
  const { score, mutants: all, unnoticed, equivalent } = figures;
  console.log(`${scope.name}: ${score} % of ${all} mutants; ${unnoticed} not noticed, ${equivalent} change nothing`);
  if (figures.score < MIN_SCORE) isBelow = true;
  if (values.publish) publishMutation(figures);
}
if (values.publish) renderAgain();
process.exit(isBelow ? 1 : 0);

async function mutate(scope: Scope, files: string[]): Promise<MutantResult[]> {
  const kept = `.stryker-tmp/${scope.name}.json`;
  if (values.anew && existsSync(kept)) rmSync(kept);
  // For the configuration of Vitest, which the processes of Stryker load.
  process.env.WRAPUP_MUTATED_TESTS = scope.tests.join(',');
  process.env.FAST_CHECK_RUNS = '20';
  const mutants = await new Stryker({
    mutate: files,
    // Texts: most are words of closed unions, which the type checker does not let go empty; the rest are messages.
    mutator: { excludedMutations: ['StringLiteral'], plugins: null },
    ignoreStatic: !scope.loading,
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
    coverageAnalysis: 'perTest',
    concurrency: Number(values.concurrency),
    // On a machine that is busy the first run takes long: all tests, one after another.
    dryRunTimeoutMinutes: 30,
    timeoutMS: 10_000,
    timeoutFactor: 2,
    // Of a mutant that is evaluated as modules load it is not known which tests reach it: a new one would be overlooked.
    incremental: !scope.loading,
    incrementalFile: kept,
    tempDirName: `.stryker-tmp/${scope.name}`,
    // Packages are found where the mutants are (`vitest.config.ts`), libraries in the folders above.
    symlinkNodeModules: false,
    ignorePatterns: ['/.stryker-tmp', '/apps', '/bench', '/deploy', '/docs', '/schema', '/scripts'],
    tsconfigFile: 'none.json',
    reporters: ['progress-append-only'],
    allowEmpty: false,
  } as ConstructorParameters<typeof Stryker>[0]).runMutationTest();
  // Kept results are handed out of other files as well.
  return mutants.filter((mutant) => files.includes(fileOf(mutant)));
}

/** Where it is, what stood there and what stood in its place, as `judged.ts` names them. */
function describe(mutant: MutantResult): string {
  const { location, mutatorName, status, static: loading } = mutant;
  const { line, column } = location.start;
  const file = fileOf(mutant);
  const how = [status, ...(loading ? ['as the module loads'] : [])].join(' ');
  return `${file}:${line}:${column} ${how} ${mutatorName}: ${insteadOf(mutant)}\n    ${lineOf(file, line)}`;
}
