import { expect, test } from 'vitest';
import { decideRecord } from '../src/index.ts';
import { someCall } from './support/call.ts';
import { compile, compiled, plan } from './support/compile.ts';
import { acmeDialect } from './support/dialect.ts';

const DEAL = (find: string, more = '') =>
  `person: {}\ndeals: [ { name: renewal, find: ${find}${more}, title: { value: Renewal, write: if_empty } } ]\ntasks: [ { name: prepare, subject: x, associate: [person, renewal] } ]`;
const found = (find: string, call = someCall(), more = '') => plan(DEAL(find, more), call).records[0]?.find;

test('the id comes from where the call carries it; what happens without one is said, or create', () => {
  const call = someCall({ prompt_variables: { deal_id: ' 7001 ' } });
  expect(found('{ id: prompt_variables.deal_id }', call)).toMatchObject({ id: '7001', none: 'create' });
  expect(found('{ id: prompt_variables.deal_id }', call, ', none: park')).toMatchObject({ id: '7001', none: 'park' });
  expect(found('{ id: prompt_variables.other }', call, ', none: skip')).toEqual({
    none: 'skip',
    why: 'the call has no prompt_variables.other',
    at: expect.objectContaining({ line: 2 }),
  });
});

test('the open record is the person’s: a record that is made has a key of the person instead of the call', () => {
  const call = (source: string) => someCall({ id: 'c1', source });
  expect(found('{ open: only }', call('main'))).toMatchObject({ open: true, several: 'park', key: 'find:renewal' });
  expect(found('{ open: only }', call('main'), ', several: skip')).toMatchObject({ several: 'skip' });
  expect(found('{ open: newest }', call('main'), ', none: skip')).toEqual({
    ...{ open: true, several: 'newest', none: 'skip' },
    why: 'neither the person nor their company has an open one',
    at: expect.objectContaining({ line: 2 }),
  });
  // What one client's mappings make is no other client's.
  expect(found('{ open: newest }', call('acme.main'))?.key).toBe('find:acme:renewal');
});

test('a record is found by what its fields say; the key of one that is made is made of that', () => {
  const call = someCall({ direction: 'outbound', prompt_variables: { order: ' A-7 ', seats: 12 } });
  const by = '{ by: { order_no: prompt_variables.order, kind: { value: renewal } } }';
  expect(found(by, call)).toMatchObject({
    by: [
      { name: 'order_no', value: 'A-7' },
      { name: 'kind', value: 'renewal' },
    ],
    ...{ none: 'create', several: 'park', key: expect.stringMatching(/^find:renewal:[0-9a-f]{64}$/) },
    why: 'no record has that order_no and kind',
  });
  const same = found('{ by: { kind: { value: Renewal }, order_no: { from: prompt_variables.order } } }', call);
  expect(same?.key).toBe(found(by, call)?.key);
  expect(found('{ by: { seats: { from: prompt_variables.seats, transform: number } } }', call)?.by).toEqual([
    { name: 'seats', value: 12 },
  ]);
  const without = found('{ by: { order_no: prompt_variables.other } }', call);
  expect(without).toEqual({ none: 'create', why: 'the call has no prompt_variables.other', at: expect.anything() });
});

test('a value that was only said finds a record that is the caller’s own besides, and no other', () => {
  const call = someCall({ lead: { phone: '+14155550142', phone_origin: 'given' }, vars: { order: 'A-7' } });
  expect(found('{ by: { order_no: vars.order } }', call)).toMatchObject({ why: 'vars.order was only said' });
  expect(found('{ by: { order_no: vars.order } }', call)).not.toHaveProperty('by');
  expect(found('{ by: { order_no: vars.order, phone: lead.phone } }', call)?.by).toHaveLength(2);
  const heard = someCall({ lead: { phone: '+14155550142', phone_origin: 'said' }, vars: { order: 'A-7' } });
  expect(found('{ by: { order_no: vars.order, phone: lead.phone } }', heard)).not.toHaveProperty('by');
  // The person was found by something that is given, or the record is not written at all.
  const settled = plan(DEAL('{ by: { order_no: vars.order, owner: person.id } }'), call).settle({ id: '501' });
  expect(settled.records[0]?.find?.by).toEqual([
    { name: 'order_no', value: 'A-7' },
    { name: 'owner', value: '501' },
  ]);
});

test.each([
  ['a default in a placeholder', '{ id: "{{ call.end_reason_text | default: vars.n }}" }', 'vars.n'],
  [
    'a default among transforms',
    '{ by: { no: { from: call.end_reason_text, transform: [{ default: vars.n }] } } }',
    'vars.n',
  ],
  ['a default beside the person', '{ by: { acct: { from: person.acct, default: vars.n } } }', 'vars.n'],
  ['a default beside the number', '{ by: { phone_c: { from: lead.phone, default: vars.n } } }', 'vars.n'],
  ['a text with the person in it', '{ by: { acct: "{{ person.acct }}{{ vars.n }}" } }', 'vars.n'],
  ['a constant for want of the person', '{ by: { no: vars.n, acct: { from: person.acct, default: none } } }', 'vars.n'],
  ['what a named value reads', '{ id: my.number }', 'vars.n'],
  ['a named value that another one reads', '{ by: { acct: my.account } }', 'vars.n'],
  ['what a named value decides on', '{ by: { plan: my.plan } }', 'vars.m'],
])('%s makes a value one that was only said', (_what, find, path) => {
  const call = someCall({ direction: 'inbound', lead: {}, vars: { n: '7001', m: 'yes' } });
  const define = `define:
  number: { from: call.end_reason_text, default: vars.n }
  account: { from: person.acct, default: my.number }
  plan: { cases: [ { when: { path: vars.m, equals: yes }, is: gold } ], default: { value: basic } }
`;
  const before = plan(define + DEAL(find), call);
  for (const one of [before, before.settle({ firstname: 'Dana' })]) {
    expect(one.records[0]?.find).toMatchObject({ why: `${path} was only said` });
    expect(one.records[0]?.find).not.toHaveProperty('id');
    expect(one.records[0]?.find).not.toHaveProperty('by');
  }
});

test('a named value counts as what it reads: given where all of that is, the caller’s where all of that is theirs', () => {
  const define = 'define: { order: prompt_variables.order, mine: { from: person.acct, default: lead.phone } }\n';
  const call = someCall({ prompt_variables: { order: '7001' }, vars: { n: 'A-7' } });
  expect(plan(define + DEAL('{ id: my.order }'), call).records[0]?.find).toMatchObject({ id: '7001' });
  const by = plan(define + DEAL('{ by: { no: vars.n, mine: my.mine } }'), call).settle({ acct: 'A1' });
  expect(by.records[0]?.find?.by).toEqual([
    { name: 'no', value: 'A-7' },
    { name: 'mine', value: 'A1' },
  ]);
});

test('none: and several: decide what becomes of the record', () => {
  const decided = (more: string, find = '{ open: only }') => {
    const one = found(find, someCall(), more);
    return one && (['none', 'one', 'many'] as const).map((count) => decideRecord(one, count));
  };
  expect(decided('')).toEqual(['create', 'use', 'park']);
  expect(decided(', none: skip, several: newest')).toEqual(['skip', 'use', 'use']);
  expect(decided(', none: park, several: skip')).toEqual(['park', 'use', 'skip']);
  expect(decided('', '{ open: newest }')).toEqual(['create', 'use', 'use']);
  expect(decided(', none: skip', '{ id: prompt_variables.deal }')?.slice(0, 2)).toEqual(['skip', 'use']);
});

test('the fields that a record is found by are checked against the account', () => {
  const { fields, records } = compiled(DEAL('{ by: { order_no: prompt_variables.order } }'));
  expect(fields).toContainEqual({
    ...{ record: 'renewal', object: 'deals', property: 'order_no', use: 'read' },
    at: expect.objectContaining({ line: 2 }),
  });
  expect(records[0]?.find).toMatchObject({ by: 'by' });
});

test('an id that was only said finds nothing, unless the mapping trusts what is said', () => {
  const said = someCall({ direction: 'inbound', vars: { deal_id: '7001' }, prompt_variables: { deal_id: '7001' } });
  for (const root of ['vars', 'prompt_variables'])
    expect(found(`{ id: ${root}.deal_id }`, said)).toMatchObject({ why: `${root}.deal_id was only said` });
  expect(found('{ id: vars.deal_id }', said)?.id).toBeUndefined();
  const trusting = plan(DEAL('{ id: vars.deal_id }').replace('person: {}', 'person: { said: match }'), said);
  expect(trusting.records[0]?.find).toMatchObject({ id: '7001' });
});

test.each([
  ['nothing to find by', 'deals: [ { name: a, title: A, find: {} } ]', 'missing-key'],
  ['none without find', 'deals: [ { name: a, title: A, none: park } ]', 'bad-value'],
  ['another word for none', 'deals: [ { name: a, title: A, find: { id: vars.x }, none: wait } ]', 'bad-value'],
  ['a task is found', 'tasks: [ { name: a, subject: A, find: { id: vars.x } } ]', 'unknown-key'],
  ['the path is mistyped', 'deals: [ { name: a, title: A, find: { id: vras.x } } ]', 'unknown-path'],
])('%s is a mistake', (_what, text, code) => {
  const { mapping, findings } = compile(text);
  expect([mapping, findings.map((finding) => finding.code)]).toEqual([undefined, expect.arrayContaining([code])]);
  expect(findings[0]?.hint).toBeTruthy();
});

test('a preset’s find is changed or taken away', () => {
  const presets = { base: DEAL('{ id: prompt_variables.deal_id }') };
  const over = (text: string) =>
    plan(`extends: acme/base\ndeals: [ { name: renewal, ${text} } ]`, someCall(), {
      presets,
      dialect: acmeDialect(presets),
    }).records[0]?.find;
  expect(over('none: skip')).toMatchObject({ none: 'skip' });
  expect(over('find: null')).toBeUndefined();
});

test('several: beside open: newest is a warning: the newest is taken', () => {
  const { mapping, findings } = compile(
    'person: {}\ndeals: [ { name: a, find: { open: newest }, several: park, fields: { x: { from: vars.y, write: overwrite } } } ]',
  );
  expect(mapping?.plan(someCall(), 'calls').records[0]?.find?.several).toBe('newest');
  expect(findings).toMatchObject([{ severity: 'warning', code: 'no-effect', at: { line: 2 } }]);
});

test('a field that would stay as it is in a record that is found is a warning', () => {
  const { mapping, findings } = compile(
    'deals: [ { name: a, find: { id: vars.x }, title: A, fields: { x: { from: vars.y, write: overwrite } } } ]',
  );
  expect(mapping).toBeDefined();
  expect(findings).toMatchObject([
    {
      severity: 'warning',
      code: 'found-field',
      message: expect.stringMatching(/^name /),
      hint: expect.stringContaining('forward'),
    },
  ]);
});
