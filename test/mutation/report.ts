/** What docs/reliability.md says of mutation tests, and the figures that it is made of. */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Stryker } from '@stryker-mutator/core';
import { JUDGED } from './judged.ts';
import { exclusionsOf, SCOPES, type Scope } from './scopes.ts';

/** Per cent of mutants that tests have to notice in each package. */
export const MIN_SCORE = 85;

const FIGURES = join(import.meta.dirname, 'results.json');
const ROOT = resolve(import.meta.dirname, '../..');

export type MutantResult = Awaited<ReturnType<Stryker['runMutationTest']>>[number];

export interface MutationFigures {
  name: string;
  /** Files that were changed. */
  files: number;
  /** Mutants that were run, or that no test reaches. */
  mutants: number;
  /** Noticed by a test that failed, and by one that came to no end. */
  failed: number;
  endless: number;
  /** Not noticed: those of `judged.ts`, which change nothing, and the others. */
  equivalent: number;
  unnoticed: number;
  /** Evaluated as a module loads, and not run. */
  loading: number;
  /** Per cent that were noticed, to one decimal: of all, those that change nothing included. */
  score: number;
  /** ISO 8601 date, and the commit on which it ran. */
  date: string;
  commit: string;
}

export const isUnnoticed = ({ status }: MutantResult) => status === 'Survived' || status === 'NoCoverage';

/** Path from the root of the repository, wherever it ran. */
export const fileOf = ({ fileName }: MutantResult) => fileName.replace(/^.*(?=packages\/)/, '');

export const insteadOf = ({ replacement = '' }: MutantResult) => replacement.replace(/\s+/g, ' ').slice(0, 120);

/** Whether it is listed as one that changes nothing. */
export function isJudged(mutant: MutantResult): boolean {
  const file = fileOf(mutant);
  const line = lineOf(file, mutant.location.start.line);
  return JUDGED.some((one) => one.file === file && one.line === line && one.instead.includes(insteadOf(mutant)));
}

export function lineOf(file: string, line: number): string {
  return (readFileSync(join(ROOT, file), 'utf8').split('\n')[line - 1] ?? '').trim();
}

/** The files of a scope, from the root of the repository. */
export function filesOf(scope: Scope): string[] {
  const without = new Set(globSync([...exclusionsOf(scope)], { cwd: ROOT }));
  return globSync([...scope.mutate], { cwd: ROOT })
    .filter((file) => !without.has(file) && !file.endsWith('index.ts'))
    .sort();
}

export function figuresOf(scope: Scope, mutants: readonly MutantResult[]): MutationFigures {
  const count = (status: MutantResult['status']) => mutants.filter((one) => one.status === status).length;
  const survivors = mutants.filter(isUnnoticed);
  const equivalent = survivors.filter(isJudged).length;
  const [failed, endless] = [count('Killed'), count('Timeout')];
  const all = failed + endless + survivors.length;
  return {
    ...{ name: scope.name, files: filesOf(scope).length, mutants: all, failed, endless, equivalent },
    unnoticed: survivors.length - equivalent,
    loading: count('Ignored'),
    score: Math.round((1000 * (failed + endless)) / Math.max(1, all)) / 10,
    date: new Date().toISOString().slice(0, 10),
    commit: execFileSync('git', ['rev-parse', '--short=10', 'HEAD'], { encoding: 'utf8' }).trim(),
  };
}

/** Figures of a package replace those that were there of it. */
export function publishMutation(figures: MutationFigures): void {
  const all = new Map([...readMutation(), figures].map((one) => [one.name, one]));
  const known = SCOPES.flatMap(({ name }) => all.get(name) ?? []);
  writeFileSync(FIGURES, `${JSON.stringify(known, undefined, 2)}\n`);
}

export function readMutation(): MutationFigures[] {
  return existsSync(FIGURES) ? JSON.parse(readFileSync(FIGURES, 'utf8')) : [];
}

/** The section of the page; empty where nothing was published. */
export function renderMutation(): string {
  const all = readMutation();
  if (all.length === 0) return '';
  const rows = all.map(
    ({ name, files, mutants, failed, endless, equivalent, unnoticed, loading, score, date, commit }) =>
      `| \`${name}\` | ${files} | ${mutants} | ${failed} | ${endless} | ${unnoticed} | ${equivalent} | ${loading} | **${score} %** | ${date}, \`${commit}\` |`,
  );
  const left = SCOPES.map(({ name, without }) => {
    const parts = Object.entries(without).map(([files, why]) => `\`${files.replaceAll(', ', '`, `')}\` (${why})`);
    return `- \`${name}\`: ${parts.join('; ')}`;
  });
  return `
## Mutants

A test that cannot fail proves nothing. In the modules that decide and do no I/O, [Stryker](https://stryker-mutator.io/docs/stryker-js/introduction/) changes one
expression at a time (a comparison, a condition, a branch, a pattern, a list), and the tests that reach it are run: at least one has to notice.
\`npm run mutation\` repeats it. The score counts all that were not noticed, those that change nothing included; each of these stands in \`test/mutation/judged.ts\` with the reason.

| Package | Files | Mutants | A test failed | A test came to no end | Not noticed | Change nothing | Not run | Score | Run on |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |
${rows.join('\n')}

Texts are not changed: most are words of closed unions, which the type checker does not let go empty, and the rest are messages, of which tests assert those that are an interface.
What is evaluated once, as a module loads, is changed in \`call\` alone ("not run" elsewhere): all tests of a package would have to run for each. Left alone besides lists of exports:

${left.join('\n')}
`;
}
