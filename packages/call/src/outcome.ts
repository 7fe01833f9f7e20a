/**
 * The outcome rules: what a status and an end reason mean to a salesperson.
 *
 * `completed` alone proves no human: platforms report it for calls that a machine answered too, so the end reason is
 * asked first. One function decides; every preset and adapter reads its result and none decides again.
 */

export const CALL_STATUSES = [
  'pending',
  'ringing',
  'registered',
  'in_progress',
  'paused',
  'completed',
  'no_answer',
  'busy',
  'failed',
  'canceled',
  'user_canceled',
  'hangup_on_voicemail',
  'left_voicemail',
  'spam',
  'unknown',
] as const;
export type CallStatus = (typeof CALL_STATUSES)[number];

export const END_REASONS = [
  'voicemail',
  'voicemail_message_left',
  'voicemail_cut_off',
  'human_ended',
  'agent_ended',
  'human_cut_off',
  'max_duration',
  'timeout',
  'custom',
  'canceled',
  'error',
  'no_minutes',
  'rate_limited',
  'rejected',
  'not_found',
  'terminated',
  'completed',
  'unknown',
] as const;
export type EndReason = (typeof END_REASONS)[number];

export const OUTCOMES = [
  'connected',
  'voicemail_left',
  'voicemail',
  'no_answer',
  'busy',
  'failed',
  'canceled',
  'spam',
  'in_progress',
  'unknown',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const ANSWERED_BY = ['human', 'machine', 'nobody', 'unknown'] as const;
export type AnsweredBy = (typeof ANSWERED_BY)[number];

/** Statuses after which a call may still change. */
const OPEN: ReadonlySet<CallStatus> = new Set(['pending', 'ringing', 'registered', 'in_progress', 'paused']);

/** True when the status says that the call is over. An unknown status counts as over: it is logged, not waited for. */
export function isTerminal(status: CallStatus): boolean {
  return !OPEN.has(status);
}

const MACHINE: ReadonlySet<EndReason> = new Set(['voicemail', 'voicemail_message_left', 'voicemail_cut_off']);

/** Reasons why a call never came about; on a call that was spoken on they only say how it broke off. */
const NEVER_BEGAN: Partial<Record<EndReason, Outcome>> = {
  canceled: 'canceled',
  error: 'failed',
  no_minutes: 'failed',
  rate_limited: 'failed',
  rejected: 'failed',
  not_found: 'failed',
  terminated: 'failed',
};

/** What each finished status means by itself; `completed` and `unknown` are decided by reason and duration. */
const BY_STATUS: Partial<Record<CallStatus, [Outcome, AnsweredBy]>> = {
  no_answer: ['no_answer', 'nobody'],
  busy: ['busy', 'nobody'],
  failed: ['failed', 'nobody'],
  canceled: ['canceled', 'nobody'],
  user_canceled: ['canceled', 'nobody'],
  hangup_on_voicemail: ['voicemail', 'machine'],
  left_voicemail: ['voicemail_left', 'machine'],
  spam: ['spam', 'unknown'],
};

export interface OutcomeFacts {
  status: CallStatus;
  end_reason: EndReason;
  /** Seconds; absent when the payload had none. */
  duration?: number;
}

/** Decides outcome and who answered. Total: every combination has an answer. */
export function decideOutcome({ status, end_reason, duration }: OutcomeFacts): {
  outcome: Outcome;
  answered_by: AnsweredBy;
} {
  if (!isTerminal(status)) return { outcome: 'in_progress', answered_by: 'unknown' };
  // A machine's greeting makes two statuses; whether a message was left is what the reason knows best.
  const left = end_reason === 'voicemail_message_left';
  if (status === 'hangup_on_voicemail' && left) return { outcome: 'voicemail_left', answered_by: 'machine' };
  const certain = BY_STATUS[status];
  if (certain) return { outcome: certain[0], answered_by: certain[1] };
  if (MACHINE.has(end_reason)) return { outcome: left ? 'voicemail_left' : 'voicemail', answered_by: 'machine' };
  if (status !== 'completed') return { outcome: 'unknown', answered_by: 'unknown' };
  if ((duration ?? 0) > 0) return { outcome: 'connected', answered_by: 'human' };
  const never = NEVER_BEGAN[end_reason];
  if (never) return { outcome: never, answered_by: 'nobody' };
  // In a completed call of no length no one spoke; without a length the status counts, but not who answered.
  return duration === undefined
    ? { outcome: 'connected', answered_by: 'unknown' }
    : { outcome: 'no_answer', answered_by: 'nobody' };
}

/** A name as people read it: `no_answer` is no answer, `ambiguous_person` ambiguous person. */
export function spoken(name: string): string {
  return name.replaceAll('_', ' ');
}
