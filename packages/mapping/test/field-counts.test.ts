import { expect, test } from 'vitest';
import { type CompiledMapping, countersOf, NEVER_AFTER, NEVER_AFTER_NEAR, readCounters } from '../src/index.ts';
import { someCall } from './support/call.ts';
import { compiled } from './support/compile.ts';

const MAPPING = `define: { warm: { cases: [ { when: { path: vars.interest, equals: high }, is: hot } ], default: { value: cold } } }
person:
  fields:
    budget: { from: vars.budgett, transform: number }
    city: extracted.city
    seen: { value: yes, when: { path: metadata.campaign, exists: true } }
call_log: { title: "Call about {{ vars.topic }}, {{ my.warm }}" }
`;
type Call = Parameters<typeof someCall>[0];

function count(mapping: CompiledMapping, call: Call, written = ['person', 'call_log'], lost: string[] = []): string[] {
  const nothing = {
    vars: {},
    collected: {},
    extracted: {},
    actions: {},
    analysis: {},
    prompt_variables: {},
    metadata: {},
  };
  const plan = mapping.plan(someCall({ outcome: 'connected', ...nothing, ...call }), 'r');
  return countersOf(mapping, plan, new Set(written), new Set(lost));
}

test('a mapping lists every path that it reads of what is free to have any name, once, with its place', () => {
  const reads = compiled(MAPPING).reads.map(({ path, at }) => [path, at.line] as const);
  expect(Object.fromEntries(reads)).toEqual({
    // Built in: how every mapping looks for the person.
    ...{ 'metadata.crm_person_id': 1, 'prompt_variables.crm_person_id': 1 },
    ...{ 'vars.interest': 1, 'vars.budgett': 4, 'extracted.city': 5, 'metadata.campaign': 6, 'vars.topic': 7 },
  });
});

test('a path of a name that Synthflow gives is not among them', () => {
  const { reads } = compiled('person: { fields: { a: lead.phone, b: call.outcome, c: "{{ vars.x }}" } }\n');
  expect(reads.filter(({ at }) => at.file !== '').map(({ path }) => path)).toEqual(['vars.x']);
});

test('names that no line reads come by how often they do, then by name; what is only read is no field', () => {
  const mapping = compiled('person: { fields: { a: vars.known } }\ncall_log: { title: "{{ person.tier }}" }\n');
  const { unread, fields } = readCounters(
    mapping,
    new Map([
      ['n:vars.b', 1],
      ['n:vars.a', 1],
      ['n:vars.often', 7],
      ['n:vars.known', 9],
      ['p:vars.other', 9],
    ]),
  );
  expect(unread).toEqual([
    { name: 'vars.often', calls: 7 },
    { name: 'vars.a', calls: 1 },
    { name: 'vars.b', calls: 1 },
  ]);
  expect(fields.map(({ property }) => property)).toEqual(['a', 'subject']);
});

test('a path that came is counted, also below a name, and an extracted name is one of vars', () => {
  const mapping = compiled('person: { fields: { a: actions.book.return_value.slot, b: vars.seats } }\n');
  const counts = readCounters(
    mapping,
    new Map([
      ['p:vars.seats', 2],
      ['m:vars.seats', 1],
      ['m:actions.book.return_value.slot', NEVER_AFTER],
    ]),
  );
  expect(counts.paths).toMatchObject([
    { path: 'actions.book.return_value.slot', present: 0, absent: NEVER_AFTER, never: true },
    { path: 'vars.seats', present: 2, absent: 1, never: false },
  ]);
  expect(counts.paths[0]).not.toHaveProperty('meant');
  const both = count(mapping, { vars: {}, extracted: { seats: 20 } });
  expect(both.filter((name) => name.startsWith('n:'))).toEqual([]);
});

test('a value that empties a field does not fill it', () => {
  const mapping = compiled('person: { fields: { a: { from: vars.x, clear: true }, b: lead.name } }\n');
  expect(count(mapping, {}).filter((name) => /^[fal]:/.test(name))).toEqual(['f:person.b']);
});

test('a path that a line reads keeps its first place, also where every mapping reads it', () => {
  const line = 'tasks: [ { name: t, subject: "{{ vars.topic }} {{ metadata.crm_person_id }}" } ]\n';
  const mapping = compiled(
    `define: { id: metadata.crm_person_id, topic: vars.topic }\nperson: {}\n${line}call_log: { title: "{{ vars.topic }}" }\n`,
  );
  const placeOf = (wanted: string) => mapping.reads.find(({ path }) => path === wanted)?.at;
  expect(placeOf('metadata.crm_person_id')).toMatchObject({ file: expect.stringMatching(/./), line: 1 });
  expect(placeOf('vars.topic')).toMatchObject({ line: 1 });
  expect(readCounters(mapping, new Map()).paths.map(({ path }) => path)).toContain('metadata.crm_person_id');
  // Where the line stands after what is built in.
  const after = compiled(`person: {}\n${line}`).reads.find(({ path }) => path === 'metadata.crm_person_id');
  expect(after?.at).toMatchObject({ file: expect.stringMatching(/./), line: 2 });
});

test('a delivery counts what was filled, absent and lost, and which paths the call brings', () => {
  const mapping = compiled(MAPPING);
  const vars = { budget: '12k', topic: 'Seats' };
  const counted = count(mapping, { vars, collected: { budget: { value: '12k', collected: true } } }, undefined, [
    'call_log.subject',
  ]);
  expect(counted.sort()).toEqual([
    'a:person.budget',
    'a:person.city',
    'l:call_log.subject',
    'm:extracted.city',
    'm:metadata.campaign',
    'm:metadata.crm_person_id',
    'm:prompt_variables.crm_person_id',
    'm:vars.budgett',
    'm:vars.interest',
    'n:vars.budget',
    'p:vars.topic',
  ]);
  // What nothing can be made of is lost, which the delivery says, and not absent.
  expect(count(mapping, { vars: { budgett: 'a lot' } })).not.toContain('a:person.budget');
  // What its condition does not ask for is neither; a record that was not written says nothing.
  expect(count(mapping, { vars, metadata: { campaign: 'q4' } })).toContain('f:person.seen');
  expect(count(mapping, { vars }, ['call_log']).filter((name) => name.includes('person.'))).toEqual([]);
});

test('a call that was not answered says nothing of what an agent collects', () => {
  const counted = count(compiled(MAPPING), { outcome: 'no_answer', vars: {} });
  expect(counted.filter((name) => /^[pmn]:/.test(name))).toEqual([]);
});

test('names that look like data are not counted, and of one root no more than fifty', () => {
  const mapping = compiled(MAPPING);
  const odd = {
    'ada@example.com': 'x',
    '+4915112345678': 'x',
    'order 4711123': 'x',
    [`n${'a'.repeat(80)}`]: 'x',
    fine: 'x',
  };
  expect(count(mapping, { metadata: odd }).filter((name) => name.startsWith('n:'))).toEqual(['n:metadata.fine']);
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`name_${n}`, 'x']));
  expect(count(mapping, { metadata: many }).filter((name) => name.startsWith('n:'))).toHaveLength(50);
});

test('a path that no call brings is named after calls enough, sooner where a name that comes is nearly the same', () => {
  const mapping = compiled(MAPPING);
  const after = (calls: number) => {
    const sums = new Map<string, number>();
    for (let n = 0; n < calls; n += 1)
      for (const name of count(mapping, { vars: { budget: '12k', topic: 'Seats' } }))
        sums.set(name, (sums.get(name) ?? 0) + 1);
    return readCounters(mapping, sums);
  };
  const never = (calls: number) => after(calls).paths.filter((path) => path.never);
  expect(never(NEVER_AFTER_NEAR - 1)).toEqual([]);
  expect(never(NEVER_AFTER_NEAR)).toMatchObject([
    { path: 'vars.budgett', meant: 'vars.budget', absent: NEVER_AFTER_NEAR },
  ]);
  const all = never(NEVER_AFTER);
  expect(all.map(({ path, meant }) => [path, meant]).sort()).toEqual([
    ['extracted.city', undefined],
    ['metadata.campaign', undefined],
    ['vars.budgett', 'vars.budget'],
    ['vars.interest', undefined],
  ]);
  // A name that another line reads may be meant, too: that it comes is no sign by itself.
  const twice = compiled(`${MAPPING}tasks: [ { name: t, subject: "{{ vars.topik }}", due_in: 1 hour } ]\n`);
  const [topik] = readCounters(
    twice,
    new Map([
      ['p:vars.topic', 99],
      ['m:vars.topik', 99],
    ]),
  ).paths.filter(({ path }) => path === 'vars.topik');
  expect(topik).toMatchObject({ never: false, meant: 'vars.topic' });
  // A name under another root is not.
  const [campaign] = readCounters(mapping, new Map([['n:analysis.campaing', 99]])).paths.filter(
    ({ path }) => path === 'metadata.campaign',
  );
  expect(campaign).not.toHaveProperty('meant');
  const { fields, unread } = after(3);
  expect(fields.find(({ property }) => property === 'budget')).toMatchObject({
    filled: 0,
    absent: 3,
    lost: 0,
    at: { line: 4 },
  });
  expect(unread).toEqual([{ name: 'vars.budget', calls: 3 }]);
});
