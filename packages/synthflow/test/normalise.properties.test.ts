import type { Call } from '@wrapup/call';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  contradicts,
  equalCalls,
  mergeCalls,
  normalise,
  readCallId,
  samplePayload,
  trimPayload,
} from '../src/index.ts';
import { CONTEXT } from './support/read.ts';

const RUNS = { numRuns: Number(process.env.FAST_CHECK_RUNS ?? 250) };

/** Anything that a key of Synthflow's may hold, likely and unlikely. */
const likely = fc.oneof(
  fc.constantFrom(
    ...[
      'completed',
      'no-answer',
      'in-progress',
      'voicemail',
      'human_goodbye',
      'undefined',
      'true',
      'True',
      'partial',
      '',
    ],
    ...[
      '+14155550123',
      'anonymous',
      '14155550123',
      'dana@example.com',
      'Dana Example',
      'outbound',
      'inbound',
      '[REDACTED]',
    ],
    ...['2026-05-04T10:59:46+02:00', '1777885186000', '113', 'bot: Hi\nhuman: Yes\nno', '{"a": 1}', '{"a"', '[]', '{}'],
  ),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
);
const names = fc.oneof(
  fc.constantFrom(
    ...[
      'value',
      'collected',
      'email',
      'budget',
      'name',
      'phone_number',
      'prompt_variables',
      'return_value',
      'action_type',
    ],
    ...[
      'info_extractor_a',
      'extract_info_b ',
      'identifier',
      'parameters_hard_coded',
      'goal',
      'goal_feedback',
      '__proto__',
    ],
    ...[
      'constructor',
      'prototype',
      'toString',
      'hasOwnProperty',
      'agent-1',
      'caller',
      'callee',
      'user_phone_number',
      'key',
    ],
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
);
/** Text of any code units, NUL and lone surrogates included. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
);
/** Objects whose `__proto__` is a key of their own, as JSON.parse makes them. */
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    { weight: 4, arbitrary: likely },
    { weight: 1, arbitrary: text },
    {
      weight: 3,
      arbitrary: fc
        .array(fc.tuple(names, tie('json')), { maxLength: 4 })
        .map((entries) => Object.fromEntries(entries) as unknown),
    },
    { weight: 1, arbitrary: fc.array(tie('json'), { maxLength: 3 }) },
  ),
}));

const fields = (...keys: string[]) =>
  fc.record(Object.fromEntries(keys.map((key) => [key, json])), { requiredKeys: [] }) as fc.Arbitrary<object>;
const callFields = fields(
  ...[
    'status',
    'call_status',
    'end_call_reason',
    'custom_end_call_reason',
    'model_id',
    'timezone',
    'duration',
    'start_time',
  ],
  ...[
    'transcript',
    'recording_url',
    'diversion',
    'external_id',
    'type_of_call',
    'phone_number_from',
    'phone_number_to',
  ],
  ...['agent_phone_number', 'lead_name', 'lead_phone_number', 'name', 'telephony_start', 'direction', 'phones'],
);
const rootFields = fields(
  ...['status', 'error_message', 'lead', 'executed_actions', 'analysis', 'judge_results', 'collected_variables'],
  ...['metadata', 'prompt_variables'],
);
const callId = fc.oneof(fc.uuid(), fc.maxSafeInteger());
/** A payload with a call id, in any of the shapes, holding anything. */
const payload: fc.Arbitrary<object> = fc
  .tuple(fc.constantFrom('webhook', 'flat', 'answer'), callId, callFields, rootFields)
  .map(([shape, call_id, call, root]) => {
    if (shape === 'webhook') return { ...root, call: { ...call, call_id } };
    const record = { ...root, ...call, call_id };
    return shape === 'flat' ? record : { status: 'ok', response: { calls: [record] } };
  });
const context = fc.record({
  source: fc.constant('main'),
  default_country: fc.constantFrom(undefined, 'US', 'DE', 'xx'),
  received_at: fc.option(fc.integer({ min: 1_600_000_000_000, max: 1_900_000_000_000 }), { nil: undefined }),
});

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

describe('whatever a payload with a call id holds', () => {
  it('never throws, and the record keeps its shape', () => {
    fc.assert(
      fc.property(payload, context, (given, with_) => {
        const call = normalise(given, with_);
        expect(call.id).toBe(readCallId(given));
        for (const time of [call.started_at, call.ended_at, call.received_at]) {
          if (time !== undefined) expect(time).toMatch(ISO);
        }
        for (const action of Object.values(call.actions)) if (action.at !== undefined) expect(action.at).toMatch(ISO);
        expect(call.started_at === undefined).toBe(call.ended_at === undefined);
        if (call.duration !== undefined) {
          expect(Number.isFinite(call.duration)).toBe(true);
          expect(call.duration).toBeGreaterThanOrEqual(0);
        }
        for (const number of [call.lead.phone, call.from_number, call.to_number, call.agent.number]) {
          if (number !== undefined) expect(number).toMatch(/^\+\d{5,15}$/);
        }
        for (const { path, message } of call.notes) expect([typeof path, typeof message]).toEqual(['string', 'string']);
      }),
      RUNS,
    );
  });

  it('leaves absent facts out: no null, no undefined, no empty text', () => {
    fc.assert(
      fc.property(payload, (given) => {
        const { raw: _, notes: __, transcript: ___, ...call } = normalise(given, CONTEXT);
        for (const part of [call, call.lead, call.agent, call.vars, call.extracted, call.analysis, call.metadata]) {
          for (const value of Object.values(part)) {
            expect(value === null || value === undefined).toBe(false);
          }
        }
        for (const value of Object.values({ ...call, ...call.lead, ...call.agent, ...call.vars }))
          expect(value).not.toBe('');
      }),
      RUNS,
    );
  });

  it('holds only well-formed text, in a form that JSON can tell', () => {
    fc.assert(
      fc.property(payload, (given) => {
        const { raw: _, ...call } = normalise(given, CONTEXT);
        const told = JSON.stringify(call);
        expect(told).not.toContain('\\u0000');
        expect(told).not.toMatch(/\\ud[89a-f]/i);
        expect(equalCalls(JSON.parse(told) as Call, { ...call, raw: null })).toBe(true);
      }),
      RUNS,
    );
  });

  it('reaches no prototype', () => {
    const before = Object.getOwnPropertyNames(Object.prototype).join();
    fc.assert(
      fc.property(payload, (given) => {
        const call = normalise(given, CONTEXT);
        for (const part of [call.vars, call.collected, call.extracted, call.actions, call.analysis, call.metadata]) {
          expect(Object.getPrototypeOf(part)).toBeNull();
          for (const refused of ['__proto__', 'constructor', 'prototype'])
            expect(Object.hasOwn(part, refused)).toBe(false);
        }
        expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(before);
      }),
      RUNS,
    );
  });

  it('vars hold what was collected or extracted, and nothing else', () => {
    fc.assert(
      fc.property(payload, (given) => {
        const { vars, collected, extracted } = normalise(given, CONTEXT);
        for (const [name, value] of Object.entries(vars)) {
          const entry = Object.hasOwn(collected, name) && collected[name]?.collected ? collected[name] : undefined;
          expect(value === entry?.value || value === extracted[name]).toBe(true);
        }
        for (const name of Object.keys(extracted)) expect(Object.hasOwn(vars, name)).toBe(true);
      }),
      RUNS,
    );
  });

  it('is not changed by being read, and reads the same twice', () => {
    fc.assert(
      fc.property(payload, (given) => {
        const before = structuredClone(given);
        const call = normalise(given, CONTEXT);
        expect(given).toEqual(before);
        expect(call.raw).toBe(given);
        expect(equalCalls(call, normalise(before, CONTEXT))).toBe(true);
        expect(contradicts(call, call)).toEqual([]);
        expect(equalCalls(mergeCalls(call, call), call)).toBe(true);
      }),
      RUNS,
    );
  });

  it('reads the same once trimmed', () => {
    fc.assert(
      fc.property(payload, (given) => {
        const call = normalise(given, CONTEXT);
        const trimmed = trimPayload(given, { transcript: true, raw: false });
        expect(equalCalls(normalise(trimmed, CONTEXT), call)).toBe(true);
        const { transcript: _, ...untold } = { ...call, turns: [] };
        for (const raw of [true, false]) {
          const silent = normalise(trimPayload(given, { transcript: false, raw }), CONTEXT);
          expect(equalCalls(silent, untold)).toBe(true);
        }
      }),
      RUNS,
    );
  });

  it('merges with any other revision of the call', () => {
    fc.assert(
      fc.property(payload, payload, (one, other) => {
        const [older, newer] = [normalise(one, CONTEXT), { ...normalise(other, CONTEXT) }];
        newer.id = older.id;
        const merged = mergeCalls(older, newer);
        expect(merged.raw).toBe(other);
        expect(equalCalls(mergeCalls(merged, newer), merged)).toBe(true);
        if (older.terminal && contradicts(older, newer).length === 0) expect(contradicts(older, merged)).toEqual([]);
      }),
      RUNS,
    );
  });
});

describe('any JSON at all', () => {
  it('either has a call id and is read, or is refused as having none', () => {
    fc.assert(
      fc.property(json, (given) => {
        if (readCallId(given) === undefined) expect(() => normalise(given, CONTEXT)).toThrow(TypeError);
        else expect(normalise(given, CONTEXT).source).toBe('main');
        trimPayload(given, { transcript: false, raw: false });
      }),
      RUNS,
    );
  });
});

describe('turns', () => {
  const line = fc.tuple(
    fc.constantFrom('bot: ', 'human: ', 'assistant:', 'Human : ', '', '  '),
    fc.string({ maxLength: 12 }),
  );

  it('hold every word of the transcript once, in order', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const transcript = lines.map((parts) => parts.join('')).join('\n');
        const { turns } = normalise(samplePayload('connected', { transcript }), CONTEXT);
        const spoken = transcript.replace(/^[ \t]*(?:bot|human|assistant)[ \t]*:/gim, '');
        expect(
          turns
            .map(({ text }) => text)
            .join('')
            .replace(/\s/g, ''),
        ).toBe(spoken.replace(/\s/g, ''));
        for (const turn of turns) expect(turn.text).toBe(turn.text.trim());
      }),
      RUNS,
    );
  });
});
