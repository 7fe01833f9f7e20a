import type { JsonObject } from '@wrapup/call';
import { describe, expect, it } from 'vitest';
import { equalCalls, normalise, SAMPLE_KINDS, samplePayload, trimPayload } from '../src/index.ts';
import { CONTEXT } from './support/read.ts';

const KEEP_ALL = { transcript: true, raw: true };
const NO_TRANSCRIPT = { transcript: false, raw: true };
const NO_RAW = { transcript: true, raw: false };
const NEITHER = { transcript: false, raw: false };

describe('trimming a payload', () => {
  it('changes nothing when everything is kept', () => {
    const payload = samplePayload('connected');
    expect(trimPayload(payload, KEEP_ALL)).toBe(payload);
  });

  it.each(SAMPLE_KINDS.map((kind) => [kind]))('leaves the call record of %s as it was', (kind) => {
    const payload = samplePayload(kind);
    const before = structuredClone(payload);
    const trimmed = trimPayload(payload, NO_RAW);
    expect(payload).toEqual(before);
    expect(equalCalls(normalise(trimmed, CONTEXT), normalise(payload, CONTEXT))).toBe(true);
  });

  it('drops action definitions and unknown fields with raw', () => {
    const payload = { ...samplePayload('connected'), internal: 'x', labels: ['y'] };
    const text = JSON.stringify(trimPayload(payload, NO_RAW));
    expect(text).toContain('"identifier":"topic"');
    for (const gone of ['internal', 'labels', 'condition', 'choices', 'parameters_from_llm'])
      expect(text).not.toContain(gone);
    expect(text.length).toBeLessThan(JSON.stringify(payload).length);
  });

  it('drops the transcript alone', () => {
    const payload: JsonObject = { ...samplePayload('connected'), internal: 'x' };
    const trimmed = trimPayload(payload, NO_TRANSCRIPT) as typeof payload;
    expect(trimmed.internal).toBe('x');
    expect(trimmed.call).not.toHaveProperty('transcript');
    expect(payload.call).toHaveProperty('transcript');
    expect(normalise(trimmed, CONTEXT)).toMatchObject({ turns: [], duration: 134 });
  });

  it.each([
    ['webhook', { call: { call_id: 'c-1', transcript: 'bot: secret' }, transcript: 'bot: secret' }],
    ['flat', { call_id: 'c-1', transcript: 'bot: secret' }],
    ['REST answer', { response: { calls: [{ call_id: 'c-1', transcript: 'bot: secret' }, { transcript: 'secret' }] } }],
    ['unknown', { transcript: 'bot: secret', call: { transcript: 'secret' } }],
  ])('drops it from the %s shape', (_, payload) => {
    for (const keep of [NO_TRANSCRIPT, NEITHER])
      expect(JSON.stringify(trimPayload(payload, keep))).not.toContain('secret');
  });

  it('keeps the shape of a REST answer', () => {
    const payload = {
      status: 'ok',
      response: { pagination: {}, calls: [{ call_id: 'c-1', call_status: 'busy', labels: [] }] },
    };
    expect(trimPayload(payload, NO_RAW)).toStrictEqual({
      response: { calls: [{ call_id: 'c-1', call_status: 'busy' }] },
    });
    const [record] = payload.response.calls;
    expect(trimPayload(record, NO_RAW)).toStrictEqual({ call_id: 'c-1', call_status: 'busy' });
  });

  it('keeps of an action what it did, and of its definition what it is called or where it leads', () => {
    const parameters_hard_coded = { identifier: 'a', phone: '+14155550123', condition: 'x' };
    const executed_actions = {
      transfer_desk: { parameters_hard_coded, timestamp: '1777885186', labels: [] },
      desk: { action_type: 'transfer_call_action_type', parameters_hard_coded },
      info: { action_type: 'extract', parameters_hard_coded },
      plain: { parameters_hard_coded: { condition: 'x' } },
      odd: 'done',
    };
    const trimmed = (actions: unknown) =>
      (trimPayload({ call_id: 'c-1', executed_actions: actions }, NO_RAW) as JsonObject).executed_actions;
    const kept = {
      transfer_desk: { timestamp: '1777885186', parameters_hard_coded: { phone: '+14155550123' } },
      desk: { action_type: 'transfer_call_action_type', parameters_hard_coded: { phone: '+14155550123' } },
      info: { action_type: 'extract', parameters_hard_coded: { identifier: 'a' } },
      plain: {},
      odd: 'done',
    };
    expect(trimmed(executed_actions)).toStrictEqual(kept);
    const list = Object.entries(executed_actions).map(([name, action]) =>
      typeof action === 'object' ? { name, ...action } : action,
    );
    expect(trimmed([...list, { parameters_hard_coded }])).toStrictEqual([
      ...Object.entries(kept).map(([name, action]) => (typeof action === 'object' ? { name, ...action } : action)),
      { parameters_hard_coded: { identifier: 'a' } },
    ]);
    expect(trimmed('none')).toBe('none');
  });

  it('keeps of a lead what is read of it', () => {
    const lead = { name: 'Dana', phone_number: '1', email: 'a', prompt_variables: {}, id: 5 };
    const { id: _, ...read } = lead;
    expect(trimPayload({ call: { call_id: 'c-1' }, lead }, NO_RAW)).toStrictEqual({
      lead: read,
      call: { call_id: 'c-1' },
    });
  });

  it('leaves what has no transcript as it was', () => {
    for (const payload of [{ response: 'x' }, { response: { calls: 'x' } }, { response: { calls: ['x'] }, call: 5 }])
      expect(trimPayload(payload, NO_TRANSCRIPT)).toStrictEqual(payload);
  });

  it('keeps what it does not know: raw is all there is of it', () => {
    const payload = { event: 'chat_ended', messages: ['Hi'] };
    expect(trimPayload(payload, NO_RAW)).toEqual(payload);
  });

  it.each([[null], ['text'], [7], [[1]]])('takes any JSON: %j', (payload) => {
    expect(trimPayload(payload, NEITHER)).toEqual(payload);
  });

  it('leaves lead, actions and phones in whatever form they came', () => {
    const payload = {
      call: { call_id: 'c-1', phones: { caller: '+14155550100' } },
      lead: 'Dana',
      executed_actions: JSON.stringify([
        { name: 'info_extractor_a', return_value: 1, parameters_hard_coded: '{"identifier":"b"}' },
      ]),
    };
    const trimmed = trimPayload(payload, NO_RAW);
    expect(normalise(trimmed, CONTEXT).extracted).toEqual({ b: 1 });
    expect(equalCalls(normalise(trimmed, CONTEXT), normalise(payload, CONTEXT))).toBe(true);
  });
});

describe('what is nested too deep', () => {
  const nest = (levels: number, innermost: unknown, wrap: (inner: unknown) => unknown) => {
    let value = innermost;
    for (let level = 0; level < levels; level += 1) value = wrap(value);
    return value;
  };
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

  it.each<[string, (inner: unknown) => unknown]>([
    ['objects', (inner) => ({ a: inner, b: 1 })],
    ['lists', (inner) => [inner, 1]],
  ])('is cut in %s, and what stands above is kept', (_what, wrap) => {
    const trimmed = (levels: number) =>
      trimPayload({ call: { call_id: 'c', metadata: nest(levels, 'x', wrap) } }, NO_RAW);
    const whole = depthOf(trimmed(20));
    const deep = depthOf(trimmed(2_000));
    expect(whole).toBeLessThan(deep);
    expect(deep).toBe(depthOf(trimmed(1_500)));
    const text = JSON.stringify(trimmed(2_000));
    expect(text).toContain('null');
    expect(text).toContain('1');
    expect(text).not.toContain('"x"');
    expect(JSON.stringify(trimmed(20))).toContain('"x"');
  });

  it('is cut below a thousand levels, and not at all where everything is kept', () => {
    const payload = (levels: number) => nest(levels, 'x', (inner) => ({ a: inner }));
    expect(trimPayload(payload(1_000), NO_TRANSCRIPT)).toStrictEqual(payload(1_000));
    expect(depthOf(trimPayload(payload(1_001), NO_TRANSCRIPT))).toBe(1_000);
    const deep = payload(1_001);
    expect(trimPayload(deep, KEEP_ALL)).toBe(deep);
  });
});
