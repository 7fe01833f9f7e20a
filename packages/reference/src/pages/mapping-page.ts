/** docs/reference/mapping-language.md: everything the language knows, from the registries that it is made of. */
import { KINDS } from '@wrapup/config';
import {
  Absent,
  AMBIGUOUS,
  DEFAULT_DOES,
  type Dialect,
  DUE_SHAPE,
  describeUse,
  listRoots,
  listTransforms,
  PREDICATE_DOES,
  type RecordDialect,
  SAID,
  SAID_MARK,
  type Transform,
  UNMATCHED,
  WRITE_MODES,
} from '@wrapup/mapping';
import { code, codes, GENERATED, table } from './markdown.ts';

export function mappingPage(): string {
  return `${[
    '# The mapping language',
    GENERATED,
    'A mapping says which records a call becomes on one kind of destination, field by field. [Recipes](../recipes/README.md) show it at work; this page lists all there is. `npm run wrapup -- check` says what is wrong with a mapping, `explain` what is in force with all that it extends, `test` and `plan` what it does.',
    '## Values',
    VALUES,
    '## Named values',
    DEFINE,
    '## Paths',
    'A path begins with one of these roots and reads what the call itself holds. `a.b` goes into a section, `a["with space"]` too, `a[0]` takes an item of a list.',
    pathTable(),
    '## Transforms',
    'In a text: `{{ path | transform: argument, argument }}`. In a field: `transform: [trim, { truncate: 20 }]`. What a transform cannot make sense of leaves the field out, unless a `default` follows; the receipt notes it. `time_zone:` and `number:` at the top of a mapping stand in where a line names neither: `time_zone: Europe/Berlin`, `number: de`.',
    transformTable(),
    '## Conditions',
    'A condition names a `path` and asks one or several things of it, or combines others with `all`, `any`, `not`. Something absent fulfils nothing but `exists: false`. Numbers, times and yes or no are read as the transforms read them: `{ path: vars.budget, gt: 10000 }` holds for `"$12,000"` and `"12k"`. `transform:` beside the path works as in a field: `{ path: vars.budget, transform: { number: de }, gt: 10000 }`. What cannot be compared does not hold, and is a note on the receipt.',
    table(
      ['predicate', 'holds when'],
      Object.entries(PREDICATE_DOES).map(([name, does]) => [code(name), does]),
    ),
    '## Write modes',
    MODES_INTRO,
    table(
      ['mode', 'writes'],
      WRITE_MODES.map((mode) => [code(mode), MODES[mode]]),
    ),
    '## The person',
    table(['key', 'takes', 'means'], PERSON),
    '## Records that are there',
    FIND,
    '## Associations',
    ASSOCIATIONS,
    table(['kind', 'word', 'means'], relatedRows()),
    RELATED,
    '## Due dates',
    `\`due_in\` counts from the end of the call: ${DUE_SHAPE}. Business days are Monday to Friday in the mapping's \`time_zone\` (UTC unless said), or those of the mapping's \`office_hours\`: \`{ weekdays: "09:00-17:30", saturday: "10:00-14:00", holidays: [12-25, 2026-12-24] }\`, the same section as for [inbound calls](../guide/inbound-calls.md#office-hours); \`plus\` knows Monday to Friday only. Other days and weeks keep the clock across changes of summer time.`,
    ...Object.values(KINDS).flatMap(({ dialect }) => kindSection(dialect)),
  ].join('\n\n')}\n`;
}

const ASSOCIATIONS =
  '`associate:` of any record lists what it is linked to: the `person` (unless said otherwise), `call_log`, records of the same mapping by their names, wherever they stand in it, and what the person has already:';

const RELATED =
  'A record of the mapping that has one of these names comes first. What the person has is read for a whole batch, when the record is written for the first time: a replay or a revision is linked to nothing that the person has had since, and a link that a colleague took off stays off as long as Wrapup remembers that it made it (`retention.ledger`, 90 days). A look-up that failed makes the call wait. A call without a person, and one of whom only speech tells, is linked to nothing of theirs. On Salesforce a task or an event is about one record: the first of the list of which there is exactly one; the receipt says what was left out.';

function relatedRows(): string[][] {
  return Object.values(KINDS).flatMap(({ dialect: { kind, related = {} } }) =>
    Object.entries(related).map(([word, { object, through }]) => {
      const whose = word.startsWith('open_') ? 'what is open of the person' : 'what the person belongs to';
      const rest = through === undefined ? '' : `; where there is none, of the person’s ${code(through)}`;
      return [code(kind), code(word), `${code(object)}: ${whose}${rest}`];
    }),
  );
}

const VALUES = table(
  ['form', 'is'],
  [
    ['`lead.phone`', 'a path: what the call says there, with its type'],
    [
      '`"{{ lead.name | upper }} called"`',
      'a text with placeholders; with nothing but one placeholder it keeps the type. All of them absent: the field is left out',
    ],
    [
      '`{ value: Phone agent }`, `12`, `true`',
      'a constant. So is one of the CRM’s own values under `priority`, `stage`, `status` and the like: `stage: { value: qualifiedtobuy }`; a text that stands there bare, as in earlier versions, is a warning that `check --fix` corrects',
    ],
    [
      '`{ from: …, transform: …, map: …, default: … }`',
      'a path or text, then its transforms, then a table, then what stands in when nothing is left',
    ],
    ['`{ from: …, clear: true }`', 'an absent value empties the field in the CRM'],
    ['`{ from: …, required: true }`', 'without this value the record is not written'],
    ['`{ from: …, required: park }`', 'without this value nothing is written, and the call waits for a person'],
    ['`{ …, when: { path: … } }`', 'the field is written only for calls that fulfil the condition'],
    ['`{ …, write: if_empty }`', 'when the field may be written'],
    ['`null`', 'takes away what the preset says'],
  ],
);

const FIND = `\`find:\` changes a record of the CRM instead of making one: deals, tickets, opportunities, cases and \`objects\`.

| | finds |
| --- | --- |
| \`find: { open: newest }\` | the open record of the person, else of their company; of several the one that was made last |
| \`find: { open: only }\` | the same, where there is one; \`several:\` decides otherwise |
| \`find: { by: { order_number: prompt_variables.order } }\` | the record whose fields have these values, all of them. A value is a path, a text, a constant \`{ value: … }\`, or a form with \`transform\` and \`map\` |
| \`find: { id: prompt_variables.deal_id }\` | the record with that id |

\`none:\` says what happens where there is none: \`create\` (unless said otherwise), \`skip\` or \`park\`. \`several:\` says what happens where there are several: \`park\` (unless said otherwise; the candidates are named with their addresses), \`newest\` or \`skip\`.

**Open** means for deals and tickets a stage that is not the end of its pipeline, for opportunities and cases that they are not closed. Where the mapping sets a pipeline (on Salesforce a \`RecordTypeId\`), only its records are looked for. Other objects have no such state that all accounts share: find them \`by\` a field that says so. People who are leads have neither opportunities nor cases.

**What counts.** An id counts where the call is given it: on outbound calls from your own list, on others only from \`call.…\`, unless \`person: { said: match }\`. The same holds for values to find by, except where one of the fields has to equal something of the caller, \`person.…\` or their given number: then the others may be said. Every path from which a value can come has to count: its \`default:\`, and what \`my.…\` reads, are among them.

**Two calls at once.** A record that is made where none is found belongs to the person and not to the call: its key is made of the person, or of the values that it is found by, so that calls at the same moment make one. Once it is closed, the next call makes another one.

**Again.** A revision or a replay changes the record that the call was written to before, also when it has been closed since. Fields follow their write modes: a filled field that Wrapup has not written stays under \`if_ours\`; \`write: forward\` moves a stage on, \`overwrite\` writes it. Of several calls that found the same record \`overwrite\` leaves what is written last: a replay of an older call puts its value over that of a newer one. What the record points at stays.

**Lag.** Open records are read through the links of the person, which a CRM shows at once. By values HubSpot has to be searched, and its search sees a new or changed record only after some seconds, unless the property is unique: until then such a record is not found by what a colleague has just written there. One that Wrapup made itself is found by its key.

In tests \`found: { renewal: { id: "9001", dealstage: qualifiedtobuy } }\` stands for what is found, a list for several, the newest last.`;

const DEFINE = `\`define:\` names values that are read as \`my.<name>\` in fields, texts, maps and conditions. They may read one another, in any order; a circle is a mistake. What a preset defines is overridden by name.

\`\`\`yaml
define:
  result:
    cases:                             # the first that holds; is: a constant
      - { when: { path: analysis.no_opt_out, equals: false }, is: do_not_call }
      - { when: { path: vars.appointment_at, exists: true }, is: booked }
    default: call.outcome              # a path, or { value: … }; without it the value is absent where no case holds
  bant:
    count:                             # how many of these hold
      - { path: vars.budget, exists: true }
      - { path: vars.authority, equals: true }
  when_to_meet: { from: vars.appointment_at, default: actions.book.return_value }   # any value
\`\`\``;

const MODES_INTRO =
  'No call undoes what a person changed since. Unless said otherwise, fields of a person are written `if_newer`, those of other records `if_ours`, and of the call log only title, body and outcome `if_ours`: the rest is a fact of the line and written again whenever the call comes again. `kind: http` knows `overwrite` alone. What was written is known by keyed digests for as long as the ledger (`retention.ledger`, 90 days); where nothing is known, because an earlier version wrote it, a filled field stays, with a note on the receipt. Between the read and the write that follows it lie milliseconds in which a change is not seen.';

const MODES: Record<(typeof WRITE_MODES)[number], string> = {
  overwrite: 'always',
  if_empty: 'only where the CRM has nothing',
  if_ours:
    'when the record is created, or the field is empty; later only while the field still says what Wrapup wrote last: a colleague’s change stays',
  if_newer:
    'unless a call that ended later has already been written to that person, or to that record where several calls mean one (`find:`, `key:`). A call that was written before and comes again follows `if_ours`, as do records of one call',
  forward:
    'only what comes later in `order: [first, …, last]` than what the CRM says; what stands elsewhere, or was set back by a colleague, stays',
  never_unset:
    'unless the CRM says true and the call does not: a true stays true. What a colleague took back stays back when the same call comes again',
  append: 'one block of text a call, marked with the call’s key and replaced when the call comes again',
  add: 'the number added to what the person has, once for each call, as counters need it: `{ value: 1, write: add }`. Exact with the property `wrapup_last_call_at` (`provision` makes it); a call that comes in after a later one of the same person, or ended in the same second, is not added. Fields of the person only',
};

const UNMATCHED_DOES: Record<(typeof UNMATCHED)[number], string> = {
  create: 'a new person',
  log_only: 'the call is logged without a person, and nothing else is written',
  skip: 'nothing is written',
  park: 'waits for a person',
};

const AMBIGUOUS_DOES: Record<(typeof AMBIGUOUS)[number], string> = {
  park: 'waits for a person',
  most_recent: 'the one that was created last',
  oldest: 'the one that was created first',
};

const SAID_DOES: Record<(typeof SAID)[number], string> = {
  match: 'it counts like a given one, so that a caller can name any person’s address and be written to that record',
  ignore: 'no person is looked for by it, nor created by it alone',
};

const says = (all: readonly string[], does: Record<string, string>) =>
  all.map((name) => `\`${name}\`: ${does[name]}`).join('; ');

const PERSON = [
  ['`match`', '`[id, email, phone]`', 'how the person is looked for, in this order, each as far as the call has it'],
  [
    '`id`',
    'a path',
    'where the call carries the person’s id in the CRM; `metadata.crm_person_id` or `prompt_variables.crm_person_id` unless said. On a call that is not outbound these count only if our own inbound look-up gave the id for that number; any other path that is not `call.…` counts as said there',
  ],
  [
    '`unmatched`',
    'one word, or one for each outcome and a `default`',
    `no person is found. ${says(UNMATCHED, UNMATCHED_DOES)}`,
  ],
  ['`ambiguous`', 'one word', `several are found. ${says(AMBIGUOUS, AMBIGUOUS_DOES)}`],
  [
    '`said`',
    '`match`, `ignore`',
    `what an address is good for that was only said: collected, extracted, or in a call that is not outbound. Unless said: given ones are tried first; a person found by a said one alone gets the call log and the tasks, marked “${SAID_MARK}”, and nothing of theirs is written. ${says(SAID, SAID_DOES)}`,
  ],
  ['`create_as`', 'by kind', 'what a new person becomes'],
  [
    '`owner`',
    '`contact_owner`, `by_agent`, `by_email`, `fallback`',
    'whom a record is given to that has no owner yet: the first that the account knows',
  ],
  ['`fields`', 'values by the CRM’s own names', 'what is written to the person'],
];

function pathTable(): string {
  return table(
    ['path', 'is'],
    listRoots().map(({ path, does, values }) => [
      code(path),
      values && values.length <= 20 ? `${does}${does ? ': ' : ''}${codes(values.map(String))}` : does,
    ]),
  );
}

function transformTable(): string {
  const rows = listTransforms().map((transform) => [code(describeUse(transform)), transform.does, example(transform)]);
  return table(
    ['transform', 'gives', 'example'],
    [...rows, ['`default: value`', DEFAULT_DOES, '`{{ lead.name | default: lead.phone }}`']],
  );
}

/** What really comes out, so that the page cannot say otherwise. */
function example({ name, example: shown, apply }: Transform): string {
  if (!shown) return '';
  const result = apply(shown.given, ...(shown.args ?? []));
  const args = shown.args ? `: ${shown.args.map((argument) => JSON.stringify(argument)).join(', ')}` : '';
  const gives = result instanceof Absent ? 'absent' : code(JSON.stringify(result));
  return `${code(JSON.stringify(shown.given))} with ${code(`${name}${args}`)}: ${gives}`;
}

function kindSection({ kind, person, records, presets }: Dialect): string[] {
  return [
    `## Kind ${code(kind)}`,
    `Presets: ${Object.keys(presets)
      .map((name) => `[${code(`${kind}/${name}`)}](presets/${kind}-${name}.md)`)
      .join(', ')}. ${
      person.create_as.length > 0
        ? `A person is one of ${code(person.object)}; \`create_as\`: ${codes(person.create_as)}.`
        : 'It knows no persons.'
    }`,
    table(
      ['record', 'writes', 'its own words'],
      Object.entries(records).map(([key, record]) => recordRow(key, record)),
    ),
  ];
}

function recordRow(key: string, { object, any_object, words, owner }: RecordDialect): string[] {
  const shown = Object.entries(words).map(([word, { property }]) => `${code(word)} (${property})`);
  if (owner) shown.push(`\`owner\` (${owner})`);
  return [
    code(key),
    any_object ? `the object named by \`object:\`, such as ${any_object.such_as}` : code(object),
    shown.join(', ') || 'none',
  ];
}
