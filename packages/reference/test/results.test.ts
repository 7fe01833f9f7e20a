/** The presets of both CRMs derive one result of what Synthflow sends, and mappings can say it otherwise. */
import { KINDS } from '@wrapup/config';
import { compileMapping } from '@wrapup/mapping';
import { describe, expect, test } from 'vitest';
import { resultOf, SITUATIONS, situationCall } from '../src/pages/results-page.ts';

const WANTED = [
  ...['booked', 'interested', 'call_back', 'not_interested', 'wrong_number', 'do_not_call', 'transferred'],
  ...['voicemail', 'not_reached', 'failed'],
];

/** Each situation with the next, where a call can be in both. */
const PAIRS = SITUATIONS.slice(1).flatMap((after, index) => {
  const before = SITUATIONS[index] as (typeof SITUATIONS)[number];
  const compete = Object.keys(before.changes).length > 0;
  return compete ? [[before.result, before.says, after.result, after.says, before, after] as const] : [];
});

describe.each(['hubspot', 'salesforce'])('the presets for %s', (kind) => {
  test.each(SITUATIONS.map(({ result, says, changes }) => [result, says, changes] as const))(
    'derive %s where %s',
    (result, _, changes) => {
      expect(resultOf(kind, situationCall(changes))).toBe(result);
    },
  );

  test.each(PAIRS)('ask for %s (%s) before %s (%s)', (_result, _says, _after, _afterSays, before, after) => {
    const vars = { ...after.changes.vars, ...before.changes.vars };
    const analysis = { ...after.changes.analysis, ...before.changes.analysis };
    const both = { ...after.changes, ...before.changes, vars, analysis };
    expect(resultOf(kind, situationCall(both))).toBe(before.result);
  });

  test('take cases of one’s own, and words of the account for them', () => {
    const more = `define:
  result:
    cases: [ { when: { path: vars.signed_up, equals: true }, is: sold } ]
    default: call.outcome
`;
    expect(resultOf(kind, situationCall({ vars: { signed_up: 'yes' } }), more)).toBe('sold');
    expect(resultOf(kind, situationCall({ vars: { wants_callback: true } }), more)).toBe('connected');
    const field = kind === 'hubspot' ? 'fields: { hs_call_disposition: ' : 'outcome: ';
    const map = (name: string) =>
      `extends: ${kind}/call-log\n${name}call_log: { ${field}{ map: { booked: Sold, voicemail_left: Message } } }${kind === 'hubspot' ? ' }' : ''}\n`;
    const dialect = KINDS[kind]?.dialect as NonNullable<(typeof KINDS)[string]>['dialect'];
    for (const text of [map(''), map(more)]) {
      const { findings } = compileMapping({ name: 'm.yaml', text, dialect, readFile: () => undefined });
      expect(findings).toEqual([]);
    }
  });
});

test('every result that there is to be is derived from something', () => {
  expect(WANTED.filter((result) => !SITUATIONS.some((one) => one.result === result))).toEqual([]);
});
