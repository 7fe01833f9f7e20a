import { formatFinding } from '@wrapup/findings';
import type { Dialect } from '@wrapup/mapping';
import { expect, test } from 'vitest';
import { compile, compiled, fieldsOf, plan } from './support/compile.ts';

/** A destination whose records have a word for plain texts, and rules for the names of fields. */
const dialect: Dialect = {
  kind: 'acme',
  person: { create_as: [], object: 'event' },
  records: {
    events: {
      type: 'event',
      object: 'event',
      words: {
        send: {
          property: '$send',
          text: 'text',
          literal: (text) => (text === 'all' || text === 'lead.phone' ? undefined : 'must be all or lead.phone'),
        },
      },
      check: (properties) =>
        properties
          .filter((property) => property.includes('!'))
          .map((property) => ({ property, problem: 'has a ! in it', hint: 'take it out' })),
    },
  },
  presets: {},
};

test('a literal word is its own text, whatever it looks like', () => {
  for (const text of ['all', 'lead.phone'])
    expect(fieldsOf(plan(`events: [{ name: a, send: ${text} }]`, undefined, { dialect }), 'a')).toEqual({
      $send: text,
    });
  const { fields } = compiled('events: [{ name: a, send: all }]', { dialect });
  expect(fields).toMatchObject([{ property: '$send', values: ['all'] }]);
});

test.each([
  ['send: lead.email', 'mappings/acme.yaml:3:11: error: events[0].send must be all or lead.phone [bad-value]'],
  ['send: "{{ lead.phone }}"', 'mappings/acme.yaml:3:11: error: events[0].send must be all or lead.phone [bad-value]'],
])('a wrong literal is found at load: %s', (line, says) => {
  const { mapping, findings } = compile(`events:\n  - name: a\n    ${line}\n`, { dialect });
  expect(mapping).toBeUndefined();
  expect(findings.map(formatFinding)).toEqual([says]);
});

test('a literal that is not a text at all is one mistake', () => {
  const { mapping, findings } = compile('events:\n  - name: a\n    send: { from: lead.phone }\n', { dialect });
  expect(mapping).toBeUndefined();
  expect(findings).toMatchObject([{ code: 'bad-value', at: { line: 3 } }]);
});

test('a field that the destination cannot have is found at load', () => {
  const text = 'events:\n  - name: a\n    fields:\n      fine: call.id\n      not!so: call.id\n';
  const { mapping, findings } = compile(text, { dialect });
  expect(mapping).toBeUndefined();
  expect(findings.map(formatFinding)).toEqual([
    'mappings/acme.yaml:5:7: error: the field not!so has a ! in it [bad-field]\n    take it out',
  ]);
});
