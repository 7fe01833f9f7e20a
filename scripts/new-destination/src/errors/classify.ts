/** Acme's error answers, read, and what they mean by the table. */
import {
  asObject,
  asRequestFailure,
  asText,
  failureByRow,
  fitsStatus,
  type RequestFailure,
  unaccountedBy,
} from '@wrapup/destination/http';
import { ERROR_TABLE } from './error-table.ts';

/** `{ "code": "INVALID_VALUE", "field": "title", "message": "…" }`: of a whole answer, or of one row. */
export interface AcmeVendorError {
  /** HTTP status; of a row, that of its answer. */
  status: number;
  code: string;
  /** As Acme wrote it: may hold personal data. */
  message: string;
  field?: string;
  /** Id of the record that holds a unique value. */
  holder?: string;
}

/** A request or a row that did not come through, with what Acme said about it. */
export type AcmeFailure = RequestFailure<AcmeVendorError>;

/** Anything thrown on the way, as one of ours. */
export const asAcmeFailure = asRequestFailure<AcmeVendorError>;

/** Never throws. */
export function readVendorError(status: number, body: unknown): AcmeVendorError {
  const { code, message, field, holder } = asObject(body);
  return {
    status,
    code: asText(code),
    message: typeof body === 'string' ? body.slice(0, 200) : asText(message),
    ...(asText(field) ? { field: asText(field) } : {}),
    ...(asText(holder) ? { holder: asText(holder) } : {}),
  };
}

/** @param facts what was attempted, and values that were sent: they may be personal, and Acme quotes them back */
export function failureOf(
  error: AcmeVendorError,
  facts: { doing: string; sent: unknown[]; retry_after?: string | undefined },
): AcmeFailure {
  const rule = ERROR_TABLE.find(
    ({ status, code }) => fitsStatus(status, error.status) && (code === undefined || code === error.code),
  );
  const seconds = Number(facts.retry_after);
  const answered = {
    doing: facts.doing,
    vendor: error,
    words: error.message,
    sent: facts.sent,
    noun: 'field',
    field: error.field,
    vendor_code: error.code || undefined,
    retry_after: seconds > 0 ? seconds * 1_000 : rule?.wait,
  };
  return failureByRow('Acme', rule, answered, { fields: rule?.omits && error.field ? [error.field] : [] });
}

/** A success that does not say what became of something. @param outcome_unknown whether something may have been written */
export function unaccounted(doing: string, outcome_unknown = false): AcmeFailure {
  return unaccountedBy('Acme', doing, outcome_unknown);
}
