/** What is noted while a payload is read: so many at most, each once, and no value. */
import { expect, test } from 'vitest';
import { maskPath, Notes } from '../src/parse/notes.ts';

const filled = (count: number) => {
  const notes = new Notes();
  for (let n = 0; n < count; n += 1) notes.add(`path.${n}`, 'is odd');
  return notes;
};

test('a note is kept once for a path and a message', () => {
  const notes = new Notes();
  for (const [path, message] of [
    ['a', 'one'],
    ['a', 'one'],
    ['a', 'two'],
    ['b', 'one'],
  ] as const)
    notes.add(path, message);
  expect(notes.list()).toEqual([
    { path: 'a', message: 'one' },
    { path: 'a', message: 'two' },
    { path: 'b', message: 'one' },
  ]);
});

test('fifty are kept, and the others counted', () => {
  expect(filled(50).list()).toHaveLength(50);
  const list = filled(53).list();
  expect(list).toHaveLength(51);
  expect(list.slice(49)).toEqual([
    { path: 'path.49', message: 'is odd' },
    { path: '', message: '3 more notes were not kept' },
  ]);
});

test('one that is kept in any case stands first, once, and takes the place of the last', () => {
  const few = filled(1);
  for (const path of ['a', 'a', 'b']) few.first(path, 'is cut');
  few.first('a', 'is long');
  expect(few.list().map(({ path, message }) => `${path} ${message}`)).toEqual([
    'a is long',
    'b is cut',
    'a is cut',
    'path.0 is odd',
  ]);
  const almost = filled(49);
  almost.first('a', 'is cut');
  expect(almost.list()).toHaveLength(50);
  const full = filled(50);
  full.first('a', 'is cut');
  expect([full.list()[0], full.list().at(-2), full.list().at(-1)]).toEqual([
    { path: 'a', message: 'is cut' },
    { path: 'path.48', message: 'is odd' },
    { path: '', message: '1 more notes were not kept' },
  ]);
});

test.each([
  ['call.lead.name', 'call.lead.name'],
  ['vars.Größe 2', 'vars.Größe 2'],
  ['vars.4155550142.x', 'vars.*.x'],
  ['vars.a@example.com', 'vars.*.com'],
  ['vars.1234', 'vars.1234'],
  [`vars.${'x'.repeat(64)}`, `vars.${'x'.repeat(64)}`],
  [`vars.${'x'.repeat(65)}`, 'vars.*'],
  ['ab.'.repeat(60), `${'ab.'.repeat(60).slice(0, 160)}…`],
])('a path of case %# is shown without what may be a value', (path, shown) => {
  expect(maskPath(path)).toBe(shown);
});
