import { describe, expect, test } from 'vitest';
import { someCall } from './support/call.ts';
import { compile, fieldsOf, plan } from './support/compile.ts';

test('every record has its key, the call log first, then the mapping’s order', () => {
  const planned = plan(`
tasks: [ { name: b-task, subject: x }, { name: a-task, subject: x } ]
deals: [ { name: deal, title: y } ]
call_log: { title: z }
objects: [ { name: visit, object: x_visits, fields: { at: call.ended_at } } ]
`);
  expect(planned).toMatchObject({ key: 'main:c-1', route: 'calls', ended_at: '2026-11-20T18:06:26.000Z' });
  expect(planned.mapping).toEqual({ name: 'mappings/acme.yaml', hash: expect.stringMatching(/^[0-9a-f]{12}$/) });
  expect(planned.records.map(({ type, object, name, key }) => [type, object, name, key])).toEqual([
    ['call_log', 'calls', 'call_log', 'main:c-1'],
    ['task', 'todos', 'b-task', 'main:c-1:b-task'],
    ['task', 'todos', 'a-task', 'main:c-1:a-task'],
    ['deal', 'deals', 'deal', 'main:c-1:deal'],
    ['object', 'x_visits', 'visit', 'main:c-1:visit'],
  ]);
});

test('a record is associated with the person, or with what the mapping says', () => {
  const text = (person: string) => `${person}
call_log: { title: x }
deals: [ { name: deal, title: x, associate: [] } ]
tasks: [ { name: task, subject: x, associate: [deal, call_log] } ]
`;
  const names = (person: string) => plan(text(person)).records.map(({ associate }) => associate);
  expect(names('person: {}')).toEqual([['person'], [], ['deal', 'call_log']]);
  expect(names('')).toEqual([[], [], ['deal', 'call_log']]);
});

test('a record is associated with what the person has already; a record of that name comes first, wherever it stands', () => {
  const [log, task] = plan(`person: {}
call_log: { associate: [person, open_deals, company], fields: { a: call.id } }
tasks: [ { name: task, subject: x, associate: [company] } ]
`).records;
  expect(log).toMatchObject({
    associate: ['person', 'open_deals', 'company'],
    related: { open_deals: { object: 'deals', through: 'companies' }, company: { object: 'companies' } },
  });
  expect(task).toMatchObject({ associate: ['company'], related: { company: { object: 'companies' } } });
  const own = plan(`person: {}
call_log: { associate: [company, later], fields: { a: call.id } }
deals: [ { name: company, title: x }, { name: later, title: x } ]
`).records[0];
  expect(own?.associate).toEqual(['company', 'later']);
  expect(own).not.toHaveProperty('related');
});

test('objects can be written under the name that they had, with a finding that says the new one', () => {
  const visits = '  - { name: visit, object: x_visits, fields: { at: call.ended_at } }\n';
  const { mapping, findings } = compile(`custom_objects:\n${visits}`);
  expect(findings).toMatchObject([
    { severity: 'warning', code: 'renamed-key', at: { line: 1, column: 1 }, hint: 'write objects' },
  ]);
  const { records } = mapping?.plan(someCall(), 'calls') ?? {};
  expect(records).toEqual(plan(`objects:\n${visits}`).records);
});

test('a record that this call does not make is associated with nothing', () => {
  const planned = plan(`person: {}
deals: [ { name: deal, when: { path: call.outcome, equals: busy }, title: x } ]
tasks: [ { name: task, subject: x, associate: [person, deal] } ]
`);
  expect(planned.records).toMatchObject([{ name: 'task', associate: ['person'] }]);
});

test('a record is left out without a field that it requires, and says so', () => {
  const text =
    'deals: [ { name: deal, title: x, fields: { amount: { from: vars.amount, transform: number, required: true } } } ]\n';
  const without = plan(text);
  expect(without.records).toEqual([]);
  expect(without.left_out).toEqual([
    { field: 'deal', reason: 'it is not written without amount', at: expect.objectContaining({ line: 1 }) },
  ]);
  expect(plan(text, someCall({ vars: { amount: '5' } })).records).toHaveLength(1);
});

test('words are texts: what looks like a path is one, everything else stands for itself', () => {
  const subject = (text: string) => fieldsOf(plan(`tasks: [ { name: a, subject: ${text} } ]\n`), 'a').subject;
  expect(subject('HIGH')).toBe('HIGH');
  expect(subject('Call back')).toBe('Call back');
  expect(subject('lead.name')).toBe('Dana Example');
  expect(subject('"{{ lead.first_name }} called"')).toBe('Dana called');
  expect(subject('{ value: lead.name }')).toBe('lead.name');
  expect(subject('{ from: call.direction, map: { inbound: In, outbound: Out } }')).toBe('Out');
  expect(subject('7')).toBe('7');
});

/** When a call ended, the time zone, what the mapping says, and when it is due. */
const DUE: [string, string, string, string][] = [
  ['2026-11-20T18:06:26Z', 'UTC', '30 minutes', '2026-11-20T18:36:26.000Z'],
  ['2026-11-20T18:06:26Z', 'UTC', '2 hours', '2026-11-20T20:06:26.000Z'],
  ['2026-11-20T18:06:26Z', 'UTC', '3 days', '2026-11-23T18:06:26.000Z'],
  ['2026-11-20T18:06:26Z', 'UTC', '1 week', '2026-11-27T18:06:26.000Z'],
  ['2026-11-20T18:06:26Z', 'UTC', '1 business day', '2026-11-23T18:06:26.000Z'],
  ['2026-11-21T12:00:00Z', 'UTC', '1 business day', '2026-11-23T12:00:00.000Z'],
  ['2026-11-19T12:00:00Z', 'UTC', '5 business days', '2026-11-26T12:00:00.000Z'],
  // Saturday in Sydney is still Friday in UTC.
  ['2026-11-20T14:00:00Z', 'Australia/Sydney', '1 business day', '2026-11-22T14:00:00.000Z'],
  // Clocks go back on Sunday, 1 November: the same time of day is an hour later.
  ['2026-10-30T20:00:00Z', 'America/New_York', '1 business day', '2026-11-02T21:00:00.000Z'],
  ['2026-10-30T20:00:00Z', 'America/New_York', '3 days', '2026-11-02T21:00:00.000Z'],
  ['2026-10-30T20:00:00Z', 'America/New_York', '72 hours', '2026-11-02T20:00:00.000Z'],
  ['2026-11-20T18:06:26Z', 'America/New_York', '1 business day at 09:00', '2026-11-23T14:00:00.000Z'],
  ['2026-11-20T18:06:26Z', 'UTC', '0 business days at 17:30', '2026-11-20T17:30:00.000Z'],
];

test.each(DUE)('%s in %s, %s later, is %s', (ended_at, zone, text, wanted) => {
  const planned = plan(`time_zone: ${zone}\ntasks: [ { name: a, due_in: ${text} } ]\n`, someCall({ ended_at }));
  expect(fieldsOf(planned, 'a').due_at).toBe(wanted);
});

test('a call that names no end is dated by its start, else by when it came', () => {
  const { started_at, ended_at, received_at, ...rest } = someCall();
  const due = (call: object) => plan('tasks: [ { name: a, due_in: 1 hour } ]\n', { ...rest, ...call } as never);
  expect(due({ started_at, received_at }).ended_at).toBe(started_at);
  expect(due({ received_at }).ended_at).toBe(received_at);
  const never = due({});
  expect(never.ended_at).toBe('1970-01-01T00:00:00.000Z');
  expect(never.left_out).toMatchObject([
    { field: 'a.due_at', reason: expect.stringContaining('nothing of when it ended') },
  ]);
  expect(ended_at).toBeDefined();
});

describe('a key of its own', () => {
  const keyed = (key: string, call = someCall()) =>
    plan(`person: {}\nobjects: [ { name: application, object: x_visits, key: ${key}, fields: { a: call.id } } ]`, call);

  test('is made of the person and of what the call says, and is the same for every call that says it', () => {
    const one = keyed('[person, vars.job]', someCall({ id: 'c-1', vars: { job: 'J-7' } })).records[0];
    const other = keyed('[person, vars.job]', someCall({ id: 'c-2', vars: { job: ' j-7 ' } })).records[0];
    expect(one).toMatchObject({
      key: expect.stringMatching(/^own:application:[0-9a-f]{64}$/),
      own_key: { person: true },
    });
    expect(other?.key).toBe(one?.key);
    expect(keyed('[person, vars.job]', someCall({ vars: { job: 'J-8' } })).records[0]?.key).not.toBe(one?.key);
    expect(keyed('[vars.job]', someCall({ vars: { job: 'J-7' } })).records[0]?.own_key).toEqual({ person: false });
    // Parts do not run into each other.
    const [ab, a] = [
      { a: 'ab', b: 'c' },
      { a: 'a', b: 'bc' },
    ].map((vars) => keyed('[vars.a, vars.b]', someCall({ vars })).records[0]?.key);
    expect(ab).not.toBe(a);
  });

  test('without one of its parts there is no record, and the plan says why', () => {
    const planned = keyed('[person, vars.job]', someCall({ vars: {} }));
    expect(planned.records).toEqual([]);
    expect(planned.left_out).toMatchObject([
      { field: 'application', reason: 'its key has no vars.job: vars.job is not in the call', at: { line: 2 } },
    ]);
  });
});
