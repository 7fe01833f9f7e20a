import { expect, test } from 'vitest';
import { someCall } from './support/call.ts';
import { compile, compiled, fieldsOf, plan, reasonOf } from './support/compile.ts';
import { expectMistake, type Mistake } from './support/mistake.ts';

const RESULT = `define:
  result:
    cases:
      - { when: { path: analysis.no_opt_out, equals: false }, is: do_not_call }
      - { when: { path: vars.appointment_at, exists: true }, is: booked }
    default: call.outcome
  bant: { count: [ { path: vars.budget, exists: true }, { path: vars.authority, equals: true }, { path: my.result, equals: booked } ] }
  slot: { from: vars.appointment_at, transform: datetime, default: actions.book.return_value.slot }
`;
const FIELDS = `person:
  fields:
    result: my.result
    label: "{{ my.result | title_case }} ({{ my.bant }} of 3)"
    stage: { from: my.result, map: { booked: MEETING, do_not_call: CLOSED }, default: { value: OPEN } }
    slot: my.slot
tasks:
  - { name: call-back, when: { path: my.bant, gte: 2 }, subject: "Call {{ my.slot }}" }
`;

test('a named value is read in fields, texts, maps and conditions', () => {
  const planned = plan(RESULT + FIELDS, someCall({ vars: { budget: '5', appointment_at: '2026-12-01T10:00:00Z' } }));
  expect(fieldsOf(planned, 'person')).toEqual({
    result: 'booked',
    label: 'Booked (2 of 3)',
    stage: 'MEETING',
    slot: '2026-12-01T10:00:00.000Z',
  });
  expect(planned.records.map(({ name }) => name)).toEqual(['call-back']);
});

test('the first case that holds counts, then the default; what has none is absent', () => {
  const refused = someCall({ analysis: { no_opt_out: 'false' }, vars: { appointment_at: '2026-12-01' } });
  expect(fieldsOf(plan(RESULT + FIELDS, refused), 'person').result).toBe('do_not_call');
  const other = plan(RESULT + FIELDS, someCall({ vars: {} }));
  expect(fieldsOf(other, 'person')).toMatchObject({
    result: other.call.outcome,
    label: expect.stringContaining('(0 of 3)'),
  });
  expect(other.records).toEqual([]);
  const bare = 'define: { topic: { cases: [ { when: { path: vars.x, exists: true }, is: 7 } ] } }\n';
  const planned = plan(`${bare}person: { fields: { x: my.topic } }`, someCall({ vars: {} }));
  expect(planned.left_out).toMatchObject([{ field: 'person.x', reason: 'no case of my.topic holds' }]);
});

test('the plan says the result, by name only where the mapping itself knows it', () => {
  const booked = plan(RESULT + FIELDS, someCall({ vars: { appointment_at: '2026-12-01T10:00:00Z' } }));
  expect(booked.result).toBe('booked');
  const other = plan(RESULT + FIELDS, someCall({ vars: {} }));
  expect(other.result).toBe(other.call.outcome);
  const said = 'define: { result: vars.topic }\n';
  expect(
    plan(`${said}person: { fields: { x: my.result } }`, someCall({ vars: { topic: 'Rob, 555 0100' } })).result,
  ).toBe('other');
  expect(plan(`${said}person: { fields: { x: my.result } }`, someCall({ vars: {} }))).not.toHaveProperty('result');
  expect(plan('person: { fields: { x: call.outcome } }', someCall({}))).not.toHaveProperty('result');
});

test('a table over a named value has to know every value that it can have', () => {
  const { mapping } = compile(`${RESULT}person: { fields: { stage: { from: my.result, map: { booked: A } } } }`);
  expect(mapping).toBeUndefined();
  const known = compiled(`define:
  kind: { cases: [ { when: { path: call.duration, gt: 60 }, is: long } ], default: { value: short } }
person: { fields: { kind: my.kind, other: { from: my.kind, map: { long: L, short: S } } } }`);
  expect(known.fields.map(({ values }) => values)).toEqual([
    ['long', 'short'],
    ['L', 'S'],
  ]);
});

test('what reads the person is settled once the person is known, and is refused where it cannot be', () => {
  const text = `define: { known: { cases: [ { when: { path: person.lifecycle, equals: customer }, is: true } ], default: { value: false } } }
person: { fields: { x: my.known } }
`;
  const planned = plan(text);
  expect(planned.needs).toEqual(['lifecycle']);
  expect(fieldsOf(planned.settle({ lifecycle: 'customer' }), 'person').x).toBe(true);
  expect(fieldsOf(planned.settle({}), 'person').x).toBe(false);
});

test('a file takes over, changes and takes away what a preset defines', () => {
  const presets = { base: `${RESULT}person: { fields: { x: my.result, y: my.bant } }\n` };
  const over = (define: string) =>
    plan(`extends: acme/base\ndefine: ${define}`, someCall({ vars: {} }), { presets }).person?.fields;
  expect(over('{ result: { default: { value: none } } }')?.[0]?.value).toBe('none');
  expect(over('{ result: { from: lead.country } }')?.[0]?.value).toBe('US');
  expect(over('{ bant: { count: [ { path: lead.phone, exists: true } ] } }')?.[1]?.value).toBe(1);
});

const MISTAKES: Mistake[] = [
  [
    'values read one another in a circle',
    `define:\n  »a: { from: my.b }\n  b: { from: my.c }\n  c: "{{ my.a | upper }}"\nperson: { fields: { x: my.a } }\n`,
    { code: 'define-cycle', says: /my\.a -> my\.b -> my\.c -> my\.a/, hint: /take one/ },
  ],
  [
    'a value reads itself',
    'define: { »a: { count: [ { path: my.a, gt: 1 } ] } }\n',
    { code: 'define-cycle', says: /my\.a -> my\.a/ },
  ],
  [
    'nothing is defined under the name',
    'define: { result: lead.name }\nperson: { fields: { x: »my.reslt } }\n',
    { code: 'unknown-path', says: /my\.reslt/, hint: /did you mean "result"/ },
  ],
  [
    'nothing is defined at all',
    'person: { fields: { x: »my.result } }\n',
    { code: 'unknown-path', says: /my\.result/, hint: /define/ },
  ],
  [
    'a part of a named value is read',
    'define: { a: vars.x }\nperson: { fields: { x: »my.a.b } }\n',
    { code: 'unknown-path', says: /names no value/ },
  ],
  ['a name has capitals', 'define: { »Result: vars.x }\n', { code: 'bad-name', says: /small letters/ }],
  [
    'a case has a text of the call',
    'define: { a: { cases: [ { when: { path: vars.x, exists: true }, is: »"{{ lead.name }}" } ] } }\n',
    { code: 'bad-value', says: /constant/ },
  ],
  ['a case has no condition', 'define: { a: { cases: [ »{ is: x } ] } }\n', { code: 'missing-key', says: /when/ }],
  [
    'cases and count stand together',
    'define: { a: { cases: [ { when: { path: vars.x, exists: true }, is: x } ], »count: [ { path: vars.x, exists: true } ] } }\n',
    { code: 'bad-value', says: /cases takes no count/ },
  ],
  [
    'a count has a default',
    'define: { a: { count: [ { path: vars.x, exists: true } ], »default: 3 } }\n',
    { code: 'bad-value', says: /count takes no default/ },
  ],
  [
    'the default of cases is a mistyped path',
    'define: { a: { cases: [ { when: { path: vars.x, exists: true }, is: x } ], default: »call.outcom } }\n',
    { code: 'unknown-path', says: /outcom/ },
  ],
  [
    'an id of the person reads the person',
    'define: { a: person.x }\nperson: { id: »my.a }\n',
    { code: 'unknown-path', says: /reads person\.x/ },
  ],
  [
    'a condition asks for a value that no case gives',
    'define: { a: { cases: [ { when: { path: vars.x, exists: true }, is: yes_it_is } ] } }\nperson: { fields: { x: { from: vars.y, when: { path: my.a, equals: »yes } } } }\n',
    { code: 'unknown-value', says: /never "yes"/ },
  ],
  [
    'forward has no order',
    'person: { fields: { x: { from: vars.a, write: »forward } } }\n',
    { code: 'missing-key', says: /way/, hint: /order:/ },
  ],
  [
    'an order has no forward',
    'person: { fields: { x: { from: vars.a, »order: [a, b] } } }\n',
    { code: 'bad-value', says: /forward/ },
  ],
  [
    'an order names a value twice',
    'person: { fields: { x: { from: vars.a, write: forward, order: [a, b, »a] } } }\n',
    { code: 'bad-value', says: /twice/ },
  ],
  [
    'an order has one value',
    'person: { fields: { x: { from: vars.a, write: forward, order: »[a] } } }\n',
    { code: 'bad-value', says: /at least two/ },
  ],
  [
    'a constant is not in the order',
    'person: { fields: { x: »{ value: won, write: forward, order: [a, b] } } }\n',
    { code: 'unknown-value', says: /"won"/ },
  ],
  [
    'required is another word',
    'person: { fields: { x: { from: vars.a, required: »skip } } }\n',
    { code: 'bad-value', says: /park|true/ },
  ],
  [
    'a due date lies before the call',
    'tasks: [ { name: a, subject: Call, due_in: »-1 day } ]\n',
    { code: 'bad-value', says: /no time to wait/ },
  ],
];

test.each(MISTAKES)('%s', (...mistake) => expectMistake(mistake));

test('a field is written where its condition holds, and neither cleared nor missed where it does not', () => {
  const form = (when: string) => `{ from: vars.nothing, clear: true, required: park, when: ${when} }`;
  expect(reasonOf(form('{ path: call.duration, gt: 1000 }'))).toBe('its condition does not hold for this call');
  const planned = plan(`person: { fields: { x: ${form('{ path: call.duration, gt: 1000 }')} } }`);
  expect([planned.person?.fields, planned.parked]).toEqual([[], undefined]);
  const dated = (analysis: Record<string, string>) =>
    plan(
      'person: { fields: { opted_out_at: { from: call.ended_at, when: { path: analysis.no_opt_out, equals: false } } } }',
      someCall({ analysis }),
    ).person?.fields.length;
  expect([dated({ no_opt_out: 'false' }), dated({ no_opt_out: 'true' }), dated({})]).toEqual([1, 0, 0]);
});

test('a value that the mapping wants a person to look for parks the call, on the call log, too', () => {
  const log = plan('call_log: { title: A call, fields: { x: { from: vars.nothing, required: park } } }');
  expect(log.parked).toMatchObject({ field: 'call_log.x', reason: 'vars.nothing is not in the call', at: { line: 1 } });
  const deal =
    'deals: [ { name: deal, title: A, when: { path: vars.deal, exists: true }, fields: { x: { from: vars.nothing, required: park } } } ]';
  expect(plan(deal).parked).toBeUndefined();
  expect(plan(deal, someCall({ vars: { deal: 'yes' } })).parked).toMatchObject({ field: 'deal.x' });
});

test('a value that the order does not name is left out', () => {
  const form = '{ from: vars.stage, write: forward, order: [new, open, won] }';
  const staged = (stage: string) => plan(`person: { fields: { x: ${form} } }`, someCall({ vars: { stage } }));
  expect(staged('Open').person?.fields).toMatchObject([
    { value: 'Open', write: 'forward', order: ['new', 'open', 'won'] },
  ]);
  expect(staged('lost').left_out).toMatchObject([{ reason: 'the order does not name it' }]);
});

test('plus with a minus leads to before', () => {
  const before = (span: string) =>
    plan(
      `person: { fields: { x: { from: vars.at, transform: { plus: ${span} } } } }`,
      someCall({ vars: { at: '2026-12-01T10:00:00Z' } }),
    ).person?.fields[0]?.value;
  expect(before('-1 day')).toBe('2026-11-30T10:00:00.000Z');
  expect(before('-2 business days at 09:00')).toBe('2026-11-27T09:00:00.000Z');
  expect(before('[ -30 minutes, Europe/Berlin ]')).toBe('2026-12-01T09:30:00.000Z');
});
