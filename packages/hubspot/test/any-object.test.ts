/** Objects that mappings name themselves, which an account switches on: leads, listings, services and others. */
import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { ids, write } from '@wrapup/destination/conformance';
import { mistakeAt } from '@wrapup/destination/sample-mapping';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hubspotDialect } from '../src/index.ts';
import { compiled, mapped, openAccount } from './hubspot-harness.ts';

let account: Awaited<ReturnType<typeof openAccount>>;
beforeEach(async () => {
  account = await openAccount();
});
afterEach(async () => {
  await account.close();
});

const LIBRARY = `
person: { unmatched: create }
call_log: { title: A call, associate: [person, lead] }
objects:
  - { name: lead, object: 0-136, fields: { hs_lead_name: vars.topic, hs_lead_label: { value: WARM } } }
  - { name: listing, object: listings, fields: { hs_name: vars.topic, hs_price: { value: 250000 } } }
  - name: service
    object: services
    fields: { hs_name: vars.topic, hs_pipeline: { value: service-pipeline }, hs_pipeline_stage: { value: new } }
  - { name: appointment, object: 0-421, key: [person, vars.topic], fields: { hs_appointment_name: vars.topic } }
  - { name: course, object: courses, associate: [person, call_log], fields: { hs_course_name: vars.topic } }
`;
const OBJECTS = ['leads', 'listings', 'services', 'appointments', 'courses'];

test('objects that an account switches on are written by name or type id, each once, a lead with its contact', async () => {
  const { sandbox } = account;
  const off = await (await account.connect()).check([compiled(LIBRARY)], makeMemoryContext());
  expect(off.filter(({ code }) => code === 'unknown-object').map(({ at, hint }) => [at?.line, hint])).toEqual(
    [6, 9, 10, 11].map((line) => [line, expect.stringContaining('Switch the object on')]),
  );
  sandbox.control.seed({ objects: OBJECTS });
  const destination = await account.connect();
  const steps = await destination.provision({ mappings: [compiled(LIBRARY)], plan: false }, makeMemoryContext());
  expect(steps.filter(({ state }) => state === 'created').map(({ what }) => what)).toEqual(
    OBJECTS.filter((object) => object !== 'leads').map((object) => `${object}.wrapup_key`),
  );
  expect(await destination.check([compiled(LIBRARY)], makeMemoryContext())).toEqual([]);
  const commons = makeMemoryCommons();
  const plan = mapped(LIBRARY, { id: 'c1', phone: '+14155550142' }, { topic: 'Loft' });
  const [outcome] = await write(destination, [plan], commons);
  const written = ids(outcome);
  for (const object of OBJECTS)
    expect([object, sandbox.records(object).map(({ associations }) => associations.contacts)]).toEqual([
      object,
      [[written.person]],
    ]);
  expect(sandbox.records('courses')[0]?.associations.calls).toEqual([written.call_log]);
  expect(sandbox.records('calls')[0]?.associations.leads).toEqual([written.lead]);
  // A second call of the person makes another lead, and means the same appointment.
  const [second] = await write(
    destination,
    [mapped(LIBRARY, { id: 'c2', phone: '+14155550142' }, { topic: 'Loft' })],
    commons,
  );
  expect(ids(second).appointment).toBe(written.appointment);
  expect(ids(second).lead).not.toBe(written.lead);
  // Another process, which remembers nothing, makes none of them again.
  const [again] = await write(await account.connect(), [{ ...plan, resume: { attempts: 1, records: {} } }]);
  expect(ids(again)).toEqual(written);
  expect(sandbox.records('leads')).toHaveLength(2);
});

test('a lost answer to a lead leaves one, and what the account demands of an object is checked', async () => {
  const { sandbox } = account;
  sandbox.control.seed({ custom_objects: [{ id: '2-4711', name: 'visits', required: ['visit_name'] }] });
  const text = `person: { unmatched: create }
objects:
  - { name: lead, object: leads, fields: { hs_lead_name: { value: A lead }, hs_lead_nmae: vars.x } }
  - { name: visit, object: 2-4711, fields: { wrapup_topic: vars.topic } }
`;
  const findings = await (await account.connect()).check([compiled(text)], makeMemoryContext());
  expect(findings.map(({ code, at }) => [code, at?.line])).toEqual([
    ['missing-key', undefined],
    ['missing-property', 3],
    ['missing-property', 4],
    ['required-not-mapped', 4],
  ]);
  sandbox.control.fault({ kind: 'commit_then_reset', object: 'leads', path: '/batch/create$' });
  const lead = `person: { unmatched: create }
objects: [ { name: lead, object: leads, fields: { hs_lead_name: { value: A lead } } } ]
`;
  const [outcome] = await write(await account.connect(), [mapped(lead, { id: 'c1', phone: '+14155550142' })]);
  expect(ids(outcome)).toHaveProperty('lead');
  expect(sandbox.records('leads')).toHaveLength(1);
});

test.each([
  ['object: »deals', 'bad-value', /deals has a section of its own/, /under deals:/],
  ['object: »0-1', 'bad-value', /0-1 has a section of its own/, /under person:/],
  ['object: »boats', 'bad-value', /no object "boats"/, /leads, .*2-3453932/],
  [
    'object: leads, associate: [»open_opportunities]',
    'unknown-record',
    /open_opportunities/,
    /here it is called open_deals/,
  ],
  ['object: leads, associate: [person, »deal]', 'unknown-record', /"deal"/, /open_deals|did you mean/],
])('a mistake in an object is a finding with its place: %s', (line, code, says, hint) => {
  const text = `person: {}\nobjects:\n  - { name: one, ${line}, fields: { hs_lead_name: vars.x } }\n`;
  const found = mistakeAt(hubspotDialect, text);
  expect(found.code).toBe(code);
  expect(found.message).toMatch(says);
  expect(found.hint).toMatch(hint);
});

test('one object has one name, whichever a mapping uses, and a lead needs whom it is about', () => {
  const objects = (text: string) => compiled(`person: {}\nobjects:\n${text}`).records.map(({ object }) => object);
  expect(
    objects(
      ['leads', '0-136', '0-420', '2-77', 'p123_visits', '0-999']
        .map((object, n) => `  - { name: o${n}, object: ${object}, fields: { a: vars.x } }\n`)
        .join(''),
    ),
  ).toEqual(['leads', 'leads', 'listings', '2-77', 'p123_visits', '0-999']);
  const lonely =
    'person: {}\nobjects: [ { name: one, object: 0-136, associate: [], fields: { hs_lead_name: vars.x } } ]\n';
  expect(() => compiled(lonely)).toThrow(/made only with a link to one of contacts, companies/);
  expect(objects('  - { name: one, object: leads, associate: [company], fields: { hs_lead_name: vars.x } }\n')).toEqual(
    ['leads'],
  );
});
