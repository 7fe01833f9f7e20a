import type { CallStatus } from '@wrapup/call';

/**
 * Every spelling of a call status, one row each, after lower-casing and with `_` for hyphens and spaces.
 * `documented`: the enum of https://docs.synthflow.ai/api-reference (`GET /calls/{id}`) and of the webhook page;
 * `seen`: what receivers guard against. Synthflow mixes hyphens (`no-answer`) and underscores (`left_voicemail`).
 */
export const STATUSES: readonly { spelling: string; status: CallStatus; known: 'documented' | 'seen' }[] = [
  { spelling: 'pending', status: 'pending', known: 'documented' },
  { spelling: 'ringing', status: 'ringing', known: 'documented' },
  { spelling: 'registered', status: 'registered', known: 'documented' },
  { spelling: 'in_progress', status: 'in_progress', known: 'documented' },
  { spelling: 'paused', status: 'paused', known: 'documented' },
  { spelling: 'completed', status: 'completed', known: 'documented' },
  { spelling: 'no_answer', status: 'no_answer', known: 'documented' },
  { spelling: 'busy', status: 'busy', known: 'documented' },
  { spelling: 'failed', status: 'failed', known: 'documented' },
  { spelling: 'canceled', status: 'canceled', known: 'documented' },
  { spelling: 'user_canceled', status: 'user_canceled', known: 'documented' },
  { spelling: 'hangup_on_voicemail', status: 'hangup_on_voicemail', known: 'documented' },
  { spelling: 'left_voicemail', status: 'left_voicemail', known: 'documented' },
  { spelling: 'spam', status: 'spam', known: 'documented' },
  { spelling: 'queue', status: 'pending', known: 'seen' },
  { spelling: 'queued', status: 'pending', known: 'seen' },
  { spelling: 'inprogress', status: 'in_progress', known: 'seen' },
  { spelling: 'complete', status: 'completed', known: 'seen' },
  { spelling: 'done', status: 'completed', known: 'seen' },
  { spelling: 'noanswer', status: 'no_answer', known: 'seen' },
  { spelling: 'cancelled', status: 'canceled', known: 'seen' },
  { spelling: 'user_cancelled', status: 'user_canceled', known: 'seen' },
  { spelling: 'voicemail', status: 'hangup_on_voicemail', known: 'seen' },
];

const BY_SPELLING: ReadonlyMap<string, CallStatus> = new Map(
  STATUSES.map(({ spelling, status }) => [spelling, status]),
);

/** Lower case, with `_` for whatever separates the words. */
export function plainWord(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/[\s\-_]+/g, '_');
}

/** @returns undefined for a status that is neither documented nor seen so far */
export function readStatus(text: string): CallStatus | undefined {
  if (text.length > 64) return undefined;
  // Nearly all come spelled as documented.
  return BY_SPELLING.get(text) ?? BY_SPELLING.get(plainWord(text));
}
