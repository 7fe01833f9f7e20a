/** Records of the API: two answers that make one call, and when it was. */
import { expect, test } from 'vitest';
import { mergeRecords, readSingle, timesOf } from '../src/api/records.ts';

test('two answers make one record: what says something wins over what does not', () => {
  const single = { call_id: 'c', status: 'completed', duration: null, name: ' ', only: null };
  const listed = { call_id: 'c', call_status: 'completed', duration: 5, name: 'Dana', status: 'busy' };
  expect(mergeRecords(single, listed)).toEqual({
    ...{ call_id: 'c', status: 'completed', call_status: 'completed', duration: 5, name: 'Dana', only: null },
  });
  expect(mergeRecords(single, undefined)).toBe(single);
});

test.each([
  [{ response: { calls: [{ call_id: 'c' }] } }, { call_id: 'c' }],
  [{ response: { call_id: 'c' } }, { call_id: 'c' }],
  [{ call_id: 'c' }, { call_id: 'c' }],
  [{ response: { calls: [{ name: 'x' }], call_id: 'c' } }, { calls: [{ name: 'x' }], call_id: 'c' }],
  [{ response: { calls: [] } }, undefined],
  [{ response: { calls: { 0: { call_id: 'c' } } } }, undefined],
  [['c'], undefined],
  [null, undefined],
])('the record in %j is %j', (answer, record) => {
  expect(readSingle(answer)).toEqual(record);
});

test('a call ends its length after it began', () => {
  const started = Date.parse('2026-11-20T10:00:00Z');
  expect(timesOf({ start_time: '2026-11-20T10:00:00Z', duration: '90' })).toStrictEqual({
    started,
    ended: started + 90_000,
  });
  expect(timesOf({ telephony_start: '2026-11-20T10:00:00Z' })).toStrictEqual({ started, ended: started });
  expect(timesOf({ duration: 5 })).toStrictEqual({});
});
