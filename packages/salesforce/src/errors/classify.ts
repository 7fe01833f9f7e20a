/** From Salesforce's error answers to failures, by the table. */
import { asRequestFailure, fitsStatus, quoteWords, RequestFailure } from '@wrapup/destination/http';
import { ERROR_TABLE, type SalesforceErrorRule } from './error-table.ts';
import type { SalesforceVendorError } from './vendor-error.ts';

/** A request or a row that did not come through, with what Salesforce said about it. */
export type SalesforceFailure = RequestFailure<SalesforceVendorError>;
export const SalesforceFailure = RequestFailure<SalesforceVendorError>;

/** Anything thrown on the way, as one of ours; the budget's own failures and the store's keep their code. */
export const asSalesforceFailure = asRequestFailure<SalesforceVendorError>;

export interface SalesforceAnswerFacts {
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
  if (!rule)
    return new SalesforceFailure('unavailable', `${facts.doing}: Salesforce answered ${error.status}.`, {
      status: error.status,
    });
  const fields = error.fields.length > 0 ? error.fields : rule.about ? [rule.about] : [];
  const [field] = fields;
  const about = field ? ` (field ${field})` : '';
  return new SalesforceFailure(
    rule.becomes,
    `${facts.doing}: ${rule.says}${about}.${quoteWords('Salesforce', error.message, facts.sent ?? [])}`,
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

function applies(rule: SalesforceErrorRule, error: SalesforceVendorError): boolean {
  if (!fitsStatus(rule.status, error.status)) return false;
  if (typeof rule.code === 'string' && rule.code !== error.code) return false;
  if (rule.code instanceof RegExp && !rule.code.test(error.code)) return false;
  return !rule.message || rule.message.test(error.message);
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
