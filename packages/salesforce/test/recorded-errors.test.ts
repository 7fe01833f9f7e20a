/**
 * What the adapter makes of each refusal that Salesforce was recorded to answer, held against a table that was read through by
 * people. Skipped where WRAPUP_RECORDINGS names no folder.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { byClass, RECORDINGS_FOLDER, type Recording, readRecordings } from '../../../test/recordings/recordings.ts';
import { failureOf, readRowErrors, readVendorError } from '../src/errors/classify.ts';

type SalesforceVendorError = ReturnType<typeof readVendorError>;

const TABLE = parse(readFileSync(new URL('recorded-errors.yaml', import.meta.url), 'utf8')) as Record<string, string[]>;

/** Whole refusals, refused rows of a collection, and refused parts of a composite answer. */
function refusalsIn({ response: { status, body } }: Recording): SalesforceVendorError[] {
  if (status >= 300) return [readVendorError(status, body)];
  const rows = Array.isArray(body) ? body : [body];
  const parts =
    (body as { compositeResponse?: { httpStatusCode: number; body: unknown }[] } | null)?.compositeResponse ?? [];
  return [
    ...rows.filter((row) => row?.success === false).map((row) => readRowErrors(status, row)),
    ...parts
      .filter((part) => part.httpStatusCode >= 300)
      .map((part) => readVendorError(part.httpStatusCode, part.body)),
  ];
}

function reading(error: SalesforceVendorError): string {
  const { code, next, fields, split_and_retry } = failureOf(error, { doing: 'write' });
  const named = [
    ...(fields.length > 0 ? [`without the ${new Set(fields).size} it names`] : []),
    ...(split_and_retry ? ['fewer rows first'] : []),
    ...(error.matches.length > 0 ? ['names the records found'] : []),
  ];
  return [`${code}, ${next}`, ...named].join(', ');
}

describe.skipIf(RECORDINGS_FOLDER === undefined)('recorded refusals', () => {
  const refused = byClass(readRecordings('salesforce').filter((recording) => refusalsIn(recording).length > 0));
  test.each([...refused])('%s', (name, recordings) => {
    const read = [...new Set(recordings.flatMap(refusalsIn).map(reading))].toSorted();
    expect({ [name]: read }).toEqual({ [name]: TABLE[name] });
  });

  test('every row of the table was recorded', () => {
    expect(Object.keys(TABLE).filter((name) => !refused.has(name))).toEqual([]);
  });
});
