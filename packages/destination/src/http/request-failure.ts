import { FAILURE_CODES, Failure, type FailureCode, type FailureDetails, type Next, scrub } from '../port/failure.ts';
import type { OmissionCode } from '../port/omission.ts';

/** What a CRM's answer says beyond the failure itself. */
interface RefusalDetails<Vendor> {
  /** The answer as the adapter read it. */
  vendor?: Vendor;
  fields?: string[];
  outcome_unknown?: boolean;
  split_and_retry?: boolean;
  /** The same, said of one property. @param named whether the CRM named it */
  about?(property: string, named: boolean): RequestFailure<Vendor>;
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
  readonly outcome_unknown: boolean;
  /** True: worth sending again at once in fewer rows. */
  readonly split_and_retry: boolean;
  readonly #about: RefusalDetails<Vendor>['about'];

  constructor(code: FailureCode, message: string, details: FailureDetails = {}, refusal: RefusalDetails<Vendor> = {}) {
    super(code, message, details);
    this.vendor = refusal.vendor;
    this.fields = refusal.fields ?? [];
    this.outcome_unknown = refusal.outcome_unknown ?? false;
    this.split_and_retry = refusal.split_and_retry ?? false;
    this.#about = refusal.about;
  }

  /** What it says of one of the properties that it is about: with that one's name and advice. */
  about(property: string): RequestFailure<Vendor> {
    if (this.details.field === property) return this;
    return this.#about?.(property, this.fields.includes(property)) ?? this;
  }

  /** The same of a request that only read: whatever became of it, nothing was done. */
  withKnownOutcome(): RequestFailure<Vendor> {
    if (!this.outcome_unknown) return this;
    const { code, message, next, details, vendor, fields, split_and_retry } = this;
    return new RequestFailure(
      code,
      message,
      { next, ...details },
      { fields, split_and_retry, ...(vendor ? { vendor } : {}) },
    );
  }
}

/** Anything thrown on the way, as one of these; the budget's own failures and the store's keep their code. */
export function asRequestFailure<Vendor>(thrown: unknown): RequestFailure<Vendor> {
  if (thrown instanceof RequestFailure) return thrown;
  const { code, message, next, details } = Failure.of(thrown);
  return new RequestFailure(code, message, { next, ...details });
}

/** A success that does not say what became of something. @param outcome_unknown whether something may have been written */
export function unaccountedBy<Vendor>(crm: string, doing: string, outcome_unknown = false): RequestFailure<Vendor> {
  const hint = outcome_unknown
    ? 'It is looked up by its key and tried again by itself.'
    : 'The look-up is tried again by itself; a failed look-up creates no record.';
  const message = `${doing}: ${crm} answered a success that says nothing of it.`;
  return new RequestFailure('unaccounted', message, { hint }, { outcome_unknown });
}

/** Values shorter than this are too common to be distinguished from other words. */
const MIN_DISTINCT_LENGTH = 3;

/**
 * The CRM's own words for a message, ` HubSpot: “…”`, without the values that were sent to it. Empty where it has none
 * of its own: an HTML page of some proxy.
 * @param sent values of the request: CRMs quote them back, and they may be personal
 */
function quoteWords(crm: string, words: string, sent: Iterable<unknown>): string {
  if (!words || words.trimStart().startsWith('<')) return '';
  const values = [...new Set([...sent].filter((value) => value !== null && value !== undefined).map(String))]
    .filter((value) => value.length >= MIN_DISTINCT_LENGTH)
    .sort((a, b) => b.length - a.length);
  let kept = words;
  for (const value of values) kept = kept.replaceAll(value, '…');
  return ` ${crm}: “${scrub(kept, 300)}”`;
}

/* What the adapters' tables of errors have in common, and how they become a page for people. */

/** One row: what a CRM answers, and what that means. The first row of a table whose conditions all hold is taken. */
export interface TableRow {
  /** HTTP status, or the first and the last of several. */
  status?: number | [from: number, to: number];
  becomes: FailureCode;
  /** Only when it differs from what the code usually means. */
  next?: Next;
  /** What happened, within a sentence. */
  message: string;
  /** What to do about it. */
  hint?: string;
  /** Set where the property that the error names is what is wrong, and the rest can be written without it: what that is. */
  omits?: OmissionCode;
}

/** A row: what the CRM answers, what that is, what happened, and what else there is to say. */
export function tableRow<Row extends TableRow>(
  answers: Omit<Row, 'becomes' | 'message'>,
  becomes: FailureCode,
  message: string,
  more?: Partial<Row>,
): Row {
  return { ...answers, becomes, message, ...more } as Row;
}

/** True when a row holds for that status; one without a status holds for all. */
export function fitsStatus(wanted: TableRow['status'], status: number): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === 'number' ? wanted === status : wanted[0] <= status && status <= wanted[1];
}

/** An error answer, as its adapter read it. */
interface AnsweredError<Vendor> {
  /** What was attempted, for the message: `create calls`. */
  doing: string;
  vendor: Vendor;
  /** The CRM's own words. */
  words: string;
  /** Values that were sent: CRMs quote them back, and they may be personal. */
  sent: Iterable<unknown>;
  /** What the CRM calls the property that it names. */
  noun: string;
  field?: string | undefined;
  vendor_code?: string | undefined;
  correlation_id?: string | undefined;
  /** In place of those of the row. */
  hint?: string | undefined;
  /** What to do about one property, where that depends on which it is. */
  hint_for?(property: string): string | undefined;
  retry_after?: number | undefined;
}

/** The failure that a row of a table makes of an answer; without a row the CRM is unavailable. */
export function failureByRow<Vendor extends { status: number }>(
  crm: string,
  row: TableRow | undefined,
  { doing, vendor, words, sent, noun, hint_for, ...said }: AnsweredError<Vendor>,
  refusal: Pick<RefusalDetails<Vendor>, 'fields' | 'split_and_retry'> = {},
): RequestFailure<Vendor> {
  const { status } = vendor;
  if (!row) return new RequestFailure('unavailable', `${doing}: ${crm} answered ${status}.`, { status });
  const quoted = quoteWords(crm, words, sent);
  const make = (field: string | undefined, its_words: string): RequestFailure<Vendor> => {
    const about = field ? ` (${noun} ${field})` : '';
    const hint = (field === undefined ? undefined : hint_for?.(field)) ?? said.hint ?? row.hint;
    const details = { next: row.next, omits: row.omits, ...said, hint, field };
    const known = Object.entries(details).filter(([, value]) => value !== undefined);
    return new RequestFailure(
      row.becomes,
      `${doing}: ${row.message}${about}.${its_words}`,
      { status, ...Object.fromEntries(known) },
      {
        ...refusal,
        vendor,
        outcome_unknown: status >= 500 || status === 408,
        about: (property, named) => make(property, named ? quoted : ''),
      },
    );
  };
  return make(said.field, quoted);
}

/** What of a row only its adapter can put into words. */
export interface DescribedRow {
  /** What the CRM answers. */
  answers: string;
  /** What happens besides `next`. */
  also?: string[];
  /** How long is waited. */
  wait: string;
}

/** What each `next` means, as a table in Markdown. */
export const NEXT_LEGEND = `| next | means |
| --- | --- |
| retry | again later; an attempt is used up |
| throttle | again after the wait; no attempt is used up |
| reauthenticate | the connection pauses, its calls wait; it goes on by itself once the credentials work |
| park | waits for a person: correct it, then \`wrapup parked replay\` |
| die | Wrapup's own mistake, in \`wrapup dead list\` |`;

/** A table of errors as Markdown. */
export function describeTable<Row extends TableRow>(
  crm: string,
  rows: Row[],
  describe: (row: Row) => DescribedRow,
): string {
  const lines = rows.map((row) => {
    const { answers, also = [], wait } = describe(row);
    const next = [row.next ?? FAILURE_CODES[row.becomes], ...also].join(', ');
    const cells = [answers, `\`${row.becomes}\``, next, wait, row.message, row.hint ?? ''];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [
    `| ${crm} answers | is | next | wait | says | hint |`,
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

/** `90 s`, `5 min`, `1 h`. @param ms milliseconds */
export function describeDuration(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000} h`;
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1000} s`;
}
