import { fromPlain, type Node } from '@wrapup/findings';
import { expect, test } from 'vitest';
import { valueInWords } from '../src/pages/in-words.ts';

const PLACE = { file: 'm.yaml', line: 1, column: 1 };

test.each([
  ['callback', 'text', 'always `callback`'],
  ['lead.phone', 'text', '`lead.phone`'],
  ['outcome_code', 'path', '`outcome_code`'],
  ['Call {{ lead.name }}', 'text', 'the text `Call {{ lead.name }}`'],
  [{ from: 'callback' }, 'text', 'always `callback`'],
  [{ text: 'callback' }, 'path', 'always `callback`'],
  [{ from: 'vars.a', default: 'unknown' }, 'path', '`vars.a`; else always `unknown`'],
  [{ from: 'vars.a', default: 'vars.b' }, 'path', '`vars.a`; else `vars.b`'],
  [{ from: 'vars.a', default: { from: 'vars.b' } }, 'text', '`vars.a`; else `vars.b`'],
  [{ value: 'lead.phone' }, 'path', 'always `lead.phone`'],
  [7, 'path', 'always `7`'],
] as const)('%j where a bare text is a %s: %s', (value, bare, words) => {
  expect(valueInWords(fromPlain(value, () => PLACE) as Node, bare)).toBe(words);
});
