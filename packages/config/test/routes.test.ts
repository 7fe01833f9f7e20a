import { agentName, chooseRoutes, planCall, type Route } from '@wrapup/config';
import { expect, test } from 'vitest';

test('on each connection the first matching route delivers, and those that say also', () => {
  const route = (name: string, to: string, matches: boolean, also = false) =>
    ({ name, from: ['main'], to, also, when: () => matches }) as unknown as Route;
  const routes = [
    route('extra', 'sales', true, true),
    route('no', 'sales', false),
    route('first', 'sales', true),
    route('second', 'sales', true),
    route('more', 'sales', true, true),
    route('elsewhere', 'service', true),
  ];
  expect(chooseRoutes({ routes }, { source: 'main' } as never).map(({ name }) => name)).toEqual([
    'extra',
    'first',
    'more',
    'elsewhere',
  ]);
});

test('a route takes no calls of other sources', () => {
  const route = (name: string, from: string[]) =>
    ({ name, from, to: name, also: false, when: () => true }) as unknown as Route;
  const routes = [route('north', ['north']), route('both', ['south', 'north'])];
  const chosen = (source: string) => chooseRoutes({ routes }, { source } as never).map(({ name }) => name);
  expect([chosen('north'), chosen('south')]).toEqual([['north', 'both'], ['both']]);
});

test('the person whom an inbound call was answered with is one of the connection that was asked', () => {
  const mapping = { plan: (call: object) => call } as never;
  const variables = { crm_person_id: '101', crm_connection: 'sales', plan: 'Team' };
  const call = { metadata: variables, prompt_variables: variables } as never;
  expect(planCall({ name: 'r', to: 'sales', mapping }, call)).toBe(call);
  const other = { crm_connection: 'sales', plan: 'Team' };
  expect(planCall({ name: 'r', to: 'service', mapping }, call)).toEqual({ metadata: other, prompt_variables: other });
  // An id from another program says nothing of a connection.
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
