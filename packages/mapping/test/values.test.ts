import type { Call } from '@wrapup/call';
import { expect, test } from 'vitest';
import { someCall } from './support/call.ts';
import { compiled, plan, reasonOf, written } from './support/compile.ts';

/** What a field says, and what the CRM gets. */
const FORMS: [string, string, unknown][] = [
  ['a path', 'lead.phone', '+14155550142'],
  ['a path keeps its type', 'call.duration', 134],
  ['a path to true or false', 'call.terminal', true],
  ['a segment with a blank', `'vars["best time"]'`, 'mornings'],
  ['a segment in single quotes', `"vars['best time']"`, 'mornings'],
  ['a position in a list', '"raw.items[0].sku"', 'x-1'],
  ['a path of the agent', 'call.agent.name', 'Alice'],
  ['the name of the source', 'source.name', 'main'],
  ['a collected variable by itself', 'collected.budget.value', '12,000'],
  ['what an action returned', 'actions.book.return_value.slot', '2026-12-01T10:00:00'],
  ['an analysis', 'analysis.goal', 'partial'],
  ['a number that stands bare', '42', 42],
  ['a boolean that stands bare', 'false', false],
  ['a constant', '{ value: Phone agent }', 'Phone agent'],
  ['a constant that looks like a path', '{ value: lead.phone }', 'lead.phone'],
  ['a constant number', '{ value: 3.5 }', 3.5],
  ['a text with placeholders', '"{{ lead.first_name }} ({{ call.outcome }})"', 'Dana (connected)'],
  ['one placeholder keeps its type', '"{{ call.duration }}"', 134],
  ['one placeholder with transforms keeps its type', '"{{ vars.budget | number }}"', 12_000],
  ['blanks around one placeholder make it text', '"{{ call.duration }} s"', '134 s'],
  ['an absent placeholder is empty text', '"{{ lead.first_name }}{{ vars.nothing }}!"', 'Dana!'],
  ['from and a transform', '{ from: lead.name, transform: upper }', 'DANA EXAMPLE'],
  ['several transforms in turn', '{ from: vars.budget, transform: [trim, number] }', 12_000],
  ['a transform with an argument, as text', '{ from: lead.name, transform: ["truncate: 5"] }', 'Dana…'],
  ['a transform with an argument, as key', '{ from: lead.name, transform: [truncate: 5] }', 'Dana…'],
  ['a transform with two arguments', '{ from: lead.name, transform: { replace: [Dana, Mx] } }', 'Mx Example'],
  ['a default that is a path', '{ from: vars.nothing, default: lead.phone }', '+14155550142'],
  ['a default that is a word', '{ from: vars.nothing, default: OPEN }', 'OPEN'],
  ['a default that is a number', '{ from: vars.nothing, default: 0 }', 0],
  ['a default that looks like a path and is none', '{ from: vars.nothing, default: { value: a.b } }', 'a.b'],
  ['a default that is a text', '{ from: vars.nothing, default: "by {{ call.agent.name }}" }', 'by Alice'],
  ['a default in a placeholder', '"{{ vars.nothing | default: lead.first_name }}"', 'Dana'],
  ['a default in quotes', `'{{ vars.nothing | default: "a, b.c" }}'`, 'a, b.c'],
  ['a default that is a number, in a placeholder', '"{{ vars.nothing | default: 0 }}"', 0],
  ['a blank text is absent', '{ from: vars.blank, default: none }', 'none'],
  ['a table', '{ from: call.direction, map: { inbound: IN, outbound: OUT } }', 'OUT'],
  ['a table whose words differ in case', '{ from: vars.wants_callback, map: { "true": 1, "false": 0 } }', 1],
  ['a table with a default', '{ from: vars.seats, map: { "1": one }, default: many }', 'many'],
  ['a table after a transform', '{ from: vars.budget, transform: number, map: { "12000": big } }', 'big'],
  ['the customer that the source belongs to', '{ from: source.client, default: none }', 'none'],
  ['a text as the source', '{ from: "{{ lead.first_name }} X", transform: upper }', 'DANA X'],
];

test.each(FORMS)('%s', (_what, form, wanted) => {
  expect(written(form)).toBe(wanted);
});

test('the end condition is read by Synthflow’s own name, too', () => {
  const call = someCall({ end_reason_text: 'Offer sent' });
  expect(written('custom_end_call_reason', call)).toBe('Offer sent');
  expect(written('call.end_reason_text', call)).toBe('Offer sent');
});

/** What is left out, and why. */
const ABSENT: [string, string, RegExp][] = [
  ['a path that leads nowhere', 'vars.nothing', /vars\.nothing is not in the call/],
  ['null and blank texts', 'vars.blank', /not in the call/],
  ['a text whose placeholders are all absent', '"Call {{ vars.a }} {{ vars.b }}"', /vars\.a is not in the call/],
  ['a section', 'vars.nested', /section/],
  ['a list', 'vars.topics', /list/],
  ['what a transform cannot read', '{ from: lead.name, transform: number }', /number: it is no number/],
  ['what a table does not have', '{ from: vars.seats, map: { "1": one } }', /no entry for what vars\.seats says/],
  ['what a table leaves out', '{ from: call.terminal, map: { "true": null, "false": x } }', /leave it out/],
  ['a length of a list is no path into it', '"raw.items[0].length"', /not in the call/],
  ['a name on a list', 'raw.items.length', /not in the call/],
  ['a position in a section', '"raw[0]"', /not in the call/],
  ['what objects inherit', 'vars.toString', /not in the call/],
  ['what objects inherit, of an own object', 'raw.hasOwnProperty', /not in the call/],
];

test.each(ABSENT)('left out: %s', (_what, form, why) => {
  expect(written(form)).toBeUndefined();
  expect(reasonOf(form)).toMatch(why);
});

test('what is missing is named as it was written, without blanks around it', () => {
  expect(reasonOf('"{{  vars.nothing }}"')).toBe('vars.nothing is not in the call');
  expect(reasonOf('" {{ vars.a }}{{vars.b}}"')).toMatch(/^vars\.a is not in the call/);
});

test('a table finds the first of two words that differ in case alone, and no list', () => {
  const of = (x: unknown) =>
    written('{ from: vars.x, map: { Low: 1, LOW: 2, "a,b": 3 }, default: 9 }', someCall({ vars: { x } as never }));
  expect([of('low'), of(' LOW '), of('LOW'), of(['a', 'b']), of('a,b')]).toEqual([1, 1, 2, 9, 3]);
});

test('a property of the person that several lines read is known by the first, directly or through a named value', () => {
  const readAt = (text: string) =>
    compiled(text)
      .fields.filter(({ use }) => use === 'read')
      .map(({ property, at }) => [property, at.line]);
  const title = (path: string) => `"{{ ${path} }}"`;
  expect(readAt(`person: {}\ncall_log:\n  title: ${title('person.tier')}\n  body: ${title('person.tier')}\n`)).toEqual([
    ['tier', 3],
  ]);
  const named = `define: { rank: person.tier }\nperson: {}\ncall_log:\n  title: ${title('my.rank')}\n  body: ${title('my.rank')}\n`;
  expect(readAt(named)).toEqual([['tier', 1]]);
  const later = `define: { rank: person.tier }\nperson: {}\ntasks:\n  - { name: a, subject: ${title('person.tier')}, body: ${title('my.rank')} }\n`;
  expect(readAt(later)).toEqual([['tier', 4]]);
});

test('a null in a table leaves the field out even where there is a default', () => {
  expect(written('{ from: call.outcome, map: { connected: null }, default: X }')).toBeUndefined();
  expect(written('{ from: call.outcome, map: { connected: null }, default: X }', someCall({ outcome: 'busy' }))).toBe(
    'X',
  );
});

test('an absent value empties the field only where the mapping says clear', () => {
  const fields = plan('person: { fields: { a: vars.nothing, b: { from: vars.nothing, clear: true } } }').person?.fields;
  expect(fields?.map(({ name, value }) => [name, value])).toEqual([['b', null]]);
});

test('write modes: people default to if_newer, records to if_ours', () => {
  const planned = plan(`
person: { fields: { a: lead.name, b: { from: lead.name, write: if_empty }, c: { value: true, write: never_unset } } }
call_log: { fields: { d: call.id, e: { from: call.id, write: append } } }`);
  expect(planned.person?.fields.map(({ write }) => write)).toEqual(['if_newer', 'if_empty', 'never_unset']);
  expect(planned.records[0]?.fields.map(({ write }) => write)).toEqual(['if_ours', 'append']);
});

test('every field knows its line, and the mapping which fields and values it can write', () => {
  const mapping = compiled(`person:
  fields:
    stage: { from: call.outcome, map: { connected: HOT, busy: null }, default: COLD }
    kind: { value: phone }
    free: lead.name
call_log:
  title: "{{ person.firstname }}"
`);
  expect(mapping.fields).toMatchObject([
    {
      record: 'person',
      object: 'people',
      property: 'stage',
      use: 'write',
      write: 'if_newer',
      values: ['HOT', 'COLD'],
      at: { file: 'mappings/acme.yaml', line: 3, column: 5 },
    },
    { property: 'kind', values: ['phone'], at: { line: 4 } },
    { property: 'free', at: { line: 5 } },
    { record: 'call_log', object: 'calls', property: 'subject', write: 'if_ours' },
    { record: 'person', object: 'people', property: 'firstname', use: 'read', at: { line: 7 } },
  ]);
  expect(mapping.fields[2]).not.toHaveProperty('values');
});

test('what stands in may be computed as well: another path, a table, again with something that stands in', () => {
  const form = `{ from: vars.qualified, transform: boolean, map: { "true": YES, "false": NO },
    default: { from: call.outcome, map: { connected: TALKED }, default: { value: NONE } } }`;
  const of = (qualified: string | undefined, outcome: Call['outcome']) =>
    written(form, someCall({ outcome, vars: qualified === undefined ? {} : { qualified } }));
  expect(of('yes', 'busy')).toBe('YES');
  expect(of('0', 'busy')).toBe('NO');
  expect(of(undefined, 'connected')).toBe('TALKED');
  expect(of('perhaps', 'busy')).toBe('NONE');
  expect(written('{ from: vars.nowhere, default: { from: vars.seats, transform: round } }')).toBe(20);
});
