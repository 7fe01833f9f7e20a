import {
  agentName,
  chooseRoutes,
  formatDuration,
  parseDuration,
  parseSize,
  planCall,
  type Route,
} from '@wrapup/config';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDocument } from '../src/document.ts';
import { replaceVariables } from '../src/variables.ts';

test('durations are read with their unit and written back', () => {
  expect(['250ms', '2s', '10m', '6h', '90d', '1.5h', ' 3 s '].map(parseDuration)).toEqual([
    250, 2_000, 600_000, 21_600_000, 7_776_000_000, 5_400_000, 3_000,
  ]);
  for (const no of ['', '10', '10 minutes', '-1s', '1e3s', 's', '1m 5s', '999999999999999d', '1constructor']) {
    expect(parseDuration(no), no).toBeUndefined();
  }
  expect([0, 1, 1500, 2_000, 5_400_000, 86_400_000].map(formatDuration)).toEqual([
    '0ms',
    '1ms',
    '1500ms',
    '2s',
    '90m',
    '1d',
  ]);
});

test('sizes count by thousands', () => {
  expect(['10B', '500kB', '25MB', '1.5GB'].map(parseSize)).toEqual([10, 500_000, 25_000_000, 1_500_000_000]);
  expect(parseSize('25')).toBeUndefined();
});

test('no text makes the replacement of variables throw, and what has no $ stays', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const { text: replaced } = replaceVariables(text, {});
      if (!text.includes('$')) expect(replaced).toBe(text);
    }),
  );
});

test('no text makes the reading of YAML throw', () => {
  const pieces = fc.constantFrom(
    'a',
    ':',
    ' ',
    '\n',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '&x',
    '*x',
    '"',
    "'",
    '\t',
    '#',
    '|',
    '${A',
    '}',
    '__proto__: 1',
    '? ',
    '!!x',
    '%',
    '<<: *x',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
      const { value, findings } = readDocument(parts.join(''), 'x.yaml', {});
      expect(value !== undefined || findings.length > 0).toBe(true);
    }),
    { numRuns: 2_000 },
  );
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test('on each connection the first matching route delivers, and those that say also', () => {
  const route = (name: string, to: string, matches: boolean, also = false) =>
    ({ name, to, also, when: () => matches }) as unknown as Route;
  const routes = [
    route('extra', 'sales', true, true),
    route('no', 'sales', false),
    route('first', 'sales', true),
    route('second', 'sales', true),
    route('more', 'sales', true, true),
    route('elsewhere', 'service', true),
  ];
  expect(chooseRoutes({ routes }, {} as never).map(({ name }) => name)).toEqual([
    'extra',
    'first',
    'more',
    'elsewhere',
  ]);
});

test('the person whom an inbound call was answered with is one of the connection that was asked', () => {
  const mapping = { plan: (call: object) => call } as never;
  const told = { crm_person_id: '101', crm_connection: 'sales', plan: 'Team' };
  const call = { metadata: told, prompt_variables: told } as never;
  expect(planCall({ name: 'r', to: 'sales', mapping }, call)).toBe(call);
  const other = { crm_connection: 'sales', plan: 'Team' };
  expect(planCall({ name: 'r', to: 'service', mapping }, call)).toEqual({ metadata: other, prompt_variables: other });
  // An id that somebody else put there says nothing of a connection.
  const own = { metadata: { crm_person_id: '7' }, prompt_variables: {} } as never;
  expect(planCall({ name: 'r', to: 'service', mapping }, own)).toBe(own);
});

test('an agent has the name that its source gives it, and no other', () => {
  const agents = { 'agent-1': { name: 'Alice' }, 'agent-2': {} };
  const config = { sources: { main: { agents } } } as unknown as Parameters<typeof agentName>[0];
  expect(agentName(config, 'main', 'agent-1')).toBe('Alice');
  // Ids come from outside: what every object has is no agent.
  for (const [source, id] of [
    ['main', 'agent-2'],
    ['main', undefined],
    ['main', 'constructor'],
    ['toString', 'agent-1'],
  ] as const)
    expect(agentName(config, source, id)).toBeUndefined();
});
