import { OUTCOMES, personKey } from '@wrapup/call';
import { expect, test } from 'vitest';
import { someCall } from './support/call.ts';
import { compiled, plan } from './support/compile.ts';

const { lead } = someCall();

test('a person is looked for by id, then e-mail, then number, as far as the call has them', () => {
  const match = (call = someCall()) => plan('person: {}\n', call).person?.match;
  expect(match()).toEqual([
    { by: 'id', value: '7001' },
    { by: 'email', value: 'dana@example.com' },
    { by: 'phone', value: '+14155550142' },
  ]);
  expect(match(someCall({ metadata: {}, lead: { phone: '+14155550142' } }))).toEqual([
    { by: 'phone', value: '+14155550142' },
  ]);
  expect(match(someCall({ metadata: {}, lead: {} }))).toEqual([]);
});

test('the id comes from where the mapping says, else from metadata, else from the prompt variables', () => {
  const id = (text: string, changes = {}) =>
    plan(text, someCall(changes)).person?.match.find(({ by }) => by === 'id')?.value;
  const prompt_variables = { crm_person_id: 'p-1', contact_id: ' 88 ' };
  expect(id('person: {}\n', { prompt_variables })).toBe('7001');
  expect(id('person: {}\n', { prompt_variables, metadata: {} })).toBe('p-1');
  expect(id('person: { id: prompt_variables.contact_id }\n', { prompt_variables })).toBe('88');
  expect(id('person: { id: prompt_variables.contact_id }\n')).toBeUndefined();
  expect(id('person: {}\n', { metadata: { crm_person_id: 'x'.repeat(65) } })).toBeUndefined();
  expect(id('person: {}\n', { metadata: { crm_person_id: { a: 1 } } })).toBeUndefined();
});

test('an id for which speech can stand in is one that was only said', () => {
  const id = (call: Partial<Parameters<typeof someCall>[0]>) =>
    plan(
      'person: { id: "{{ call.end_reason_text | default: vars.n }}" }\n',
      someCall({ direction: 'inbound', lead: {}, vars: { n: '7001' }, ...call }),
    ).person?.match;
  expect(id({})).toEqual([{ by: 'id', value: '7001', said: true }]);
});

test('match says which ways are tried, and in which order', () => {
  expect(plan('person: { match: [phone, email] }\n').person?.match.map(({ by }) => by)).toEqual(['phone', 'email']);
});

test('what happens to the unmatched: one for all, or by outcome; no person is created unasked', () => {
  const by = (text: string) =>
    Object.fromEntries(OUTCOMES.map((outcome) => [outcome, plan(text, someCall({ outcome })).person?.unmatched]));
  expect(new Set(Object.values(by('person: {}\n')))).toEqual(new Set(['log_only']));
  expect(new Set(Object.values(by('person: { unmatched: park }\n')))).toEqual(new Set(['park']));
  const mixed = by('person: { unmatched: { connected: create, spam: skip, default: log_only } }\n');
  expect(mixed).toMatchObject({ connected: 'create', spam: 'skip', voicemail: 'log_only', unknown: 'log_only' });
});

test('ambiguous and create_as have defaults', () => {
  expect(plan('person: {}\n').person).toMatchObject({ ambiguous: 'park', create_as: 'lead' });
  expect(plan('person: { ambiguous: oldest, create_as: contact }\n').person).toMatchObject({
    ambiguous: 'oldest',
    create_as: 'contact',
  });
});

test('the key is of the number, else of the e-mail; without either no person is created', () => {
  const person = (changes: object) => plan('person: { unmatched: create }\n', someCall({ lead: changes })).person;
  expect(person(lead)?.key).toBe(personKey({ phone: '+14155550142' }));
  expect(person({ email: 'dana@example.com' })?.key).toBe(personKey({ email: 'dana@example.com' }));
  expect(person({ phone_raw: 'anonymous', name: 'Dana' })).toMatchObject({ key: null, fallback: { name: 'Caller' } });
});

test('a person without a name is called by the number as it is written at home', () => {
  const fallback = (changes: object) => plan('person: {}\n', someCall({ lead: changes })).person?.fallback;
  expect(fallback({ phone: '+14155550142' })).toEqual({ phone: '+14155550142', name: 'Caller (415) 555-0142' });
  expect(fallback({ phone: '+4930901820' })?.name).toBe('Caller 030 901820');
  expect(fallback({ email: 'dana@example.com' })).toEqual({
    email: 'dana@example.com',
    name: 'Caller dana@example.com',
  });
});

test('no person is created without a field that is required', () => {
  const text = 'person: { unmatched: create, fields: { company: { from: vars.company, required: true } } }\n';
  const without = plan(text);
  expect(without.person?.unmatched).toBe('log_only');
  expect(without.left_out).toContainEqual(
    expect.objectContaining({ field: 'person', reason: expect.stringContaining('company') }),
  );
  expect(plan(text, someCall({ vars: { company: 'Acme' } })).person?.unmatched).toBe('create');
});

test('a mapping without person plans none', () => {
  expect(plan('call_log: { title: x }\n').person).toBeNull();
});

test('fields that read the matched person wait until it is known', () => {
  const mapping = compiled(`person:
  fields:
    greeting: "{{ person.salutation | default: Hello }} {{ lead.first_name }}"
    owner_copy: person.owner
    stage: { from: person.stage, map: { new: OPEN }, default: KEPT, write: overwrite }
tasks:
  - name: ask
    when: { path: person.stage, equals: new }
    subject: "Ask {{ person.owner }}"
`);
  const first = mapping.plan(someCall(), 'calls');
  expect(first.needs.toSorted()).toEqual(['owner', 'salutation', 'stage']);
  expect(first.person?.fields.map(({ name }) => name)).toEqual(['greeting', 'stage']);
  expect(first.left_out).toMatchObject([
    { field: 'person.owner_copy', reason: expect.stringContaining('once the person is found') },
  ]);
  expect(first.records).toEqual([]);

  const settled = { ...first, resume: { attempts: 2, records: { person: '5' } } }.settle({
    stage: 'new',
    owner: 'Kim',
    salutation: null,
  });
  expect(settled.person?.fields.map(({ value }) => value)).toEqual(['Hello Dana', 'Kim', 'OPEN']);
  expect(settled.records[0]?.fields[0]?.value).toBe('Ask Kim');
  expect(settled.resume).toEqual({ attempts: 2, records: { person: '5' } });
  expect(first.settle({ stage: 'old' }).records).toEqual([]);
  expect(first.records).toEqual([]);
  const { settle } = first;
  expect(settle({}).key).toBe('main:c-1');
});
