/** From Salesforce's error answers to failures, by the table. */
import {
  asObject,
  asRequestFailure,
  asText,
  failureByRow,
  fitsStatus,
  RequestFailure,
  unaccountedBy,
} from '@wrapup/destination/http';
import { adviceOn, ERROR_TABLE, type SalesforceErrorRule } from './error-table.ts';

/** A request or a row that did not come through, with what Salesforce said about it. */
export type SalesforceFailure = RequestFailure<SalesforceVendorError>;
export const SalesforceFailure = RequestFailure<SalesforceVendorError>;

/** Anything thrown on the way, as one of ours; the budget's own failures and the store's keep their code. */
export const asSalesforceFailure = asRequestFailure<SalesforceVendorError>;

interface SalesforceAnswerFacts {
  /** What was attempted, for the message: `create 3 Task`. */
  doing: string;
  /** `x-sfdc-request-id`, to quote to Salesforce's support. */
  request_id?: string | undefined;
  /** Values that were sent: Salesforce quotes them back, and they may be personal. */
  sent?: Iterable<unknown>;
}

/** Turns an error answer into a failure by the table. */
export function failureOf(error: SalesforceVendorError, facts: SalesforceAnswerFacts): SalesforceFailure {
  const rule = ERROR_TABLE.find((candidate) => applies(candidate, error));
  const fields = error.fields.length > 0 ? error.fields : rule?.about ? [rule.about] : [];
  const answered = {
    doing: facts.doing,
    vendor: error,
    words: error.message,
    sent: facts.sent ?? [],
    noun: 'field',
    field: fields[0],
    vendor_code: error.code || undefined,
    correlation_id: facts.request_id || undefined,
    retry_after: rule?.wait,
    hint_for: (field: string) => (rule?.becomes === 'missing_property' ? adviceOn(field) : undefined),
  };
  return failureByRow('Salesforce', rule, answered, {
    fields: rule?.omits ? fields : [],
    split_and_retry: rule?.split_and_retry === true,
  });
}

function applies(rule: SalesforceErrorRule, error: SalesforceVendorError): boolean {
  if (!fitsStatus(rule.status, error.status)) return false;
  if (typeof rule.code === 'string' && rule.code !== error.code) return false;
  if (rule.code instanceof RegExp && !rule.code.test(error.code)) return false;
  return !rule.words || rule.words.test(error.message);
}

/** A success that does not say what became of something. @param outcome_unknown whether something may have been written */
export function unaccounted(doing: string, outcome_unknown = false): SalesforceFailure {
  return unaccountedBy('Salesforce', doing, outcome_unknown);
}

/*
 * Salesforce's error bodies, read. They come in several shapes:
 *
 *   a list          [{errorCode, message, fields?}]      answers of 4xx and 5xx, and parts of a composite answer
 *   rows            [{success: false, errors: [{statusCode, message, fields}]}]      of sObject collections
 *   one object      {error, error_description}           of the token endpoint
 *   a page          HTML or nothing, from what stands before Salesforce
 */

interface SalesforceVendorError {
  /** HTTP status; of a row, that of its answer. */
  status: number;
  /** `errorCode`, or `statusCode` in rows, or `error` of the token endpoint. Empty when there is none. */
  code: string;
  /** As Salesforce wrote it: may hold personal data. */
  message: string;
  /** Fields that it names. */
  fields: string[];
  /** Id of the record that holds a unique value. */
  holder?: string;
  /** Records that a duplicate rule found. */
  matches: DuplicateMatch[];
}

interface DuplicateMatch {
  object: string;
  id: string;
}

/** Errors that only tell that another one in the same transaction came first. */
const FOLLOWS: ReadonlySet<string> = new Set(['PROCESSING_HALTED', 'ALL_OR_NONE_OPERATION_ROLLED_BACK']);

/** True when the error tells nothing but that something else failed. */
export function isConsequence({ code }: SalesforceVendorError): boolean {
  return FOLLOWS.has(code);
}

/** Reads the body of an error answer: its root, when it holds several. Never throws. */
export function readVendorError(status: number, body: unknown): SalesforceVendorError {
  if (Array.isArray(body)) {
    const errors = body.map((item) => readOne(status, item));
    const root = errors.find((error) => error.code !== '' && !isConsequence(error)) ?? errors[0];
    if (root) return { ...root, fields: [...new Set([root, ...errors].flatMap(({ fields }) => fields))] };
  }
  if (typeof body === 'string') return { status, code: '', message: body.slice(0, 200), fields: [], matches: [] };
  return readOne(status, body);
}

/** Reads the errors of one row of a collection. */
export function readRowErrors(status: number, row: unknown): SalesforceVendorError {
  const { errors } = asObject(row);
  return readVendorError(status, Array.isArray(errors) ? errors : []);
}

function readOne(status: number, item: unknown): SalesforceVendorError {
  const error = asObject(item);
  const code = asText(error.errorCode) || asText(error.statusCode) || asText(error.error);
  const message = asText(error.message) || asText(error.error_description);
  const holder = code === 'DUPLICATE_VALUE' ? ID_IN_WORDS.exec(message)?.[1] : undefined;
  return {
    status,
    code,
    message,
    fields: [...new Set([...listOf(error.fields), ...fieldsInWords(code, message)])],
    // The answer to a single record misspells it. No row of a collection was seen to have it.
    matches: matchesOf(error.duplicateResut ?? error.duplicateResult),
    ...(holder ? { holder } : {}),
  };
}

const ID_IN_WORDS = /record with id:?\s*([a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?)\b/i;

/** Some errors name their field in words only. */
const IN_WORDS: [code: RegExp, words: RegExp][] = [
  [/^INVALID_FIELD$/, /No such column '([\w.]+)'/i],
  [/^INVALID_FIELD_FOR_INSERT_UPDATE$/, /fields?:\s*([\w, ]+?)\./i],
  [/^DUPLICATE_VALUE$/, /duplicate value found:\s*(\w+) duplicates/i],
  [/^STRING_TOO_LONG$/, /^([\w ]+): data value too large/i],
  // "an attributes field before any other" names no field of the record.
  [
    /^JSON_PARSER_ERROR$|^INVALID_TYPE_ON_FIELD_IN_RECORD$/,
    /(?:(?<!attributes )\bfield\b|\bvalue for)\s*:?\s*'?(\w+)/i,
  ],
  [/^REQUIRED_FIELD_MISSING$/, /\[([\w, ]+)\]/],
];

function fieldsInWords(code: string, message: string): string[] {
  for (const [codes, words] of IN_WORDS) {
    const named = codes.test(code) ? words.exec(message)?.[1] : undefined;
    if (named)
      return named
        .split(',')
        .map((name) => name.trim())
        .filter((name) => /^\w+$/.test(name));
  }
  return [];
}

function matchesOf(result: unknown): DuplicateMatch[] {
  const { matchResults } = asObject(result);
  if (!Array.isArray(matchResults)) return [];
  return matchResults.flatMap((item) => {
    const { entityType, matchRecords } = asObject(item);
    if (!Array.isArray(matchRecords)) return [];
    return matchRecords.flatMap((match) => {
      const record = asObject(asObject(match).record);
      const object = asText(asObject(record.attributes).type) || asText(entityType);
      const id = asText(record.Id);
      return id ? [{ object, id }] : [];
    });
  });
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}
