/** Every kind of record that a mapping can name, from its YAML to the account and back. */
import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { failure, ids, planFor, write } from '@wrapup/destination/conformance';
import { compileMapping } from '@wrapup/mapping';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hubspotDialect } from '../src/index.ts';
import { compiled, hubspotHarness, mapped, openAccount } from './hubspot-harness.ts';

let account: Awaited<ReturnType<typeof openAccount>>;
beforeEach(async () => {
  account = await openAccount();
});
afterEach(async () => {
  await account.close();
});

const EVERYTHING = `
person: { unmatched: create }
call_log: { title: A call }
companies:
  - { name: company, domain: { from: lead.email, transform: email_domain }, title: { value: Acme Inc } }
deals:
  - { name: deal, title: A deal, stage: { value: appointmentscheduled }, pipeline: { value: default }, associate: [person, company] }
tickets:
  - { name: ticket, subject: A ticket, stage: { value: "1" }, pipeline: { value: "0" }, associate: [person, company] }
notes:
  - { name: note, body: A note, associate: [person, deal] }
meetings:
  - { name: meeting, title: A meeting, body: To agree, starts_at: { value: "2026-12-01T10:00:00Z" }, outcome: { value: SCHEDULED } }
tasks:
  - { name: task, subject: A task, due_in: 1 hour, associate: [person, company, ticket] }
objects:
  - { name: visit, object: 2-4711, fields: { wrapup_topic: vars.topic }, associate: [person, call_log] }
`;

test('one call becomes a record of every kind, linked as the mapping says, and a replay adds none', async () => {
  account.sandbox.control.seed({ custom_objects: [{ id: '2-4711', name: 'visits' }] });
  const destination = await account.connect();
  const plan = mapped(EVERYTHING, { id: 'c1', email: 'ada@acme.example', phone: '+14155550142' }, { topic: 'Renewal' });
  const steps = await destination.provision({ mappings: [compiled(EVERYTHING)], plan: false }, makeMemoryContext());
  expect(steps.filter(({ state }) => state === 'created').map(({ what }) => what)).toEqual([
    '2-4711.wrapup_key',
    '2-4711.wrapup_topic',
  ]);
  expect(await destination.check([compiled(EVERYTHING)], makeMemoryContext())).toEqual([]);

  const [outcome] = await write(destination, [plan]);
  const written = ids(outcome);
  expect(Object.keys(written)).toEqual([
    'person',
    'call_log',
    'company',
    'deal',
    'ticket',
    'note',
    'meeting',
    'task',
    'visit',
  ]);
  const { sandbox } = account;
  const links = (object: string) => sandbox.records(object)[0]?.associations;
  const { person, company, deal, ticket } = written;
  expect(links('companies')).toMatchObject({ contacts: [person], deals: [deal], tickets: [ticket] });
  expect(links('deals')).toMatchObject({ contacts: [person], companies: [company] });
  expect(links('notes')).toMatchObject({ contacts: [person], deals: [deal] });
  expect(links('tasks')).toMatchObject({ contacts: [person], companies: [company], tickets: [ticket] });
  expect(links('meetings')).toMatchObject({ contacts: [person] });
  expect(links('2-4711')).toMatchObject({ contacts: [person], calls: [written.call_log] });
  expect(sandbox.records('2-4711')[0]?.properties).toMatchObject({ wrapup_topic: 'Renewal' });

  const [again] = await write(destination, [{ ...plan, resume: { attempts: 1, records: written } }]);
  expect(ids(again)).toEqual(written);
  for (const object of ['contacts', 'companies', 'deals', 'tickets', 'notes', 'meetings', 'tasks', 'calls', '2-4711'])
    expect([object, sandbox.records(object).length]).toEqual([object, 1]);
});

test('a record that is refused for the lack of a dropped field is parked with why that field was refused', async () => {
  const text = `person: { unmatched: create }
call_log: { title: A call }
deals:
  - { name: deal, title: A deal, stage: { value: nowhere }, pipeline: { value: default } }
`;
  const [outcome] = await write(await account.connect(), [mapped(text, { id: 'c1', phone: '+14155550142' })]);
  const { code, message, next, hint, details } = failure(outcome);
  expect({ code, next, field: details.field, vendor: details.vendor_code, line: details.at?.line }).toEqual({
    ...{ code: 'invalid_field', next: 'park', field: 'dealstage', vendor: 'INVALID_OPTION', line: 4 },
  });
  expect(message).toMatch(
    /not among the property’s options \(property dealstage\).*Without dealstage .*needs a property/,
  );
  expect(hint).toMatch(/^Add the option in HubSpot.* It allows /);
});

test('a deal of the list is moved on by a renewal call, and a replay after a colleague won it leaves it alone', async () => {
  const { sandbox } = account;
  const [deal = ''] =
    sandbox.control.seed({
      records: {
        deals: [
          {
            properties: { dealname: 'Renewal 2026', pipeline: 'default', dealstage: 'qualifiedtobuy', amount: '9000' },
          },
        ],
      },
    }).deals ?? [];
  const text = `person: { unmatched: create }
call_log: { title: A call }
deals:
  - name: renewal
    find: { id: prompt_variables.deal_id }
    none: park
    fields:
      dealstage: { value: contractsent, write: forward, order: [qualifiedtobuy, contractsent, closedwon] }
      amount: { from: vars.amount, transform: number, write: if_ours }
`;
  const call = { ...planFor(hubspotHarness, { id: 'c1', phone: '+14155550142' }).call, direction: 'outbound' as const };
  const plan = compiled(text).plan({ ...call, vars: { amount: '12k' }, prompt_variables: { deal_id: deal } }, 'sample');
  const destination = await account.connect();
  const commons = makeMemoryCommons();
  const [preview] = await destination.preview([plan], makeMemoryContext(commons));
  const before = account.requests();
  const [outcome] = await write(destination, [plan], commons);
  expect(preview?.requests).toBe(account.requests() - before);
  const now = () => sandbox.records('deals').map(({ id, properties }) => [id, properties.dealstage, properties.amount]);
  expect(now()).toEqual([[deal, 'contractsent', '9000']]);
  expect(outcome).toMatchObject({
    ok: true,
    receipt: { notes: [expect.stringMatching(/^renewal\.amount: it is not known/)] },
  });
  expect(sandbox.records('deals')[0]?.associations.contacts).toEqual([ids(outcome).person]);

  await account.change('deals', deal, { dealstage: 'closedwon', amount: '50000' });
  await write(destination, [{ ...plan, resume: { attempts: 1, records: ids(outcome) } }], commons);
  expect(now()).toEqual([[deal, 'closedwon', '50000']]);
});

describe('labels of links', () => {
  const text = (label: string) => `
person: { unmatched: create }
deals:
  - name: deal
    title: A deal
    stage: { value: appointmentscheduled }
    pipeline: { value: default }
    labels: { person: ${label} }
`;
  const plan = (id: string, label: string) => mapped(text(label), { id, phone: '+14155550142' });
  const ask = (method: string, path: string, body?: object) =>
    fetch(`${account.sandbox.hubspotUrl}${path}`, {
      method,
      headers: { authorization: 'Bearer pat-na1-test', 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });

  test('are set as the account knows them, once, and those it does not know are noted', async () => {
    const made = await ask('POST', '/crm/v4/associations/deals/contacts/labels', {
      label: 'Decision maker',
      name: 'decision_maker',
    });
    expect(made.ok).toBe(true);
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    const [first] = await write(destination, [plan('c1', 'decision Maker')], commons);
    await write(
      destination,
      [{ ...plan('c1', 'decision Maker'), resume: { attempts: 1, records: ids(first) } }],
      commons,
    );
    const links = await ask('GET', `/crm/v4/objects/deals/${ids(first).deal}/associations/contacts`);
    const { results } = (await links.json()) as { results: { associationTypes: { label: string | null }[] }[] };
    expect(results.map(({ associationTypes }) => associationTypes.map(({ label }) => label).toSorted())).toEqual([
      ['Decision maker', null],
    ]);
    const [unknown] = await write(destination, [plan('c2', 'Champion')], commons);
    expect(unknown).toMatchObject({ ok: true, receipt: { notes: [expect.stringContaining('no such label')] } });
    const asked = account.sandbox.control
      .requests()
      .requests.filter(({ operation }) => operation === 'associations labels');
    expect(asked).toHaveLength(1);
  });

  test('stand for links that the record has, and are not empty', () => {
    const check = (text: string) =>
      compileMapping({ name: 'm.yaml', text, dialect: hubspotDialect, readFile: () => undefined }).findings;
    expect(check(text('" "'))).toMatchObject([
      { code: 'bad-value', message: expect.stringContaining('labels.person must name a label'), at: { line: 8 } },
    ]);
    const findings = check(text('x').replace('labels: { person', 'labels: { persn'));
    expect(findings).toMatchObject([{ code: 'unknown-record', hint: expect.stringContaining('person') }]);
  });
});

describe('companies', () => {
  const TEXT = `
person: { unmatched: create }
companies:
  - name: company
    domain: { from: lead.email, transform: email_domain }
    title: vars.company
`;
  const plan = (id: string, email: string, company = 'Said on the phone') => mapped(TEXT, { id, email }, { company });
  const companies = () => account.sandbox.records('companies');

  test('are found by the domain of the address, and what is there stays', async () => {
    const [there] =
      account.sandbox.control.seed({
        records: { companies: [{ properties: { domain: 'acme.example', name: 'Acme' } }] },
      }).companies ?? [];
    const [outcome] = await write(await account.connect(), [plan('c1', 'ada@ACME.example')]);
    expect(ids(outcome)).toMatchObject({ company: there });
    expect(companies()).toMatchObject([
      { properties: { name: 'Acme' }, associations: { contacts: [ids(outcome).person] } },
    ]);
  });

  test('are created once for many calls, in one batch and in a later one that search does not know of yet', async () => {
    account.searchSees(false);
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    const emails = ['ada', 'bob', 'cyd'].map((name) => `${name}@acme.example`);
    await write(
      destination,
      emails.map((email, n) => plan(`c${n}`, email)),
      commons,
    );
    await write(destination, [plan('c9', 'dan@acme.example')], commons);
    await write(destination, [plan('c10', 'eve@acme.example')], makeMemoryCommons());
    expect(companies()).toMatchObject([{ properties: { domain: 'acme.example', name: 'Said on the phone' } }]);
    expect(companies()[0]?.associations.contacts).toHaveLength(5);
  });

  test('of a hundred calls cost no more than that of one, and fill gaps from the first that knows', async () => {
    const destination = await account.connect();
    const plans = Array.from({ length: 100 }, (_, n) => plan(`c${n}`, `p${n}@acme.example`, n < 50 ? '' : `Name ${n}`));
    const outcomes = await write(destination, plans);
    expect(new Set(outcomes.map((outcome) => ids(outcome).company)).size).toBe(1);
    expect(companies()).toMatchObject([{ properties: { name: 'Name 50' } }]);
    expect(companies()[0]?.associations.contacts).toHaveLength(100);
    const operations = account.sandbox.control.requests().requests.filter(({ object }) => object === 'companies');
    expect(operations.map(({ operation }) => operation)).toEqual([
      'search',
      'batch/create',
      'associations batch/associate/default',
    ]);
  });

  test('are left out for addresses at a mail provider and without an address', async () => {
    const outcomes = await write(await account.connect(), [
      plan('c1', 'ada@gmail.com'),
      mapped(TEXT, { id: 'c2', phone: '+14155550142' }, {}),
    ]);
    expect(outcomes.map((outcome) => Object.keys(ids(outcome)))).toEqual([['person'], ['person']]);
    expect(companies()).toEqual([]);
  });

  test('of a search that failed are never created', async () => {
    account.sandbox.control.fault({ kind: 'status', object: 'companies', path: '/search$' });
    const [outcome] = await write(await account.connect(), [plan('c1', 'ada@acme.example')]);
    expect(failure(outcome)).toMatchObject({ code: 'unavailable', next: 'retry', details: { record: 'company' } });
    expect(companies()).toEqual([]);
  });

  test('that were deleted since they were remembered are made again', async () => {
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    const [first] = await write(destination, [plan('c1', 'ada@acme.example')], commons);
    await fetch(`${account.sandbox.hubspotUrl}/crm/v3/objects/companies/${ids(first).company}`, {
      method: 'DELETE',
      headers: { authorization: 'Bearer pat-na1-test' },
    });
    const [second] = await write(destination, [plan('c2', 'ada@acme.example')], commons);
    expect(ids(second).company).not.toBe(ids(first).company);
    expect(companies()).toHaveLength(1);
  });

  test('are foretold by a preview', async () => {
    account.sandbox.control.seed({
      records: { companies: [{ properties: { domain: 'acme.example', name: 'Acme' } }] },
    });
    const destination = await account.connect();
    for (const [id, email] of [
      ['c2', 'bob@new.example'],
      ['c3', 'cyd@acme.example'],
    ] as const) {
      const [foretold] = await destination.preview([plan(id, email)], makeMemoryContext());
      const before = account.requests();
      await write(destination, [plan(id, email)]);
      expect([id, foretold?.requests]).toEqual([id, account.requests() - before]);
    }
    const [preview] = await destination.preview([plan('c1', 'ada@acme.example')], makeMemoryContext());
    expect(preview?.records.find(({ name }) => name === 'company')).toMatchObject({
      did: 'update',
      fields: expect.arrayContaining([expect.objectContaining({ field: 'name', applies: false })]),
    });
  });

  test('need a domain in the mapping', () => {
    const text = 'companies:\n  - { name: company, title: vars.company }\n';
    const { findings } = compileMapping({ name: 'm.yaml', text, dialect: hubspotDialect, readFile: () => undefined });
    expect(findings).toMatchObject([
      { code: 'missing-key', message: expect.stringContaining('domain'), at: { line: 2 } },
    ]);
  });
});

describe('call outcomes', () => {
  const TEXT = 'call_log: { title: x, fields: { hs_call_disposition: { from: vars.outcome } } }\n';
  const plan = (id: string, outcome: string) => mapped(TEXT, { id }, { outcome });
  const LEFT_VOICEMAIL = 'b2cf5968-551e-4856-9783-52b3da59a7d0';
  const stored = () => account.sandbox.records('calls').map(({ properties }) => properties.hs_call_disposition);

  test('are written by label or by id, and labels are read once', async () => {
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    await write(destination, [plan('c1', 'left Voicemail'), plan('c2', 'Left voicemail')], commons);
    await write(destination, [plan('c3', 'Left voicemail')], commons);
    await write(destination, [plan('c4', LEFT_VOICEMAIL)], makeMemoryCommons());
    expect(stored()).toEqual(Array(4).fill(LEFT_VOICEMAIL));
    const asked = account.sandbox.control
      .requests()
      .requests.filter(({ operation }) => operation === 'properties read');
    expect(asked).toHaveLength(1);
  });

  test('that the account does not have are left out with a note, or park', async () => {
    const [dropped] = await write(await account.connect(), [plan('c1', 'Bought everything')]);
    expect(dropped).toMatchObject({
      ok: true,
      receipt: { notes: [{ code: 'unknown_option', field: 'hs_call_disposition' }] },
    });
    const [parked] = await write(await account.connect({ drop_refused_fields: false }), [
      plan('c2', 'Bought everything'),
    ]);
    expect(failure(parked)).toMatchObject({ code: 'invalid_field', next: 'park' });
    expect(stored()).toEqual([undefined]);
  });

  test('are previewed by label, under the name that people know the field by; a body without its markup', async () => {
    const text = `call_log: { title: x, body: "About {{ vars.topic }}", fields: { hs_call_disposition: { value: ${LEFT_VOICEMAIL} } } }\n`;
    const [preview] = await (await account.connect()).preview(
      [mapped(text, { id: 'c1' }, { topic: 'A < B\nC' })],
      makeMemoryContext(),
    );
    const fields = preview?.records.find(({ name }) => name === 'call_log')?.fields ?? [];
    expect(fields.find(({ field }) => field === 'hs_call_disposition')).toMatchObject({
      ...{ label: 'Call outcome', to: LEFT_VOICEMAIL, to_shown: 'Left voicemail' },
    });
    expect(fields.find(({ field }) => field === 'hs_call_body')).toMatchObject({
      ...{ to: 'About A &lt; B<br>C', to_shown: 'About A < B\nC' },
    });
    expect(fields.find(({ field }) => field === 'hs_call_title')).not.toHaveProperty('to_shown');
  });

  test('are checked by label, against those of the account', async () => {
    const text = (label: string) => `call_log: { title: x, fields: { hs_call_disposition: { value: ${label} } } }\n`;
    const destination = await account.connect();
    expect(await destination.check([compiled(text('No answer'))], makeMemoryContext())).toEqual([]);
    expect(await destination.check([compiled(text('No reply'))], makeMemoryContext())).toMatchObject([
      { code: 'unknown-option', hint: expect.stringContaining('“No answer”') },
    ]);
  });
});
