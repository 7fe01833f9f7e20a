/** What a caller only said, and what a mapping makes of it. */
import { personKey } from '@wrapup/call';
import { limitToSaid, SAID_MARK } from '@wrapup/mapping';
import { expect, test } from 'vitest';
import { someCall } from './support/call.ts';
import { compiled, plan } from './support/compile.ts';

const PHONE = '+14155550142';
const EMAIL = 'ceo@victim.example';
const inbound = (changes: object = {}) =>
  someCall({
    direction: 'inbound',
    metadata: {},
    lead: { phone: PHONE, phone_origin: 'given', email: EMAIL, email_origin: 'said' },
    ...changes,
  });
const person = (text: string, call = inbound()) => plan(text, call).person;

test('given ways come before those that were only said, each in the order of match', () => {
  expect(person('person: {}\n')?.match).toEqual([
    { by: 'phone', value: PHONE },
    { by: 'email', value: EMAIL, said: true },
  ]);
  const lead = { email: 'dana@example.com', email_origin: 'given', said_email: EMAIL, phone: PHONE } as const;
  expect(person('person: { match: [phone, email] }\n', inbound({ lead }))?.match).toEqual([
    { by: 'phone', value: PHONE },
    { by: 'email', value: 'dana@example.com' },
    { by: 'email', value: EMAIL, said: true },
  ]);
});

test('said: match counts it like a given one, said: ignore does not look for it, null is as unsaid', () => {
  expect(person('person: { said: match }\n')).toMatchObject({
    said: 'match',
    match: [
      { by: 'email', value: EMAIL },
      { by: 'phone', value: PHONE },
    ],
  });
  expect(person('person: { said: match }\n')?.match.some((step) => step.said)).toBe(false);
  expect(person('person: { said: ignore }\n')).toMatchObject({
    said: 'ignore',
    match: [{ by: 'phone', value: PHONE }],
  });
  const folder = { files: { 'mappings/base.yaml': 'person: { said: match }\n' } };
  const over = (text: string) => plan(`extends: ./base.yaml\n${text}`, inbound(), folder).person;
  expect(over('')?.said).toBe('match');
  expect(over('person: { said: null }\n')?.match).toEqual(person('person: {}\n')?.match);
});

test('a new person is keyed by what is given, else by what was said; with said: ignore by nothing else', () => {
  const withheld = inbound({ lead: { email: EMAIL, email_origin: 'said' } });
  expect(person('person: {}\n')).toMatchObject({
    key: personKey({ phone: PHONE }),
    fallback: { phone: PHONE, email: EMAIL, said: ['email'] },
  });
  expect(person('person: {}\n', withheld)).toMatchObject({
    key: personKey({ email: EMAIL }),
    fallback: { said: ['email'] },
  });
  const lead = { phone: PHONE, phone_origin: 'said', email: EMAIL, email_origin: 'given' } as const;
  expect(person('person: {}\n', inbound({ lead }))?.key).toBe(personKey({ email: EMAIL }));
  expect(person('person: { said: ignore }\n', withheld)?.key).toBeNull();
  expect(person('person: { said: ignore }\n')?.fallback).toEqual({ phone: PHONE, name: 'Caller (415) 555-0142' });
  expect(person('person: { said: match }\n', withheld)?.fallback).not.toHaveProperty('said');
});

test('the id that calls carry counts from the customer’s own list, else only if it was issued for this number', () => {
  const carried = { metadata: { crm_person_id: '7001' } };
  const first = (text: string, call: ReturnType<typeof someCall>) => person(text, call)?.match[0];
  expect(first('person: {}\n', someCall(carried))).toEqual({ by: 'id', value: '7001' });
  const issued = { by: 'id', value: '7001', issued_to: PHONE };
  expect(first('person: {}\n', inbound(carried))).toEqual(issued);
  const { direction: _, ...unknown } = inbound(carried);
  expect(first('person: {}\n', unknown)).toEqual(issued);
  // Not even a mapping that believes what is said believes this.
  expect(first('person: { said: match }\n', inbound(carried))).toEqual(issued);
  const lead = { email: EMAIL, email_origin: 'given' } as const;
  expect(person('person: {}\n', inbound({ ...carried, lead }))?.match).toEqual([{ by: 'email', value: EMAIL }]);
});

test('an id from elsewhere is given by the platform or the list, and said otherwise', () => {
  const call = inbound({
    external_id: '1',
    vars: { number: '2' },
    prompt_variables: { contact_id: '3' },
    metadata: { contact_id: '4' },
  });
  const step = (path: string, direction: 'inbound' | 'outbound' = 'inbound', said = '') =>
    person(`person: { match: [id], id: ${path}${said} }\n`, { ...call, direction })?.match;
  expect(step('call.external_id')).toEqual([{ by: 'id', value: '1' }]);
  expect(step('vars.number', 'outbound')).toEqual([{ by: 'id', value: '2', said: true }]);
  expect(step('prompt_variables.contact_id')).toEqual([{ by: 'id', value: '3', said: true }]);
  expect(step('prompt_variables.contact_id', 'outbound')).toEqual([{ by: 'id', value: '3' }]);
  expect(step('metadata.contact_id')).toEqual([{ by: 'id', value: '4', said: true }]);
  expect(step('"{{ call.external_id }}{{ vars.number }}"')).toEqual([{ by: 'id', value: '12', said: true }]);
  expect(step('vars.number', 'inbound', ', said: match')).toEqual([{ by: 'id', value: '2' }]);
  expect(step('vars.number', 'inbound', ', said: ignore')).toEqual([]);
});

test('an address that a mapping takes from a variable is known to have been said', () => {
  const text = 'person: { fields: { mail: vars.where_to_write, site: vars.site, from: lead.email } }\n';
  const vars = { where_to_write: ' Ceo@Victim.example ', site: 'example.com' };
  const call = inbound({ vars, lead: { phone: PHONE, email: 'dana@example.com', email_origin: 'given' } });
  expect(person(text, call)?.said_values).toEqual([' Ceo@Victim.example ']);
  expect(person(text, { ...call, vars: {} })).not.toHaveProperty('said_values');
  expect(person(text.replace('{ fields', '{ said: match, fields'), call)).not.toHaveProperty('said_values');
});

const RECORDS = `person:
  fields: { city: vars.city, rank: person.tier }
call_log: { title: Call }
tasks:
  - { name: ask, subject: "Ask {{ person.tier }}", associate: [person, call_log, offer] }
deals:
  - { name: offer, title: Offer }
`;

test('limited to what was said: no field, only call log and tasks, both marked, and what is left out is listed', () => {
  const mapping = compiled(RECORDS);
  const whole = mapping.plan(inbound({ vars: { city: 'Bonn' } }), 'calls');
  const limited = limitToSaid(whole.settle({ tier: 'gold' }));
  expect(limited.person?.fields).toEqual([]);
  expect(limited.person).not.toHaveProperty('owner');
  const shown = limited.records.map(({ name, associate, headline, fields }) => [
    name,
    associate,
    fields.find((field) => field.name === headline)?.value,
  ]);
  expect(shown).toEqual([
    ['call_log', ['person'], `${SAID_MARK}: Call`],
    ['ask', ['person', 'call_log'], `${SAID_MARK}: Ask gold`],
  ]);
  expect(limited.left_out.map(({ field, reason }) => [field, /only said/.test(reason)])).toEqual([
    ['person.city', true],
    ['person.rank', true],
    ['offer', true],
  ]);
  expect(limitToSaid(limited).records).toEqual(limited.records);
  expect(whole.records).toHaveLength(3);
});

test('no owner is written either, labels are those of records that stay, and only what people read first is marked', () => {
  const at = { file: 'mappings/acme.yaml', line: 9, column: 1 };
  const whole = plan('person: { fields: { city: vars.city } }\ncall_log: { title: Call, body: Words }\n', inbound());
  const [log] = whole.records;
  if (!whole.person || !log) throw new Error('the plan has no call log');
  const owner = { property: 'owner', values: [], at } as never;
  const bare = { ...log, name: 'bare', type: 'deal' as never, fields: [] };
  const labels = { person: 'Caller', bare: 'Subject' } as never;
  const limited = limitToSaid({ ...whole, person: { ...whole.person, owner }, records: [{ ...log, labels }, bare] });
  expect(limited.person).not.toHaveProperty('owner');
  expect(limited.left_out.filter((left) => left.at === at)).toEqual([
    { field: 'person.owner', reason: expect.stringContaining('only said'), at },
  ]);
  expect(limited.left_out.map(({ field }) => field)).toEqual(['person.city', 'person.owner']);
  expect(limited.records).toHaveLength(1);
  expect(limited.records[0]).toMatchObject({ name: 'call_log', labels: { person: 'Caller' } });
  expect(Object.keys(limited.records[0]?.labels ?? {})).toEqual(['person']);
  expect(limited.records[0]?.fields.filter(({ value }) => String(value).includes(SAID_MARK))).toHaveLength(1);
  expect(limitToSaid(whole).records[0]).not.toHaveProperty('labels');
});

test.each([
  [null, SAID_MARK],
  ['', SAID_MARK],
  ['Call', `${SAID_MARK}: Call`],
  [`${SAID_MARK}: Call`, `${SAID_MARK}: Call`],
])('a title of %j becomes %s', (value, marked) => {
  const whole = plan('person: {}\ncall_log: { title: Call }\n', inbound());
  const records = whole.records.map((record) => ({
    ...record,
    fields: record.fields.map((field) => (field.name === record.headline ? { ...field, value } : field)),
  }));
  const [log] = limitToSaid({ ...whole, records }).records;
  expect(log?.fields.find(({ name }) => name === log.headline)?.value).toBe(marked);
});

test('a record without fields is marked, and one that has nothing that people read first is as it was', () => {
  const whole = plan('person: {}\ncall_log: { title: Call }\n', inbound());
  const [log] = whole.records;
  if (!log) throw new Error('the plan has no call log');
  const { headline, ...plain } = log;
  const [bare, same] = limitToSaid({ ...whole, records: [{ ...log, fields: [] }, plain] }).records;
  expect(bare?.fields).toEqual([
    { name: headline, value: SAID_MARK, write: 'if_ours', at: { file: '', line: 1, column: 1 } },
  ]);
  expect(same?.fields).toEqual(plain.fields);
});

test('a record without title is marked all the same, and a plan without person stays as it is', () => {
  const bare = limitToSaid(plan('person: {}\ncall_log: { body: Words }\n', inbound()));
  expect(bare.records[0]?.fields[0]).toMatchObject({ name: bare.records[0]?.headline, value: SAID_MARK });
  const none = plan('call_log: { title: x }\n', inbound());
  expect(limitToSaid(none)).toBe(none);
});
