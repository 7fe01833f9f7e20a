import { CALL_STATUSES } from '@wrapup/call';
import { describe, expect, it } from 'vitest';
import {
  END_REASON_PATTERNS,
  END_REASON_WORDS,
  readReason,
  readReasonWord,
  readStatus,
  STATUSES,
} from '../src/index.ts';
import { notesAt, read } from './support/read.ts';

/** As Synthflow spells them: https://docs.synthflow.ai/api-reference, `GET /calls/{id}`. */
const DOCUMENTED = [
  ['pending', 'pending'],
  ['ringing', 'ringing'],
  ['in-progress', 'in_progress'],
  ['completed', 'completed'],
  ['no-answer', 'no_answer'],
  ['busy', 'busy'],
  ['failed', 'failed'],
  ['canceled', 'canceled'],
  ['user-canceled', 'user_canceled'],
  ['hangup_on_voicemail', 'hangup_on_voicemail'],
  ['left_voicemail', 'left_voicemail'],
  ['spam', 'spam'],
  ['paused', 'paused'],
  ['registered', 'registered'],
] as const;

describe('the status', () => {
  it.each(DOCUMENTED)('%s, and with other case and separators', (spelling, status) => {
    for (const text of [
      spelling,
      spelling.toUpperCase(),
      spelling.replaceAll('-', '_'),
      spelling.replaceAll('_', '-'),
      ` ${spelling.replaceAll(/[-_]/g, ' ')} `,
    ]) {
      const call = read({ status: text }, { status: text });
      expect(call.status).toBe(status);
      expect(call.status_raw).toBe(text.trim());
      expect(call.notes).toEqual([]);
    }
  });

  it('has a row for each of the 14 documented values, and no row for an unknown one', () => {
    const documented = STATUSES.filter(({ known }) => known === 'documented').map(({ status }) => status);
    expect(documented.sort()).toEqual(CALL_STATUSES.filter((status) => status !== 'unknown').sort());
    expect(documented).toHaveLength(14);
  });

  it.each(STATUSES.map(({ spelling, status }) => [spelling, status]))('%s of the table', (spelling, status) => {
    expect(read({ status: spelling }, { status: undefined }).status).toBe(status);
  });

  it('is one of 64 characters at most, however it is spaced', () => {
    expect(readStatus(`no${' '.repeat(56)}answer`)).toBe('no_answer');
    expect(readStatus(`no${' '.repeat(57)}answer`)).toBeUndefined();
  });

  it('is unknown, and logged, when it is a new one', () => {
    const call = read({ status: 'teleported' }, { status: 'teleported' });
    expect(call).toMatchObject({ status: 'unknown', status_raw: 'teleported', outcome: 'unknown', terminal: true });
    expect(notesAt(call, 'call.status')).toHaveLength(1);
  });

  it('is unknown when it is missing, empty or no text', () => {
    for (const status of [undefined, null, '', 7, {}, []]) {
      expect(read({ status }, { status }).status).toBe('unknown');
    }
  });

  it('is the call’s own when the one around it differs', () => {
    const call = read({ status: 'no-answer' }, { status: 'completed' });
    expect(call.status).toBe('no_answer');
    expect(notesAt(call, 'status')).toHaveLength(1);
  });

  it('is the one around the call when the call’s own is none', () => {
    expect(read({ status: 'ok' }, { status: 'busy' }).status).toBe('busy');
    expect(read({ status: undefined }, { status: 'busy' }).status).toBe('busy');
  });
});

describe('the end reason', () => {
  it.each(END_REASON_WORDS.map(({ word, reason }) => [word, reason]))('%s is %s', (word, reason) => {
    expect(read({ end_call_reason: word })).toMatchObject({ end_reason: reason, end_reason_raw: word });
    expect(read({ end_call_reason: word.toUpperCase().replaceAll('_', '-') }).end_reason).toBe(reason);
  });

  it.each(END_REASON_PATTERNS.map(({ example, reason }) => [example, reason]))(
    'free text "%s" is %s',
    (text, reason) => {
      expect(read({ status: 'failed', end_call_reason: text })).toMatchObject({
        end_reason: reason,
        end_reason_raw: text,
      });
    },
  );

  it.each([
    ['429: Rate limit exceeded for number +1…', 'rate_limited'],
    ['603: Decline', 'rejected'],
    ['Call was rejected by the carrier', 'rejected'],
    ['503: Service Unavailable', 'error'],
    ['Request timed out', 'timeout'],
    ['insufficient minutes', 'no_minutes'],
  ])('free text "%s" is %s', (text, reason) => {
    expect(read({ status: 'failed', end_call_reason: text }).end_reason).toBe(reason);
  });

  it('stays open when it is none of these, and keeps the text', () => {
    const call = read({ end_call_reason: 'the dog barked' });
    expect(call).toMatchObject({ end_reason: 'unknown', end_reason_raw: 'the dog barked' });
    expect(notesAt(call, 'call.end_call_reason')).toHaveLength(1);
  });

  it('is unknown without a note when there is none', () => {
    const call = read();
    expect(call).toMatchObject({ end_reason: 'unknown', notes: [] });
    expect(call).not.toHaveProperty('end_reason_raw');
  });

  it('keeps the text of a user-defined end condition', () => {
    const call = read({ end_call_reason: 'custom_end_call', custom_end_call_reason: 'Asked to be removed' });
    expect(call).toMatchObject({ end_reason: 'custom', end_reason_text: 'Asked to be removed' });
  });

  it('is custom when only the text of the condition came', () => {
    expect(read({ custom_end_call_reason: 'Asked to be removed' }).end_reason).toBe('custom');
  });

  it('is a word of 64 characters at most, however it is spaced', () => {
    expect(readReasonWord(`human${' '.repeat(52)}goodbye`)).toBe('human_ended');
    expect(readReasonWord(`human${' '.repeat(53)}goodbye`)).toBeUndefined();
  });

  it('is looked for in the first 300 characters of a text, and in blanks around it', () => {
    expect(readReason(' 404: Not Found')).toBe('not_found');
    expect(readReason(`${'x'.repeat(290)} not found`)).toBe('not_found');
    expect(readReason(`${'x'.repeat(291)} not found`)).toBeUndefined();
  });

  it('comes from the error text when its own word says nothing', () => {
    const call = read({ end_call_reason: 'undefined', error_message: '608: Rejected' });
    expect(call).toMatchObject({ end_reason: 'rejected', end_reason_raw: 'undefined' });
  });

  it('comes from the error text when it has no word of its own', () => {
    const call = read({ status: 'failed' }, { status: 'failed', error_message: '608: Rejected' });
    expect(call).toMatchObject({ end_reason: 'rejected', error: '608: Rejected' });
  });
});

describe('error message and end reason swapped, as in 2024', () => {
  it('are put back', () => {
    const call = read({ end_call_reason: 'completed' }, { error_message: 'agent_goodbye' });
    expect(call).toMatchObject({ status: 'completed', end_reason: 'agent_ended', end_reason_raw: 'agent_goodbye' });
    expect(call).not.toHaveProperty('error');
    expect(notesAt(call, 'error_message')).toHaveLength(1);
  });

  it('tell a voicemail that was reported as completed', () => {
    const call = read({ end_call_reason: 'completed', duration: 41 }, { error_message: 'voicemail' });
    expect(call).toMatchObject({ outcome: 'voicemail', answered_by: 'machine' });
  });

  it('are left when the error is a real one', () => {
    const call = read({ end_call_reason: 'completed' }, { error_message: 'SIP trunk unreachable' });
    expect(call).toMatchObject({ end_reason: 'completed', error: 'SIP trunk unreachable' });
  });

  it('are left when the end reason is one', () => {
    const call = read({ end_call_reason: 'human_goodbye' }, { error_message: 'timeout' });
    expect(call).toMatchObject({ end_reason: 'human_ended', error: 'timeout' });
  });

  it('are one where the end reason is missing, and no news where both say the same', () => {
    const call = read({}, { error_message: 'voicemail' });
    expect(call).toMatchObject({ end_reason: 'voicemail', end_reason_raw: 'voicemail' });
    expect(call).not.toHaveProperty('error');
    const same = read({ end_call_reason: 'completed' }, { error_message: 'completed' });
    expect(same).toMatchObject({ end_reason: 'completed', notes: [] });
  });

  it.each(['error', 'None of the trunks answered', 'there was none'])('are left when the error is "%s"', (error) => {
    const call = read({ end_call_reason: 'completed' }, { error_message: error });
    expect(call).toMatchObject({ end_reason_raw: 'completed', error });
  });

  it.each([[''], [null], [undefined], ['null'], ['None']])('an empty error (%s) is none', (error_message) => {
    expect(read({ end_call_reason: 'human_goodbye' }, { error_message })).not.toHaveProperty('error');
  });
});
