import { expect, test } from 'vitest';
import { someCall } from './support/call.ts';
import { compile, plan } from './support/compile.ts';
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
  ['another way', 'deals: [ { name: a, title: A, find: { open: newest } } ]', 'unknown-key'],
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
