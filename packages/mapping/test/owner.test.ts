import { expect, test } from 'vitest';
import { someCall } from './support/call.ts';
import { compile, compiled, plan, unmark } from './support/compile.ts';

const task = (owner: string) => `person: {}\ntasks:\n  - name: ring\n    subject: x\n    owner: ${owner}\n`;
const stepsOf = (owner: string, call = someCall(), person: Record<string, string | null> = {}) =>
  plan(task(owner), call).settle(person).records[0]?.owner?.steps;

test('a task goes to the owner of the person, once the person is known', () => {
  const planned = plan(task('contact_owner'));
  expect(planned.needs).toEqual(['owner_id']);
  expect(planned.records[0]?.owner).toBeUndefined();
  expect(planned.settle({ owner_id: '77' }).records[0]?.owner).toMatchObject({
    property: 'assignee',
    steps: [{ by: 'id', value: '77' }],
    at: { file: 'mappings/acme.yaml', line: 5 },
  });
});

test('ways are tried in the order in which they stand, as far as the call has them', () => {
  const owner = '[contact_owner, { by_agent: { a-1: kim@acme.example, a-2: 12 } }, { fallback: 99 }]';
  expect(stepsOf(owner, someCall(), { owner_id: '77' })).toEqual([
    { by: 'id', value: '77' },
    { by: 'email', value: 'kim@acme.example' },
    { by: 'id', value: '99' },
  ]);
  expect(stepsOf(owner, someCall({ agent: { id: 'a-2' } }))).toEqual([
    { by: 'id', value: '12' },
    { by: 'id', value: '99' },
  ]);
  expect(stepsOf('{ fallback: 99, by_agent: { a-1: 1 } }')?.map(({ value }) => value)).toEqual(['99', '1']);
});

test('what follows for a person without an owner goes to whom the mapping gives the person to', () => {
  const text = `person: { owner: { by_agent: { a-1: kim@acme.example } } }
tasks:
  - { name: ring, subject: x, owner: [contact_owner, { fallback: 99 }] }
`;
  const steps = (person: Record<string, string>) =>
    plan(text)
      .settle(person)
      .records[0]?.owner?.steps.map(({ value }) => value);
  expect(steps({})).toEqual(['kim@acme.example', '99']);
  expect(steps({ owner_id: '77' })).toEqual(['77', '99']);
});

test('an e-mail address comes from the call or from the mapping itself', () => {
  const call = someCall({ metadata: { rep: ' Rep@Acme.example ' } });
  expect(stepsOf('{ by_email: metadata.rep }', call)).toEqual([{ by: 'email', value: 'Rep@Acme.example' }]);
  expect(stepsOf('{ by_email: "{{ prompt_variables.campaign }}@acme.example" }')).toEqual([
    { by: 'email', value: 'autumn@acme.example' },
  ]);
  expect(stepsOf('{ by_email: desk@acme.example }')).toEqual([{ by: 'email', value: 'desk@acme.example' }]);
  expect(stepsOf('{ by_email: metadata.rep }', someCall({ metadata: { rep: 'nobody' } }))).toBeUndefined();
});

test('an owner that this call does not name is noted, and the record is written without', () => {
  const settled = plan(task('{ by_email: metadata.rep }')).settle({});
  expect(settled.records).toHaveLength(1);
  expect(settled.left_out).toMatchObject([{ field: 'ring.assignee', reason: 'none of its ways names an owner' }]);
});

test('a person gets an owner as well; who is named stands among the fields to check', () => {
  const mapping = compiled('person: { owner: { by_agent: { a-1: kim@acme.example }, fallback: 99 } }\n');
  expect(mapping.plan(someCall(), 'calls').person?.owner).toMatchObject({
    property: 'owner_id',
    steps: [
      { by: 'email', value: 'kim@acme.example' },
      { by: 'id', value: '99' },
    ],
  });
  expect(mapping.fields).toMatchObject([
    { record: 'person', object: 'people', property: 'owner_id', write: 'if_empty', owners: ['kim@acme.example', '99'] },
  ]);
});

test('an owner is inherited, replaced as a whole, and taken away by null', () => {
  const presets = { base: task('{ fallback: 99 }') };
  const owner = (text: string) => plan(`extends: acme/base\n${text}`, someCall(), { presets }).records[0]?.owner;
  expect(owner('')?.steps).toEqual([{ by: 'id', value: '99' }]);
  expect(owner('tasks: [{ name: ring, owner: { by_agent: { a-1: 5 } } }]\n')?.steps).toEqual([
    { by: 'id', value: '5' },
  ]);
  expect(owner('tasks: [{ name: ring, owner: null }]\n')).toBeUndefined();
});

test.each([
  ['an unknown way', task('»my_boss'), 'bad-value'],
  ['a mistyped way', task('{ »by_agnt: { a: 1 } }'), 'unknown-key'],
  ['no way at all', task('»[]'), 'bad-value'],
  ['neither address nor path', task('{ by_email: »desk }'), 'bad-value'],
  ['a path that does not exist', task('{ by_email: »cal.x }'), 'unknown-path'],
  ['the owner of the person for the person', 'person: { owner: »contact_owner }\n', 'bad-value'],
  [
    'a field of the same name',
    'person: { fields: { owner_id: { value: 1 } }, owner: »{ fallback: 2 } }\n',
    'duplicate-field',
  ],
  [
    'the owner of a person that is not looked for',
    'tasks: [{ name: a, subject: x, owner: »contact_owner }]\n',
    'bad-value',
  ],
  [
    'an owner where records have none',
    'deals: [{ name: a, title: x, »owner: contact_owner }]\nperson: {}\n',
    'unknown-key',
  ],
])('%s is a mistake with its place', (_name, marked, code) => {
  const { text, line, column } = unmark(marked);
  const { findings, mapping } = compile(text);
  expect(mapping).toBeUndefined();
  expect(findings).toMatchObject([{ code, severity: 'error', at: { line, column } }]);
});
