/**
 * How Salesforce says no. Thrown by whatever finds the mistake, and answered in one of three shapes: as the whole answer
 * (a list, with `errorCode`), as a row of a collection (with `statusCode`), or inside a composite answer.
 * https://developer.salesforce.com/docs/platform/api-rest/guide/errorcodes.html
 */
import type { Reply } from '../../reply.ts';

export interface SalesforceRefusalParts {
  status?: number;
  fields?: string[];
  /** What the rule found, for DUPLICATES_DETECTED. */
  duplicates?: object;
}

export class SalesforceRefusal extends Error {
  override name = 'Refusal';
  readonly code: string;
  readonly status: number;
  readonly fields: string[] | undefined;
  readonly duplicates: object | undefined;

  constructor(code: string, message: string, { status = 400, fields, duplicates }: SalesforceRefusalParts = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.fields = fields;
    this.duplicates = duplicates;
  }
}

/** The whole answer. The vendor spells `duplicateResut` so. */
export function refusalReply({ code, message, status, fields, duplicates }: SalesforceRefusal): Reply {
  const row = {
    ...(duplicates && { duplicateResut: duplicates }),
    message,
    errorCode: code,
    ...(fields && { fields }),
  };
  return { status, body: [row] };
}

export interface RowFailure {
  success: false;
  errors: object[];
}

/**
 * One row of a collection. A failed row has no id, and does not say whom a duplicate rule found: only the answer to a single
 * record does.
 */
export function refusalRow({ code, message, fields = [] }: SalesforceRefusal): RowFailure {
  return {
    success: false,
    errors: [{ statusCode: code, message, fields }],
  };
}

export function notFound(message = 'The requested resource does not exist'): SalesforceRefusal {
  return new SalesforceRefusal('NOT_FOUND', message, { status: 404 });
}

export function malformedJson(message: string): SalesforceRefusal {
  return new SalesforceRefusal('JSON_PARSER_ERROR', message);
}

/** What the vendor may well do and the sandbox does not: said loudly, since silence would look like an answer. */
export function unsupported(what: string): SalesforceRefusal {
  return new SalesforceRefusal('SANDBOX_UNSUPPORTED', `The sandbox does not know ${what}`, { status: 501 });
}
