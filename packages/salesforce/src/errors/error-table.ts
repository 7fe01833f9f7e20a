/**
 * Salesforce's errors as one table: what it answered -> what happens next -> what to do about it.
 *
 * The first row whose conditions all hold is taken: by code first, since statuses tell little. Codes:
 * https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
 * https://developer.salesforce.com/docs/platform/api-rest/guide/errorcodes.html
 */
import type { TableRow } from '@wrapup/destination/http';

export interface SalesforceErrorRule extends TableRow {
  code?: string | RegExp;
  /** Only where Salesforce gives one code to several things. */
  message?: RegExp;
  /** The field that the error names is what is wrong; without it the rest can be written. */
  field?: true;
  /** Field that is meant where the error names none. */
  about?: string;
  /** Worth sending again at once in fewer rows. */
  smaller?: true;
  /** Milliseconds. Salesforce never sends a Retry-After. */
  wait?: number;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const LATER = 'Nothing to do: the delivery goes on by itself.';
const APP =
  'Check client_id, client_secret or the certificate of the external client app, and that its user may log in; then resume the connection.';
const REPLAY = 'then replay.';

export const ERROR_TABLE: SalesforceErrorRule[] = [
  // Tokens.
  {
    code: 'invalid_grant',
    message: /already being processed|expired authorization code/i,
    becomes: 'busy',
    wait: SECOND_MS,
    says: 'another process is getting a token at this moment',
    hint: LATER,
  },
  {
    code: 'invalid_grant',
    message: /hasn't approved/i,
    becomes: 'unauthorized',
    says: 'the user has not been allowed to use the app',
    hint: 'Pre-authorise the user for the app (its policies, or a permission set), then resume the connection.',
  },
  {
    code: 'invalid_grant',
    becomes: 'unauthorized',
    says: 'the grant is not valid any more',
    hint: 'Check that the user is active and the refresh token or certificate valid, and that this machine’s clock is right: an assertion lives three minutes. Then resume the connection.',
  },
  {
    code: /^(?:invalid_client|invalid_client_id|unsupported_grant_type|invalid_request|unauthorized_client|inactive_user|invalid_app_access|invalid_scope|app_not_found|redirect_uri_mismatch|inactive_org|invalid_assertion_type)$/,
    becomes: 'unauthorized',
    says: 'the app or its login is not accepted',
    hint: APP,
  },
  { code: 'INVALID_SESSION_ID', becomes: 'unauthorized', says: 'the session is not valid', hint: APP },
  { code: 'INVALID_AUTH_HEADER', becomes: 'unauthorized', says: 'the session cannot be read', hint: APP },

  // Limits.
  {
    code: 'REQUEST_LIMIT_EXCEEDED',
    message: /concurrent/i,
    becomes: 'throttled',
    wait: 5 * SECOND_MS,
    says: 'too many long requests at once in the org',
    hint: LATER,
  },
  {
    code: 'REQUEST_LIMIT_EXCEEDED',
    becomes: 'daily_limit',
    wait: 15 * MINUTE_MS,
    says: 'the org’s API requests of 24 hours are used up',
    hint: 'They come back hour by hour; look in Setup, System Overview, which integration uses them, or buy more.',
  },
  {
    code: /^STORAGE_LIMIT_EXCEEDED$/,
    becomes: 'daily_limit',
    wait: 60 * MINUTE_MS,
    says: 'the org’s storage is full',
    hint: 'Free or buy data storage (Setup, Storage Usage); the connection goes on by itself.',
  },
  {
    code: /^(?:LIMIT_EXCEEDED|PLATFORM_EVENT_PUBLISHING_UNAVAILABLE|CONTENT_PUBLISH_LIMIT_EXCEEDED|MAXIMUM_SIZE_OF_ATTACHMENT)$/,
    becomes: 'daily_limit',
    wait: 60 * MINUTE_MS,
    says: 'a limit of the org is reached',
    hint: 'Look in Setup, System Overview; the connection goes on by itself when there is room.',
  },
  {
    code: /^(?:API_DISABLED_FOR_ORG|API_CURRENTLY_DISABLED|ORG_LOCKED|FUNCTIONALITY_NOT_ENABLED|API_ONLY)$/,
    becomes: 'missing_scope',
    says: 'the org or its user may not use the API',
    hint: 'Give the user the permission API Enabled (and the org an edition with the API), then resume the connection.',
  },
  {
    code: 'UNSUPPORTED_API_VERSION',
    becomes: 'refused',
    next: 'reauthenticate',
    says: 'this version of the API is retired',
    hint: 'Set api_version of the connection to a current one, then resume the connection.',
  },
  {
    status: 410,
    becomes: 'refused',
    next: 'reauthenticate',
    says: 'this version of the API is retired',
    hint: 'Set api_version of the connection to a current one, then resume the connection.',
  },

  // Locks and the org's own automation.
  {
    code: 'UNABLE_TO_LOCK_ROW',
    becomes: 'locked',
    smaller: true,
    wait: 2 * SECOND_MS,
    says: 'another transaction holds the record or its parent',
    hint: LATER,
  },
  {
    code: 'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY',
    message: /UNABLE_TO_LOCK_ROW/,
    becomes: 'locked',
    smaller: true,
    wait: 2 * SECOND_MS,
    says: 'another transaction holds a record that the org’s automation needs',
    hint: LATER,
  },
  {
    code: /^(?:CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY|CANNOT_EXECUTE_FLOW_TRIGGER|APEX_ERROR|UNKNOWN_EXCEPTION)$/,
    message: /CPU time|Too many (?:SOQL|DML|query|queueable)|limit exceeded|heap size/i,
    becomes: 'refused',
    smaller: true,
    says: 'the org’s own triggers or flows ran into a limit',
    hint: `An administrator has to make the automation on this object lighter; ${REPLAY}`,
  },
  {
    code: /^(?:CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY|CANNOT_EXECUTE_FLOW_TRIGGER|APEX_ERROR)$/,
    becomes: 'refused',
    says: 'a trigger or flow of the org refused it',
    hint: `See Salesforce’s own words, mend the flow or the mapping, ${REPLAY}`,
  },
  {
    code: /^(?:QUERY_TIMEOUT|REQUEST_RUNNING_TOO_LONG)$/,
    becomes: 'timeout',
    smaller: true,
    says: 'Salesforce took too long',
    hint: LATER,
  },

  // Who it is.
  { code: 'DUPLICATE_VALUE', becomes: 'conflict', says: 'another record already holds this unique value' },
  {
    code: 'DUPLICATES_DETECTED',
    becomes: 'ambiguous_person',
    says: 'a duplicate rule of the org found records that look alike',
    hint: `Merge them, or set duplicates of the connection to use_match or allow; ${REPLAY}`,
  },
  {
    code: 'CANNOT_UPDATE_CONVERTED_LEAD',
    becomes: 'gone',
    says: 'the lead has been converted',
    hint: 'Nothing to do: its contact is looked up by itself.',
  },
  {
    code: /^(?:ENTITY_IS_DELETED|DELETE_FAILED|INVALID_ID_FIELD)$/,
    becomes: 'gone',
    says: 'the record is gone: deleted or merged',
    hint: 'Nothing to do: the person is looked up again by itself.',
  },
  {
    code: 'INACTIVE_OWNER_OR_USER',
    becomes: 'invalid_field',
    field: true,
    about: 'OwnerId',
    says: 'the owner is no active user of the org',
    hint: 'Nothing to do: the record is written without it. Name an active owner in the mapping.',
  },
  {
    code: 'INVALID_CROSS_REFERENCE_KEY',
    message: /owner/i,
    becomes: 'invalid_field',
    field: true,
    about: 'OwnerId',
    says: 'the owner cannot own such records',
    hint: 'Name another owner in the mapping.',
  },
  {
    code: /^(?:INVALID_CROSS_REFERENCE_KEY|INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY)$/,
    becomes: 'gone',
    says: 'a record to link to is gone, or the user may not see it',
    hint: 'The person is looked up again by itself; if it lasts, check what the integration user may see.',
  },
  {
    code: 'PROCESSING_HALTED',
    becomes: 'unavailable',
    says: 'it was taken back because another one failed',
    hint: LATER,
  },
  {
    code: 'ALL_OR_NONE_OPERATION_ROLLED_BACK',
    becomes: 'unavailable',
    says: 'it was taken back because another one failed',
    hint: LATER,
  },

  // Fields and values.
  {
    code: 'REQUIRED_FIELD_MISSING',
    becomes: 'invalid_field',
    says: 'a field that the org requires is not written by the mapping',
    hint: `Write the field in the mapping, or make it optional in Salesforce; ${REPLAY}`,
  },
  {
    code: /^(?:FIELD_CUSTOM_VALIDATION_EXCEPTION|FIELD_FILTER_VALIDATION_EXCEPTION)$/,
    becomes: 'invalid_field',
    says: 'a validation rule of the org refused it',
    hint: `See Salesforce’s own words, mend the mapping or the rule (Setup, Object Manager, Validation Rules), ${REPLAY}`,
  },
  {
    code: /^(?:INVALID_FIELD|INVALID_FIELD_FOR_INSERT_UPDATE)$/,
    becomes: 'missing_property',
    field: true,
    says: 'the org has no such field, or the user may not write it',
    hint: `Run \`wrapup provision\`, or create the field, or give the user access to it (a permission set); ${REPLAY}`,
  },
  {
    code: 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST',
    becomes: 'invalid_field',
    field: true,
    says: 'the value is not among those of the picklist',
    hint: `Add the value in Salesforce, or change it in the mapping; ${REPLAY}`,
  },
  {
    code: 'STRING_TOO_LONG',
    becomes: 'invalid_field',
    field: true,
    says: 'the value is too long for the field',
    hint: `Cut it in the mapping, ${REPLAY}`,
  },
  {
    code: /^(?:INVALID_EMAIL_ADDRESS|INVALID_TYPE_ON_FIELD_IN_RECORD|JSON_PARSER_ERROR|FIELD_INTEGRITY_EXCEPTION|NUMBER_OUTSIDE_VALID_RANGE|INVALID_CURRENCY_ISO|MALFORMED_ID|INVALID_URL|PICKLIST_VALUE_NOT_FOUND)$/,
    becomes: 'invalid_field',
    field: true,
    says: 'the value does not fit the field',
    hint: `Correct the value or its transform in the mapping, ${REPLAY}`,
  },

  // Access.
  {
    code: /^(?:INSUFFICIENT_ACCESS|INSUFFICIENT_ACCESS_OR_READONLY|CANNOT_UPDATE_ENTITY|TRANSFER_REQUIRES_READ|INVALID_TYPE_FOR_OPERATION)$/,
    becomes: 'refused',
    says: 'the user may not write this record',
    hint: `Give the integration user access to the object and the record (permission set, sharing), ${REPLAY}`,
  },
  {
    code: /^(?:NOT_FOUND|INVALID_TYPE)$/,
    becomes: 'refused',
    says: 'the org has no such object or record, or the user may not see it',
    hint: `Check the object’s name in the mapping and the user’s permissions, ${REPLAY}`,
  },
  {
    code: /^TXN_SECURITY_/,
    becomes: 'refused',
    says: 'a security policy of the org blocked it',
    hint: `Exempt the integration user from the policy (Setup, Transaction Security Policies), ${REPLAY}`,
  },

  // Our own mistakes.
  {
    code: /^(?:EXCEEDED_ID_LIMIT|MALFORMED_QUERY|MALFORMED_SEARCH|INVALID_INPUT|INVALID_QUERY_FILTER_OPERATOR|DUPLICATE_COMM_NICKNAME|METHOD_NOT_ALLOWED)$/,
    becomes: 'bad_request',
    says: 'Salesforce could not take the request',
  },
  { status: 414, becomes: 'bad_request', says: 'the address of the request was too long' },
  { status: 431, becomes: 'bad_request', says: 'the headers of the request were too long' },

  // By status, when no code says more.
  { status: 401, becomes: 'unauthorized', says: 'the session is not valid', hint: APP },
  {
    status: [300, 300],
    becomes: 'refused',
    says: 'several records share the key',
    hint: `Delete or merge the doubles in Salesforce, ${REPLAY}`,
  },
  {
    status: [301, 399],
    becomes: 'refused',
    next: 'reauthenticate',
    says: 'Salesforce answered with a redirect',
    hint: 'Check login_url and base_url of the connection.',
  },
  {
    status: 404,
    becomes: 'refused',
    says: 'Salesforce does not know what was asked for',
    hint: 'Check base_url, api_version and the object names in the mapping.',
  },
  { status: 408, becomes: 'timeout', says: 'Salesforce took too long', hint: LATER },
  {
    status: 420,
    becomes: 'unavailable',
    wait: 10 * SECOND_MS,
    says: 'the org cannot be reached at this moment',
    hint: LATER,
  },
  {
    status: 429,
    becomes: 'throttled',
    wait: 10 * SECOND_MS,
    says: 'something before Salesforce asks to wait',
    hint: LATER,
  },
  { code: 'UNKNOWN_EXCEPTION', becomes: 'unavailable', says: 'Salesforce failed', hint: LATER },
  { code: 'SERVER_UNAVAILABLE', becomes: 'unavailable', says: 'Salesforce is unavailable', hint: LATER },
  { status: [500, 599], becomes: 'unavailable', says: 'Salesforce failed', hint: LATER },
  {
    status: 403,
    becomes: 'refused',
    says: 'the user may not do this',
    hint: `Give the integration user the permission, ${REPLAY}`,
  },
  {
    status: [400, 499],
    becomes: 'refused',
    says: 'Salesforce refused it',
    hint: `See Salesforce’s own words, mend the mapping or the record, ${REPLAY}`,
  },
  {
    status: [200, 299],
    becomes: 'refused',
    says: 'Salesforce refused the record',
    hint: `See Salesforce’s own words, mend the mapping or the record, ${REPLAY}`,
  },
];
