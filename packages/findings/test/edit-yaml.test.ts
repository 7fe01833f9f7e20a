import { applyEdits, type Edit, type Fix, Report, readYaml } from '@wrapup/findings';
import { expect, test } from 'vitest';

/** Makes the change at every `»`, which is no part of the text. */
function edit(marked: string, fix: Fix): string {
  const edits: Edit[] = [];
  let text = marked;
  for (let index = text.indexOf('»'); index >= 0; index = text.indexOf('»')) {
    const before = text.slice(0, index).split('\n');
    edits.push({ at: { file: 'm.yaml', line: before.length, column: (before.at(-1) ?? '').length + 1 }, fix });
    text = text.slice(0, index) + text.slice(index + 1);
  }
  const { text: changed } = applyEdits(text, edits);
  const report = new Report();
  if (changed !== text) readYaml(changed, 'm.yaml', report);
  expect(report.findings).toEqual([]);
  return changed;
}

test.each([
  ['a plain text', 'priority: »HIGH # why\n', 'priority: { value: HIGH } # why\n'],
  ['quotes stay', `a: »"1"\nb: »'it''s'\n`, `a: { value: "1" }\nb: { value: 'it''s' }\n`],
  ['what braces would end is quoted', 'a: »one, two [x]\n', 'a: { value: "one, two [x]" }\n'],
  ['within braces', 'a: { priority: »HIGH, b: 1 }\n', 'a: { priority: { value: HIGH }, b: 1 }\n'],
  ['in a list', 'a:\n  - »x # one\n', 'a:\n  - { value: x } # one\n'],
  ['an anchor stays with the value', 'a: &p »HIGH\nb: *p\n', 'a: &p { value: HIGH }\nb: *p\n'],
  ['Windows line endings', '# c\r\na: »HIGH\r\nb: 1\r\n', '# c\r\na: { value: HIGH }\r\nb: 1\r\n'],
  ['no line break at the end', 'a: »HIGH', 'a: { value: HIGH }'],
  ['several at once', 'a: »x\nb: »y\n', 'a: { value: x }\nb: { value: y }\n'],
  ['a text in a block is left alone', 'a: »|\n  HIGH\n', 'a: |\n  HIGH\n'],
  ['a text with a tag is left alone', 'a: !!str »HIGH\n', 'a: !!str HIGH\n'],
])('wrap: %s', (_name, before, after) => {
  expect(edit(before, { wrap: 'value' })).toBe(after);
});

test.each([
  ['a key', '# c\n»old: # d\n  - a\n', '# c\nnew: # d\n  - a\n'],
  ['a quoted key', `»"old": 1\n`, `"new": 1\n`],
  ['a key within braces', 'a: { »old: 1 }\n', 'a: { new: 1 }\n'],
  ['a value', `a: »'old' # c\n`, `a: 'new' # c\n`],
])('replace: %s', (_name, before, after) => {
  expect(edit(before, { replace: 'new' })).toBe(after);
});

test.each([
  ['the last of several keys', 'a:\n  # of b\n  b: 1\n  »c: exact # of c\n', 'a:\n  # of b\n  b: 1\n'],
  ['the first of several keys', 'a:\n  »c: exact\n  # of b\n  b: 1\n', 'a:\n  # of b\n  b: 1\n'],
  ['a key with a section', 'a:\n  »c:\n    d: 1\n    e: 2\n  b: 1\n', 'a:\n  b: 1\n'],
  ['the only key: an empty section is no null', 'a:\n  »c: exact # c\nb: 1\n', 'a:\n  {} # c\nb: 1\n'],
  ['the only key within braces', 'a: { »c: exact }\n', 'a: {  }\n'],
  ['the first within braces', 'a: { »c: exact, b: 1 }\n', 'a: { b: 1 }\n'],
  ['the last within braces', 'a: { b: 1, »c: exact }\n', 'a: { b: 1 }\n'],
  ['behind the dash of a list', '- »c: exact\n  b: 1\n', '- b: 1\n'],
  ['Windows line endings', 'a:\r\n  b: 1\r\n  »c: exact\r\nd: 1\r\n', 'a:\r\n  b: 1\r\nd: 1\r\n'],
  ['at the end without a line break', 'a: 1\n»b: 2', 'a: 1\n'],
])('remove: %s', (_name, before, after) => {
  expect(edit(before, { remove: true })).toBe(after);
});

test('a text that is no YAML, and a place where nothing is, change nothing', () => {
  expect(edit('a: [»x\n', { wrap: 'value' })).toBe('a: [x\n');
  expect(edit('a: x » y\n', { wrap: 'value' })).toBe('a: x  y\n');
});

test('the edits that were made are named, those of an alias with the one that it stands for', () => {
  const at = (line: number, column: number): Edit => ({ at: { file: 'm.yaml', line, column }, fix: { wrap: 'value' } });
  const edits = [at(1, 4), at(1, 4), at(2, 4), at(4, 1)];
  const { text, made } = applyEdits('a: x\nb: |\n  y\nc: z\n', edits);
  expect(text).toBe('a: { value: x }\nb: |\n  y\nc: z\n');
  expect(made).toEqual(edits.slice(0, 2));
});
