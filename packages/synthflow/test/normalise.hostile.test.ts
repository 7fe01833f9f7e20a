import { describe, expect, it } from 'vitest';
import { contradicts, equalCalls, mergeCalls, normalise, readCallId, trimPayload } from '../src/index.ts';
import { CONTEXT, parsed, read } from './support/read.ts';

const DEPTH = 100_000;
const deepObject = () => parsed(`${'{"a":'.repeat(DEPTH)}1${'}'.repeat(DEPTH)}`);
const deepList = () => parsed(`${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}`);

describe('nested 100,000 levels deep', () => {
  it.each([
    ['lead'],
    ['analysis'],
    ['collected_variables'],
    ['executed_actions'],
    ['metadata'],
    ['prompt_variables'],
    ['anything'],
  ])('%s', (part) => {
    for (const value of [
      deepObject(),
      deepList(),
      { a: deepObject() },
      { a: { return_value: deepList(), value: deepList() } },
    ]) {
      const call = read({}, { [part]: value });
      expect(call.id).toBe('c-1');
      const { raw, ...facts } = call;
      expect(JSON.stringify(facts)).not.toContain('[[[[');
      expect(() => JSON.stringify(raw)).toThrow(RangeError);
      expect(equalCalls(call, read({}, { [part]: value }))).toBe(true);
      expect(contradicts(call, mergeCalls(call, call))).toEqual([]);
    }
  });

  it('in JSON text inside a string', () => {
    const text = `${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}`;
    const call = read({}, { executed_actions: { a: { return_value: text } }, metadata: text });
    expect(call.actions.a).not.toHaveProperty('return_value');
    expect(call.notes.map(({ path }) => path)).toContain('executed_actions.a.return_value');
  });

  it('can be written as JSON again once trimmed', () => {
    const payload = { call: { call_id: 'c-1' }, metadata: deepObject(), analysis: { goal: deepList() } };
    for (const keep of [
      { transcript: false, raw: true },
      { transcript: true, raw: false },
      { transcript: false, raw: false },
    ]) {
      expect(JSON.parse(JSON.stringify(trimPayload(payload, keep)))).toHaveProperty('call.call_id', 'c-1');
    }
  });
});

describe('100,000 keys', () => {
  it('in every part', () => {
    const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`k${index}`, { value: index }]));
    const call = read(
      {},
      { collected_variables: many, metadata: many, analysis: many, executed_actions: many, lead: many },
    );
    // More than any call has; the rest would only keep others waiting.
    expect(Object.keys(call.vars)).toHaveLength(5_000);
    expect(call.notes.length).toBeLessThanOrEqual(51);
    expect(call.notes.map(({ path, message }) => `${path} ${message}`)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^collected_variables has more than 5000 members/),
        expect.stringMatching(/^executed_actions has more than 5000 members/),
        expect.stringMatching(/^metadata has more than 5000 members/),
      ]),
    );
    expect(call.notes.at(-1)?.message).toMatch(/^\d+ more notes/);
  });
});

describe('keys that mean a prototype', () => {
  const text = `{
    "__proto__": {"call": {"status": "busy"}, "isAdmin": true},
    "call": {"call_id": "c-1", "status": "completed", "__proto__": {"duration": 9}},
    "lead": {"__proto__": {"phone_number": "+14155550123", "email": "dana@example.com"}},
    "analysis": {"__proto__": "true", "constructor": "true", "goal": "true"},
    "metadata": {"__proto__": {"isAdmin": true}, "prototype": 1},
    "collected_variables": {"__proto__": {"value": "x", "collected": true}, "constructor": {"value": "x", "collected": true},
      "agent": {"__proto__": {"value": "x", "collected": true}}},
    "executed_actions": {"__proto__": {"return_value": {"x": 1}}, "info_extractor_a": {"return_value": "{\\"__proto__\\": {\\"x\\": 1}, \\"a\\": 1}"}}
  }`;

  it('reach nothing', () => {
    const call = normalise(parsed(text), CONTEXT);
    expect(call).toMatchObject({ status: 'completed', lead: {}, analysis: { goal: 'true' } });
    expect(call).not.toHaveProperty('duration');
    expect(call.vars).toEqual({ a: 1 });
    expect(call.metadata).toEqual({});
    for (const name of [
      'vars',
      'collected',
      'extracted',
      'actions',
      'analysis',
      'metadata',
      'prompt_variables',
    ] as const) {
      expect(Object.getPrototypeOf(call[name])).toBeNull();
      expect(Object.keys(call[name])).not.toContain('__proto__');
    }
    expect(Object.hasOwn(Object.prototype, 'isAdmin')).toBe(false);
    expect(Object.assign({}, call.metadata, call.vars)).not.toHaveProperty('isAdmin');
  });

  it('survive trimming without reaching anything', () => {
    const trimmed = trimPayload(parsed(text), { transcript: false, raw: false });
    expect(readCallId(trimmed)).toBe('c-1');
    expect(normalise(trimmed, CONTEXT).vars).toEqual({ a: 1 });
  });
});

describe('texts that no CRM stores', () => {
  it('lose NUL and lone surrogates everywhere but in raw', () => {
    const bad = 'a\0b\udc00c';
    const payload = {
      call: {
        call_id: 'c-1',
        status: bad,
        end_call_reason: bad,
        custom_end_call_reason: bad,
        transcript: bad,
        timezone: bad,
      },
      error_message: bad,
      lead: { name: bad, prompt_variables: { [bad]: bad } },
      metadata: { nested: { [bad]: [bad] } },
      analysis: { goal_feedback: bad, [bad]: bad },
      collected_variables: { [bad]: { value: bad, collected: true } },
      executed_actions: { [bad]: { action_type: 'extract', return_value: { [bad]: bad }, error_message: bad } },
    };
    const { raw, ...facts } = normalise(payload, CONTEXT);
    const text = JSON.stringify(facts);
    expect(text).toContain('abc');
    expect(text).not.toContain('\\u0000');
    expect(text).not.toContain('\\udc00');
    expect(raw).toBe(payload);
    expect(facts.vars).toEqual({ abc: 'abc' });
  });

  it('numbers too large for JSON are left out', () => {
    const call = read({}, { metadata: parsed('{"n": 1e999, "m": 1}') });
    expect(call.metadata).toEqual({ m: 1 });
    expect(call.notes).toHaveLength(1);
  });
});

describe('notes', () => {
  it('name no values, and mask keys that could be personal', () => {
    const secret = 'dana@example.com +14155550123 Dana Example';
    const call = read(
      { status: secret, end_call_reason: secret, duration: secret, start_time: secret, recording_url: secret },
      {
        lead: { name: '+14155550123 <dana@example.com>', phone_number: secret, email: secret },
        analysis: { [secret]: {}, goal: secret },
        collected_variables: { '+14155550123': 'x', 'dana@example.com': 'x' },
        executed_actions: { [secret]: null },
      },
    );
    const notes = JSON.stringify(call.notes);
    expect(call.notes.length).toBeGreaterThan(8);
    for (const part of ['dana', '415', 'Dana', '555']) expect(notes).not.toContain(part);
  });
});

describe('megabytes', () => {
  it.each([
    ['status'],
    ['end_call_reason'],
    ['custom_end_call_reason'],
    ['start_time'],
    ['duration'],
    ['timezone'],
    ['recording_url'],
    ['model_id'],
    ['type_of_call'],
    ['phone_number_to'],
    ['lead_name'],
    ['lead_email'],
    ['metadata'],
    ['analysis'],
    ['executed_actions'],
    ['collected_variables'],
  ])(
    'of %s',
    (part) => {
      for (const text of [`${' '.repeat(5e6)}x`, 'a@'.repeat(2.5e6), '{'.repeat(5e6), `http://${'9'.repeat(5e6)}`]) {
        expect(read({ [part]: text }).id).toBe('c-1');
      }
    },
    60_000,
  );
});
