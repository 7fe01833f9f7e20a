import { formatFinding } from '@wrapup/findings';
import { compileMapping } from '@wrapup/mapping';
import { expect, test } from 'vitest';
import { someCall } from './support/call.ts';
import { compile, compiled, fieldsOf, plan, unmark } from './support/compile.ts';
import { acmeDialect } from './support/dialect.ts';

const BASE = `time_zone: America/New_York
person:
  match: [email, phone]
  unmatched: { connected: create, default: log_only }
  fields:
    first: { from: lead.first_name, write: if_empty }
    phone: lead.phone
    stage: { from: call.outcome, map: { connected: HOT, busy: COLD }, default: OPEN }
call_log:
  title: "{{ call.outcome }}"
  body: { template: call-summary, transcript: full }
  fields: { length: call.duration }
tasks:
  - name: call-back
    when: { path: call.outcome, in: [busy] }
    subject: Call back
    due_in: 1 day
  - name: check
    subject: Check it
`;
const presets = { base: BASE };
const over = (text: string) => `extends: acme/base\n${text}`;
const busy = someCall({ outcome: 'busy' });

test('a mapping that only extends does what the preset does', () => {
  const [own, inherited] = [plan(BASE, busy), plan('extends: acme/base\n', busy, { presets })];
  const places = (text: string) =>
    JSON.parse(text, (key, value) => (key === 'at' || key === 'mapping' ? undefined : value));
  expect(places(JSON.stringify(inherited))).toEqual(places(JSON.stringify(own)));
});

test('places name the file that a line is in', () => {
  const { person } = plan(over('person: { fields: { email: lead.email } }\n'), busy, { presets });
  expect(person?.fields.map(({ name, at }) => `${name} ${at.file}:${at.line}`)).toEqual([
    'first preset acme/base:6',
    'phone preset acme/base:7',
    'stage preset acme/base:8',
    'email mappings/acme.yaml:2',
  ]);
});

test('sections merge by key, in the order inherited', () => {
  const planned = plan(
    over('person: { ambiguous: oldest, fields: { phone: lead.phone_raw } }\ncall_log: { title: Hello }\n'),
    busy,
    { presets },
  );
  expect(planned.person).toMatchObject({ ambiguous: 'oldest', unmatched: 'log_only' });
  expect(fieldsOf(planned, 'person')).toEqual({ first: 'Dana', phone: '4155550142', stage: 'COLD' });
  expect(fieldsOf(planned, 'call_log')).toMatchObject({ subject: 'Hello', length: 134 });
});

test('a field that names its own source replaces the inherited one, write mode and all', () => {
  const { person } = plan(over('person: { fields: { first: lead.name } }\n'), busy, { presets });
  expect(person?.fields[0]).toMatchObject({ name: 'first', value: 'Dana Example', write: 'if_newer' });
});

test('a field that names none changes what it says', () => {
  const { person } = plan(
    over(
      'person: { fields: { first: { write: overwrite }, phone: { write: if_empty }, stage: { map: { busy: TRY AGAIN } } } }\n',
    ),
    busy,
    { presets },
  );
  expect(person?.fields).toMatchObject([
    { name: 'first', value: 'Dana', write: 'overwrite' },
    { name: 'phone', value: '+14155550142', write: 'if_empty' },
    { name: 'stage', value: 'TRY AGAIN' },
  ]);
});

test('null in a table leaves the field out, and the rest of the table stays', () => {
  const text = over('person: { fields: { stage: { map: { busy: null } } } }\n');
  expect(fieldsOf(plan(text, busy, { presets }), 'person')).not.toHaveProperty('stage');
  expect(fieldsOf(plan(text, someCall(), { presets }), 'person')).toMatchObject({ stage: 'HOT' });
});

test('unmatched merges by outcome, and is replaced by one word', () => {
  const by = (text: string, call = busy) =>
    plan(over(`person: { unmatched: ${text} }\n`), call, { presets }).person?.unmatched;
  expect(by('{ busy: park }')).toBe('park');
  expect(by('{ busy: park }', someCall())).toBe('create');
  expect(by('skip', someCall())).toBe('skip');
});

test('records merge by name, new ones come last', () => {
  const planned = plan(
    over(`tasks:
  - name: welcome
    subject: Welcome
  - name: call-back
    subject: Call them back
    when: { path: call.outcome, exists: true }
`),
    someCall(),
    { presets },
  );
  expect(planned.records.map(({ name }) => name)).toEqual(['call_log', 'call-back', 'check', 'welcome']);
  expect(fieldsOf(planned, 'call-back')).toMatchObject({
    subject: 'Call them back',
    due_at: '2026-11-21T18:06:26.000Z',
  });
});

test('null and remove take things away', () => {
  const names = (text: string) => plan(over(text), busy, { presets }).records.map(({ name }) => name);
  expect(names('tasks: null\n')).toEqual(['call_log']);
  expect(names('call_log: null\n')).toEqual(['call-back', 'check']);
  expect(names('tasks: [ { name: check, remove: true } ]\n')).toEqual(['call_log', 'call-back']);
  expect(names('tasks: []\n')).toEqual(['call_log']);
  expect(names('tasks: [ { name: call-back, when: null } ]\n')).toHaveLength(3);
  expect(fieldsOf(plan(over('person: { fields: { phone: null } }\n'), busy, { presets }), 'person')).not.toHaveProperty(
    'phone',
  );
  expect(plan(over('person: null\ncall_log: { associate: [] }\n'), busy, { presets }).person).toBeNull();
});

test('a body of one’s own keeps how much of the transcript is written', () => {
  const body = (text: string) =>
    String(fieldsOf(plan(over(`call_log: { body: ${text} }\n`), busy, { presets }), 'call_log').notes);
  expect(body('{ transcript: none }')).not.toMatch(/Recording|Transcript/);
  expect(body('{ transcript: none }')).toMatch(/Outcome/);
  expect(body('{ text: Notes }')).toMatch(/^Notes.*Recording.*Transcript/);
  expect(body('{ text: Notes, transcript: none }')).toBe('Notes');
  expect(body('Just this')).toBe('Just this');
});

test.each([
  ['a field that is not inherited', 'person:\n  fields:\n    »frist: null\n'],
  ['a record that is not inherited', 'tasks:\n  - name: chekc\n    »remove: true\n'],
  ['a section that is not inherited', '»deals: null\n'],
  ['a forgotten value in what is new', 'deals:\n  - name: a\n    »title:\n'],
  ['a forgotten value in what replaces', 'person:\n  fields:\n    first: { from: lead.name, »write: }\n'],
])('%s cannot be taken away', (_what, marked) => {
  const { text, line, column } = unmark(over(marked));
  const { mapping, findings } = compile(text, { presets });
  expect(mapping).toBeUndefined();
  const places = findings.map(({ code, at }) => `${code} ${at?.line}:${at?.column}`);
  expect(places, findings.map(formatFinding).join('\n')).toContain(`nothing-to-remove ${line}:${column}`);
});

test('files extend files, from the config folder or from where they are', () => {
  const files = {
    'shared/base.yaml': 'extends: ../mappings/deeper.yaml\ncall_log: { title: base }\n',
    'mappings/deeper.yaml': 'extends: acme/base\nperson: { ambiguous: oldest }\n',
  };
  for (const name of ['shared/base.yaml', '../shared/base.yaml', './../shared/base.yaml']) {
    const planned = plan(`extends: ${name}\n`, busy, { files, presets });
    expect(planned.person?.ambiguous).toBe('oldest');
    expect(fieldsOf(planned, 'call_log').subject).toBe('base');
  }
});

test('a circle of files is reported where it closes', () => {
  const files = { 'a.yaml': 'extends: b.yaml\n', 'b.yaml': 'call_log: {}\nextends: a.yaml\n' };
  const { mapping, findings } = compile('extends: a.yaml\n', { files });
  expect(mapping).toBeUndefined();
  expect(findings).toMatchObject([
    {
      code: 'extends-cycle',
      message: expect.stringContaining('mappings/acme.yaml -> a.yaml -> b.yaml -> a.yaml'),
      at: { file: 'b.yaml', line: 2, column: 10 },
    },
  ]);
});

test('a chain of files has an end', () => {
  const files = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${i}.yaml`, `extends: f${i + 1}.yaml\n`]));
  expect(compile('extends: f0.yaml\n', { files }).findings).toMatchObject([{ code: 'extends-chain' }]);
});

test('a reader that throws is a file that cannot be read', () => {
  const readFile = () => {
    throw new Error('EACCES');
  };
  const dialect = acmeDialect();
  const { findings } = compileMapping({ name: 'm.yaml', text: 'extends: base.yaml\n', dialect, readFile });
  expect(findings).toMatchObject([{ code: 'missing-file', at: { line: 1, column: 10 } }]);
});

test('a mistake in an extended file is reported there, and nothing is half loaded', () => {
  const files = { 'base.yaml': 'call_log:\n  title: "{{ call.outcom }}"\n' };
  const { mapping, findings } = compile('extends: base.yaml\nperson: {}\n', { files });
  expect(mapping).toBeUndefined();
  expect(findings).toMatchObject([{ code: 'unknown-path', at: { file: 'base.yaml', line: 2, column: 14 } }]);
});

test('the hash is of the text, of what it extends, and of the kind', () => {
  const hash = (text: string, base: string) => compiled(text, { files: { 'base.yaml': base } }).hash;
  const one = hash('extends: base.yaml\n', 'call_log: {}\n');
  expect(one).toMatch(/^[0-9a-f]{12}$/);
  expect(hash('extends: base.yaml\n', 'call_log: {}\n')).toBe(one);
  expect(hash('extends: base.yaml\n', 'call_log: { }\n')).not.toBe(one);
  expect(hash('extends: base.yaml\nperson: {}\n', 'call_log: {}\n')).not.toBe(one);
});

test('mistakes are reported even where what is extended cannot be read, but only those that are mistakes in any case', () => {
  const text = `extends: acme/bsae
person:
  fields:
    first: { write: overwrite }
    stage: laed.name
    gone: null
tasks:
  - { name: call-back, subject: "{{ lead.name | uper }}", associate: [inherited] }
  - { name: check, remove: true }
call_log: { title: "{{ person.stage }}" }
`;
  const { mapping, findings } = compile(text, { presets });
  expect(mapping).toBeUndefined();
  expect(findings.map(({ code, at }) => `${code} ${at?.line}`)).toEqual([
    'unknown-preset 1',
    'unknown-path 5',
    'unknown-transform 8',
  ]);
});
