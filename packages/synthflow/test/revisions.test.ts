import type { Call } from '@wrapup/call';
import { describe, expect, it } from 'vitest';
import {
  contradicts,
  contradictsParties,
  equalCalls,
  normalise,
  type SampleOverrides,
  samplePayload,
} from '../src/index.ts';
import { CONTEXT, read } from './support/read.ts';

const sample = (overrides: SampleOverrides = {}) => normalise(samplePayload('connected', overrides), CONTEXT);

describe('equal revisions', () => {
  it('differ in the order of keys, in notes and in the time of arrival only', () => {
    const { raw: _, ...call } = sample();
    const payload = samplePayload('connected');
    const turned = Object.fromEntries(Object.entries(payload).reverse());
    const again = normalise(turned, { ...CONTEXT, received_at: Date.UTC(2026, 10, 21) });
    expect(equalCalls({ ...call, raw: null }, again)).toBe(true);
    expect(equalCalls(call as Call, { ...again, notes: [{ path: 'x', message: 'y' }] })).toBe(true);
  });

  it('do not differ in facts', () => {
    expect(equalCalls(sample(), sample({ duration: 135 }))).toBe(false);
    expect(equalCalls(sample(), sample({ collected: { city: 'Springfield' } }))).toBe(false);
    expect(equalCalls(sample(), sample({ name: null }))).toBe(false);
  });

  it('may be written in another way', () => {
    expect(equalCalls(read({ duration: '5' }), read({ duration: 5 }))).toBe(true);
  });
});

type Parts = [call: object, root?: object];

describe('a newer revision that contradicts', () => {
  it.each<[string, Parts, Parts, string[]]>([
    [
      'the status',
      [{ status: 'busy' }, { status: 'busy' }],
      [{ status: 'failed' }, { status: 'failed' }],
      ['status', 'outcome'],
    ],
    ['a human', [{ duration: 9 }], [{ duration: 9, end_call_reason: 'voicemail' }], ['outcome', 'answered_by']],
    ['the duration', [{ duration: 9 }], [{ duration: 40 }], ['duration']],
    ['the start', [{ start_time: '2026-05-04T10:00:00Z' }], [{ start_time: '2026-05-04T11:00:00Z' }], ['started_at']],
    ['the transcript', [{ transcript: 'bot: Hi' }], [{ transcript: 'bot: Bye' }], ['transcript']],
    [
      'the recording',
      [{ recording_url: 'https://a.example.com/1' }],
      [{ recording_url: 'https://a.example.com/2' }],
      ['recording_url'],
    ],
    ['the agent', [{ model_id: 'a' }], [{ model_id: 'b' }], ['agent.id']],
    [
      'the number',
      [{}, { lead: { phone_number: '+14155550123' } }],
      [{}, { lead: { phone_number: '+14155550124' } }],
      ['lead.phone'],
    ],
    [
      'the raw number',
      [{}, { lead: { phone_number: 'anonymous' } }],
      [{}, { lead: { phone_number: 'private' } }],
      ['lead.phone_raw'],
    ],
    ['the name', [{}, { lead: { name: 'Dana' } }], [{}, { lead: { name: 'Robin' } }], ['lead.name']],
    [
      'the e-mail',
      [{}, { lead: { email: 'a@example.com' } }],
      [{}, { lead: { email: 'b@example.com' } }],
      ['lead.email'],
    ],
    ['an unknown status', [{ status: 'x1' }, { status: 'x1' }], [{ status: 'x2' }, { status: 'x2' }], ['status_raw']],
    ['an unknown end reason', [{ end_call_reason: 'one' }], [{ end_call_reason: 'two' }], ['end_reason_raw']],
    [
      'a variable',
      [{}, { collected_variables: { a: { value: 1, collected: true } } }],
      [{}, { collected_variables: { a: { value: 2, collected: true } } }],
      ['vars.a', 'collected.a'],
    ],
    [
      'what an action returned',
      [{}, { executed_actions: { pay: { action_type: 'custom', return_value: { ok: true } } } }],
      [{}, { executed_actions: { pay: { action_type: 'custom', return_value: { ok: false } } } }],
      ['actions.pay.return_value'],
    ],
    ['a judgement', [{}, { analysis: { goal: 'true' } }], [{}, { analysis: { goal: 'false' } }], ['analysis.goal']],
    ['metadata', [{}, { metadata: { a: 1 } }], [{}, { metadata: { a: 2 } }], ['metadata.a']],
    ['the direction', [{ type_of_call: 'inbound' }], [{ type_of_call: 'outbound' }], ['direction']],
    ['the text of the end', [{ custom_end_call_reason: 'a' }], [{ custom_end_call_reason: 'b' }], ['end_reason_text']],
    ['the reason', [{ end_call_reason: 'timeout' }], [{ end_call_reason: 'max_duration' }], ['end_reason']],
    ['a list in metadata', [{}, { metadata: { a: [1] } }], [{}, { metadata: { a: [2], b: 1 } }], ['metadata.a']],
    [
      'the status and the error of an action',
      [{}, { executed_actions: { pay: { return_value: 1, return_value_status: 'ok', error_message: 'a' } } }],
      [{}, { executed_actions: { pay: { return_value: 1, return_value_status: 'no', error_message: 'b' } } }],
      ['actions.pay.status', 'actions.pay.error'],
    ],
    ['a duration a second longer', [{ duration: 9 }], [{ duration: 10 }], ['duration']],
    [
      'a start a second earlier',
      [{ start_time: '2026-05-04T10:00:01Z' }],
      [{ start_time: '2026-05-04T10:00:00Z' }],
      ['started_at'],
    ],
    // Each fact for itself was only absent: a call without a length counts as connected, one of no length does not.
    ['what both say together', [{}], [{ status: '', duration: 0 }, { status: '' }], ['outcome']],
  ])('%s', (_, older, newer, paths) => {
    expect(contradicts(read(...older), read(...newer))).toEqual(paths);
  });

  it('shows keys that could be personal as a star', () => {
    const older = read({}, { metadata: { '+14155550123': 1 } });
    expect(contradicts(older, read({}, { metadata: { '+14155550123': 2 } }))).toEqual(['metadata.*']);
  });
});

describe('a newer revision that only adds or repeats', () => {
  it.each<[string, Parts, Parts]>([
    [
      'everything',
      [{}],
      [{ duration: 9, end_call_reason: 'max_duration', transcript: 'bot: Hi', start_time: 1777885186000 }],
    ],
    ['the rest of the transcript', [{ transcript: 'bot: Hel' }], [{ transcript: 'bot: Hello\nhuman: Hi' }]],
    ['less of the transcript', [{ transcript: 'bot: Hello\nhuman: Hi' }], [{ transcript: 'bot: Hello' }]],
    ['nothing', [{ duration: 9, transcript: 'bot: Hi' }, { analysis: { goal: 'true' } }], [{}]],
    [
      'another spelling of the status',
      [{ status: 'no-answer' }, { status: 'no-answer' }],
      [{ status: 'no_answer' }, {}],
    ],
    [
      'another spelling of the reason',
      [{ end_call_reason: 'human_goodbye' }],
      [{ end_call_reason: 'human_ended_call' }],
    ],
    [
      'another signature of the recording',
      [{ recording_url: 'https://a.example.com/1?s=1' }],
      [{ recording_url: 'https://a.example.com/1?s=2' }],
    ],
    ['the start to the millisecond', [{ start_time: '2026-05-04T08:59:46Z' }], [{ start_time: '1777885186999' }]],
    ['the duration to the millisecond', [{ duration: 9 }], [{ duration: '9.999' }]],
    [
      'another mark in the address of the recording',
      [{ recording_url: 'https://a.example/1#a' }],
      [{ recording_url: 'https://a.example/1' }],
    ],
    ['blanks around the transcript', [{ transcript: ' bot: Hi ' }], [{ transcript: 'bot: Hi\nhuman: Yes' }]],
    ['a known status', [{ status: 'x1' }, { status: 'x1' }], [{ status: 'failed' }, { status: 'failed' }]],
    ['a known reason', [{ end_call_reason: 'one' }], [{ end_call_reason: 'timeout' }]],
    [
      'a variable that is not collected any more',
      [{}, { collected_variables: { a: { value: 1, collected: true } } }],
      [{}, { collected_variables: { a: { value: 2, collected: false } } }],
    ],
    [
      'another action',
      [{}, { executed_actions: { a: { error_message: 'x' } } }],
      [{}, { executed_actions: { b: {} } }],
    ],
    [
      'the number in another form',
      [{}, { lead: { phone_number: '(415) 555-0123' } }],
      [{}, { lead: { phone_number: '+14155550123' } }],
    ],
    [
      'a number where there was none',
      [{}, { lead: { phone_number: 'anonymous' } }],
      [{}, { lead: { phone_number: '+14155550123' } }],
    ],
    [
      'a variable that was not collected before',
      [{}, { collected_variables: { a: { value: null, collected: false } } }],
      [{}, { collected_variables: { a: { value: 1, collected: true } } }],
    ],
    ['a judgement', [{}, {}], [{}, { analysis: { goal: 'true' } }]],
    [
      'a payload from before the end, come late',
      [{ duration: 9 }],
      [{ status: 'in-progress', duration: 3 }, { status: 'in-progress' }],
    ],
    [
      'the end of a call that was not over',
      [{ status: 'ringing', duration: 0 }, { status: 'ringing' }],
      [{ duration: 9 }],
    ],
  ])('%s', (_, older, newer) => {
    expect(contradicts(read(...older), read(...newer))).toEqual([]);
  });
});

describe('the end of a call belongs to another than its beginning', () => {
  const parties = (beginning: Partial<Call>, end: Partial<Call>) =>
    contradictsParties({ ...read(), ...beginning } as Call, { ...read(), ...end } as Call);

  it.each<[string, Partial<Call>, Partial<Call>]>([
    ['from_number', { from_number: '+14155550142' }, { from_number: '+14155550143' }],
    ['to_number', { to_number: '+14155550142' }, { to_number: '+14155550143' }],
    ['direction', { direction: 'inbound' }, { direction: 'outbound' }],
    ['external_id', { external_id: 'a' }, { external_id: 'b' }],
    ['agent.id', { agent: { id: 'a' } }, { agent: { id: 'b' } }],
    ['lead.email', { lead: { email: 'a@example.com' } }, { lead: { email: 'b@example.com' } }],
    ['lead.phone', { lead: { phone: '+14155550142' } }, { lead: { phone: '+14155550143' } }],
    ['vars.crm_person_id', { vars: { crm_person_id: '1' } }, { vars: { crm_person_id: '2' } }],
    ['metadata.crm_connection', { metadata: { crm_connection: 'a' } }, { metadata: { crm_connection: 'b' } }],
  ])('where %s differs', (path, beginning, end) => {
    expect(parties(beginning, end)).toEqual([path]);
    expect(parties(beginning, beginning)).toEqual([]);
  });

  it('and not by what was absent at one of them, or says nothing of whose call it is', () => {
    expect(parties({}, { from_number: '+14155550142', vars: { crm_person_id: '1' } })).toEqual([]);
    expect(parties({ vars: { crm_person_id: '1' } }, {})).toEqual([]);
    expect(parties({ vars: { city: 'a' }, error: 'x' }, { vars: { city: 'b' }, error: 'y' })).toEqual([]);
  });
});
