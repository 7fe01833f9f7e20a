/**
 * Whether a connection is written to, and if not, who stopped it and why. Shared by all processes.
 *
 *   closed ──► open    at a failure that says the connection itself is broken, or after so many outages in a row
 *   open   ──► trial   a probe was answered: the queue goes on
 *   open   ──► open    a probe failed: the next one comes after twice the time, up to a limit
 *   trial  ──► closed  something was written, or nothing failed for a minute
 *   trial  ──► open    it failed again: the same pause goes on, with its old beginning and a longer wait
 *
 * A pause has an owner. The circuit's ends by a probe alone, an operator's by an operator alone; with both, the queue
 * stands still until both are gone. Calls stay in the queue meanwhile, and no attempt is counted.
 */
import type { Failure, FailureCode, WriteOutcome } from '@wrapup/destination';

export const CAUSES = ['unauthorized', 'missing_scope', 'daily_limit', 'endpoint_closed', 'outage'] as const;
export type PauseCause = (typeof CAUSES)[number];

interface CauseRule {
  /** What it means, after "connection x is paused: ", without a full stop. */
  says: string;
  /** Milliseconds to the first probe; doubled after each that failed, up to `longest`. */
  first: number;
  longest: number;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

/** How soon and how often a broken connection is asked again, by what broke it. */
export const CAUSE_TABLE: Record<PauseCause, CauseRule> = {
  unauthorized: { says: 'its credentials are refused', first: 30 * SECOND_MS, longest: 15 * MINUTE_MS },
  missing_scope: { says: 'its credentials lack a permission', first: 30 * SECOND_MS, longest: 15 * MINUTE_MS },
  daily_limit: { says: 'its daily quota is used up', first: MINUTE_MS, longest: 15 * MINUTE_MS },
  endpoint_closed: { says: 'the endpoint takes nothing', first: MINUTE_MS, longest: 15 * MINUTE_MS },
  outage: { says: 'it does not answer', first: 5 * SECOND_MS, longest: 5 * MINUTE_MS },
};

/** Batches in a row without an answer after which a connection counts as down. */
export const MAX_OUTAGES = 5;

const BROKEN: Partial<Record<FailureCode, PauseCause>> = {
  unauthorized: 'unauthorized',
  missing_scope: 'missing_scope',
  daily_limit: 'daily_limit',
};
const NO_ANSWER: ReadonlySet<FailureCode> = new Set(['unavailable', 'timeout', 'network', 'unaccounted']);
/** Waits of ours or of the CRM, and our own mistakes: they say nothing of the connection. */
const SILENT: ReadonlySet<FailureCode> = new Set(['throttled', 'locked', 'busy', 'internal']);

/** The cause of a pause that a failure by itself calls for; undefined for any other. */
export function causeOf({ code, next }: Pick<Failure, 'code' | 'next'>): PauseCause | undefined {
  return BROKEN[code] ?? (next === 'reauthenticate' ? 'endpoint_closed' : undefined);
}

/** What a batch says of its connection: one broken outcome is enough, and one answer disproves an outage. */
type BatchVerdict =
  | { says: 'answered' }
  | { says: 'nothing' }
  | { says: 'broken'; cause: PauseCause; failure: Failure }
  | { says: 'unanswered'; failure: Failure };

export function judgeOutcomes(outcomes: readonly WriteOutcome[]): BatchVerdict {
  let unanswered: Failure | undefined;
  let answered = false;
  for (const outcome of outcomes) {
    if (outcome.ok) {
      answered = true;
      continue;
    }
    const { failure } = outcome;
    const cause = causeOf(failure);
    if (cause) return { says: 'broken', cause, failure };
    if (NO_ANSWER.has(failure.code)) unanswered ??= failure;
    else if (!SILENT.has(failure.code)) answered = true;
  }
  if (answered) return { says: 'answered' };
  return unanswered ? { says: 'unanswered', failure: unanswered } : { says: 'nothing' };
}

/** A pause that the circuit made. */
export interface CircuitPause {
  cause: PauseCause;
  code: FailureCode;
  /** The failure's own message, which holds no personal data. */
  reason: string;
  hint?: string;
  /** Epoch ms: when it began, relapses included. */
  since: number;
  /** Probes and relapses so far. */
  tries: number;
  /** Epoch ms. */
  next_probe: number;
}

/** A pause that a person made. */
interface OperatorPause {
  since: number;
  reason?: string;
  /** Whose login it was, or the user of the operating system on the command line. Absent: an earlier version noted it. */
  by?: string;
}

/** Who ended the pause of an operator, or had one of the circuit probed, and when. */
interface ResumeNote {
  /** Epoch ms. */
  at: number;
  /** As in the pause of an operator. */
  by: string;
}

export interface ConnectionState {
  connection: string;
  /** `trial`: resumed, and not yet proved. */
  circuit: 'closed' | 'open' | 'trial';
  /** Why it is paused, while the circuit is open; why it was, during the trial. */
  pause?: CircuitPause;
  operator?: OperatorPause;
  /** The last time that an operator resumed it; absent before the first, and where an earlier version did. */
  resumed?: ResumeNote;
}

/** Whether its queue stands still. */
export function isPaused({ circuit, operator }: Pick<ConnectionState, 'circuit' | 'operator'>): boolean {
  return circuit === 'open' || operator !== undefined;
}

/** What stopped a connection that stopped itself, and how it showed last: whole sentences, the first without a capital. */
export function describeCause({ cause, reason }: Pick<CircuitPause, 'cause' | 'reason'>): string {
  return `${CAUSE_TABLE[cause].says}. Last failure: ${asSentence(reason)}`;
}

/** Why nothing is written, in whole sentences for people; undefined while something is. */
export function explainPause({ connection, circuit, pause, operator }: ConnectionState): string | undefined {
  const itself =
    circuit === 'open' && pause ? `Connection ${connection} is paused: ${describeCause(pause)}` : undefined;
  if (!operator) return itself;
  const person = `is paused by ${asSentence([operator.by ?? 'an operator', operator.reason].filter(Boolean).join(': '))}`;
  return itself ? `${itself} Besides, it ${person}` : `Connection ${connection} ${person}`;
}

function asSentence(text: string): string {
  const trimmed = text.trim();
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
