import type { Plan } from '@wrapup/mapping';
import type { OmissionCode } from './omission.ts';
import type { RecordReceipt } from './receipt.ts';

/**
 * Why something could not be written, as a closed union. `next` says what happens to the delivery:
 *
 * `retry`           the CRM or the way to it failed: again later, an attempt is burnt
 * `throttle`        the CRM asked to wait: again after `retry_after`, no attempt is burnt
 * `reauthenticate`  the connection's credentials fail: the connection is broken, not the call; no attempt is burnt
 * `park`            a person must decide or correct something: the delivery waits in `parked`
 * `die`             our own mistake, never to be repeated: `dead`
 */
export const NEXT = ['retry', 'throttle', 'reauthenticate', 'park', 'die'] as const;
export type Next = (typeof NEXT)[number];

/** Stable codes. An adapter maps each of its CRM's errors to one of these, in a table. */
export const FAILURE_CODES = {
  unavailable: 'retry',
  timeout: 'retry',
  network: 'retry',
  locked: 'throttle',
  throttled: 'throttle',
  daily_limit: 'throttle',
  busy: 'throttle',
  unauthorized: 'reauthenticate',
  missing_scope: 'reauthenticate',
  ambiguous_person: 'park',
  unmatched_person: 'park',
  invalid_field: 'park',
  refused: 'park',
  missing_property: 'park',
  mapping: 'park',
  required_value: 'park',
  missing_record: 'park',
  ambiguous_record: 'park',
  conflict: 'retry',
  gone: 'retry',
  unaccounted: 'retry',
  bad_request: 'die',
  internal: 'die',
} as const satisfies Record<string, Next>;
export type FailureCode = keyof typeof FAILURE_CODES;

export interface FailureDetails {
  /** Only when it differs from what the code usually means. */
  next?: Next;
  /** What to do, for the person who reads it: which field, which setting, what to press. */
  hint?: string;
  /** Milliseconds. */
  retry_after?: number;
  /** HTTP status that the CRM answered, and its own category or code, and the id to quote to its support. */
  status?: number;
  vendor_code?: string;
  correlation_id?: string;
  /** CRM property that was refused, and the mapping line that wrote it. */
  field?: string;
  at?: { file: string; line: number; column: number };
  /** What it is where the rest is written without the refused field. */
  omits?: OmissionCode;
  /** Record of the plan that failed: `person`, `call_log`, a task's name. */
  record?: string;
  /** Ids of the candidates, for an ambiguous match, and their links by id, where they are known. */
  candidates?: string[];
  candidate_urls?: Record<string, string>;
  /** What the candidates have in common; absent where it was only said. */
  ambiguous_by?: 'email' | 'phone';
  /** What had been written before it failed, by record name: a retry need not repeat it. */
  done?: Record<string, string>;
  /** Records of the plan that are known to be in the CRM, `done` or not. */
  records?: RecordReceipt[];
  cause?: unknown;
}

/**
 * A failure of one plan or of one request. Its message reaches logs, the ledger and pages: it must hold no personal
 * data, so adapters scrub the CRM's text (`scrub`) before they quote it.
 */
export class Failure extends Error {
  override name = 'Failure';
  readonly code: FailureCode;
  readonly next: Next;
  readonly details: FailureDetails;

  constructor(code: FailureCode, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.next = details.next ?? FAILURE_CODES[code];
    this.details = details;
  }

  get hint(): string | undefined {
    return this.details.hint;
  }

  /** The same failure with more said about it. */
  with(details: FailureDetails): Failure {
    return new Failure(this.code, this.message, { ...this.details, ...details });
  }

  /** Anything thrown, as a failure; what is not foreseen is `internal` but retried, since most such things pass. */
  static of(thrown: unknown): Failure {
    if (thrown instanceof Failure) return thrown;
    const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    return new Failure('internal', scrub(message), { next: 'retry', cause: thrown });
  }
}

/** Records between which a person has to decide, with the addresses under which they are opened. */
export function nameCandidates(
  records: readonly { object: string; id: string }[],
  urlOf: (object: string, id: string) => string | undefined,
): Pick<FailureDetails, 'candidates' | 'candidate_urls'> {
  const urls = records.flatMap(({ object, id }) => {
    const url = urlOf(object, id);
    return url ? [[id, url] as const] : [];
  });
  return {
    candidates: records.map(({ id }) => id),
    ...(urls.length > 0 ? { candidate_urls: Object.fromEntries(urls) } : {}),
  };
}

/** Why a plan waits for a person although it could be written: the mapping wants a value that the call lacks. */
export function parkedBy({ parked }: Pick<Plan, 'parked'>): Failure | undefined {
  if (!parked) return undefined;
  const { field, reason, at } = parked;
  return new Failure('required_value', `${field} is required, and absent: ${reason}.`, {
    at,
    hint: 'The mapping says required: park. Correct the line, or what the call lacks, then replay; or drop the delivery.',
  });
}

/**
 * A failure's message without what it quotes, for logs and jobs: a CRM's own words may repeat what a caller said. The ledger and
 * pages have them, scrubbed.
 */
export function withoutQuotes(message: string): string {
  return message.replace(/“.*”/s, '“…”');
}

/**
 * A match begins where a run of its characters begins. Without the look-behind each character of a long run would be tried
 * as a beginning, which takes quadratic time.
 */
const EMAIL = /(?<![^\s@<>"'(),;:[\]{}=])[^\s@<>"'(),;:[\]{}=]+@[^\s@<>"'(),;:[\]{}=]+/g;
/** Linear as it is: it fails only in a run whose digits all stand among its first seven characters. */
const NUMBER = /\+?\d[\d\s().-]{6,}\d/g;

/**
 * Takes e-mail addresses and telephone numbers out of a text and cuts it. Runs of digits that may be record ids are
 * kept when they follow a word that says so (`ID: 123456789`). Takes time in proportion to the text.
 * @param limit characters to keep
 */
export function scrub(text: string, limit = 500): string {
  const kept = text
    .replace(EMAIL, '[e-mail]')
    .replace(NUMBER, (match, offset: number, whole: string) =>
      /\b(?:id|ids|record|portalId|objectTypeId|correlationId)\W{0,3}$/i.test(
        whole.slice(Math.max(0, offset - 20), offset),
      )
        ? match
        : '[number]',
    );
  return kept.length > limit ? `${kept.slice(0, limit - 1)}…` : kept;
}
