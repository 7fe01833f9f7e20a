import { expect, test } from 'vitest';
import { describeNote, distinctNotes, hintOf, nameOmitted, OMISSIONS, omissionsOf } from '../../src/port/omission.ts';

const AT = { file: 'mappings/sales.yaml', line: 12, column: 3 };
const omitted = { code: 'unknown_option', record: 'person', field: 'stage', reason: 'no option “x”.', at: AT } as const;

test('an omission names the field, or the whole record', () => {
  expect(nameOmitted(omitted)).toBe('person.stage');
  expect(nameOmitted({ record: 'deal' })).toBe('deal');
});

test('it is described with its reason, its line and what to do', () => {
  expect(describeNote({ ...omitted, hint: 'Add it.' })).toBe(
    'person.stage was left out: no option “x” (mappings/sales.yaml:12). Add it.',
  );
  expect(describeNote({ ...omitted, reason: 'no 1.5 option', hint: 'Add it.' })).toContain('no 1.5 option (');
  expect(describeNote(omitted)).toContain(OMISSIONS.unknown_option.hint);
  expect(describeNote('Logged without a contact.')).toBe('Logged without a contact.');
});

test('a code that this version does not know has no hint, and no blank in place of it', () => {
  const later = { ...omitted, code: 'of_a_later_version' as never };
  expect(hintOf(later)).toBe('');
  expect(describeNote(later)).toMatch(/\)\.$/);
});

test('only what could not be used is an omission, by record and field', () => {
  const left = (field: string, unusable?: 'unreadable_date') => ({
    ...{ field, reason: 'it is no date', at: AT, label: field },
    ...(unusable ? { unusable } : {}),
  });
  const notes = omissionsOf({
    left_out: [
      left('person.born', 'unreadable_date'),
      left('deal', 'unreadable_date'),
      left('deal.close.date', 'unreadable_date'),
      left('person.title'),
    ] as never,
  });
  expect(notes).toStrictEqual([
    { code: 'unreadable_date', record: 'person', field: 'born', reason: 'it is no date', at: AT },
    { code: 'unreadable_date', record: 'deal', reason: 'it is no date', at: AT },
    { code: 'unreadable_date', record: 'deal', field: 'close.date', reason: 'it is no date', at: AT },
  ]);
});

test('what says the same twice is said once', () => {
  expect(distinctNotes([omitted, 'one', { ...omitted }, 'one', 'two'])).toEqual([omitted, 'one', 'two']);
});
