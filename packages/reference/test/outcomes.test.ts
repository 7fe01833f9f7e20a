/** Every status and every end reason that Synthflow is known to send lands on a sensible outcome in every CRM. */
import { KINDS } from '@wrapup/config';
import { END_REASON_PATTERNS, END_REASON_WORDS } from '@wrapup/synthflow/payload';
import { expect, test } from 'vitest';
import { callLogPreset, outcomeRows, verdict } from '../src/pages/outcomes-page.ts';

const ROWS = outcomeRows();
const hubspot = callLogPreset('hubspot');

/** Documented status, HubSpot's status, HubSpot's outcome: https://docs.synthflow.ai/post-call-webhook */
test.each([
  ['pending', 'IN_PROGRESS', 'not set'],
  ['ringing', 'IN_PROGRESS', 'not set'],
  ['registered', 'IN_PROGRESS', 'not set'],
  ['in_progress', 'IN_PROGRESS', 'not set'],
  ['paused', 'IN_PROGRESS', 'not set'],
  ['completed', 'COMPLETED', 'Connected'],
  ['no_answer', 'NO_ANSWER', 'No answer'],
  ['busy', 'BUSY', 'Busy'],
  ['failed', 'FAILED', 'not set'],
  ['canceled', 'CANCELED', 'not set'],
  ['user_canceled', 'CANCELED', 'not set'],
  ['hangup_on_voicemail', 'NO_ANSWER', 'No answer'],
  ['left_voicemail', 'COMPLETED', 'Left voicemail'],
  ['spam', 'COMPLETED', 'not set'],
])('status %s is %s, %s in HubSpot', (status, ...says) => {
  const row = ROWS.find((one) => one.status === status && (status !== 'completed' || one.reason === 'human_goodbye'));
  expect(hubspot && row && verdict('hubspot', hubspot, row.call)).toEqual(says);
});

test('there are fourteen statuses, and every known end reason is among the rows', () => {
  expect(new Set(ROWS.map(({ status }) => status)).size).toBe(14);
  const reasons = new Set(ROWS.map(({ reason }) => reason));
  for (const { word, listed } of END_REASON_WORDS) if (listed !== 'seen') expect(reasons).toContain(word);
  for (const { example } of END_REASON_PATTERNS) expect(reasons).toContain(example);
});

test('a machine is never a conversation, and a call without length never one either', () => {
  for (const { reason, seconds, call } of ROWS) {
    if (/voicemail/.test(reason)) expect(['voicemail', 'voicemail_left']).toContain(call.outcome);
    if (seconds === 0) expect(call.outcome).not.toBe('connected');
  }
});

test.each(Object.keys(KINDS).filter((kind) => callLogPreset(kind)))(
  'every row says something in %s, and only what it knows',
  (kind) => {
    const mapping = callLogPreset(kind);
    if (!mapping) return;
    for (const { call } of ROWS) {
      const said = verdict(kind, mapping, call);
      expect(said[0]).not.toBe('not set');
      for (const text of said) expect(text).not.toMatch(/^[0-9a-f]{8}-/);
    }
  },
);
