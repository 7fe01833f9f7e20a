import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { PROMISES } from './promises.ts';

it.each(PROMISES)('the test that guards a promise is there: $promise', ({ file, test }) => {
  expect(readFileSync(resolve(import.meta.dirname, '../..', file), 'utf8')).toContain(test);
});
