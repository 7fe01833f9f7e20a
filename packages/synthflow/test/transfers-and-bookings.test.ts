import { describe, expect, it, test } from 'vitest';
import { combineRevisions, mergeCalls, normalise, trimPayload } from '../src/index.ts';
import { CONTEXT, read, webhook } from './support/read.ts';

const transfer = (answer: object, more: object = {}) => ({
  action_type: 'transfer_call_action_type',
  return_value: answer,
  error_message: null,
  ...more,
});
const transferred = (executed_actions: object) => read({}, { executed_actions }).transferred_to;

describe('a transfer', () => {
  it('leads to the number that its answer or its definition names', () => {
    expect(transferred({ desk: transfer({ status: 'transfer-success', phone_number: '(415) 555-0123' }) })).toBe(
      '+14155550123',
    );
    const parameters_hard_coded = '{"phone": "+14155550124", "timeout": 30}';
    expect(transferred({ desk: transfer({ status: 'transfer-success' }, { parameters_hard_coded }) })).toBe(
      '+14155550124',
    );
    const sip = { phone: 'sip:desk@pbx.example.com' };
    expect(transferred({ desk: transfer({}, { parameters_hard_coded: sip }) })).toBe('sip:desk@pbx.example.com');
  });

  it('leads to whom the action names where no number is known', () => {
    expect(transferred({ sales_desk: transfer({ status: 'transfer-success' }) })).toBe('sales_desk');
    expect(transferred({ transfer_to_sales: { return_value: '{"status": "ok"}' } })).toBe('transfer_to_sales');
  });

  /** https://docs.synthflow.ai/transfer-outcome-states */
  it.each(['transfer-failed-timeout', 'transfer-failed-connection-error', 'busy', 'no-answer', 'declined'])(
    'that ended in %s is none',
    (status) => {
      expect(transferred({ desk: transfer({ status, phone: '+14155550123' }) })).toBeUndefined();
    },
  );

  it('that an error ended is none, and neither is an action of another kind', () => {
    expect(transferred({ desk: transfer({}, { error_message: 'no route' }) })).toBeUndefined();
    const lookUp = { action_type: 'custom_function_action_type', return_value: { phone: '+14155550123' } };
    expect(transferred({ look_up: lookUp })).toBeUndefined();
    expect(transferred({})).toBeUndefined();
  });

  it('is the last of several that worked', () => {
    const at = (second: number) => ({ timestamp: String(1_777_885_200 + second) });
    const executed = {
      third: transfer({ status: 'transfer-failed-busy', phone: '+14155550103' }, at(30)),
      second: transfer({ status: 'transfer-success', phone: '+14155550102' }, at(20)),
      first: transfer({ status: 'transfer-success', phone: '+14155550101' }, at(10)),
    };
    expect(transferred(executed)).toBe('+14155550102');
  });

  it('is the last that is listed where none says when it ran, and one that says so before it', () => {
    const to = (phone: string, more: object = {}) => transfer({ phone }, more);
    expect(transferred({ one: to('+14155550101'), two: to('+14155550102') })).toBe('+14155550102');
    expect(transferred({ one: to('+14155550101', { timestamp: '1777885200' }), two: to('+14155550102') })).toBe(
      '+14155550101',
    );
  });

  it('leads to no more than 200 characters', () => {
    expect(transferred({ desk: transfer({ to: 'x'.repeat(200) }) })).toBe('x'.repeat(200));
    expect(transferred({ desk: transfer({ to: 'x'.repeat(201) }) })).toBe('desk');
    expect(transferred({ desk: transfer({ to: 'x'.repeat(201), target: 'sales' }) })).toBe('sales');
  });

  it('is the same after the definitions of actions were dropped', () => {
    const parameters_hard_coded = { phone: '+14155550124', condition: 'When asked for' };
    const payload = webhook({}, { executed_actions: { desk: transfer({}, { parameters_hard_coded }) } });
    const trimmed = trimPayload(payload, { transcript: true, raw: false });
    expect(JSON.stringify(trimmed)).not.toContain('condition');
    expect(normalise(trimmed, CONTEXT).transferred_to).toBe('+14155550124');
  });
});

const booked = (return_value: unknown, more: object = {}) => ({
  action_type: 'calcom_booking_action_type',
  return_value,
  ...more,
});
const booking = (executed_actions: object) => read({}, { executed_actions }).booking;
const START = '2026-12-01T10:00:00+01:00';
const STARTS_AT = '2026-12-01T09:00:00.000Z';

describe('a booking', () => {
  test.each([
    ['in plain sight', { id: 77, start: START, end: '2026-12-01T10:30:00+01:00' }],
    ['inside data', { status: 'success', data: { uid: '77', startTime: START, endTime: '2026-12-01T09:30:00Z' } }],
    ['as JSON text', '{"booking": {"bookingId": "77", "start_time": "2026-12-01T09:00:00Z", "ends_at": 1796117400}}'],
    [
      'as a calendar has it',
      { event: { id: '77', start: { dateTime: START }, end: { dateTime: '2026-12-01T09:30:00Z' } } },
    ],
  ])('is read %s', (_, answer) => {
    expect(booking({ book: booked(answer) })).toStrictEqual({
      status: 'booked',
      action: 'book',
      id: '77',
      starts_at: STARTS_AT,
      ends_at: '2026-12-01T09:30:00.000Z',
    });
  });

  it('keeps a time without an offset as it came: the mapping knows the zone', () => {
    expect(booking({ book: booked({ start: '2026-12-01 10:00' }) }).starts_at).toBe('2026-12-01 10:00');
    expect(booking({ book: booked({ id: 'x', start: 'tomorrow' }) })).not.toHaveProperty('starts_at');
  });

  it('that was moved is known by what it was known by before', () => {
    const answer = {
      data: { uid: 'new', rescheduledFromUid: 'old', start: START, title: 'Visit', location: 'Room 1' },
    };
    expect(booking({ book: booked(answer) })).toStrictEqual({
      status: 'moved',
      action: 'book',
      id: 'old',
      starts_at: STARTS_AT,
      title: 'Visit',
      place: 'Room 1',
    });
    const custom = { action_type: 'custom_function_action_type', return_value: { id: '77', start: START } };
    expect(booking({ reschedule_appointment: custom })).toMatchObject({ status: 'moved', id: '77' });
    const from = { id: '77', start: START, previous_start_time: '2026-11-30T09:00:00Z' };
    expect(booking({ book: booked(from) })).toMatchObject({ status: 'moved', moved_from: '2026-11-30T09:00:00.000Z' });
  });

  it('that was cancelled is, and with another one booked after it, it was moved', () => {
    const cancel = { return_value: { id: '77', start: START }, timestamp: '1777885210' };
    expect(booking({ cancel_booking: cancel })).toMatchObject({ status: 'canceled', id: '77', starts_at: STARTS_AT });
    expect(booking({ book: booked({ status: 'CANCELLED', uid: '77' }) })).toMatchObject({ status: 'canceled' });
    const again = booked({ id: '78', start: '2026-12-02T09:00:00Z' }, { timestamp: '1777885220' });
    expect(booking({ cancel_booking: cancel, book: again })).toEqual({
      status: 'moved',
      action: 'book',
      id: '77',
      moved_from: STARTS_AT,
      starts_at: '2026-12-02T09:00:00.000Z',
    });
  });

  it('that was moved without saying from where has neither an id nor a time of before', () => {
    const cancel = { return_value: { status: 'cancelled' }, timestamp: '1777885210' };
    const again = booked({ start: START }, { timestamp: '1777885220' });
    expect(booking({ cancel_booking: cancel, book: again })).toStrictEqual({
      status: 'moved',
      action: 'book',
      starts_at: STARTS_AT,
    });
    expect(booking({ cancel_booking: cancel, book: booked({ id: '1' }, { timestamp: '1777885220' }) })).toMatchObject({
      id: '1',
    });
    // What was cancelled after it was booked is cancelled, and not moved.
    expect(booking({ book: booked({ id: '1' }), cancel_booking: cancel }).status).toBe('canceled');
    const twice = { book: booked({ id: '1' }), again: booked({ id: '2' }) };
    expect(booking(twice)).toStrictEqual({ status: 'booked', action: 'again', id: '2' });
  });

  it.each<[string, object, object]>([
    ['by a word of the answer', { book: booked({ status: 'rescheduled', id: '1' }) }, { status: 'moved', id: '1' }],
    [
      'by a name that says both',
      { cancel_and_reschedule_booking: { return_value: { id: '1' } } },
      { status: 'moved', id: '1' },
    ],
    ['by a time alone', { book: booked({ start: START }) }, { status: 'booked', starts_at: STARTS_AT }],
    ['by an id alone', { book: booked({ id: '1' }) }, { status: 'booked', id: '1' }],
    ['by a word alone', { book: booked({ status: 'confirmed' }) }, { status: 'booked' }],
    [
      'by the name of the action alone',
      { a1: { name: 'book_visit', return_value: { id: '1' } } },
      { action: 'book_visit' },
    ],
    [
      'in a calendar’s other words',
      { book: booked({ start: { date_time: START }, end: { time: START } }) },
      {
        starts_at: STARTS_AT,
        ends_at: STARTS_AT,
      },
    ],
    ['three levels deep', { book: booked({ data: { booking: { id: '1' } } }) }, { id: '1' }],
    ['outermost first', { book: booked({ data: { id: '2' }, id: '1' }) }, { id: '1' }],
    ['of a type that is none of a transfer', { transfer_slot: booked({ id: '1' }) }, { action: 'transfer_slot' }],
  ])('is known %s', (_what, actions, expected) => {
    expect(booking(actions)).toMatchObject(expected);
  });

  it('is none four levels deep, nor in the name of a transfer', () => {
    expect(booking({ book: booked({ data: { data: { data: { id: '1' } } } }) })).toEqual({});
    expect(booking({ transfer_to_booking_desk: { return_value: { id: '1' } } })).toEqual({});
  });

  it('that did not work is failed, unless another one did', () => {
    const failed = booked({ status: 'error' }, { timestamp: '1777885220' });
    expect(booking({ book: failed })).toStrictEqual({ status: 'failed', action: 'book' });
    expect(booking({ book: failed, again: booked({ id: '1' }, { timestamp: '1777885210' }) })).toMatchObject({
      status: 'booked',
      id: '1',
    });
  });

  it('is none where free times were looked up, words extracted, or something else was done', () => {
    expect(booking({ book: booked({ slots: ['2026-12-01T09:00:00Z'] }) })).toEqual({});
    const extracted = { action_type: 'extract_info_action_type', return_value: { appointment_time: START } };
    expect(booking({ info_extractor_appointment_time: extracted })).toEqual({});
    expect(booking({ send_offer: { return_value: { id: '1', start: START } } })).toEqual({});
  });
});

describe('of several revisions', () => {
  const plain = read();
  const more = read(
    {},
    { executed_actions: { book: booked({ id: '77', start: START }), desk: transfer({ to: '+14155550123' }) } },
  );

  it('what a later one says is added', () => {
    expect(mergeCalls(plain, more)).toMatchObject({ transferred_to: '+14155550123', booking: { id: '77' } });
    expect(mergeCalls(more, plain)).toMatchObject({ transferred_to: '+14155550123', booking: { id: '77' } });
  });

  it('a signature alone adds neither: they are addresses, and find records', () => {
    const { call, left_out } = combineRevisions(plain, [{ call: more, proved: false }]);
    expect(call.booking).toEqual({});
    expect(call).not.toHaveProperty('transferred_to');
    expect(left_out).toEqual(expect.arrayContaining(['transferred_to', 'booking']));
    expect(combineRevisions(plain, [{ call: more, proved: true }]).call.booking).toMatchObject({ id: '77' });
  });
});
