import type { Call } from '@wrapup/call';
import { describe, expect, it } from 'vitest';
import {
  contradicts,
  contradictsParties,
  equalCalls,
  mergeCalls,
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
    ['the duration to the millisecond', [{ duration: 9 }], [{ duration: '9.4' }]],
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

describe('merging two revisions', () => {
  it('fills in what was absent', () => {
    const older = read({ duration: 9 }, { lead: { phone_number: '+14155550123' }, metadata: { a: 1 } });
    const newer = read(
      { duration: 9, end_call_reason: 'human_goodbye', start_time: '1777885186000', transcript: 'bot: Hi' },
      { lead: { name: 'Dana Example' }, analysis: { goal: 'true' }, metadata: { b: 2 } },
    );
    const merged = mergeCalls(older, newer);
    expect(merged).toMatchObject({
      end_reason: 'human_ended',
      end_reason_raw: 'human_goodbye',
      started_at: '2026-05-04T08:59:46.000Z',
      ended_at: '2026-05-04T08:59:55.000Z',
      lead: { phone: '+14155550123', name: 'Dana Example', first_name: 'Dana', last_name: 'Example' },
      analysis: { goal: 'true' },
      metadata: { a: 1, b: 2 },
      turns: [{ speaker: 'agent', text: 'Hi' }],
    });
    expect(merged.raw).toBe(newer.raw);
    expect(contradicts(older, merged)).toEqual([]);
    expect(contradicts(newer, merged)).toEqual([]);
    expect(Object.getPrototypeOf(merged.metadata)).toBeNull();
  });

  it('keeps what the older one said where they differ', () => {
    const merged = mergeCalls(sample(), sample({ name: 'Robin Sample', duration: 1, collected: { budget: '1' } }));
    expect(merged).toMatchObject({ duration: 134, lead: { first_name: 'Dana' }, vars: { budget: '12000' } });
  });

  it('takes the newer one while the call was not over', () => {
    const merged = mergeCalls(
      read({ status: 'in-progress', duration: 3 }, { status: 'in-progress', metadata: { a: 1 } }),
      read({ duration: 9, end_call_reason: 'voicemail' }),
    );
    expect(merged).toMatchObject({ terminal: true, duration: 9, outcome: 'voicemail', metadata: { a: 1 } });
  });

  it('does not reopen a call that was over', () => {
    const late = read({ status: 'ringing', transcript: 'bot: Hi' }, { status: 'ringing' });
    expect(mergeCalls(read({ duration: 9 }), late)).toMatchObject({
      status: 'completed',
      terminal: true,
      outcome: 'connected',
      transcript: 'bot: Hi',
    });
  });

  it('takes the longer of two transcripts that begin alike', () => {
    const [short, long] = [read({ transcript: 'bot: Hi' }), read({ transcript: 'bot: Hi\nhuman: Hello' })];
    for (const merged of [mergeCalls(short, long), mergeCalls(long, short)]) expect(merged.turns).toHaveLength(2);
  });

  it('takes a status that was unknown, and decides the outcome again', () => {
    const merged = mergeCalls(read({ status: '' }, { status: '' }), read({ duration: 9 }));
    expect(merged).toMatchObject({
      status: 'completed',
      status_raw: 'completed',
      outcome: 'connected',
      answered_by: 'human',
    });
  });

  it('keeps where an address came from with the address, and what was said beside it', () => {
    const collected_variables = { email: { value: 'said@example.com', collected: true } };
    const listed = { lead: { email: 'dana@example.com' } };
    const said = mergeCalls(read({}, {}), read({}, { collected_variables }));
    expect(said.lead).toMatchObject({ email: 'said@example.com', email_origin: 'said' });
    // A revision that calls itself outbound makes nothing given that was said before.
    const claimed = mergeCalls(read({}, listed), read({ type_of_call: 'outbound' }, listed));
    expect(claimed.lead).toMatchObject({ email: 'dana@example.com', email_origin: 'said' });
    const outbound = { type_of_call: 'outbound' };
    const both = mergeCalls(read(outbound, listed), read(outbound, { ...listed, collected_variables }));
    expect(both.lead).toMatchObject({ email_origin: 'given', said_email: 'said@example.com' });
  });

  it('takes a number where there was only a text, with all that belongs to it', () => {
    const merged = mergeCalls(
      read({}, { lead: { phone_number: 'anonymous' } }),
      read({}, { lead: { phone_number: '+442079460123' } }),
    );
    expect(merged.lead).toEqual({
      ...{ phone: '+442079460123', phone_origin: 'given', phone_raw: '+442079460123', country: 'GB' },
    });
  });

  it('takes what was really collected, and what an action lacked', () => {
    const actions = (action: object) => ({ executed_actions: { pay: { action_type: 'custom', ...action } } });
    const merged = mergeCalls(
      read({}, { collected_variables: { a: { value: null, collected: false } }, ...actions({ return_value: 1 }) }),
      read({}, { collected_variables: { a: { value: 1, collected: true } }, ...actions({ error_message: 'late' }) }),
    );
    expect(merged.vars).toEqual({ a: 1 });
    expect(merged.collected.a).toEqual({ value: 1, collected: true });
    expect(merged.actions.pay).toMatchObject({ return_value: 1, error: 'late' });
  });

  it('keeps the first arrival, and each note once', () => {
    const at = (received_at: number) => normalise({ call: { call_id: 'c-1' } }, { ...CONTEXT, received_at });
    const merged = mergeCalls(at(Date.UTC(2026, 4, 4)), at(Date.UTC(2026, 4, 5)));
    expect(merged.received_at).toBe('2026-05-04T00:00:00.000Z');
    expect(merged.notes).toHaveLength(1);
  });

  it('of a call with itself changes nothing', () => {
    expect(equalCalls(mergeCalls(sample(), sample()), sample())).toBe(true);
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
