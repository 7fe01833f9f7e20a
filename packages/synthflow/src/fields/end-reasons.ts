/**
 * Why a call ended. Synthflow documents two vocabularies (webhook page and OpenAPI) and its help centre lists free
 * texts besides, so the field is an open string: exact words first, then patterns, else `unknown` with the raw kept.
 * https://docs.synthflow.ai/post-call-webhook
 * https://helpcenter.synthflow.ai/articles/1502978435-synthflow-call-hangup-reasons
 */
import type { EndReason } from '@wrapup/call';
import { plainWord } from './statuses.ts';

/** One row a word, after lower-casing and with `_` between words. */
export const END_REASON_WORDS: readonly {
  word: string;
  reason: EndReason;
  listed: 'webhook' | 'api' | 'both' | 'seen';
}[] = [
  { word: 'voicemail', reason: 'voicemail', listed: 'both' },
  { word: 'voicemail_message_left', reason: 'voicemail_message_left', listed: 'both' },
  { word: 'voicemail_cut_off', reason: 'voicemail_cut_off', listed: 'api' },
  { word: 'human_goodbye', reason: 'human_ended', listed: 'webhook' },
  { word: 'human_ended_call', reason: 'human_ended', listed: 'api' },
  { word: 'human_hangup', reason: 'human_ended', listed: 'api' },
  { word: 'agent_goodbye', reason: 'agent_ended', listed: 'webhook' },
  { word: 'agent_ended_call', reason: 'agent_ended', listed: 'api' },
  { word: 'human_pick_up_cut_off', reason: 'human_cut_off', listed: 'both' },
  { word: 'max_duration', reason: 'max_duration', listed: 'webhook' },
  { word: 'timeout', reason: 'timeout', listed: 'api' },
  { word: 'custom_end_call', reason: 'custom', listed: 'both' },
  { word: 'user_canceled', reason: 'canceled', listed: 'both' },
  { word: 'user_cancelled', reason: 'canceled', listed: 'seen' },
  { word: 'error', reason: 'error', listed: 'api' },
  { word: 'undefined', reason: 'unknown', listed: 'webhook' },
  { word: 'unknown', reason: 'unknown', listed: 'seen' },
  { word: 'completed', reason: 'completed', listed: 'webhook' },
];

/** Free texts, one row a pattern, the first that fits. Numbers are SIP or HTTP codes that the text begins with. */
export const END_REASON_PATTERNS: readonly { pattern: RegExp; reason: EndReason; example: string }[] = [
  {
    pattern: /^insufficient (?:minutes|funds|credits?|balance)/i,
    reason: 'no_minutes',
    example: 'Insufficient Minutes',
  },
  { pattern: /^429\b|rate limit/i, reason: 'rate_limited', example: '429: Rate limit exceeded for this number' },
  { pattern: /^60[378]\b|^403\b|\b(?:rejected|declined)\b/i, reason: 'rejected', example: '608: Rejected' },
  { pattern: /^404\b|\bnot found\b/i, reason: 'not_found', example: '404: Not Found' },
  { pattern: /^487\b|request terminated/i, reason: 'terminated', example: '487: Request Terminated' },
  { pattern: /^408\b|\btimed? ?out\b/i, reason: 'timeout', example: '408: Request Timeout' },
  { pattern: /^5\d\d\b|^failed to start/i, reason: 'error', example: 'Failed to start outbound call' },
];

const BY_WORD: ReadonlyMap<string, EndReason> = new Map(END_REASON_WORDS.map(({ word, reason }) => [word, reason]));

/** Longest text that patterns are tried on; a longer one is a story, not a reason. */
const MAX_LENGTH = 300;

/** The reason that a word of either vocabulary means. */
export function readReasonWord(text: string): EndReason | undefined {
  return text.length > 64 ? undefined : BY_WORD.get(plainWord(text));
}

/** The reason that a word or a free text means; undefined when nothing fits. */
export function readReason(text: string): EndReason | undefined {
  const exact = readReasonWord(text);
  if (exact) return exact;
  const short = text.trim().slice(0, MAX_LENGTH);
  return END_REASON_PATTERNS.find(({ pattern }) => pattern.test(short))?.reason;
}
