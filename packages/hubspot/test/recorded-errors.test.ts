/**
 * What the adapter makes of each refusal that HubSpot was recorded to answer, held against a table that was read through by
 * people. Skipped where WRAPUP_RECORDINGS names no folder.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { byClass, RECORDINGS_FOLDER, type Recording, readRecordings } from '../../../test/recordings/recordings.ts';
import { failureOf, itemStatus, readVendorError } from '../src/errors/classify.ts';

const TABLE = parse(readFileSync(new URL('recorded-errors.yaml', import.meta.url), 'utf8')) as Record<string, string[]>;

/** Whole refusals, and the refused rows of an answer that is refused in part. */
function refusalsIn({ response: { status, body } }: Recording): [status: number, body: unknown][] {
  if (status >= 400) return [[status, body]];
  const { errors = [] } = (body ?? {}) as { errors?: unknown[] };
  return Array.isArray(errors) ? errors.map((item) => [itemStatus(item), item]) : [];
}

function reading([status, body]: [number, unknown]): string {
  const error = readVendorError(status, body);
  const { code, next, fields } = failureOf(error, { doing: 'write' });
  const named = [
    ...(fields.length > 0 ? [`without the ${new Set(fields).size} it names`] : []),
    ...(error.trace_ids.length > 0 ? ['names its row'] : error.ids.length > 0 ? ['names ids'] : []),
    ...(error.owner ? ['names the other record'] : []),
  ];
  return [`${code}, ${next}`, ...named].join(', ');
}

describe.skipIf(RECORDINGS_FOLDER === undefined)('recorded refusals', () => {
  const refused = byClass(readRecordings('hubspot').filter((recording) => refusalsIn(recording).length > 0));
  test.each([...refused])('%s', (name, recordings) => {
    const read = [...new Set(recordings.flatMap(refusalsIn).map(reading))].toSorted();
    expect({ [name]: read }).toEqual({ [name]: TABLE[name] });
  });

  test('every row of the table was recorded', () => {
    expect(Object.keys(TABLE).filter((name) => !refused.has(name))).toEqual([]);
  });
});
