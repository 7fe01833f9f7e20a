/**
 * Salesforce's errors as one table: what it answered -> our failure code, the wait and the hint. What follows
 * from a code (retry, throttle, park, die) stands in FAILURE_CODES of packages/destination.
 *
 * The first row whose conditions all hold is taken: by code first, since statuses tell little. Codes:
 * https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
 * https://developer.salesforce.com/docs/platform/api-rest/guide/errorcodes.html
 */
import { type TableRow, tableRow } from '@wrapup/destination/http';

export interface SalesforceErrorRule extends TableRow {
  code?: string | RegExp;
  /** Only where Salesforce gives one code to several things. */
  words?: RegExp;
  /** Field that is meant where the error names none. */
  about?: string;
  /** Worth sending again at once in fewer rows. */
  split_and_retry?: true;
  /** Milliseconds. Salesforce never sends a Retry-After. */
  wait?: number;
}

/** Custom fields that a package may make carry this prefix; others belong to the org. */
export function isOurs(name: string): boolean {
  return /^Wrapup_\w+__c$/.test(name);
}

/** What to do where the org lacks a field, or does not show it: `wrapup provision` makes those of its own prefix only. */
export function adviceOn(field: string): string {
  const make = isOurs(field)
    ? 'Run `wrapup provision --deploy`, which creates it'
    : 'Create the field in Salesforce, as `wrapup provision` creates none of this name';
  return `${make}, or give the user access to it (a permission set), or take it out of the mapping; then replay.`;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const LATER = 'Nothing to do: the delivery goes on by itself.';
const APP =
  'Check client_id, client_secret or the certificate of the external client app, and that its user may log in; then resume the connection.';
const REPLAY = 'then replay.';

const row = tableRow<SalesforceErrorRule>;

export const ERROR_TABLE: SalesforceErrorRule[] = [
  // Tokens.
  row(
    { code: 'invalid_grant', words: /already being processed|expired authorization code/i },
    'busy',
    'another process is getting a token at this moment',
    { wait: SECOND_MS, hint: LATER },
  ),
  row(
    { code: 'invalid_grant', words: /hasn't approved/i },
    'unauthorized',
    'the user has not been allowed to use the app',
    { hint: 'Pre-authorise the user for the app (its policies, or a permission set), then resume the connection.' },
  ),
  row({ code: 'invalid_grant' }, 'unauthorized', 'the grant is not valid any more', {
    hint: 'Check that the user is active and the refresh token or certificate valid, and that this machine’s clock is right: an assertion lives three minutes. Then resume the connection.',
  }),
  row(
    {
      code: /^(?:invalid_client|invalid_client_id|unsupported_grant_type|invalid_request|unauthorized_client|inactive_user|invalid_app_access|invalid_scope|app_not_found|redirect_uri_mismatch|inactive_org|invalid_assertion_type)$/,
    },
    'unauthorized',
    'the app or its login is not accepted',
    { hint: APP },
  ),
  row({ code: 'INVALID_SESSION_ID' }, 'unauthorized', 'the session is not valid', { hint: APP }),
  row({ code: 'INVALID_AUTH_HEADER' }, 'unauthorized', 'the session cannot be read', { hint: APP }),

  // Limits.
  row(
    { code: 'REQUEST_LIMIT_EXCEEDED', words: /concurrent/i },
    'throttled',
    'too many long requests at once in the org',
    { wait: 5 * SECOND_MS, hint: LATER },
  ),
  row({ code: 'REQUEST_LIMIT_EXCEEDED' }, 'daily_limit', 'the org’s API requests of 24 hours are used up', {
    wait: 15 * MINUTE_MS,
    hint: 'They come back hour by hour; look in Setup, System Overview, which integration uses them, or buy more.',
  }),
  row({ code: /^STORAGE_LIMIT_EXCEEDED$/ }, 'daily_limit', 'the org’s storage is full', {
    wait: 60 * MINUTE_MS,
    hint: 'Free or buy data storage (Setup, Storage Usage); the connection goes on by itself.',
  }),
  row(
    {
      code: /^(?:LIMIT_EXCEEDED|PLATFORM_EVENT_PUBLISHING_UNAVAILABLE|CONTENT_PUBLISH_LIMIT_EXCEEDED|MAXIMUM_SIZE_OF_ATTACHMENT)$/,
    },
    'daily_limit',
    'a limit of the org is reached',
    {
      wait: 60 * MINUTE_MS,
      hint: 'Look in Setup, System Overview; the connection goes on by itself when there is room.',
    },
  ),
  row(
    { code: /^(?:API_DISABLED_FOR_ORG|API_CURRENTLY_DISABLED|ORG_LOCKED|FUNCTIONALITY_NOT_ENABLED|API_ONLY)$/ },
    'missing_scope',
    'the org or its user may not use the API',
    {
      hint: 'Give the user the permission API Enabled (and the org an edition with the API), then resume the connection.',
    },
  ),
  row({ code: 'UNSUPPORTED_API_VERSION' }, 'refused', 'this version of the API is retired', {
    next: 'reauthenticate',
    hint: 'Set api_version of the connection to a current one, then resume the connection.',
  }),
  row({ status: 410 }, 'refused', 'this version of the API is retired', {
    next: 'reauthenticate',
    hint: 'Set api_version of the connection to a current one, then resume the connection.',
  }),

  // Locks and the org's own automation.
  row({ code: 'UNABLE_TO_LOCK_ROW' }, 'locked', 'another transaction holds the record or its parent', {
    split_and_retry: true,
    wait: 2 * SECOND_MS,
    hint: LATER,
  }),
  row(
    { code: 'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', words: /UNABLE_TO_LOCK_ROW/ },
    'locked',
    'another transaction holds a record that the org’s automation needs',
    { split_and_retry: true, wait: 2 * SECOND_MS, hint: LATER },
  ),
  row(
    {
      code: /^(?:CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY|CANNOT_EXECUTE_FLOW_TRIGGER|APEX_ERROR|UNKNOWN_EXCEPTION)$/,
      words: /CPU time|Too many (?:SOQL|DML|query|queueable)|limit exceeded|heap size/i,
    },
    'refused',
    'the org’s own triggers or flows ran into a limit',
    { split_and_retry: true, hint: `An administrator has to make the automation on this object lighter; ${REPLAY}` },
  ),
  row(
    { code: /^(?:CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY|CANNOT_EXECUTE_FLOW_TRIGGER|APEX_ERROR)$/ },
    'refused',
    'a trigger or flow of the org refused it',
    { hint: `See Salesforce’s own words, correct the flow or the mapping, ${REPLAY}` },
  ),
  row({ code: /^(?:QUERY_TIMEOUT|REQUEST_RUNNING_TOO_LONG)$/ }, 'timeout', 'Salesforce took too long', {
    split_and_retry: true,
    hint: LATER,
  }),

  // Who it is.
  row({ code: 'DUPLICATE_VALUE' }, 'conflict', 'another record already holds this unique value'),
  row(
    { code: 'DUPLICATES_DETECTED' },
    'ambiguous_person',
    'a duplicate rule of the org found records that look alike',
    { hint: `Merge them, or set duplicates of the connection to use_match or allow; ${REPLAY}` },
  ),
  row({ code: 'CANNOT_UPDATE_CONVERTED_LEAD' }, 'gone', 'the lead has been converted', {
    hint: 'Nothing to do: its contact is looked up by itself.',
  }),
  row(
    { code: /^(?:ENTITY_IS_DELETED|DELETE_FAILED|INVALID_ID_FIELD)$/ },
    'gone',
    'the record is gone: deleted or merged',
    { hint: 'Nothing to do: the person is looked up again by itself.' },
  ),
  row({ code: 'INACTIVE_OWNER_OR_USER' }, 'invalid_field', 'the owner is no active user of the org', {
    omits: 'unknown_owner',
    about: 'OwnerId',
    hint: 'Nothing to do: the record is written without it. Name an active owner in the mapping.',
  }),
  row({ code: 'INVALID_CROSS_REFERENCE_KEY', words: /owner/i }, 'invalid_field', 'the owner cannot own such records', {
    omits: 'unknown_owner',
    about: 'OwnerId',
    hint: 'Name another owner in the mapping.',
  }),
  row(
    { code: /^(?:INVALID_CROSS_REFERENCE_KEY|INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY)$/ },
    'gone',
    'a record to link to is gone, or the user may not see it',
    { hint: 'The person is looked up again by itself; if it lasts, check what the integration user may see.' },
  ),
  row({ code: 'PROCESSING_HALTED' }, 'unavailable', 'it was taken back because another one failed', { hint: LATER }),
  row({ code: 'ALL_OR_NONE_OPERATION_ROLLED_BACK' }, 'unavailable', 'it was taken back because another one failed', {
    hint: LATER,
  }),

  // Fields and values.
  row(
    { code: 'REQUIRED_FIELD_MISSING' },
    'invalid_field',
    'a field that the org requires is not written by the mapping',
    { hint: `Write the field in the mapping, or make it optional in Salesforce; ${REPLAY}` },
  ),
  row(
    { code: /^(?:FIELD_CUSTOM_VALIDATION_EXCEPTION|FIELD_FILTER_VALIDATION_EXCEPTION)$/ },
    'invalid_field',
    'a validation rule of the org refused it',
    {
      hint: `See Salesforce’s own words, correct the mapping or the rule (Setup, Object Manager, Validation Rules), ${REPLAY}`,
    },
  ),
  row(
    { code: /^(?:INVALID_FIELD|INVALID_FIELD_FOR_INSERT_UPDATE)$/ },
    'missing_property',
    'the org has no such field, or the user may not write it',
    {
      omits: 'missing_property',
      hint: `Create the field, or give the user access to it (a permission set), or take it out of the mapping; ${REPLAY} \`wrapup provision\` creates fields that are named Wrapup_…__c, and no others.`,
    },
  ),
  row(
    { code: 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST' },
    'invalid_field',
    'the value is not among those of the picklist',
    { omits: 'unknown_option', hint: `Add the value in Salesforce, or change it in the mapping; ${REPLAY}` },
  ),
  row({ code: 'STRING_TOO_LONG' }, 'invalid_field', 'the value is too long for the field', {
    omits: 'too_long',
    hint: `Cut it in the mapping, ${REPLAY}`,
  }),
  row(
    {
      code: /^(?:INVALID_EMAIL_ADDRESS|INVALID_TYPE_ON_FIELD_IN_RECORD|JSON_PARSER_ERROR|FIELD_INTEGRITY_EXCEPTION|NUMBER_OUTSIDE_VALID_RANGE|INVALID_CURRENCY_ISO|MALFORMED_ID|INVALID_URL|PICKLIST_VALUE_NOT_FOUND)$/,
    },
    'invalid_field',
    'the value does not fit the field',
    { omits: 'invalid_value', hint: `Correct the value or its transform in the mapping, ${REPLAY}` },
  ),

  // Access.
  row(
    {
      code: /^(?:INSUFFICIENT_ACCESS|INSUFFICIENT_ACCESS_OR_READONLY|CANNOT_UPDATE_ENTITY|TRANSFER_REQUIRES_READ|INVALID_TYPE_FOR_OPERATION)$/,
    },
    'refused',
    'the user may not write this record',
    { hint: `Give the integration user access to the object and the record (permission set, sharing), ${REPLAY}` },
  ),
  row(
    { code: /^(?:NOT_FOUND|INVALID_TYPE)$/ },
    'refused',
    'the org has no such object or record, or the user may not see it',
    { hint: `Check the object’s name in the mapping and the user’s permissions, ${REPLAY}` },
  ),
  row({ code: /^TXN_SECURITY_/ }, 'refused', 'a security policy of the org blocked it', {
    hint: `Exempt the integration user from the policy (Setup, Transaction Security Policies), ${REPLAY}`,
  }),

  // Our own mistakes.
  row(
    {
      code: /^(?:EXCEEDED_ID_LIMIT|MALFORMED_QUERY|MALFORMED_SEARCH|INVALID_INPUT|INVALID_QUERY_FILTER_OPERATOR|DUPLICATE_COMM_NICKNAME|METHOD_NOT_ALLOWED)$/,
    },
    'bad_request',
    'Salesforce could not take the request',
  ),
  row({ status: 414 }, 'bad_request', 'the address of the request was too long'),
  row({ status: 431 }, 'bad_request', 'the headers of the request were too long'),

  // By status, when no code says more.
  row({ status: 401 }, 'unauthorized', 'the session is not valid', { hint: APP }),
  row({ status: [300, 300] }, 'refused', 'several records share the key', {
    hint: `Delete or merge the doubles in Salesforce, ${REPLAY}`,
  }),
  row({ status: [301, 399] }, 'refused', 'Salesforce answered with a redirect', {
    next: 'reauthenticate',
    hint: 'Check login_url and base_url of the connection.',
  }),
  row({ status: 404 }, 'refused', 'Salesforce does not know what was asked for', {
    hint: 'Check base_url, api_version and the object names in the mapping.',
  }),
  row({ status: 408 }, 'timeout', 'Salesforce took too long', { hint: LATER }),
  row({ status: 420 }, 'unavailable', 'the org cannot be reached at this moment', {
    wait: 10 * SECOND_MS,
    hint: LATER,
  }),
  row({ status: 429 }, 'throttled', 'something before Salesforce asks to wait', { wait: 10 * SECOND_MS, hint: LATER }),
  row({ code: 'UNKNOWN_EXCEPTION' }, 'unavailable', 'Salesforce failed', { hint: LATER }),
  row({ code: 'SERVER_UNAVAILABLE' }, 'unavailable', 'Salesforce is unavailable', { hint: LATER }),
  row({ status: [500, 599] }, 'unavailable', 'Salesforce failed', { hint: LATER }),
  row({ status: 403 }, 'refused', 'the user may not do this', {
    hint: `Give the integration user the permission, ${REPLAY}`,
  }),
  row({ status: [400, 499] }, 'refused', 'Salesforce refused it', {
    hint: `See Salesforce’s own words, correct the mapping or the record, ${REPLAY}`,
  }),
  row({ status: [200, 299] }, 'refused', 'Salesforce refused the record', {
    hint: `See Salesforce’s own words, correct the mapping or the record, ${REPLAY}`,
  }),
];
