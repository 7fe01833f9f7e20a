import { describe, expect, it } from 'vitest';
import {
  ANSWERED_BY,
  type AnsweredBy,
  CALL_STATUSES,
  type CallStatus,
  decideOutcome,
  END_REASONS,
  type EndReason,
  isTerminal,
  OUTCOMES,
  type Outcome,
} from '../src/index.ts';

type Decision = [Outcome, AnsweredBy];

/** What a status means whatever the reason and however long the call was. */
const BY_STATUS_ALONE: Partial<Record<CallStatus, Decision>> = {
  pending: ['in_progress', 'unknown'],
  ringing: ['in_progress', 'unknown'],
  registered: ['in_progress', 'unknown'],
  in_progress: ['in_progress', 'unknown'],
  paused: ['in_progress', 'unknown'],
  no_answer: ['no_answer', 'nobody'],
  busy: ['busy', 'nobody'],
  failed: ['failed', 'nobody'],
  canceled: ['canceled', 'nobody'],
  user_canceled: ['canceled', 'nobody'],
  left_voicemail: ['voicemail_left', 'machine'],
  spam: ['spam', 'unknown'],
};

/** A completed call: with some length, of no length, and of an unknown length. */
const COMPLETED: Record<EndReason, [Decision, Decision, Decision]> = {
  voicemail: [
    ['voicemail', 'machine'],
    ['voicemail', 'machine'],
    ['voicemail', 'machine'],
  ],
  voicemail_message_left: [
    ['voicemail_left', 'machine'],
    ['voicemail_left', 'machine'],
    ['voicemail_left', 'machine'],
  ],
  voicemail_cut_off: [
    ['voicemail', 'machine'],
    ['voicemail', 'machine'],
    ['voicemail', 'machine'],
  ],
  ...allLike(
    ['human_ended', 'agent_ended', 'human_cut_off', 'max_duration', 'timeout', 'custom', 'completed', 'unknown'],
    ['no_answer', 'nobody'],
    ['connected', 'unknown'],
  ),
  ...allLike(['canceled'], ['canceled', 'nobody'], ['canceled', 'nobody']),
  ...allLike(
    ['error', 'no_minutes', 'rate_limited', 'rejected', 'not_found', 'terminated'],
    ['failed', 'nobody'],
    ['failed', 'nobody'],
  ),
};

function allLike<Reason extends EndReason>(reasons: Reason[], ofNoLength: Decision, ofUnknownLength: Decision) {
  return Object.fromEntries(
    reasons.map((reason) => [reason, [['connected', 'human'], ofNoLength, ofUnknownLength]]),
  ) as Record<Reason, [Decision, Decision, Decision]>;
}

/** What the reason tells where the status leaves it open. */
function byReasonAlone(status: CallStatus, reason: EndReason): Decision {
  if (reason === 'voicemail_message_left') return ['voicemail_left', 'machine'];
  const machine = status === 'hangup_on_voicemail' || reason === 'voicemail' || reason === 'voicemail_cut_off';
  return machine ? ['voicemail', 'machine'] : ['unknown', 'unknown'];
}

const LENGTHS = [41, 0, undefined] as const;

describe('the outcome of a call', () => {
  it.each(CALL_STATUSES.map((status) => [status]))('%s, with every reason and length', (status) => {
    for (const reason of END_REASONS) {
      for (const [column, duration] of LENGTHS.entries()) {
        const decided = decideOutcome({ status, end_reason: reason, ...(duration === undefined ? {} : { duration }) });
        const expected =
          BY_STATUS_ALONE[status] ??
          (status === 'completed' ? COMPLETED[reason][column] : byReasonAlone(status, reason));
        expect([decided.outcome, decided.answered_by], `${reason}, ${duration} s`).toEqual(expected);
        expect(OUTCOMES).toContain(decided.outcome);
        expect(ANSWERED_BY).toContain(decided.answered_by);
      }
    }
  });

  it('has a row for every reason of a completed call', () => {
    expect(Object.keys(COMPLETED).sort()).toEqual([...END_REASONS].sort());
  });

  it('does not take a completed call for answered when a machine answered it', () => {
    expect(decideOutcome({ status: 'completed', end_reason: 'voicemail', duration: 41 }).answered_by).toBe('machine');
  });
});

describe('a call that is over', () => {
  it.each(CALL_STATUSES.map((status) => ({ status })))('$status', ({ status }) => {
    const open = ['pending', 'ringing', 'registered', 'in_progress', 'paused'].includes(status);
    expect(isTerminal(status)).toBe(!open);
  });
});
