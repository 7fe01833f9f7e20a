import { formatFinding } from '@wrapup/findings';
import { expect, test } from 'vitest';
import { compile } from './support/compile.ts';
import { expectMistake, field, type Mistake } from './support/mistake.ts';

const YAML: Mistake[] = [
  [
    'a key is given twice',
    'person: {}\n»person: {}\n',
    { code: 'duplicate-key', says: /"person" was already given/, hint: /one of the two/ },
  ],
  ['a tab indents', 'person:\n»\tfields: {}\n', { code: 'yaml', says: /[Tt]ab/, hint: /spaces/ }],
  ['a quote never closes', 'person: { id: »"abc\n', { code: 'yaml', says: /[Mm]issing/, hint: /close the quote/ }],
  [
    'a quote never closes, lines before the end',
    "call_log:\n  title: »'abc\n  fields: {}\n# end\n",
    { code: 'yaml', says: /[Mm]issing/ },
  ],
  ['there are two documents', 'person: {}\n»---\nperson: {}\n', { code: 'yaml', says: /document/, hint: /---/ }],
  ['an alias has no anchor', 'person: »*nobody\n', { code: 'yaml', says: /nobody/ }],
  [
    'a merge key is used',
    'person: { fields: { x: { »<<: { from: lead.name } } } }\n',
    { code: 'unknown-key', says: /"<<"/, hint: /extends/ },
  ],
  [
    'a key is a prototype name',
    'person: { fields: { »__proto__: lead.name } }\n',
    { code: 'bad-key', says: /"__proto__" cannot be a key/ },
  ],
  ['a value is infinite', field('{ value: ».inf }'), { code: 'bad-value', says: /no value a CRM takes/ }],
];

const EXTENDS: Mistake[] = [
  [
    'a preset is mistyped',
    'extends: »acme/call-lgo\n',
    { code: 'unknown-preset', says: /no preset "acme\/call-lgo"/, hint: /"acme\/call-log"/ },
  ],
  [
    'a preset has no kind',
    'extends: »call-log\n',
    { code: 'unknown-preset', says: /"call-log"/, hint: /"acme\/call-log"/ },
  ],
  ['a preset is of another kind', 'extends: »hubspot/call-log\n', { code: 'unknown-preset', says: /for acme/ }],
  [
    'a file is missing',
    'extends: »mappings/nothing.yaml\n',
    { code: 'missing-file', says: /cannot read "mappings\/nothing\.yaml"/ },
  ],
  [
    'a file is outside',
    'extends: »../secrets.yaml\n'.replace('..', '../..'),
    { code: 'outside-folder', says: /not inside/ },
  ],
  ['a file is absolute', 'extends: »/etc/passwd.yaml\n', { code: 'outside-folder', says: /not inside/ }],
  [
    'a file is outside by a way round',
    'extends: »mappings/../../x.yaml\n',
    { code: 'outside-folder', says: /not inside/ },
  ],
  [
    'a file extends itself',
    'extends: »mappings/acme.yaml\n',
    { code: 'extends-cycle', says: /mappings\/acme\.yaml -> mappings\/acme\.yaml/ },
  ],
];

test.each(YAML)('%s', (...mistake) => expectMistake(mistake));
test.each(EXTENDS)('%s', (...mistake) => expectMistake(mistake));

test('all mistakes of a file are reported at once, each in one or two lines', () => {
  const { findings } = compile(`person:
  unmached: create
  fields:
    a: laed.phone
    b: { from: call.outcome, map: { connected: X } }
    c: "{{ lead.name | uper }}"
tasks:
  - name: call-back
    when: { path: call.outcome, equals: conected }
    due_in: soon
`);
  expect(findings.map(formatFinding).map((text) => text.split('\n')[0])).toEqual([
    'mappings/acme.yaml:2:3: error: unknown key "unmached" in person [unknown-key]',
    'mappings/acme.yaml:4:8: error: unknown path "laed.phone": no path begins with "laed" [unknown-path]',
    expect.stringMatching(/^mappings\/acme\.yaml:5:30: error: the map says nothing of call\.outcome voicemail_left, /),
    'mappings/acme.yaml:6:24: error: unknown transform "uper" [unknown-transform]',
    'mappings/acme.yaml:9:41: error: call.outcome is never "conected" [unknown-value]',
    'mappings/acme.yaml:10:13: error: due_in: "soon" is no time to wait [bad-value]',
  ]);
  expect(formatFinding(findings[1] as never)).toMatch(/\n {4}did you mean "lead\.phone"\?$/);
});

test('worth a warning: numbers that lose digits, a mapping that writes nothing', () => {
  const warned = (text: string) => {
    const { mapping, findings } = compile(text);
    expect(mapping).toBeDefined();
    return findings.map(({ severity, code, at }) => `${severity} ${code} ${at?.line}:${at?.column}`);
  };
  expect(warned(field('{ value: 0049301 }'))).toEqual(['warning number-form 3:17']);
  expect(warned(field('{ value: +14155550142 }'))).toEqual(['warning number-form 3:17']);
  expect(warned(field('{ value: 90071992547409931 }'))).toEqual(['warning number-form 3:17']);
  expect(warned(field('{ value: 0.5 }'))).toEqual([]);
  expect(warned('')).toEqual(['warning empty-mapping 1:1']);
  expect(warned('# nothing yet\n')).toEqual(['warning empty-mapping 1:1']);
});
