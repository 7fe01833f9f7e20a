/**
 * HubSpot's errors as one table: what it answered -> what happens next -> what to do about it.
 *
 * The first row whose conditions all hold is taken. Statuses, categories and codes:
 * https://developers.hubspot.com/docs/api-reference/error-handling
 */
import { Failure, type FailureCode, type FailureDetails, type Next, scrub } from '@wrapup/destination';
import type { VendorDetail, VendorError } from './vendor-error.ts';

interface Rule {
  status?: number | [from: number, to: number];
  category?: string;
  sub_category?: RegExp;
  policy?: string;
  /** Code of a detail. */
  code?: string | RegExp;
  /** Only where HubSpot gives no code for it. */
  message?: RegExp;
  becomes: FailureCode;
  next?: Next;
  /** The property that the error names is what is wrong; without it the rest can be written. */
  field?: true;
  /** Milliseconds, when HubSpot sends no Retry-After. */
  wait?: number;
  /** Longest Retry-After that is believed, in ms. */
  longest?: number;
  says: string;
  hint?: string;
}

const SECOND = 1000;
const HOUR = 3_600_000;
const LATER = 'Nothing to do: the delivery goes on by itself.';
const TOKEN =
  'Put a valid service key into the connection’s access_token (HubSpot: Settings, Integrations, Service keys), then resume the connection.';
const PROVISION = 'Run `wrapup provision`, then replay.';

export const ERROR_TABLE: Rule[] = [
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
    hint: 'Add the scope to the service key, then resume the connection.',
  },
  {
    status: 429,
    policy: 'DAILY',
    becomes: 'daily_limit',
    wait: HOUR,
    longest: 24 * HOUR,
    says: 'the account’s daily quota is used up',
    hint: 'It comes back at midnight in the account’s time zone; a backfill can wait, or the quota be raised.',
  },
  {
    status: 429,
    message: /daily limit/i,
    becomes: 'daily_limit',
    wait: HOUR,
    longest: 24 * HOUR,
    says: 'the account’s daily quota is used up',
    hint: 'It comes back at midnight in the account’s time zone; a backfill can wait, or the quota be raised.',
  },
  {
    status: 429,
    policy: 'TEN_SECONDLY_ROLLING',
    becomes: 'throttled',
    wait: 10 * SECOND,
    longest: 60 * SECOND,
    says: 'too many requests in ten seconds',
    hint: LATER,
  },
  {
    status: 429,
    becomes: 'throttled',
    wait: SECOND,
    longest: 60 * SECOND,
    says: 'too many requests in a second',
    hint: LATER,
  },
  {
    status: 423,
    becomes: 'locked',
    wait: 2 * SECOND,
    longest: 60 * SECOND,
    says: 'the records are locked for a moment',
    hint: LATER,
  },
  {
    status: 477,
    becomes: 'locked',
    wait: 60 * SECOND,
    longest: 24 * HOUR,
    says: 'the account is moving to another data centre',
    hint: LATER,
  },
  { status: 408, becomes: 'timeout', says: 'HubSpot took too long', hint: LATER },
  {
    status: [522, 526],
    becomes: 'unavailable',
    wait: 60 * SECOND,
    longest: HOUR,
    says: 'HubSpot cannot be reached behind its own proxy',
    hint: 'If it lasts, ask HubSpot’s support.',
  },
  { status: [500, 599], becomes: 'unavailable', longest: HOUR, says: 'HubSpot failed', hint: LATER },
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

/** A request that did not come through, with what HubSpot said about it. */
export class HubSpotFailure extends Failure {
  /** Absent when there was no answer to read. */
  readonly vendor: VendorError | undefined;
  /** Properties without which the rest may well be taken. */
  readonly fields: string[];
  /** True: HubSpot may have done it all the same. */
  readonly doubt: boolean;

  constructor(
    code: FailureCode,
    message: string,
    details: FailureDetails,
    more: { vendor?: VendorError; fields?: string[]; doubt?: boolean } = {},
  ) {
    super(code, message, details);
    this.vendor = more.vendor;
    this.fields = more.fields ?? [];
    this.doubt = more.doubt ?? false;
  }
}

export interface AnswerFacts {
  /** What was attempted, for the message: `create calls`. */
  doing: string;
  /** Retry-After as it came. */
  retry_after?: string | undefined;
  /** Values that were sent: HubSpot quotes them back, and they may be personal. */
  sent?: Iterable<string>;
}

/** Turns an error answer into a failure by the table. */
export function failureOf(error: VendorError, facts: AnswerFacts): HubSpotFailure {
  const rule = ERROR_TABLE.find((candidate) => applies(candidate, error));
  if (!rule) return new HubSpotFailure('unavailable', `${facts.doing}: HubSpot answered ${error.status}.`, {});
  const named = error.details.filter((detail) => rule.code !== undefined && hasCode(rule.code, detail));
  const fields = named.flatMap((detail) => (detail.property ? [detail.property] : []));
  const field = fields[0] ?? error.details.find((detail) => detail.property)?.property;
  const wait = retryAfter(facts.retry_after, rule);
  const quoted = quote(error, facts.sent ?? []);
  const about = field ? ` (property ${field})` : '';
  const vendorCode = named[0]?.code || error.details[0]?.code || error.policy || error.category;
  const hint = hintOf(rule, error);
  return new HubSpotFailure(
    rule.becomes,
    `${facts.doing}: ${rule.says}${about}.${quoted}`,
    {
      status: error.status,
      ...(rule.next ? { next: rule.next } : {}),
      ...(hint ? { hint } : {}),
      ...(wait === undefined ? {} : { retry_after: wait }),
      ...(vendorCode ? { vendor_code: vendorCode } : {}),
      ...(error.correlation_id ? { correlation_id: error.correlation_id } : {}),
      ...(field ? { field } : {}),
    },
    {
      vendor: error,
      fields: rule.field ? [...new Set(fields)] : [],
      doubt: error.status >= 500 || error.status === 408,
    },
  );
}

function applies(rule: Rule, error: VendorError): boolean {
  if (typeof rule.status === 'number' && rule.status !== error.status) return false;
  if (Array.isArray(rule.status) && (error.status < rule.status[0] || error.status > rule.status[1])) return false;
  if (rule.category && rule.category !== error.category) return false;
  if (rule.sub_category && !rule.sub_category.test(error.sub_category ?? '')) return false;
  if (rule.policy && rule.policy !== error.policy) return false;
  if (rule.code && !error.details.some((detail) => hasCode(rule.code as string | RegExp, detail))) return false;
  return (
    !rule.message ||
    rule.message.test(error.message) ||
    error.details.some((detail) => rule.message?.test(detail.message))
  );
}

function hasCode(code: string | RegExp, detail: VendorDetail): boolean {
  return typeof code === 'string' ? detail.code === code : code.test(detail.code);
}

/** Milliseconds to wait. HubSpot documents Retry-After, in seconds, for 477 only; elsewhere it is honoured up to a cap. */
function retryAfter(header: string | undefined, rule: Rule): number | undefined {
  const seconds = header === undefined ? Number.NaN : Number(header);
  const asked = Number.isFinite(seconds) ? seconds * 1000 : header ? Date.parse(header) - Date.now() : Number.NaN;
  if (!Number.isFinite(asked) || asked < 0) return rule.wait;
  return Math.min(Math.max(asked, rule.wait ?? 0), rule.longest ?? 60 * SECOND);
}

function hintOf(rule: Rule, error: VendorError): string | undefined {
  if (rule.becomes === 'missing_scope' && error.scopes.length > 0)
    return `Add the scope ${[...new Set(error.scopes)].slice(0, 5).join(' or ')} to the service key, then resume the connection.`;
  const options = error.details
    .map((detail) => /allowed options:?\s*(\[[^\]]*\])/i.exec(detail.message)?.[1])
    .find((found) => found !== undefined);
  if (rule.becomes === 'invalid_field' && options) return `${rule.hint} It allows ${scrub(options, 200)}.`;
  return rule.hint;
}

/** HubSpot's own words without the values that were sent to it. */
function quote(error: VendorError, sent: Iterable<string>): string {
  if (!error.message || error.message.trimStart().startsWith('<')) return '';
  const start = error.message.indexOf('[{');
  let words = start < 0 ? error.message : error.message.slice(0, start).replace(/:\s*$/, '');
  words = words.replace(/value=[^}]*/g, 'value=…');
  const values = [...new Set(sent)].filter((value) => value.length >= 3).sort((a, b) => b.length - a.length);
  for (const value of values) words = words.replaceAll(value, '…');
  return ` HubSpot: “${scrub(words, 300)}”`;
}
