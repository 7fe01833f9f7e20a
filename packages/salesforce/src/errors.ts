/** From Salesforce's error answers to failures, by the table. */
import { Failure, type FailureCode, type FailureDetails, scrub } from '@wrapup/destination';
import { ERROR_TABLE, type ErrorRule } from './error-table.ts';
import type { VendorError } from './vendor-error.ts';

/** A request or a row that did not come through, with what Salesforce said about it. */
export class SalesforceFailure extends Failure {
  /** Absent when there was no answer to read. */
  readonly vendor: VendorError | undefined;
  /** Fields without which the rest may well be taken. */
  readonly fields: string[];
  /** True: Salesforce may have done it all the same. */
  readonly doubt: boolean;
  /** True: worth sending again at once in fewer rows. */
  readonly smaller: boolean;

  constructor(
    code: FailureCode,
    message: string,
    details: FailureDetails = {},
    more: { vendor?: VendorError; fields?: string[]; doubt?: boolean; smaller?: boolean } = {},
  ) {
    super(code, message, details);
    this.vendor = more.vendor;
    this.fields = more.fields ?? [];
    this.doubt = more.doubt ?? false;
    this.smaller = more.smaller ?? false;
  }
}

export interface AnswerFacts {
  /** What was attempted, for the message: `create 3 Task`. */
  doing: string;
  /** `x-sfdc-request-id`, to quote to Salesforce's support. */
  request_id?: string | undefined;
  /** Values that were sent: Salesforce quotes them back, and they may be personal. */
  sent?: Iterable<unknown>;
}

/** Turns an error answer into a failure by the table. */
export function failureOf(error: VendorError, facts: AnswerFacts): SalesforceFailure {
  const rule = ERROR_TABLE.find((candidate) => applies(candidate, error));
  if (!rule)
    return new SalesforceFailure('unavailable', `${facts.doing}: Salesforce answered ${error.status}.`, {
      status: error.status,
    });
  const fields = error.fields.length > 0 ? error.fields : rule.about ? [rule.about] : [];
  const [field] = fields;
  const about = field ? ` (field ${field})` : '';
  return new SalesforceFailure(
    rule.becomes,
    `${facts.doing}: ${rule.says}${about}.${quote(error, facts.sent ?? [])}`,
    {
      status: error.status,
      ...(rule.next ? { next: rule.next } : {}),
      ...(rule.hint ? { hint: rule.hint } : {}),
      ...(rule.wait === undefined ? {} : { retry_after: rule.wait }),
      ...(error.code ? { vendor_code: error.code } : {}),
      ...(facts.request_id ? { correlation_id: facts.request_id } : {}),
      ...(field ? { field } : {}),
    },
    {
      vendor: error,
      fields: rule.field ? fields : [],
      doubt: error.status >= 500 || error.status === 408,
      smaller: rule.smaller === true,
    },
  );
}

function applies(rule: ErrorRule, error: VendorError): boolean {
  if (typeof rule.status === 'number' && rule.status !== error.status) return false;
  if (Array.isArray(rule.status) && (error.status < rule.status[0] || error.status > rule.status[1])) return false;
  if (typeof rule.code === 'string' && rule.code !== error.code) return false;
  if (rule.code instanceof RegExp && !rule.code.test(error.code)) return false;
  return !rule.message || rule.message.test(error.message);
}

/** Salesforce's own words without the values that were sent to it. */
function quote(error: VendorError, sent: Iterable<unknown>): string {
  if (!error.message || error.message.trimStart().startsWith('<')) return '';
  let words = error.message;
  const values = [...new Set([...sent].filter((value) => value !== null && value !== undefined).map(String))]
    .filter((value) => value.length >= 3)
    .sort((a, b) => b.length - a.length);
  for (const value of values) words = words.replaceAll(value, '…');
  return ` Salesforce: “${scrub(words, 300)}”`;
}

/** Anything thrown on the way, as one of ours; the budget's own failures and the store's keep their code. */
export function asSalesforceFailure(thrown: unknown): SalesforceFailure {
  if (thrown instanceof SalesforceFailure) return thrown;
  const failure = Failure.of(thrown);
  return new SalesforceFailure(failure.code, failure.message, { next: failure.next, ...failure.details });
}

/** A success that does not say what became of something. */
export function unaccounted(doing: string, doubt: boolean): SalesforceFailure {
  return new SalesforceFailure(
    'unaccounted',
    `${doing}: Salesforce answered a success that says nothing of this.`,
    { hint: doubt ? 'It is looked for and tried again by itself.' : 'The look-up is tried again by itself.' },
    { doubt },
  );
}
