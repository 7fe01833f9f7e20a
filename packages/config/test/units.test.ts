import { formatDuration, parseDuration } from '@wrapup/config';
import { expect, test } from 'vitest';

test('durations are read with their unit and written back', () => {
  expect(['250ms', '2s', '10m', '6h', '90d', '1.5h', ' 3 s '].map(parseDuration)).toEqual([
    250, 2_000, 600_000, 21_600_000, 7_776_000_000, 5_400_000, 3_000,
  ]);
  for (const no of ['', '10', '10 minutes', '-1s', '1e3s', 's', '1m 5s', '999999999999999d', '1constructor']) {
    expect(parseDuration(no), no).toBeUndefined();
  }
  expect([0, 1, 1500, 2_000, 5_400_000, 86_400_000].map(formatDuration)).toEqual([
    '0ms',
    '1ms',
    '1500ms',
    '2s',
    '90m',
    '1d',
  ]);
});
