import { describe, expect, it } from 'vitest';
import { notesAt, parsed, read } from './support/read.ts';

const collect = (collected_variables: unknown) => read({}, { collected_variables });

describe('collected variables', () => {
  it('come by name', () => {
    const call = collect({ user_name: { value: 'Dana', collected: true }, seats: { value: 20, collected: true } });
    expect(call.collected).toEqual({
      user_name: { value: 'Dana', collected: true },
      seats: { value: 20, collected: true },
    });
    expect(call.vars).toEqual({ user_name: 'Dana', seats: 20 });
    expect(call.notes).toEqual([]);
  });

  it('come by agent and then by name', () => {
    const call = collect({ 'agent-1': { budget: { value: '10k', collected: true } } });
    expect(call.collected).toEqual({ budget: { value: '10k', collected: true, agent_id: 'agent-1' } });
    expect(call.vars).toEqual({ budget: '10k' });
  });

  it('of several agents: the last that was really collected wins', () => {
    const call = collect({
      'agent-1': { budget: { value: '10k', collected: true }, name: { value: 'Dana', collected: true } },
      'agent-2': { budget: { value: '12k', collected: true }, name: { value: null, collected: false } },
    });
    expect(call.vars).toEqual({ budget: '12k', name: 'Dana' });
    expect(call.collected.budget?.agent_id).toBe('agent-2');
    expect(call.collected.name?.agent_id).toBe('agent-1');
    expect(call.notes).toHaveLength(2);
  });

  it('that were not collected are kept apart and are no vars', () => {
    const call = collect({ a: { value: null, collected: false }, b: { value: 'default', collected: false } });
    expect(call.collected.b).toEqual({ value: 'default', collected: false });
    expect(call.vars).toEqual({});
  });

  it('without a value are no vars', () => {
    expect(collect({ a: { value: null, collected: true }, b: { value: '', collected: true } }).vars).toEqual({});
  });

  it.each<[string, unknown, boolean]>([
    ['said in a text', { value: 'x', collected: 'True' }, true],
    ['denied in a text', { value: 'x', collected: 'false' }, false],
    ['not said, with a value', { value: 'x' }, true],
    ['not said, without a value', { value: null }, false],
    ['said without a value', { collected: true }, true],
  ])('collected: %s', (_, leaf, collected) => {
    expect(collect({ a: leaf }).collected.a?.collected).toBe(collected);
  });

  it('keep false and zero', () => {
    expect(collect({ a: { value: false, collected: true }, b: { value: 0, collected: true } }).vars).toEqual({
      a: false,
      b: 0,
    });
  });

  it('may be named value and collected', () => {
    const call = collect({
      'agent-1': { value: { value: 'x', collected: true }, collected: { value: 1, collected: true } },
    });
    expect(call.vars).toEqual({ value: 'x', collected: 1 });
  });

  it('of an agent may have those names too, whatever else is said of them', () => {
    expect(collect({ 'agent-1': { value: { value: 'x' } } }).vars).toEqual({ value: 'x' });
    expect(collect({ 'agent-1': { collected: { collected: true, value: 'x' } } }).vars).toEqual({ collected: 'x' });
    expect(collect({ 'agent-1': { collected: { collected: false } } }).collected).toEqual({
      collected: { value: null, collected: false, agent_id: 'agent-1' },
    });
  });

  it('may hold objects', () => {
    const address = { street: 'Elm Street', number: 5 };
    expect(collect({ address: { value: address, collected: true } }).vars).toEqual({ address });
  });

  it('with a name that no mapping may read are left out, which is noted', () => {
    const call = collect(parsed('{"a":{"value":1},"constructor":{"value":2}}'));
    expect(call.vars).toEqual({ a: 1 });
    expect(notesAt(call, 'collected_variables')).toHaveLength(1);
  });

  it('are five thousand at most, of all agents together', () => {
    const many = (agent: string, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`${agent} ${n}`, { value: n, collected: true }]));
    const { vars } = collect({ a: many('a', 3_000), b: many('b', 3_000), c: many('c', 1_500) });
    expect(Object.keys(vars)).toHaveLength(5_000);
    expect(Object.keys(vars).at(-1)).toBe('b 1999');
  });

  it('may be bare values, which is noted', () => {
    const call = collect({ budget: '10k' });
    expect(call.vars).toEqual({ budget: '10k' });
    expect(notesAt(call, 'collected_variables.budget')).toHaveLength(1);
  });

  it.each([[null], [undefined], [''], [{}], [[]]])('may be missing: %j', (variables) => {
    const call = collect(variables);
    expect(call.collected).toEqual({});
    expect(call.notes).toEqual([]);
  });

  it.each([['some text'], [42], [true], [['a']]])('that are no object are noted: %j', (variables) => {
    const call = collect(variables);
    expect(call.collected).toEqual({});
    expect(notesAt(call, 'collected_variables')).toHaveLength(1);
  });

  it('may come as JSON text', () => {
    expect(collect('{"a":{"value":1,"collected":true}}').vars).toEqual({ a: 1 });
  });
});

/** A webhook with one extractor action, as documented unless something else is given. */
const extract = (action: object, name = 'info_extractor_budget') =>
  read(
    {},
    {
      executed_actions: {
        [name]: {
          name,
          action_type: 'extract_info_action_type',
          parameters_hard_coded: { identifier: 'budget', condition: '…', choices: null, examples: ['10k'] },
          parameters_from_llm: '{}',
          error_message: null,
          return_value: { budget: '10k' },
          return_value_status: '',
          is_relevant_action: 'true',
          timestamp_datetime: '2026-05-04T09:01:39.638940',
          timestamp: '1777885299.64',
          ...action,
        },
      },
    },
  );

describe('extractor results', () => {
  it('come as documented', () => {
    const call = extract({});
    expect(call.extracted).toEqual({ budget: '10k' });
    expect(call.vars).toEqual({ budget: '10k' });
    expect(call.actions.info_extractor_budget).toStrictEqual({
      name: 'info_extractor_budget',
      type: 'extract_info_action_type',
      return_value: { budget: '10k' },
      relevant: true,
      at: '2026-05-04T09:01:39.640Z',
    });
    expect(call.notes).toEqual([]);
  });

  it.each<[string, unknown, unknown]>([
    ['an object', { budget: 10 }, 10],
    ['an object in a text', '{"budget": "10k"}', '10k'],
    ['an object in a text with escapes', '{"budget": "\\u20ac 10"}', '€ 10'],
    ['an object in a text in a text', JSON.stringify('{"budget": "10k"}'), '10k'],
    ['a boolean inside', '{"budget": true}', true],
    ['two levels', { budget: { min: { eur: 5 } } }, { min: { eur: 5 } }],
    ['a bare text', '10k', '10k'],
    ['a bare number in a text, which stays text', '01234', '01234'],
    ['a bare boolean', false, false],
    ['a list', ['a', 'b'], ['a', 'b']],
  ])('return_value is %s', (_, return_value, value) => {
    expect(extract({ return_value }).extracted).toEqual({ budget: value });
  });

  it.each<[string, unknown]>([
    ['{}', {}],
    ['{} in a text', '{}'],
    ['null', null],
    ['null inside', { budget: null }],
    ['an empty text', ''],
    ['blanks', '  '],
    ['missing', undefined],
  ])('return_value is %s: nothing was found out', (_, return_value) => {
    const call = extract({ return_value });
    expect(call.extracted).toEqual({});
    expect(call.vars).toEqual({});
    expect(call.notes).toEqual([]);
  });

  it('that look like JSON and are not stay text, which is noted', () => {
    const call = extract({ return_value: '{"budget": 10k}' });
    expect(call.extracted).toEqual({ budget: '{"budget": 10k}' });
    expect(notesAt(call, 'executed_actions.info_extractor_budget.return_value')).toHaveLength(1);
  });

  it.each<[string, object, string, string]>([
    ['the key inside', { return_value: { 'Total Budget ': 1 } }, 'info_extractor_x', 'Total Budget '],
    [
      'the key inside, trailing underscore and all',
      { return_value: '{"budget_": 1}' },
      'extract_info_budget_',
      'budget_',
    ],
    [
      'the identifier',
      { return_value: 1, parameters_hard_coded: { identifier: 'annual budget' } },
      'x',
      'annual budget',
    ],
    ['the identifier in a text', { return_value: 1, parameters_hard_coded: '{"identifier":"b"}' }, 'x', 'b'],
    ['the action, without info_extractor_', { return_value: 1, parameters_hard_coded: '' }, 'info_extractor_b', 'b'],
    ['the action, without extract_info_', { return_value: 1, parameters_hard_coded: null }, 'extract_info_b', 'b'],
    ['the action, named freely', { return_value: 1, parameters_hard_coded: '{' }, 'my budget', 'my budget'],
  ])('are named by %s', (_, action, name, field) => {
    expect(extract(action, name).extracted).toEqual({ [field]: 1 });
  });

  it.each([['extract_info_action_type'], ['INFORMATION_EXTRACTOR'], ['Information Extractor'], [undefined]])(
    'are known by their type or name: %s',
    (action_type) => {
      expect(extract({ action_type }).extracted).toEqual({ budget: '10k' });
    },
  );

  it('are not taken from other actions', () => {
    const call = extract({ action_type: 'custom_function_action_type', return_value: { status: 'ok' } }, 'send_offer');
    expect(call.extracted).toEqual({});
    expect(call.actions.send_offer).toMatchObject({ return_value: { status: 'ok' }, status: 'ok' });
  });

  it('do not replace what was collected under the same name, and say so', () => {
    const executed_actions = {
      info_extractor_budget: { action_type: 'extract_info_action_type', return_value: { budget: '10k', seats: 3 } },
    };
    const call = read({}, { executed_actions, collected_variables: { budget: { value: 12000, collected: true } } });
    expect(call.vars).toEqual({ budget: 12000, seats: 3 });
    expect(call.extracted).toEqual({ budget: '10k', seats: 3 });
    expect(notesAt(call, 'collected_variables.budget')).toHaveLength(1);
  });

  it('stand in for a variable that was not collected', () => {
    const executed_actions = { info_extractor_budget: { return_value: { budget: '10k' } } };
    const call = read({}, { executed_actions, collected_variables: { budget: { value: null, collected: false } } });
    expect(call.vars).toEqual({ budget: '10k' });
  });

  it('of two actions: the later one is used, which is noted', () => {
    const executed_actions = {
      info_extractor_a: { return_value: { topic: 'first' } },
      info_extractor_b: { return_value: { topic: 'second' } },
      info_extractor_c: { return_value: { topic: null } },
    };
    const call = read({}, { executed_actions });
    expect(call.extracted).toEqual({ topic: 'second' });
    expect(notesAt(call, 'executed_actions.info_extractor_b')).toHaveLength(1);
  });
});

describe('executed actions', () => {
  it('tell a transfer that failed', () => {
    const call = extract(
      { action_type: 'transfer_call_action_type', return_value: '{"status":"transfer-failed-timeout"}' },
      'transfer',
    );
    expect(call.actions.transfer?.status).toBe('transfer-failed-timeout');
  });

  it('tell their own status and error', () => {
    const action = {
      return_value_status: 'error',
      error_message: 'HTTP 500',
      return_value: '',
      is_relevant_action: 'False',
    };
    expect(extract(action).actions.info_extractor_budget).toMatchObject({
      status: 'error',
      error: 'HTTP 500',
      relevant: false,
    });
  });

  it('take the naive time for UTC', () => {
    expect(extract({ timestamp: null }).actions.info_extractor_budget?.at).toBe('2026-05-04T09:01:39.638Z');
  });

  it.each([[null], [undefined], [''], [{}], [[]]])('may be missing: %j', (executed_actions) => {
    const call = read({}, { executed_actions });
    expect(call.actions).toEqual({});
    expect(call.notes).toEqual([]);
  });

  it('may come as a list', () => {
    const call = read(
      {},
      { executed_actions: [{ name: 'info_extractor_a', return_value: { a: 1 } }, { return_value: 2 }] },
    );
    expect(Object.keys(call.actions)).toEqual(['info_extractor_a', 'action_2']);
    expect(call.extracted).toEqual({ a: 1 });
  });

  it('with a name that no mapping may read are left out, which is noted', () => {
    const call = read({}, { executed_actions: { constructor: { return_value: 1 }, a: { return_value: 2 } } });
    expect(Object.keys(call.actions)).toEqual(['a']);
    expect(notesAt(call, 'executed_actions')).toHaveLength(1);
  });

  it('that are no objects are noted', () => {
    const call = read({}, { executed_actions: { a: 'done', b: null } });
    expect(call.actions).toEqual({});
    expect(call.notes).toHaveLength(2);
  });
});

describe('metadata and prompt variables', () => {
  it('are copied', () => {
    const call = read({}, { metadata: { session_id: 'abc' }, lead: { prompt_variables: { order_id: 'A-17' } } });
    expect(call.metadata).toEqual({ session_id: 'abc' });
    expect(call.prompt_variables).toEqual({ order_id: 'A-17' });
  });

  it('come as a list of keys and values too', () => {
    const lead = { prompt_variables: [{ key: 'order_id', value: 'A-17' }] };
    expect(read({}, { lead }).prompt_variables).toEqual({ order_id: 'A-17' });
  });

  it('leave out what is null', () => {
    expect(read({}, { metadata: { a: null, b: 0 } }).metadata).toEqual({ b: 0 });
  });

  it('have no members but their own', () => {
    const call = read(
      {},
      { metadata: parsed('{"__proto__":{"admin":true},"constructor":1,"a":{"__proto__":{"b":1},"c":2}}') },
    );
    expect(call.metadata).toEqual({ a: { c: 2 } });
    expect(call.metadata.toString).toBeUndefined();
    expect(Object.keys(call.metadata)).toEqual(['a']);
    expect(notesAt(call, 'metadata')).toHaveLength(1);
  });
});
