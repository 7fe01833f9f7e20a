import { formatFinding } from '@wrapup/mapping';
import { expect, test } from 'vitest';
import { compile, unmark } from './support/compile.ts';

const field = (form: string) => `person:\n  fields:\n    x: ${form}\n`;

interface Wanted {
  code: string;
  says: RegExp;
  hint?: RegExp;
  /** Errors in all; 1 unless the mistake really is several. */
  errors?: number;
}

/** What is wrong, the file with the place marked by », and what the finding must say. */
const MISTAKES: [string, string, Wanted][] = [
  // Paths
  [
    'a root is mistyped',
    field('»laed.phone'),
    { code: 'unknown-path', says: /"laed\.phone"/, hint: /did you mean "lead\.phone"/ },
  ],
  [
    'a field of the call is mistyped',
    field('»call.outcom'),
    { code: 'unknown-path', says: /call has no outcom/, hint: /"call\.outcome"/ },
  ],
  [
    'a field of the lead is mistyped',
    field('»lead.fist_name'),
    { code: 'unknown-path', says: /lead has no/, hint: /"lead\.first_name"/ },
  ],
  [
    'a field of the agent is mistyped',
    field('»call.agent.nmae'),
    { code: 'unknown-path', says: /call\.agent has no/, hint: /"call\.agent\.name"/ },
  ],
  [
    'a root is written under call',
    field('»call.lead.phone'),
    { code: 'unknown-path', says: /call has no lead/, hint: /"lead\.phone"/ },
  ],
  [
    'a field of the call has no root',
    field('»outcome'),
    { code: 'unknown-path', says: /"outcome"/, hint: /"call\.outcome"/ },
  ],
  [
    'a field stands under the wrong root',
    field('»call.phone'),
    { code: 'unknown-path', says: /call has no phone/, hint: /"lead\.phone"/ },
  ],
  ['a constant stands bare', field('»OPEN'), { code: 'unknown-path', says: /OPEN/, hint: /\{ value: OPEN \}/ }],
  [
    'a path leads under a single value',
    field('»call.outcome.name'),
    { code: 'unknown-path', says: /call\.outcome is a single value/ },
  ],
  [
    'a path stops at a section',
    field('»call.agent'),
    { code: 'unknown-path', says: /section/, hint: /call\.agent\.id/ },
  ],
  ['a path is a root only', field('»lead'), { code: 'unknown-path', says: /section/ }],
  [
    'a collected variable’s part is mistyped',
    field('»collected.budget.vlaue'),
    { code: 'unknown-path', says: /collected\.budget has no vlaue/, hint: /value/ },
  ],
  [
    'a path reads a prototype',
    field('vars»["constructor"].name'),
    { code: 'refused-path', says: /cannot read "constructor"/ },
  ],
  [
    'a path reads a prototype, in a placeholder',
    field('"{{ vars».__proto__ }}"'),
    { code: 'refused-path', says: /__proto__/ },
  ],
  [
    'a path has two dots',
    field('vars».'.concat('.x')),
    { code: 'bad-path', says: /is not a path/, hint: /raw\.items\[0\]/ },
  ],
  [
    'a path has a blank',
    field('»vars.best time'.replace('»', '').replace('best', 'best»')),
    { code: 'bad-path', says: /not a path/ },
  ],
  ['a path is too long', field(`»raw${'.a'.repeat(32)}`), { code: 'bad-path', says: /33 parts; at most 32/ }],
  ['a person’s field has parts', field('»person.deals.name'), { code: 'unknown-path', says: /single value/ }],
  // Texts
  [
    'a placeholder never closes',
    field('"Hi »{{ lead.name"'),
    { code: 'unclosed-placeholder', says: /never closes/, hint: /\{\{ lead\.name \}\}/ },
  ],
  [
    'a placeholder never closes before the next',
    field('"»{{ lead.name {{ lead.phone }}"'),
    { code: 'unclosed-placeholder', says: /never closes/ },
  ],
  ['a placeholder never opened', field('"Hi lead.name »}}"'), { code: 'bad-placeholder', says: /without its/ }],
  ['a placeholder is empty', field('"Hi {{» }}"'), { code: 'bad-placeholder', says: /names no path/ }],
  [
    'a path in a placeholder is mistyped',
    field('"Hi {{ »lead.nmae }}"'),
    { code: 'unknown-path', says: /lead has no nmae/, hint: /"lead\.name"/ },
  ],
  [
    'a placeholder in a block is mistyped',
    'call_log:\n  title: |\n    Hello\n    and {{ »lead.nmae }}\n',
    { code: 'unknown-path', says: /lead has no nmae/ },
  ],
  [
    'a placeholder without quotes',
    'call_log:\n  title: {»{ call.outcome }}\n',
    { code: 'bad-key', says: /plain name/, hint: /quotes/ },
  ],
  [
    'a transform is missing after the bar',
    field('"{{ lead.name | »}}"'),
    { code: 'bad-placeholder', says: /no transform after/ },
  ],
  [
    'a default that looks like a path is mistyped',
    field('"{{ lead.name | default: »laed.phone }}"'),
    { code: 'unknown-path', says: /laed/, hint: /lead\.phone/ },
  ],
  [
    'a title that looks like a path is mistyped',
    'call_log:\n  title: »call.outcom\n',
    { code: 'unknown-path', says: /outcom/ },
  ],
  // Transforms
  [
    'a transform is mistyped',
    field('"{{ lead.name | »uper }}"'),
    { code: 'unknown-transform', says: /"uper"/, hint: /did you mean "upper"/ },
  ],
  [
    'a transform in a list is mistyped',
    field('{ from: lead.name, transform: [trim, »lowercase] }'),
    { code: 'unknown-transform', says: /"lowercase"/, hint: /lower/ },
  ],
  [
    'a transform with a key is mistyped',
    field('{ from: lead.name, transform: { »truncat: 5 } }'),
    { code: 'unknown-transform', says: /truncat/, hint: /truncate/ },
  ],
  [
    'an argument is missing',
    field('"{{ lead.name | »truncate }}"'),
    { code: 'bad-argument', says: /takes one argument, not 0/, hint: /truncate: length/ },
  ],
  [
    'an argument is too many',
    field('"{{ lead.name | »upper: 1 }}"'),
    { code: 'bad-argument', says: /takes no argument, not 1/ },
  ],
  [
    'an argument is no number',
    field('"{{ lead.name | truncate: »many }}"'),
    { code: 'bad-argument', says: /whole number from 1/ },
  ],
  [
    'an argument is out of range',
    field('{ from: lead.name, transform: { truncate: »0 } }'),
    { code: 'bad-argument', says: /whole number from 1/ },
  ],
  [
    'an argument is no time zone',
    field('"{{ call.ended_at | date: »Americas/New_York }}"'),
    { code: 'bad-argument', says: /time zone/ },
  ],
  ['an argument is no country', field('"{{ lead.phone | e164: »UK }}"'), { code: 'bad-argument', says: /US or GB/ }],
  [
    'default has two arguments',
    field('"{{ lead.name | »default: a, b }}"'),
    { code: 'bad-argument', says: /one argument, not 2/ },
  ],
  [
    'an argument’s quote never closes',
    field(`'{{ lead.name | default: »"a }}'`),
    { code: 'bad-placeholder', says: /quote never closes/ },
  ],
  // Tables
  [
    'a table misses values',
    field('{ from: call.direction, »map: { inbound: IN } }'),
    { code: 'unmapped-value', says: /call\.direction outbound/, hint: /default/ },
  ],
  [
    'a table has a value that never comes',
    field('{ from: call.outcome, default: x, map: { »conected: A } }'),
    { code: 'unknown-value', says: /never "conected"/, hint: /"connected"/ },
  ],
  [
    'a condition asks for what never comes',
    'call_log: { when: { path: call.answered_by, equals: »robot } }\n',
    { code: 'unknown-value', says: /never "robot"/, hint: /machine/ },
  ],
  [
    'a condition lists what never comes',
    'call_log: { when: { path: call.outcome, in: [busy, »no-answer] } }\n',
    { code: 'unknown-value', says: /never "no-answer"/, hint: /"no_answer"/ },
  ],
  [
    'a condition compares words',
    'call_log: { when: { path: call.duration, gt: »long } }\n',
    { code: 'bad-value', says: /compares numbers or times/ },
  ],
  [
    'a condition asks nothing',
    'call_log:\n  when: »{ path: lead.email }\n',
    { code: 'bad-value', says: /asks nothing/, hint: /equals/ },
  ],
  [
    'a condition has no path',
    'call_log:\n  when: { pth: lead.email, exists: true }\n'.replace('pth', '»pth'),
    { code: 'unknown-key', says: /"pth"/, hint: /"path"/ },
  ],
  ['a condition is empty', 'call_log: { when: { any: »[] } }\n', { code: 'bad-value', says: /at least one/ }],
  // Shape
  [
    'a key at the top is mistyped',
    '»persn: {}\n',
    { code: 'unknown-key', says: /"persn" in the file/, hint: /"person"/ },
  ],
  [
    'a key of a person is mistyped',
    'person: { »unmached: create }\n',
    { code: 'unknown-key', says: /"unmached" in person/, hint: /"unmatched"/ },
  ],
  [
    'a key of a value is mistyped',
    field('{ »form: lead.name }'),
    { code: 'unknown-key', says: /"form" in person\.fields\.x/, hint: /"from"/, errors: 2 },
  ],
  [
    'a key of a record is mistyped',
    'tasks:\n  - name: a\n    »subjct: x\n',
    { code: 'unknown-key', says: /"subjct" in tasks\[0\]/, hint: /"subject"/ },
  ],
  [
    'a choice is not offered',
    'person: { ambiguous: »newest }\n',
    { code: 'bad-value', says: /none of park, most_recent, oldest: "newest"/ },
  ],
  [
    'a write mode is not offered',
    field('{ from: lead.name, write: »if_empt }'),
    { code: 'bad-value', says: /none of overwrite/, hint: /"if_empty"/ },
  ],
  [
    'an outcome is mistyped',
    'person: { unmatched: { »conected: create, default: skip } }\n',
    { code: 'unknown-key', says: /conected/, hint: /"connected"/ },
  ],
  [
    'an outcome is missing without default',
    'person: { unmatched: »{ connected: create } }\n',
    { code: 'unmapped-value', says: /says nothing of the outcomes voicemail_left/, hint: /default/ },
  ],
  [
    'a way to match is not offered',
    'person: { match: [id, »mail] }\n',
    { code: 'bad-value', says: /none of id, email, phone/, hint: /"email"/ },
  ],
  [
    'a way to match is listed twice',
    'person: { match: [id, phone, »id] }\n',
    { code: 'bad-value', says: /listed twice/ },
  ],
  [
    'a list stands where a value belongs',
    field('»[a, b]'),
    { code: 'bad-value', says: /must be text or a number or true or false or a section with keys, not a list/ },
  ],
  [
    'a text stands where a section belongs',
    'person: »yes please\n',
    { code: 'bad-value', says: /person must be a section with keys, not text/ },
  ],
  [
    'value and from are both there',
    field('{ »value: 1, from: lead.name }'),
    { code: 'bad-value', says: /both value and from/ },
  ],
  [
    'neither value nor from is there',
    field('»{ write: if_empty }'),
    { code: 'bad-value', says: /neither value nor from/ },
  ],
  [
    'a constant is transformed',
    field('{ value: x, »transform: upper }'),
    { code: 'bad-value', says: /takes no transform/ },
  ],
  ['a field has no value', field('').replace('x:', '»x:'), { code: 'nothing-to-remove', says: /x has no value/ }],
  ['a name has capitals', 'tasks:\n  - name: »Call-Back\n', { code: 'bad-value', says: /small letters/ }],
  ['a record has no name', 'tasks:\n  - »subject: x\n', { code: 'missing-key', says: /tasks\[0\]\.name is required/ }],
  [
    'two records have one name',
    'tasks:\n  - name: a\ndeals:\n  - »name: a\n',
    { code: 'duplicate-name', says: /already used in line 2/ },
  ],
  [
    'a record has a name that is taken',
    'tasks:\n  - »name: person\n',
    { code: 'bad-name', says: /cannot be called person/ },
  ],
  [
    'a record is associated with none',
    'tasks:\n  - { name: a, associate: [»b] }\n',
    { code: 'unknown-record', says: /no record "b"/ },
  ],
  [
    'a record is associated with itself',
    'tasks:\n  - { name: a, associate: [»a] }\n',
    { code: 'bad-association', says: /itself/ },
  ],
  [
    'records are associated in a circle',
    'tasks:\n  - { name: a, associate: [b] }\n  - { name: b, associate: [»a] }\n',
    { code: 'bad-association', says: /a -> b -> a/ },
  ],
  [
    'nobody is there to associate with',
    'call_log: { associate: [»person] }\n',
    { code: 'unknown-record', says: /"person"/ },
  ],
  [
    'a time to wait is none',
    'tasks:\n  - { name: a, due_in: »soon }\n',
    { code: 'bad-value', says: /"soon" is no time to wait/, hint: /1 business day/ },
  ],
  [
    'hours have no clock',
    'tasks:\n  - { name: a, due_in: »2 hours at 09:00 }\n',
    { code: 'bad-value', says: /no time to wait/ },
  ],
  [
    'a time zone is none',
    'time_zone: »Berlin\n',
    { code: 'bad-value', says: /no time zone "Berlin"/, hint: /Europe\/Berlin/ },
  ],
  [
    'a property is set twice',
    'call_log:\n  title: x\n  fields:\n    »subject: call.outcome\n',
    { code: 'duplicate-field', says: /line 2 sets too/ },
  ],
  [
    'a call log requires',
    'call_log:\n  fields:\n    »x: { from: lead.name, required: true }\n',
    { code: 'bad-value', says: /required has no meaning/ },
  ],
  [
    'a transcript of no text',
    'call_log:\n  body: { »transcript: full }\n',
    { code: 'bad-value', says: /of what text/, errors: 2 },
  ],
  [
    'a template is mistyped',
    'call_log:\n  body: { template: »call-sumary }\n',
    { code: 'bad-value', says: /none of call-summary/, hint: /"call-summary"/ },
  ],
  [
    'a body has two texts',
    'call_log:\n  body: { template: call-summary, »text: x }\n',
    { code: 'bad-value', says: /takes no text/ },
  ],
  [
    'a custom object is not named',
    'custom_objects:\n  - »name: a\n',
    { code: 'missing-key', says: /which object/, hint: /x_visits/ },
  ],
  [
    'a custom object is none',
    'custom_objects:\n  - { name: a, object: »visits }\n',
    { code: 'bad-value', says: /"visits" is no object/ },
  ],
  [
    'a person is read and none is looked for',
    'call_log: { title: "{{ »person.stage }}" }\n',
    { code: 'unknown-path', says: /looks for no person/ },
  ],
  [
    'the id is read from the person',
    'person: { id: »person.id }\n',
    { code: 'unknown-path', says: /cannot be read here/ },
  ],
  // YAML
  [
    'a key is given twice',
    'person: {}\n»person: {}\n',
    { code: 'duplicate-key', says: /"person" was already given/, hint: /one of the two/ },
  ],
  ['a tab indents', 'person:\n»\tfields: {}\n', { code: 'yaml', says: /[Tt]ab/, hint: /spaces/ }],
  ['a quote never closes', 'person: { id: "abc\n»', { code: 'yaml', says: /./ }],
  ['there are two documents', 'person: {}\n»---\nperson: {}\n', { code: 'yaml', says: /document/, hint: /---/ }],
  ['an alias has no anchor', 'person: »*nobody\n', { code: 'yaml', says: /nobody/ }],
  [
    'a merge key is used',
    'person: { fields: { x: { »<<: { from: lead.name } } } }\n',
    { code: 'unknown-key', says: /"<<"/, hint: /extends/, errors: 2 },
  ],
  [
    'a key is a prototype name',
    'person: { fields: { »__proto__: lead.name } }\n',
    { code: 'bad-key', says: /"__proto__" cannot be a key/ },
  ],
  ['a value is infinite', field('{ value: ».inf }'), { code: 'bad-value', says: /no value a CRM takes/ }],
  // Extends
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

test.each(MISTAKES)('%s', (_what, marked, wanted) => {
  const { text, line, column } = unmark(marked);
  const { mapping, findings } = compile(text, { presets: { 'call-log': 'call_log: {}\n' } });
  const all = findings.map(formatFinding);
  const found = findings.find(({ code, at }) => code === wanted.code && at?.line === line && at.column === column);
  expect(found, `nothing at ${line}:${column} among\n${all.join('\n')}`).toBeDefined();
  expect(found?.message).toMatch(wanted.says);
  if (wanted.hint) expect(found?.hint).toMatch(wanted.hint);
  expect(found?.at?.file).toBe('mappings/acme.yaml');
  expect(mapping).toBeUndefined();
  expect(findings.filter(({ severity }) => severity === 'error').length, all.join('\n')).toBe(wanted.errors ?? 1);
});

test('all mistakes of a file are told at once, each in one or two lines', () => {
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
