/** The mutation run takes too long for each change: here it is only checked that what is published is of what is listed. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it, test } from 'vitest';
import { JUDGED } from './judged.ts';
import { filesOf, readMutation } from './report.ts';
import { SCOPES } from './scopes.ts';

const ROOT = resolve(import.meta.dirname, '../..');

it.each(SCOPES)('$name: the files that are mutated, and those that are not, are there', (scope) => {
  for (const file of scope.mutate.filter((glob) => !glob.includes('*')))
    expect(existsSync(resolve(ROOT, file)), file).toBe(true);
  expect(filesOf(scope)).not.toEqual([]);
});

test('the published figures are of the files that are listed', () => {
  for (const { name, files } of readMutation()) {
    const scope = SCOPES.find((one) => one.name === name);
    expect(scope && filesOf(scope).length, `run npm run mutation -- ${name} --publish`).toBe(files);
  }
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
