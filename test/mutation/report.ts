/** What docs/reliability.md says of mutation tests, and the figures that it is made of. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MutantResult } from '@stryker-mutator/core';
import { SCOPES, type Scope } from './scopes.ts';

/** Per cent of mutants that tests have to notice in each package. */
export const MIN_SCORE = 85;

const FIGURES = join(import.meta.dirname, 'results.json');

interface MutationFigures {
  name: string;
  /** Mutants that count: those that a test reaches or should reach. */
  mutants: number;
  /** By a test that failed, and by one that came to no end. */
  killed: number;
  timedOut: number;
  survived: number;
  /** Evaluated once as a module loads, and not run. */
  ignored: number;
  /** Per cent, to one decimal. */
  score: number;
  /** ISO 8601 date, and the commit on which it ran. */
  date: string;
  commit: string;
}

export function figuresOf({ name }: Scope, mutants: readonly MutantResult[]): MutationFigures {
  const count = (...of: MutantResult['status'][]) => mutants.filter(({ status }) => of.includes(status)).length;
  const [killed, timedOut, survived] = [count('Killed'), count('Timeout'), count('Survived', 'NoCoverage')];
  const all = killed + timedOut + survived;
  return {
    ...{ name, mutants: all, killed, timedOut, survived, ignored: count('Ignored') },
    score: Math.round((1000 * (killed + timedOut)) / Math.max(1, all)) / 10,
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
