/** What two revisions of a call say together. */
import type { Call, Lead } from '@wrapup/call';
import { describe, expect, it } from 'vitest';
import { contradicts, equalCalls, mergeCalls, normalise, type SampleOverrides, samplePayload } from '../src/index.ts';
import { CONTEXT, read } from './support/read.ts';

const sample = (overrides: SampleOverrides = {}) => normalise(samplePayload('connected', overrides), CONTEXT);

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

  const made = (parts: Partial<Call>): Call => ({ ...read(), ...parts });

  it('takes the texts of the status and the reason with them, and only with them', () => {
    const known = read({ status: 'failed', end_call_reason: '408: Request Timeout' }, { status: 'failed' });
    const unknown = read({ status: 'x1', end_call_reason: 'the dog barked' }, { status: 'x1' });
    const texts = { status_raw: 'failed', end_reason_raw: '408: Request Timeout' };
    expect(mergeCalls(unknown, known)).toMatchObject({ status: 'failed', end_reason: 'timeout', ...texts });
    expect(mergeCalls(known, unknown)).toMatchObject({ status: 'failed', end_reason: 'timeout', ...texts });
    const { status_raw: _, end_reason_raw: __, ...untold } = known;
    expect(mergeCalls(unknown, untold)).toMatchObject({ status_raw: 'x1', end_reason_raw: 'the dog barked' });
  });

  it('takes nothing of the end from a payload that was sent before it', () => {
    const late = read(
      { status: 'in-progress', duration: 3, end_call_reason: 'voicemail', start_time: '1777885186000' },
      { status: 'in-progress' },
    );
    const merged = mergeCalls(read({}), late);
    expect(merged).toMatchObject({ status: 'completed', end_reason: 'unknown', outcome: 'connected', terminal: true });
    expect(merged).not.toHaveProperty('duration');
    expect(merged.ended_at).toBe(merged.started_at);
    expect(mergeCalls(read({ status: '' }, { status: '' }), late).status).toBe('unknown');
    // While neither was over, the newer one holds, and the older one fills in.
    const ringing = read({ status: 'ringing' }, { status: 'ringing' });
    expect(mergeCalls(late, ringing)).toMatchObject({ status: 'ringing', duration: 3, end_reason: 'voicemail' });
  });

  it('keeps when who spoke, as long as the transcript stays', () => {
    const turns = [{ speaker: 'agent', text: 'Hi', start: 1.5 }] as const;
    const timed = made({ transcript: 'bot: Hi', turns: [...turns] });
    expect(mergeCalls(timed, read({})).turns).toEqual(turns);
    // As long, in another place between blanks: the one that holds stays.
    expect(mergeCalls(timed, read({ transcript: 'bot: Hi' })).turns).toEqual(turns);
    const [before, behind] = [made({ transcript: ' bot: Hi' }), made({ transcript: 'bot: Hi ' })];
    expect(mergeCalls(before, behind).transcript).toBe(' bot: Hi');
    expect(mergeCalls(before, read({ transcript: 'bot: Goodbye to you' })).transcript).toBe(' bot: Hi');
  });

  it('takes the appointment of the one that has one', () => {
    const one = { status: 'booked', action: 'book', id: '1' } as const;
    expect(mergeCalls(read(), made({ booking: one })).booking).toEqual(one);
    expect(mergeCalls(made({ booking: one }), made({ booking: { ...one, id: '2' } })).booking).toEqual(one);
  });

  it('keeps the value that was collected, whatever comes later', () => {
    const collected = { a: { value: 1, collected: true }, b: { value: null, collected: false } };
    const later = {
      a: { value: 2, collected: true },
      b: { value: 3, collected: false },
      c: { value: 4, collected: true },
    };
    expect(mergeCalls(made({ collected }), made({ collected: later })).collected).toEqual({ ...collected, c: later.c });
  });

  it('is dated by the one that came first', () => {
    const [first, second] = ['2026-05-04T00:00:00.000Z', '2026-05-05T00:00:00.000Z'];
    const arrival = (older: Partial<Call>, newer: Partial<Call>) => mergeCalls(made(older), made(newer)).received_at;
    expect(arrival({ received_at: first, terminal: false }, { received_at: second })).toBe(first);
    expect(arrival({}, { received_at: second })).toBe(second);
    expect(arrival({}, {})).toBeUndefined();
  });

  it('has the notes of both, the same message at another path among them', () => {
    const notes = [{ path: 'a', message: 'x' }];
    const merged = mergeCalls(made({ notes }), made({ notes: [...notes, { path: 'b', message: 'x' }] }));
    expect(merged.notes).toEqual([
      { path: 'a', message: 'x' },
      { path: 'b', message: 'x' },
    ]);
  });

  const lead = (base: Lead, more: Lead) => mergeCalls(made({ lead: base }), made({ lead: more })).lead;

  it.each<[string, Lead, Lead, Lead]>([
    ['a name and its parts', { name: 'Dana' }, { name: 'Robin Sample', first_name: 'Robin' }, { name: 'Dana' }],
    ['the name of the other', {}, { name: 'Robin', first_name: 'Robin' }, { name: 'Robin', first_name: 'Robin' }],
    ['an address of unknown origin', { email: 'a@b.example' }, {}, { email: 'a@b.example' }],
    [
      'the origin that one of them knows',
      { email: 'a@b.example' },
      { email: 'a@b.example', email_origin: 'given' },
      { email: 'a@b.example', email_origin: 'given' },
    ],
    [
      'the origin of its own address',
      { email: 'a@b.example', email_origin: 'given' },
      { email: 'c@b.example', email_origin: 'said' },
      { email: 'a@b.example', email_origin: 'given' },
    ],
    [
      'what was said beside the same address',
      { email: 'a@b.example' },
      { email: 'a@b.example', said_email: 'c@b.example' },
      { email: 'a@b.example', said_email: 'c@b.example' },
    ],
    [
      'what was said beside it at first',
      { email: 'a@b.example', said_email: 'c@b.example' },
      { email: 'a@b.example', said_email: 'd@b.example' },
      { email: 'a@b.example', said_email: 'c@b.example' },
    ],
    [
      'nothing that was said beside another address',
      { email: 'a@b.example' },
      { email: 'd@b.example', said_email: 'c@b.example' },
      { email: 'a@b.example' },
    ],
    ['a text in place of no number', {}, { phone_raw: 'anonymous' }, { phone_raw: 'anonymous' }],
    ['the first of two texts', { phone_raw: 'anonymous' }, { phone_raw: 'private' }, { phone_raw: 'anonymous' }],
    ['a text where the other has nothing', { phone_raw: 'anonymous' }, {}, { phone_raw: 'anonymous' }],
    ['a number without its text', {}, { phone: '+14155550123' }, { phone: '+14155550123' }],
    [
      'a number as it is',
      { phone: '+14155550123' },
      { phone: '+14155550124', phone_raw: '4155550124', country: 'US' },
      { phone: '+14155550123' },
    ],
    [
      'a number that one of them says was said',
      { phone: '+14155550123', phone_origin: 'given' },
      { phone: '+14155550123', phone_origin: 'said' },
      { phone: '+14155550123', phone_origin: 'said' },
    ],
  ])('of two leads it has %s', (_what, base, more, merged) => {
    expect(lead(base, more)).toStrictEqual(merged);
  });
});
