import { describe, expect, it } from 'vitest';
import { equalCalls, normalise } from '../src/index.ts';
import { CONTEXT, notesAt, read } from './support/read.ts';

const transcript = '\nassistant: Hello\nhuman: Hi';
const executed_actions = {
  info_extractor_topic: { action_type: 'extract_info_action_type', return_value: '{"topic": "upgrade"}' },
};

/** One call as each of Synthflow's three voices tells it: https://docs.synthflow.ai/api-reference */
const fromWebhook = {
  status: 'completed',
  error_message: '',
  lead: { name: 'Dana Example', phone_number: '+14155550123', prompt_variables: { plan: 'Team' } },
  call: {
    status: 'completed',
    end_call_reason: 'human_goodbye',
    model_id: 'agent-1',
    timezone: 'Europe/Berlin',
    call_id: 'c-1',
    duration: 113,
    start_time: '2026-05-04T10:59:46+02:00',
    transcript,
    recording_url: 'https://recordings.example.com/c-1.mp3',
  },
  executed_actions: {
    info_extractor_topic: { action_type: 'extract_info_action_type', return_value: { topic: 'upgrade' } },
  },
  analysis: { goal: 'partial' },
  collected_variables: { seats: { value: 20, collected: true } },
};
const fromList = {
  agent_phone_number: '+14155550100',
  call_id: 'c-1',
  call_status: 'completed',
  collected_variables: { 'agent-1': { seats: { value: 20, collected: true } } },
  duration: '113',
  end_call_reason: 'human_goodbye',
  error_message: null,
  executed_actions,
  judge_results: { goal: 'Partial' },
  labels: [],
  lead_name: 'Dana Example',
  lead_phone_number: '+14155550123',
  model_id: 'agent-1',
  name: 'Dana Example',
  phone_number_from: '+14155550100',
  phone_number_to: '+14155550123',
  recording_url: 'https://recordings.example.com/c-1.mp3',
  start_time: '1777885186000',
  telephony_duration: 119000,
  telephony_start: '2026-05-04T08:59:40',
  timezone: 'Europe/Berlin',
  transcript,
  type_of_call: 'outbound',
};
const fromSingle = {
  status: 'ok',
  response: {
    pagination: { total_records: 1, limit: 20, offset: 0 },
    calls: [
      {
        call_id: 'c-1',
        status: 'completed',
        end_call_reason: 'human_ended_call',
        custom_end_call_reason: null,
        duration: 113,
        executed_actions,
        model_id: 'agent-1',
        name: 'Dana Example',
        phone_number_from: '+14155550100',
        phone_number_to: '+14155550123',
        prompt_variables: { plan: 'Team' },
        collected_variables: null,
        recording_url: 'https://recordings.example.com/c-1.mp3',
        start_time: '1777885186000',
        timezone: 'Europe/Berlin',
        transcript,
        type_of_call: 'outbound',
      },
    ],
  },
};

const facts = {
  id: 'c-1',
  source: 'main',
  status: 'completed',
  outcome: 'connected',
  answered_by: 'human',
  end_reason: 'human_ended',
  terminal: true,
  started_at: '2026-05-04T08:59:46.000Z',
  ended_at: '2026-05-04T09:01:39.000Z',
  duration: 113,
  timezone: 'Europe/Berlin',
  lead: { name: 'Dana Example', first_name: 'Dana', last_name: 'Example', phone: '+14155550123', country: 'US' },
  turns: [
    { speaker: 'agent', text: 'Hello' },
    { speaker: 'human', text: 'Hi' },
  ],
  extracted: { topic: 'upgrade' },
  recording_url: 'https://recordings.example.com/c-1.mp3',
  notes: [],
};

describe('one call, as every shape tells it', () => {
  it('webhook', () => {
    const call = normalise(fromWebhook, CONTEXT);
    expect(call).toMatchObject({ ...facts, utc_offset: '+02:00', agent: { id: 'agent-1' } });
    expect(call).toMatchObject({
      vars: { seats: 20, topic: 'upgrade' },
      analysis: { goal: 'partial' },
      prompt_variables: { plan: 'Team' },
    });
    expect(call).not.toHaveProperty('direction');
  });

  it('record of the REST list', () => {
    const call = normalise(fromList, CONTEXT);
    expect(call).toMatchObject({ ...facts, direction: 'outbound', agent: { id: 'agent-1', number: '+14155550100' } });
    expect(call).toMatchObject({ vars: { seats: 20, topic: 'upgrade' }, analysis: { goal: 'partial' } });
    expect(call).not.toHaveProperty('utc_offset');
  });

  it('answer of the REST API for one call', () => {
    const call = normalise(fromSingle, CONTEXT);
    expect(call).toMatchObject({ ...facts, direction: 'outbound', analysis: {}, vars: { topic: 'upgrade' } });
    expect(call.prompt_variables).toEqual({ plan: 'Team' });
    expect(call.raw).toBe(fromSingle);
  });

  it('answer for one call with call_status, which some records have', () => {
    const record = { ...fromSingle.response.calls[0], status: undefined, call_status: 'no-answer', duration: 0 };
    expect(normalise({ response: { calls: [record] } }, CONTEXT).outcome).toBe('no_answer');
  });

  it('inbound: the lead is the caller', () => {
    const call = normalise({ ...fromSingle.response.calls[0], type_of_call: 'inbound' }, CONTEXT);
    expect(call.lead.phone).toBe('+14155550100');
  });

  it('the same twice is equal', () => {
    expect(equalCalls(normalise(fromWebhook, CONTEXT), normalise(structuredClone(fromWebhook), CONTEXT))).toBe(true);
  });
});

describe('the flat shape', () => {
  it.each([['Call_id'], ['callId'], ['call_id']])('with %s', (name) => {
    const call = normalise(
      {
        [name]: 'c-1',
        call_status: 'Completed',
        duration: '35',
        direction: 'outbound',
        phone_number_to: '14155550123',
        phone_number_from: '+14155550100',
        transcript,
      },
      CONTEXT,
    );
    expect(call).toMatchObject({
      id: 'c-1',
      outcome: 'connected',
      direction: 'outbound',
      duration: 35,
      lead: { phone: '+14155550123' },
      to_number: '+14155550123',
      from_number: '+14155550100',
    });
  });

  it('with phones', () => {
    const phones = { callee: '+14155550123', caller: '+14155550100' };
    const flat = { Call_id: 'c-1', call_status: 'busy', direction: 'inbound', phones };
    expect(normalise(flat, CONTEXT)).toMatchObject({ lead: { phone: '+14155550100' }, to_number: '+14155550123' });
  });

  it('with a status of its own making beside call_status', () => {
    expect(normalise({ call_id: 'c-1', status: 'ok', call_status: 'busy' }, CONTEXT).status).toBe('busy');
  });
});

describe('a webhook of 2024', () => {
  it('with swapped texts, ids of that time, fractional seconds and neither prompt variables nor analysis', () => {
    const call = normalise(
      {
        status: 'completed',
        error_message: 'agent_goodbye',
        lead: { name: 'Dana Example', phone_number: '+14155550123' },
        call: {
          status: 'completed',
          end_call_reason: 'completed',
          model_id: '1700000000000x123456789012345678',
          timezone: 'Europe/Berlin',
          call_id: '1714820386123x987654321098765432',
          duration: 48,
          start_time: '2024-05-04T10:59:46.123456+02:00',
          transcript: 'bot: Hello',
          diversion: null,
          external_id: 'crm-123',
        },
        executed_actions: { extract_info_budget: { return_value: '{"budget_": "10k"}' } },
      },
      CONTEXT,
    );
    expect(call).toMatchObject({
      id: '1714820386123x987654321098765432',
      outcome: 'connected',
      end_reason: 'agent_ended',
      started_at: '2024-05-04T08:59:46.123Z',
      external_id: 'crm-123',
      extracted: { budget_: '10k' },
      analysis: {},
    });
    expect(call).not.toHaveProperty('error');
    expect(call).not.toHaveProperty('diversion');
  });
});

describe('other facts', () => {
  const read = (call: object) => normalise({ call: { call_id: 'c-1', ...call } }, CONTEXT);

  it.each<[unknown, string | undefined]>([
    ['https://recordings.example.com/a.mp3?sig=1', 'https://recordings.example.com/a.mp3?sig=1'],
    ['null', undefined],
    [null, undefined],
    ['', undefined],
    ['recording.mp3', undefined],
    ['javascript:alert(1)', undefined],
    [`https://example.com/${'a'.repeat(9000)}`, undefined],
    [7, undefined],
  ])('a recording at %.60s', (recording_url, url) => {
    expect(read({ recording_url }).recording_url).toBe(url);
  });

  it('a diversion', () => {
    expect(read({ diversion: '<sip:+14155550123@example.com>' }).diversion).toBe('<sip:+14155550123@example.com>');
  });
});

describe('facts at their edges', () => {
  it.each([
    ['https://example.com/a.wav', true],
    ['HTTP://example.com/a.wav', true],
    ['http://example.com/a b', false],
    ['see https://example.com/a.wav', false],
    ['ftp://example.com/a.wav', false],
    ['https://example.com:port/a.wav', false],
    [`https://example.com/${'x'.repeat(8192 - 20)}`, true],
    [`https://example.com/${'x'.repeat(8193 - 20)}`, false],
  ])('a recording of case %# can be opened or is left out', (url, usable) => {
    const call = read({ recording_url: url });
    expect(call.recording_url).toBe(usable ? url : undefined);
    expect(notesAt(call, 'call.recording_url')).toHaveLength(usable ? 0 : 1);
  });

  it('a transcript of blanks is none, and one around blanks is kept as it came', () => {
    expect(Object.hasOwn(read({ transcript: ' \n ' }), 'transcript')).toBe(false);
    expect(read({ transcript: ' bot: hi ' }).transcript).toBe(' bot: hi ');
  });

  it('a source that moved keeps its prefix', () => {
    expect(read({}, {}, { key_prefix: 'main' }).key_prefix).toBe('main');
    expect(Object.hasOwn(read(), 'key_prefix')).toBe(false);
  });

  it.each([
    ['None', undefined],
    ['NULL', undefined],
    ['undefined', undefined],
    ['Nonesuch', 'Nonesuch'],
  ])('the external id %s is %s', (given, expected) => {
    expect(read({ external_id: given }).external_id).toBe(expected);
  });

  it.each([
    [8.64e15, true],
    [8.64e15 + 1, false],
    [Number.NaN, false],
    [Number.POSITIVE_INFINITY, false],
  ])('a payload that came at %s has a time of arrival: %s', (received_at, expected) => {
    expect(Object.hasOwn(read({}, {}, { received_at }), 'received_at')).toBe(expected);
  });

  it('a start more than a day after the payload came is none', () => {
    const received_at = Date.parse('2026-11-20T10:00:00Z');
    const startOf = (start_time: string, context = {}) => read({ start_time }, {}, context).started_at;
    expect(startOf('2026-11-21T10:00:00Z', { received_at })).toBe('2026-11-21T10:00:00.000Z');
    expect(startOf('2026-11-21T10:00:01Z', { received_at })).toBeUndefined();
    expect(startOf('2026-11-21T10:00:01Z')).toBe('2026-11-21T10:00:01.000Z');
  });

  it('what was collected and extracted alike is not worth a note', () => {
    const call = (extracted: unknown) =>
      read(
        {},
        {
          collected_variables: { city: { value: 'Springfield', collected: true } },
          executed_actions: { info_extractor_city: { return_value: { city: extracted } } },
        },
      );
    expect(call('Springfield')).toMatchObject({ vars: { city: 'Springfield' }, notes: [] });
    expect(call('Shelbyville')).toMatchObject({ vars: { city: 'Springfield' }, extracted: { city: 'Shelbyville' } });
    expect(notesAt(call('Shelbyville'), 'collected_variables.city')).toHaveLength(1);
  });
});
