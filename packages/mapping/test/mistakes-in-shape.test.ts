import { test } from 'vitest';
import { expectMistake, field, type Mistake } from './support/mistake.ts';

const SHAPE: Mistake[] = [
  [
    'a name is longer than a key has room for',
    `tasks:\n  - name: »${'x'.repeat(101)}\n    subject: x\n`,
    { code: 'bad-value', says: /tasks\[0\]\.name must have at most 100 characters/ },
  ],
  [
    'a key at the top is mistyped',
    '»persn: {}\n',
    { code: 'unknown-key', says: /"persn" at the top of the file/, hint: /"person"/ },
  ],
  [
    'a key of a person is mistyped',
    'person: { »unmached: create }\n',
    { code: 'unknown-key', says: /"unmached" in person/, hint: /"unmatched"/ },
  ],
  [
    'a key of a value is mistyped',
    field('{ »form: lead.name }'),
    { code: 'unknown-key', says: /"form" in person\.fields\.x/, hint: /"from"/ },
  ],
  [
    'a key of a record is mistyped',
    'tasks:\n  - name: a\n    »subjct: x\n',
    { code: 'unknown-key', says: /"subjct" in tasks\[0\]/, hint: /"subject"/ },
  ],
  [
    'a key is used that earlier versions took',
    'call_log: { »transcript: estimated }\n',
    { code: 'retired-key', says: /call_log\.transcript is gone/, hint: /body: \{ transcript: full \}/ },
  ],
  [
    'a choice is not offered',
    'person: { ambiguous: »newest }\n',
    { code: 'bad-value', says: /none of park, most_recent, oldest: "newest"/ },
  ],
  [
    'what was said is good for something that is not offered',
    'person: { said: »ignroe }\n',
    { code: 'bad-value', says: /person\.said is none of match, ignore: "ignroe"/, hint: /"ignore"/ },
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
    'a condition is a formula',
    'call_log: { fields: { x: { from: lead.name, when: »vars.budget > 10000 } } }\n',
    { code: 'bad-value', says: /must be a section with keys, not text/, hint: /\{ path: vars\.budget, gt: 10000 \}/ },
  ],
  [
    'a condition of several is a formula',
    'tasks: [ { name: t, when: { any: [ »call.outcome == busy ] } } ]\n',
    { code: 'bad-value', says: /must be/, hint: /\{ path: call\.outcome, equals: busy \}/ },
  ],
  [
    'a condition is no formula either',
    'tasks: [ { name: t, when: »always } ]\n',
    { code: 'bad-value', says: /must be/, hint: /\{ path: vars\.budget, gt: 10000 \}/ },
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
  ['a name has capitals', 'tasks:\n  - name: »Call-Back\n', { code: 'bad-name', says: /small letters/ }],
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
    'objects are written under their old name and their new one',
    'objects: []\n»custom_objects:\n  - { name: a, object: x_visits }\n',
    { code: 'renamed-key', says: /which the file has too/, hint: /put both under objects/ },
  ],
  [
    'an object that needs a person is associated with none',
    'person: {}\ncall_log: { fields: { a: call.id } }\nobjects:\n  - »{ name: a, object: x_leads, associate: [call_log] }\n',
    { code: 'bad-association', says: /x_leads are made only with a link to one of people, companies/, hint: /person/ },
  ],
  [
    'a record is associated with the same twice',
    'person: {}\ncall_log: { associate: [person, open_deals, »open_deals] }\n',
    { code: 'bad-association', says: /open_deals is listed twice/, hint: /keep one/ },
  ],
  [
    'what the person has is mistyped',
    'person: {}\ncall_log: { associate: [person, »open_deal] }\n',
    { code: 'unknown-record', says: /"open_deal"/, hint: /did you mean "open_deals"/ },
  ],
  [
    'what the person has is called as in another CRM',
    'person: {}\ntasks:\n  - { name: a, associate: [person, »open_opportunities] }\n',
    { code: 'unknown-record', says: /"open_opportunities"/, hint: /here it is called open_deals/ },
  ],
  [
    'what the person has is named in a mapping without one',
    'call_log: { associate: [»company] }\n',
    { code: 'unknown-record', says: /company is of the person/, hint: /add a person section/ },
  ],
  [
    'there is no person to associate with',
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
    { code: 'bad-value', says: /of what text/ },
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
    'an object of the account is not named',
    'objects:\n  - »name: a\n',
    { code: 'missing-key', says: /which object/, hint: /x_visits/ },
  ],
  [
    'the key of an object of the account has a part that is no path',
    'person: {}\nobjects:\n  - { name: a, object: x_visits, key: [person, »vras.job] }\n',
    { code: 'unknown-path', says: /vras/, hint: /vars\.job/ },
  ],
  [
    'the key of an object of the account names the person of a mapping without one',
    'objects:\n  - { name: a, object: x_visits, key: [»person] }\n',
    { code: 'unknown-path', says: /looks for no person/ },
  ],
  [
    'the key of an object of the account lists a part twice',
    'objects:\n  - { name: a, object: x_visits, key: [vars.job, »vars.job] }\n',
    { code: 'bad-value', says: /listed twice/ },
  ],
  [
    'the key of an object of the account is empty',
    'objects:\n  - { name: a, object: x_visits, key: »[] }\n',
    { code: 'bad-value', says: /at least one part/ },
  ],
  ['a deal has a key', 'deals:\n  - { name: a, title: A, »key: [vars.job] }\n', { code: 'unknown-key', says: /key/ }],
  [
    'an object of the account is none',
    'objects:\n  - { name: a, object: »visits }\n',
    { code: 'bad-value', says: /no object "visits"/ },
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
];

const deal = (keys: string) => `person: {}\ndeals:\n  - name: a\n    ${keys}\n`;

const FIND: Mistake[] = [
  ['a way to find is mistyped', deal('find: { »opne: newest }'), { code: 'unknown-key', says: /opne/, hint: /"open"/ }],
  ['a record is found by nothing', deal('find: »{}'), { code: 'missing-key', says: /what by/, hint: /open: newest/ }],
  [
    'a record is found in two ways',
    deal('find: { id: vars.deal, »open: newest }'),
    { code: 'bad-value', says: /both id and open/, hint: /keep one/ },
  ],
  [
    'which of several open ones is mistyped',
    deal('find: { open: »newst }'),
    { code: 'bad-value', says: /none of newest, only: "newst"/, hint: /"newest"/ },
  ],
  [
    'the open record of a mapping without a person',
    'deals:\n  - { name: a, find: { »open: only } }\n',
    { code: 'unknown-path', says: /looks for no person/, hint: /person section/ },
  ],
  [
    'an open record of an object that has no such state',
    'person: {}\nobjects:\n  - { name: a, object: x_visits, find: { »open: newest } }\n',
    { code: 'no-open-state', says: /x_visits have no state/, hint: /by: \{ status/ },
  ],
  ['a record is found by no field', deal('find: { by: »{} }'), { code: 'missing-key', says: /names no field/ }],
  [
    'a record is found by a path that is mistyped',
    deal('find: { by: { order_no: »vras.order } }'),
    { code: 'unknown-path', says: /vras/, hint: /vars\.order/ },
  ],
  [
    'a field to find by says how it is written',
    deal('find: { by: { order_no: { from: vars.order, »write: overwrite } } }'),
    { code: 'unknown-key', says: /write/ },
  ],
  ['none without find', deal('»none: skip'), { code: 'bad-value', says: /none: says/, hint: /add find/ }],
  ['several without find', deal('»several: skip'), { code: 'bad-value', says: /several: says/, hint: /add find/ }],
  [
    'several with an id',
    deal('find: { id: vars.deal }\n    »several: park'),
    { code: 'bad-value', says: /one record at most/, hint: /take several: out/ },
  ],
  [
    'what happens with several is mistyped',
    deal('find: { open: only }\n    several: »oldest'),
    { code: 'bad-value', says: /none of newest, skip, park: "oldest"/ },
  ],
];

test.each([...SHAPE, ...FIND])('%s', (...mistake) => expectMistake(mistake));
