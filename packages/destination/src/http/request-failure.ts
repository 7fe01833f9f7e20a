import { Failure, type FailureCode, type FailureDetails, scrub } from '../port/failure.ts';

/** What a CRM's answer says beyond the failure itself. */
export interface Refusal<Vendor> {
  /** The answer as the adapter read it. */
  vendor?: Vendor;
  fields?: string[];
  doubt?: boolean;
  smaller?: boolean;
}

/**
 * A request or a row that did not come through.
 * @typeParam Vendor the CRM's error as the adapter reads it
 */
export class RequestFailure<Vendor = unknown> extends Failure {
  /** Absent when there was no answer to read. */
  readonly vendor: Vendor | undefined;
  /** Fields without which the rest may well be taken. */
  readonly fields: string[];
  /** True: the CRM may have done it all the same. */
  readonly doubt: boolean;
  /** True: worth sending again at once in fewer rows. */
  readonly smaller: boolean;

  constructor(code: FailureCode, message: string, details: FailureDetails = {}, refusal: Refusal<Vendor> = {}) {
    super(code, message, details);
    this.vendor = refusal.vendor;
    this.fields = refusal.fields ?? [];
    this.doubt = refusal.doubt ?? false;
    this.smaller = refusal.smaller ?? false;
  }

  /** The same of a request that only read: whatever became of it, nothing was done. */
  withoutDoubt(): RequestFailure<Vendor> {
    if (!this.doubt) return this;
    const { code, message, next, details, vendor, fields, smaller } = this;
    return new RequestFailure(code, message, { next, ...details }, { fields, smaller, ...(vendor ? { vendor } : {}) });
  }
}

/** Anything thrown on the way, as one of these; the budget's own failures and the store's keep their code. */
export function asRequestFailure<Vendor>(thrown: unknown): RequestFailure<Vendor> {
  if (thrown instanceof RequestFailure) return thrown;
  const { code, message, next, details } = Failure.of(thrown);
  return new RequestFailure(code, message, { next, ...details });
}

/** Values shorter than this are too common to be distinguished from other words. */
const MIN_DISTINCT_LENGTH = 3;

/**
 * The CRM's own words for a message, ` HubSpot: “…”`, without the values that were sent to it. Empty where it has none
 * of its own: an HTML page of some proxy.
 * @param sent values of the request: CRMs quote them back, and they may be personal
 */
export function quoteWords(crm: string, words: string, sent: Iterable<unknown>): string {
  if (!words || words.trimStart().startsWith('<')) return '';
  const values = [...new Set([...sent].filter((value) => value !== null && value !== undefined).map(String))]
    .filter((value) => value.length >= MIN_DISTINCT_LENGTH)
    .sort((a, b) => b.length - a.length);
  let kept = words;
  for (const value of values) kept = kept.replaceAll(value, '…');
  return ` ${crm}: “${scrub(kept, 300)}”`;
}
