/**
 * Acme's errors as one table: what it answered -> what happens next -> what to do about it. The first row whose conditions
 * all hold is taken.
 */
import { type TableRow, tableRow } from '@wrapup/destination/http';

export interface AcmeErrorRule extends TableRow {
  code?: string;
  /** Milliseconds, when Acme sends no Retry-After. */
  wait?: number;
}

const LATER = 'Nothing to do: the delivery goes on by itself.';

const row = tableRow<AcmeErrorRule>;

export const ERROR_TABLE: AcmeErrorRule[] = [
  row({ status: 401 }, 'unauthorized', 'the token is not valid', {
    hint: 'Put a valid token into the connection, then resume it.',
  }),
  row({ status: 403 }, 'missing_scope', 'the token may not do this', {
    hint: 'Give the token the permission, then resume the connection.',
  }),
  row({ status: 429 }, 'throttled', 'too many requests', { wait: 1_000, hint: LATER }),
  row({ code: 'UNKNOWN_FIELD' }, 'missing_property', 'the account has no such field', {
    omits: 'missing_property',
    hint: 'Run `wrapup provision`, or take the field out of the mapping; then replay.',
  }),
  row({ code: 'INVALID_VALUE' }, 'invalid_field', 'the value does not fit the field', {
    omits: 'invalid_value',
    hint: 'Correct the value or its transform in the mapping, then replay.',
  }),
  row({ code: 'DUPLICATE' }, 'conflict', 'another record already holds this unique value'),
  row({ code: 'NOT_FOUND' }, 'gone', 'the record is gone: deleted or merged'),
  row({ status: 404 }, 'refused', 'Acme does not know what was asked for', {
    hint: 'Check base_url of the connection and the object names in the mapping.',
  }),
  row({ status: [500, 599] }, 'unavailable', 'Acme failed', { hint: LATER }),
  row({ status: [200, 499] }, 'refused', 'Acme refused it', {
    hint: 'See Acme’s own words; correct the mapping or the record, then replay.',
  }),
];
