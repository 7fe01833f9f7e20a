/** The mutation run takes too long for each change: here it is only checked that what is published is of what is listed. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it, test } from 'vitest';
import { JUDGED } from './judged.ts';
import { filesOf, MIN_SCORE, readMutation } from './report.ts';
import { SCOPES } from './scopes.ts';

const ROOT = resolve(import.meta.dirname, '../..');

it.each(SCOPES)('$name: the files that are mutated are there, and the published figures are of them', (scope) => {
  for (const file of scope.mutate.filter((glob) => !glob.includes('*')))
    expect(existsSync(resolve(ROOT, file)), file).toBe(true);
  const figures = readMutation().find(({ name }) => name === scope.name);
  expect(figures?.files, 'run npm run mutation -- --publish').toBe(filesOf(scope).length);
  expect(figures?.score).toBeGreaterThanOrEqual(MIN_SCORE);
});

test('the lines of mutants that were judged stand in their files', () => {
  for (const { file, line } of JUDGED)
    expect(
      readFileSync(resolve(ROOT, file), 'utf8')
        .split('\n')
        .map((one) => one.trim()),
      file,
    ).toContain(line);
});
