/**
 * HubSpot's errors as one table: what it answered -> our failure code, the wait and the hint. What follows from a code
 * (retry, throttle, park, die) stands in FAILURE_CODES of packages/destination.
 *
 * The first row whose conditions all hold is taken. Statuses, categories and codes:
 * https://developers.hubspot.com/docs/api-reference/error-handling
 */
import { type TableRow, tableRow } from '@wrapup/destination/http';

export interface HubSpotErrorRule extends TableRow {
  category?: string;
  sub_category?: RegExp;
  policy?: string;
  /** Code of a detail. */
  code?: string | RegExp;
  /** Only where HubSpot gives no code for it. */
  words?: RegExp;
  /** Milliseconds, when HubSpot sends no Retry-After. */
  wait?: number;
  /** Longest Retry-After that is believed, in ms. */
  longest?: number;
}

/** How a batch of associations names a record that it cannot link, with its id. */
export const LINK_END = /^[A-Z_]+=(\d+) is not valid$/;

/** Custom properties that provisioning may create carry this prefix; others belong to the account. */
export function isOurs(property: string): boolean {
  return property.startsWith('wrapup_');
}

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const LATER = 'Nothing to do: the delivery goes on by itself.';
const TOKEN =
  'Put a valid service key into the connection’s access_token (HubSpot: Settings, Integrations, Service keys), or for an OAuth app, install it again and put in its new refresh_token; then resume the connection.';
const PROVISION = 'Run `wrapup provision`, then replay.';

const row = tableRow<HubSpotErrorRule>;

export const ERROR_TABLE: HubSpotErrorRule[] = [
  row({ status: 401, category: 'EXPIRED_AUTHENTICATION' }, 'unauthorized', 'the access token has expired', {
    hint: TOKEN,
  }),
  row({ status: 401 }, 'unauthorized', 'the access token is not valid', { hint: TOKEN }),
  row({ status: 403 }, 'missing_scope', 'the access token lacks a scope', {
    hint: 'Add the scope to the service key, or to the OAuth app and install it again; then resume the connection.',
  }),
  row({ status: 429, policy: 'DAILY' }, 'daily_limit', 'the account’s daily quota is used up', {
    wait: HOUR_MS,
    longest: 24 * HOUR_MS,
    hint: 'It comes back at midnight in the account’s time zone; a backfill can wait, or the quota be raised.',
  }),
  row({ status: 429, words: /daily limit/i }, 'daily_limit', 'the account’s daily quota is used up', {
    wait: HOUR_MS,
    longest: 24 * HOUR_MS,
    hint: 'It comes back at midnight in the account’s time zone; a backfill can wait, or the quota be raised.',
  }),
  row({ status: 429, policy: 'TEN_SECONDLY_ROLLING' }, 'throttled', 'too many requests in ten seconds', {
    wait: 10 * SECOND_MS,
    longest: 60 * SECOND_MS,
    hint: LATER,
  }),
  row({ status: 429 }, 'throttled', 'too many requests in a second', {
    wait: SECOND_MS,
    longest: 60 * SECOND_MS,
    hint: LATER,
  }),
  row({ status: 423 }, 'locked', 'the records are locked for a moment', {
    wait: 2 * SECOND_MS,
    longest: 60 * SECOND_MS,
    hint: LATER,
  }),
  row({ status: 477 }, 'locked', 'the account is moving to another data centre', {
    wait: 60 * SECOND_MS,
    longest: 24 * HOUR_MS,
    hint: LATER,
  }),
  row({ status: 408 }, 'timeout', 'HubSpot took too long', { hint: LATER }),
  row({ status: 522 }, 'unavailable', 'HubSpot cannot be reached behind its own proxy', {
    wait: 60 * SECOND_MS,
    longest: HOUR_MS,
    hint: 'If it lasts, ask HubSpot’s support.',
  }),
  row({ status: [525, 526] }, 'unavailable', 'HubSpot cannot be reached behind its own proxy', {
    wait: 60 * SECOND_MS,
    longest: HOUR_MS,
    hint: 'If it lasts, ask HubSpot’s support.',
  }),
  // Seen of searches: https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines names 429 only.
  row({ status: 500, category: 'RATE_LIMITS' }, 'throttled', 'too many requests in a second', {
    wait: SECOND_MS,
    longest: 60 * SECOND_MS,
    hint: LATER,
  }),
  row({ status: [500, 599] }, 'unavailable', 'HubSpot failed', { longest: HOUR_MS, hint: LATER }),
  row({ code: 'PROPERTY_DOESNT_EXIST' }, 'missing_property', 'the account has no such property', {
    omits: 'missing_property',
    hint: 'Create the property in HubSpot (Settings, Properties), or take it out of the mapping; then replay. `wrapup provision` creates those whose names begin with wrapup_, and no others.',
  }),
  row(
    // Not of the JSON in `Property values were not valid: [{…}]`, whose details have codes of their own.
    { words: /^Property (?!values were not valid).* does not exist|non-unique .* property/i },
    'missing_property',
    'a property is missing, or is not unique as it must be',
    { hint: PROVISION },
  ),
  row({ code: 'INVALID_OPTION' }, 'invalid_field', 'the value is not among the property’s options', {
    omits: 'unknown_option',
    hint: 'Add the option in HubSpot, or change the value in the mapping; then replay.',
  }),
  row({ code: 'INVALID_OWNER_ID' }, 'invalid_field', 'the owner is no active user of the account', {
    omits: 'unknown_owner',
    hint: 'Nothing to do: the record is written without it. Name an active owner in the mapping.',
  }),
  row({ code: /^READ_ONLY_VALUE|^PROPERTY_READ_ONLY|_READ_ONLY$/ }, 'invalid_field', 'the property is read-only', {
    omits: 'read_only',
    hint: 'Take it out of the mapping, then replay.',
  }),
  row(
    { code: /^MISSING_(?:CONDITIONAL_)?REQUIRED/ },
    'invalid_field',
    'the account’s own rules require a property that the mapping does not write',
    {
      hint: 'Write the property in the mapping, or relax the rule in HubSpot (Settings, Properties, Rules); then replay.',
    },
  ),
  // Of what a new record of a standard object cannot be without: `context.properties` names it, and no code does.
  row(
    { words: /^Error creating \w+\. Some required properties were not set/i },
    'invalid_field',
    'a new record needs a property that is not written',
    { hint: 'Write the property in the mapping; then replay.' },
  ),
  row({ code: /_TOO_LONG$/ }, 'invalid_field', 'the value is too long for the property', {
    omits: 'too_long',
    hint: 'Cut it in the mapping, then replay.',
  }),
  row({ code: /^INVALID_/ }, 'invalid_field', 'the value does not fit the property', {
    omits: 'invalid_value',
    hint: 'Correct the value or its transform in the mapping, then replay.',
  }),
  row({ sub_category: /INVALID_OBJECT_IDS$/ }, 'gone', 'a record to link to is gone: deleted, archived or merged', {
    hint: 'Nothing to do: the person is looked up again by itself.',
  }),
  // An association's other end: `CONTACT=1234 is not valid`.
  row(
    { category: 'VALIDATION_ERROR', words: LINK_END },
    'gone',
    'a record to link to is gone: deleted, archived or merged',
    { hint: 'Nothing to do: the person is looked up again by itself.' },
  ),
  row({ status: 409 }, 'conflict', 'another record already holds this unique value'),
  row({ words: /already has that value/i }, 'conflict', 'another record already holds this unique value'),
  row({ category: 'CONFLICT' }, 'conflict', 'another record already holds this unique value'),
  row({ status: 404, category: 'OBJECT_NOT_FOUND' }, 'gone', 'the record is gone: deleted, archived or merged'),
  row({ status: 404 }, 'refused', 'HubSpot does not know what was asked for', {
    hint: 'Check base_url, api_version and the object names in the mapping.',
  }),
  row({ words: /^Duplicate IDs found in batch input/i }, 'bad_request', 'one record stood twice in a request'),
  row({ words: /^Invalid input JSON/i }, 'bad_request', 'HubSpot could not read the request'),
  row({ status: [300, 399] }, 'refused', 'HubSpot answered with a redirect', {
    hint: 'Check the connection’s base_url.',
  }),
  row({ status: [400, 499] }, 'refused', 'HubSpot refused it', {
    hint: 'See HubSpot’s own words; correct the mapping or the record, then replay.',
  }),
];
