/**
 * HubSpot's errors as one table: what it answered -> what happens next -> what to do about it.
 *
 * The first row whose conditions all hold is taken. Statuses, categories and codes:
 * https://developers.hubspot.com/docs/api-reference/error-handling
 */
import type { TableRow } from '@wrapup/destination/http';

export interface HubSpotErrorRule extends TableRow {
  category?: string;
  sub_category?: RegExp;
  policy?: string;
  /** Code of a detail. */
  code?: string | RegExp;
  /** Only where HubSpot gives no code for it. */
  message?: RegExp;
  /** The property that the error names is what is wrong; without it the rest can be written. */
  field?: true;
  /** Milliseconds, when HubSpot sends no Retry-After. */
  wait?: number;
  /** Longest Retry-After that is believed, in ms. */
  longest?: number;
}

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const LATER = 'Nothing to do: the delivery goes on by itself.';
const TOKEN =
  'Put a valid service key into the connection’s access_token (HubSpot: Settings, Integrations, Service keys), or for an OAuth app, install it again and put in its new refresh_token; then resume the connection.';
const PROVISION = 'Run `wrapup provision`, then replay.';

export const ERROR_TABLE: HubSpotErrorRule[] = [
  {
    status: 401,
    category: 'EXPIRED_AUTHENTICATION',
    becomes: 'unauthorized',
    says: 'the access token has expired',
    hint: TOKEN,
  },
  { status: 401, becomes: 'unauthorized', says: 'the access token is not valid', hint: TOKEN },
  {
    status: 403,
    becomes: 'missing_scope',
    says: 'the access token lacks a scope',
    hint: 'Add the scope to the service key, or to the OAuth app and install it again; then resume the connection.',
  },
  {
    status: 429,
    policy: 'DAILY',
    becomes: 'daily_limit',
    wait: HOUR_MS,
    longest: 24 * HOUR_MS,
    says: 'the account’s daily quota is used up',
    hint: 'It comes back at midnight in the account’s time zone; a backfill can wait, or the quota be raised.',
  },
  {
    status: 429,
    message: /daily limit/i,
    becomes: 'daily_limit',
    wait: HOUR_MS,
    longest: 24 * HOUR_MS,
    says: 'the account’s daily quota is used up',
    hint: 'It comes back at midnight in the account’s time zone; a backfill can wait, or the quota be raised.',
  },
  {
    status: 429,
    policy: 'TEN_SECONDLY_ROLLING',
    becomes: 'throttled',
    wait: 10 * SECOND_MS,
    longest: 60 * SECOND_MS,
    says: 'too many requests in ten seconds',
    hint: LATER,
  },
  {
    status: 429,
    becomes: 'throttled',
    wait: SECOND_MS,
    longest: 60 * SECOND_MS,
    says: 'too many requests in a second',
    hint: LATER,
  },
  {
    status: 423,
    becomes: 'locked',
    wait: 2 * SECOND_MS,
    longest: 60 * SECOND_MS,
    says: 'the records are locked for a moment',
    hint: LATER,
  },
  {
    status: 477,
    becomes: 'locked',
    wait: 60 * SECOND_MS,
    longest: 24 * HOUR_MS,
    says: 'the account is moving to another data centre',
    hint: LATER,
  },
  { status: 408, becomes: 'timeout', says: 'HubSpot took too long', hint: LATER },
  ...([522, [525, 526]] as const).map(
    (status): HubSpotErrorRule => ({
      status: typeof status === 'number' ? status : [...status],
      becomes: 'unavailable',
      wait: 60 * SECOND_MS,
      longest: HOUR_MS,
      says: 'HubSpot cannot be reached behind its own proxy',
      hint: 'If it lasts, ask HubSpot’s support.',
    }),
  ),
  { status: [500, 599], becomes: 'unavailable', longest: HOUR_MS, says: 'HubSpot failed', hint: LATER },
  {
    code: 'PROPERTY_DOESNT_EXIST',
    becomes: 'missing_property',
    field: true,
    says: 'the account has no such property',
    hint: 'Run `wrapup provision`, or create the property, or take it out of the mapping; then replay.',
  },
  {
    message: /^Property .* does not exist|non-unique .* property/i,
    becomes: 'missing_property',
    says: 'a property is missing, or is not unique as it must be',
    hint: PROVISION,
  },
  {
    code: 'INVALID_OPTION',
    becomes: 'invalid_field',
    field: true,
    says: 'the value is not among the property’s options',
    hint: 'Add the option in HubSpot, or change the value in the mapping; then replay.',
  },
  {
    code: 'INVALID_OWNER_ID',
    becomes: 'invalid_field',
    field: true,
    says: 'the owner is no active user of the account',
    hint: 'Nothing to do: the record is written without it. Name an active owner in the mapping.',
  },
  {
    code: /^READ_ONLY_VALUE|^PROPERTY_READ_ONLY|_READ_ONLY$/,
    becomes: 'invalid_field',
    field: true,
    says: 'the property is read-only',
    hint: 'Take it out of the mapping, then replay.',
  },
  {
    code: /^MISSING_(?:CONDITIONAL_)?REQUIRED/,
    becomes: 'invalid_field',
    says: 'the account’s own rules require a property that the mapping does not write',
    hint: 'Write the property in the mapping, or relax the rule in HubSpot (Settings, Properties, Rules); then replay.',
  },
  {
    code: /_TOO_LONG$/,
    becomes: 'invalid_field',
    field: true,
    says: 'the value is too long for the property',
    hint: 'Cut it in the mapping, then replay.',
  },
  {
    code: /^INVALID_/,
    becomes: 'invalid_field',
    field: true,
    says: 'the value does not fit the property',
    hint: 'Correct the value or its transform in the mapping, then replay.',
  },
  {
    sub_category: /INVALID_OBJECT_IDS$/,
    becomes: 'gone',
    says: 'a record to link to is gone: deleted, archived or merged',
    hint: 'Nothing to do: the person is looked up again by itself.',
  },
  { status: 409, becomes: 'conflict', says: 'another record already holds this unique value' },
  { message: /already has that value/i, becomes: 'conflict', says: 'another record already holds this unique value' },
  { category: 'CONFLICT', becomes: 'conflict', says: 'another record already holds this unique value' },
  {
    status: 404,
    category: 'OBJECT_NOT_FOUND',
    becomes: 'gone',
    says: 'the record is gone: deleted, archived or merged',
  },
  {
    status: 404,
    becomes: 'refused',
    says: 'HubSpot does not know what was asked for',
    hint: 'Check base_url, api_version and the object names in the mapping.',
  },
  {
    message: /^Duplicate IDs found in batch input/i,
    becomes: 'bad_request',
    says: 'one record stood twice in a request',
  },
  { message: /^Invalid input JSON/i, becomes: 'bad_request', says: 'HubSpot could not read the request' },
  {
    status: [300, 399],
    becomes: 'refused',
    says: 'HubSpot answered with a redirect',
    hint: 'Check the connection’s base_url.',
  },
  {
    status: [400, 499],
    becomes: 'refused',
    says: 'HubSpot refused it',
    hint: 'See HubSpot’s own words; mend the mapping or the record, then replay.',
  },
];
