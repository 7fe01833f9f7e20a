/** docs/promises.md and docs/security.md name tests that exist: some for every promise, and for every section of defences. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const read = (page: string) => readFileSync(resolve(ROOT, page), 'utf8');
const PROMISES = read('docs/promises.md');
const SECURITY = read('docs/security.md');

const sectionsOf = (page: string) => page.split(/^## /m).slice(1);
const namedIn = (text: string) =>
  [...text.matchAll(/^- `([^`]+)`: (.+)$/gm)].map(([, file = '', name = '']) => ({ file, name }));

it('every promise has tests', () => {
  const promises = sectionsOf(PROMISES).filter((section) => /^\d+\. /.test(section));
  expect(promises.map((section) => Number.parseInt(section, 10))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  for (const section of promises) expect(namedIn(section), section).not.toEqual([]);
});

it('every table of threats has tests', () => {
  const tables = sectionsOf(SECURITY).filter((section) => section.includes('| STRIDE |'));
  expect(tables.length).toBeGreaterThanOrEqual(6);
  for (const section of tables) expect(namedIn(section), section).not.toEqual([]);
});

it.each([...namedIn(PROMISES), ...namedIn(SECURITY)])('$file: $name', ({ file, name }) => {
  expect(existsSync(resolve(ROOT, file)), `${file} is not there`).toBe(true);
  const source = read(file);
  // What a name is made of at run time is left out after an ellipsis.
  const literal = name.replace(/…$/, '');
  const quote = name.endsWith('…') ? '' : '[\'"`]';
  const escaped = literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  // Not `toMatch`, which prints the whole file where there is none.
  const named = new RegExp(`['"\`]${escaped}${quote}`).test(source);
  expect(named, `${file} has no test "${name}"`).toBe(true);
});
