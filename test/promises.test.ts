/** docs/promises.md names tests that exist, and some for every promise. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const page = readFileSync(resolve(ROOT, 'docs/promises.md'), 'utf8');
const sections = page.split(/^## (?=\d+\. )/m).slice(1);
const named = sections.flatMap((section) =>
  [...section.matchAll(/^- `([^`]+)`: (.+)$/gm)].map(([, file = '', name = '']) => ({ file, name })),
);

it('every promise has tests', () => {
  expect(sections.map((section) => Number.parseInt(section, 10))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  for (const section of sections) expect(section).toMatch(/^- `[^`]+`: ./m);
});

it.each(named)('$file: $name', ({ file, name }) => {
  expect(existsSync(resolve(ROOT, file)), `${file} is not there`).toBe(true);
  const source = readFileSync(resolve(ROOT, file), 'utf8');
  // What a name is made of at run time is left out after an ellipsis.
  const literal = name.replace(/…$/, '');
  const quote = name.endsWith('…') ? '' : '[\'"`]';
  const escaped = literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  expect(source, `there is no test "${name}"`).toMatch(new RegExp(`['"\`]${escaped}${quote}`));
});
