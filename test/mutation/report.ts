/** What docs/reliability.md says of mutation tests, and the figures that it is made of. */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Stryker } from '@stryker-mutator/core';
import type { Section } from '../support/section.ts';
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
  /** ISO 8601 date, and the commit of main that it ran on, or that what ran began from. */
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
    loading: mutants.filter((one) => one.status === 'Ignored' && /static/i.test(one.statusReason ?? '')).length,
    score: Math.round((1000 * (failed + endless)) / Math.max(1, all)) / 10,
    date: new Date().toISOString().slice(0, 10),
    commit: git('merge-base', 'HEAD', 'main') ?? git('rev-parse', 'HEAD') ?? '',
  };
}

function git(...args: string[]): string | undefined {
  const { status, stdout } = spawnSync('git', args, { encoding: 'utf8' });
  return status === 0 ? stdout.slice(0, 10) : undefined;
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

export function mutationSection(): Section {
  const all = readMutation();
  const rows = all.map(
    ({ name, files, mutants, failed, endless, equivalent, unnoticed, loading, score, date, commit }) =>
      `| \`${name}\` | ${files} | ${mutants} | ${failed} | ${endless} | ${unnoticed} | ${equivalent} | ${loading} | **${score} %** | ${date}, \`${commit}\` |`,
  );
  const left = SCOPES.filter(({ without }) => Object.keys(without).length > 0).map(({ name, without }) => {
    const parts = Object.entries(without).map(([files, why]) => `\`${files.replaceAll(', ', '`, `')}\` (${why})`);
    return `- \`${name}\`: ${parts.join('; ')}`;
  });
  const head = [
    '| Package | Files | Mutants | A test failed | A test came to no end | Not noticed | Change nothing | Not run | Score | Run on |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |',
  ];
  const others = SCOPES.filter(({ name }) => !all.some((one) => one.name === name)).map(({ name }) => `\`${name}\``);
  const missing = others.length > 0 ? ['', `Not run whole so far: ${others.join(', ')}.`] : [];
  const sum = (count: (figures: MutationFigures) => number) => all.reduce((total, one) => total + count(one), 0);
  const noticed = sum(({ failed, endless }) => failed + endless);
  const inShort = ['Mutants of the modules that decide', `${sum(({ mutants }) => mutants)}, ${noticed} noticed`];
  const dates = all.map(({ date }) => date).sort();
  return {
    inShort: all.length > 0 ? [[...inShort, '–', '`npm run mutation`', dates.at(-1) ?? '']] : [],
    blocks: {
      mutants: [...(all.length > 0 ? [...head, ...rows] : []), ...missing].join('\n'),
      unmutated: left.join('\n'),
    },
  };
}
