import { expect, test } from 'vitest';
import { compile } from './support/compile.ts';
import { expectMistake, field, type Mistake } from './support/mistake.ts';

const DEFAULTS: Mistake[] = [
  [
    'a default reads an unknown path',
    field('{ from: vars.a, default: { from: »laed.phone } }'),
    { code: 'unknown-path', says: /laed\.phone/ },
  ],
  [
    'a default has a table with a gap',
    field('{ from: vars.a, default: { from: call.outcome, »map: { connected: X } } }'),
    { code: 'unmapped-value', says: /voicemail/ },
  ],
  [
    'a default says how it is written',
    field('{ from: vars.a, default: { from: vars.b, »write: overwrite } }'),
    { code: 'unknown-key', says: /write/ },
  ],
  [
    'a span is none',
    field('{ from: vars.a, transform: { plus: »soon } }'),
    { code: 'bad-argument', says: /how much must be 30 minutes/ },
  ],
];

const PATHS: Mistake[] = [
  [
    'a root is mistyped in a form with a table',
    field('{ from: »laed.phone, map: { a: b } }'),
    { code: 'unknown-path', says: /"laed\.phone"/ },
  ],
  [
    'a root is mistyped in a condition that asks nothing',
    field('{ from: lead.name, when: { path: »laed.phone } }'),
    { code: 'unknown-path', says: /"laed\.phone"/ },
  ],
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
    'a criterion is mistyped',
    field('»analysis.goals'),
    { code: 'unknown-path', says: /analysis has no goals/, hint: /"analysis\.goal"/ },
  ],
  [
    'a remark is mistyped',
    field('"{{ »analysis.goal_feedbak }}"'),
    { code: 'unknown-path', says: /no goal_feedbak/, hint: /"analysis\.goal_feedback"/ },
  ],
  [
    'something goes under an end reason',
    field('»custom_end_call_reason.text'),
    { code: 'unknown-path', says: /single value/, hint: /custom_end_call_reason/ },
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
  [
    'a path of a field of the call has no root',
    field('»outcome.x'),
    { code: 'unknown-path', says: /no path begins with "outcome"/, hint: /^did you mean "call\.outcome\.x"\?$/ },
  ],
  [
    'a root is none at all',
    field('»zebra.x'),
    { code: 'unknown-path', says: /no path begins/, hint: /^paths begin with call, .*lead.*\{ value: "zebra\.x" \}$/ },
  ],
  [
    'a root is what every object has',
    field('»toString.x'),
    { code: 'unknown-path', says: /no path begins with "toString"/ },
  ],
  [
    'a word is nearly a root',
    field('»leads'),
    { code: 'unknown-path', says: /no path begins/, hint: /^a fixed value is .* vars\.leads$/ },
  ],
  [
    'the source is written under call',
    field('»call.source'),
    { code: 'unknown-path', says: /call has no source/, hint: /"source\.name"/ },
  ],
  [
    'the source is written under lead',
    field('»lead.source'),
    { code: 'unknown-path', says: /lead has no source/, hint: /^lead has / },
  ],
  [
    'a field of the call stands under lead',
    field('»lead.outcome'),
    { code: 'unknown-path', says: /lead has no outcome/, hint: /^did you mean "call\.outcome"\?$/ },
  ],
  [
    'a field of the lead stands under call, with more behind it',
    field('"»call.phone_raw[0].x"'),
    { code: 'unknown-path', says: /call has no phone_raw/, hint: /^did you mean "lead\.phone_raw\[0\]\.x"\?$/ },
  ],
  [
    'a section is mistyped, with more behind it',
    field('»call.agnt.name'),
    { code: 'unknown-path', says: /call has no agnt/, hint: /^did you mean "call\.agent\.name"\?$/ },
  ],
  [
    'a section has no such field, nor has another',
    field('»call.agent.outcome'),
    { code: 'unknown-path', says: /call\.agent has no outcome/, hint: /^call\.agent has / },
  ],
  [
    'something goes under a position in quotes',
    field(`'»collected["best time"].vlaue'`),
    {
      code: 'unknown-path',
      says: /collected\["best time"\] has no vlaue/,
      hint: /"collected\["best time"\]\.value"|value/,
    },
  ],
  ['a path is the person', field('»person'), { code: 'unknown-path', says: /section/, hint: /person\.firstname/ }],
  [
    'nothing is defined',
    field('»my.rank'),
    { code: 'unknown-path', says: /nothing is defined under rank/, hint: /define: \{ rank: … \}/ },
  ],
  [
    'a named value is written with more behind it',
    `define: { rank: vars.a }\n${field('»my.rank.x')}`,
    { code: 'unknown-path', says: /names no value/, hint: /^write my\.rank$/ },
  ],
  [
    'a named value is written by its place',
    `define: { rank: vars.a }\n${field('"»my[0]"')}`,
    { code: 'unknown-path', says: /names no value/, hint: /^write my\.rank$/ },
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
    { code: 'bad-path', says: /not a path/, hint: /fixed text is \{ value: … \}/ },
  ],
  ['a path is too long', field(`»raw${'.a'.repeat(32)}`), { code: 'bad-path', says: /33 parts; at most 32/ }],
  [
    'a path in a placeholder is too long',
    field(`"{{  »raw${'.a'.repeat(32)} }}"`),
    { code: 'bad-path', says: /33 parts; at most 32/ },
  ],
  ['a person’s field has parts', field('»person.deals.name'), { code: 'unknown-path', says: /single value/ }],
];

const TEXTS: Mistake[] = [
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
];

const TRANSFORMS: Mistake[] = [
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
    { code: 'bad-argument', says: /takes no argument, not 1/, hint: /^write it as upper$/ },
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
];

const TABLES_AND_CONDITIONS: Mistake[] = [
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
];

const SUMS: Mistake[] = [
  [
    'a call log counts',
    'call_log:\n  fields:\n    »x: { value: 1, write: add }\n',
    { code: 'bad-value', says: /add belongs to fields of the person/, hint: /count on the person/ },
  ],
  [
    'a word is added',
    'person:\n  fields:\n    »x: { value: one, write: add }\n',
    { code: 'bad-value', says: /add takes numbers/, hint: /transform: number/ },
  ],
  [
    'a day is added',
    'person:\n  fields:\n    »x: { from: call.ended_at, transform: date, write: add }\n',
    { code: 'bad-value', says: /add takes numbers/ },
  ],
  [
    'nothing is added',
    'person:\n  fields:\n    »x: { from: call.duration, clear: true, write: add }\n',
    { code: 'bad-value', says: /empties nothing/, hint: /leave clear out/ },
  ],
];

test.each(PATHS)('%s', (...mistake) => expectMistake(mistake));
test.each(TEXTS)('%s', (...mistake) => expectMistake(mistake));
test.each(TRANSFORMS)('%s', (...mistake) => expectMistake(mistake));
test.each(TABLES_AND_CONDITIONS)('%s', (...mistake) => expectMistake(mistake));
test.each(SUMS)('%s', (...mistake) => expectMistake(mistake));
test.each(DEFAULTS)('%s', (...mistake) => expectMistake(mistake));

test('a criterion that is near to none of Synthflow’s is read, with a warning', () => {
  const { mapping, findings } = compile('person: { fields: { x: analysis.upsell_quality } }\n');
  expect(mapping).toBeDefined();
  expect(findings).toMatchObject([
    { severity: 'warning', code: 'unknown-criterion', message: expect.stringContaining('upsell_quality') },
  ]);
});

test('a placeholder in a constant is written as it stands, with a warning; braces of other programs are none', () => {
  const value = (text: string) => compile(`person: { fields: { x: { value: "${text}" } } }\n`);
  for (const text of ['Call {{ lead.name | upper }} back', '{{my.result}}', '{{ lead.nme }}{{ call.id }}']) {
    const { mapping, findings } = value(text);
    expect(mapping).toBeDefined();
    expect(findings).toMatchObject([
      { severity: 'warning', code: 'placeholder-in-constant', hint: 'write from instead of value', at: { column: 26 } },
    ]);
  }
  for (const text of ['{{ $json.name }}', '{{ contact.name }}', '{{ open', 'lead.name', '}}'])
    expect(value(text).findings).toEqual([]);
});
