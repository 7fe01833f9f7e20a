/** People and the records that wait for them in one request: what that costs, and what becomes of each row when some fail. */
import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { failure, ids, planFor, write } from '@wrapup/destination/conformance';
import { SAMPLE_PLACE, sampleField } from '@wrapup/destination/sample-plan';
import { afterEach, expect, test } from 'vitest';
import { openAccount, openComposite, type SalesforceAccount, salesforceHarness } from './salesforce-harness.ts';

let account: SalesforceAccount;
afterEach(async () => {
  await account.close();
});

const open = async (changes: Parameters<typeof openComposite>[0] = {}) => {
  const opened = await openComposite(changes);
  account = opened.account;
  return opened;
};

const phone = (n: number) => `+1415555${String(1000 + n)}`;
/** @param from number of the first caller */
const plans = (count: number, prefix = 'c', from = 0) =>
  Array.from({ length: count }, (_, n) =>
    planFor(salesforceHarness, { id: `${prefix}${n}`, phone: phone(from + n), first_name: `Caller${n}` }),
  );
const tasks = () => account.sandbox.salesforce.records('Task').filter(({ deleted }) => !deleted);
const leads = () => account.sandbox.salesforce.records('Lead').filter(({ deleted }) => !deleted);

/** The org refuses a person. */
const refuse = (first_name: string) =>
  account.sandbox.control.fault({
    api: 'salesforce',
    kind: 'row_error',
    object: 'Lead',
    row: `"${first_name}"`,
    code: 'FIELD_CUSTOM_VALIDATION_EXCEPTION',
    message: 'Not this one',
  });

/** Kinds of faults that happened in a composite request. */
const faults = () =>
  account.sandbox.control
    .requests()
    .requests.flatMap(({ operation, fault }) => (operation === 'composite' && fault) || []);

/** Each call has one log and one task, and both belong to its person. */
function expectLinked(outcomes: Awaited<ReturnType<typeof write>>): void {
  const all = new Map(tasks().map((task) => [task.id, task]));
  for (const outcome of outcomes) {
    if (!outcome.ok) continue;
    const { person, call_log = '', 'call-back': task = '' } = ids(outcome);
    expect([all.get(call_log)?.fields.WhoId, all.get(task)?.fields.WhoId]).toEqual([person, person]);
  }
  const keys = tasks().map(({ fields }) => fields.Wrapup_Call_Id__c);
  expect(new Set(keys).size).toBe(keys.length);
  expect(tasks().filter(({ fields }) => !fields.WhoId)).toEqual([]);
}

test.each([
  [1, ['search', 'composite']],
  [130, ['search', 'composite']],
  [200, ['search', 'search', 'composite']],
  [333, ['search', 'search', 'search', 'composite']],
])('%i new callers with a task each cost their searches and one request', async (count, requests) => {
  const { commons, destination } = await open();
  const outcomes = await write(destination, plans(count), commons);
  expect(outcomes.filter(({ ok }) => !ok)).toEqual([]);
  expect(account.operations()).toEqual(requests);
  expect(destination.batch).toBe(333);
  expectLinked(outcomes);
  const counted = outcomes.reduce((sum, outcome) => sum + (outcome.ok ? outcome.receipt.requests : 0), 0);
  expect(counted).toBeCloseTo(requests.length, 5);
});

test('so do known callers whose record changes', async () => {
  const { commons, destination } = await open();
  account.sandbox.control.seed({
    salesforce: {
      records: { Contact: Array.from({ length: 200 }, (_, n) => ({ LastName: `Known${n}`, Phone: phone(n) })) },
    },
  });
  const outcomes = await write(destination, plans(200), commons);
  expect(account.operations()).toEqual(['search', 'search', 'composite']);
  expectLinked(outcomes);
  expect(account.sandbox.salesforce.records('Contact').map(({ fields }) => fields.FirstName)).toEqual(
    Array.from({ length: 200 }, (_, n) => `Caller${n}`),
  );
});

test('callers who are remembered cost one request for 400 records', async () => {
  const { commons, destination } = await open();
  await write(destination, plans(200), commons);
  account.operations();
  // Nothing of them has to be read or written.
  const again = Array.from({ length: 200 }, (_, n) => planFor(salesforceHarness, { id: `d${n}`, phone: phone(n) }));
  const outcomes = await write(destination, again, commons);
  expect(account.operations()).toEqual(['composite']);
  expectLinked(outcomes);
  expect([leads().length, tasks().length]).toEqual([201, 802]);
});

test('new, known and remembered callers of one batch share two requests after their searches', async () => {
  const { commons, destination } = await open();
  const callers = (from: number, count: number, prefix: string, more: object = {}) =>
    Array.from({ length: count }, (_, n) =>
      planFor(salesforceHarness, { id: `${prefix}${n}`, phone: phone(from + n), ...more }),
    );
  await write(destination, callers(200, 60, 'r'), commons);
  account.sandbox.control.seed({
    salesforce: {
      records: { Contact: Array.from({ length: 60 }, (_, n) => ({ LastName: `Known${n}`, Phone: phone(100 + n) })) },
    },
  });
  account.operations();
  const outcomes = await write(
    destination,
    [...callers(0, 60, 'n'), ...callers(100, 60, 'k', { first_name: 'Ada' }), ...callers(200, 60, 's')],
    commons,
  );
  expect(account.operations()).toEqual(['search', 'composite', 'composite']);
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
  expectLinked(outcomes);
  expect([leads().length, tasks().length]).toEqual([121, 482]);
});

test('a preview says what such a call costs', async () => {
  const { commons, destination } = await open();
  const plan = plans(1);
  const [preview] = await destination.preview(plan, makeMemoryContext(commons));
  account.operations();
  const [outcome] = await write(destination, plan, commons);
  expect(outcome).toMatchObject({ receipt: { requests: account.operations().length } });
  expect(preview).toMatchObject({ requests: 2 });
});

test('a person who is refused takes no other call along, and leaves nothing that stands alone', async () => {
  const { commons, destination } = await open();
  refuse('Caller3');
  const outcomes = await write(destination, plans(5), commons);
  expect(outcomes.map(({ ok }) => ok)).toEqual([true, true, true, false, true]);
  expect(failure(outcomes[3])).toMatchObject({ code: 'invalid_field', next: 'park', details: { record: 'person' } });
  // The part that named the refused row was halted: its records come once more, by the ids that are known now.
  expect(account.operations()).toEqual(['search', 'composite', 'collections/create']);
  expectLinked(outcomes);
  const [replayed] = await write(
    destination,
    plans(5)
      .slice(3, 4)
      .map((plan) => ({ ...plan, resume: { attempts: 1, records: {} } })),
    commons,
  );
  expectLinked([replayed as (typeof outcomes)[number]]);
  expect([leads().length, tasks().length]).toEqual([6, 12]);
});

test('people who share a part with the records of one who is refused are sent again', async () => {
  const { commons, destination } = await open();
  refuse('Caller3');
  const outcomes = await write(destination, plans(250), commons);
  expect(outcomes.flatMap(({ ok }, n) => (ok ? [] : [n]))).toEqual([3]);
  expectLinked(outcomes);
  expect([leads().length, tasks().length]).toEqual([250, 500]);
});

test('an org that takes the reference to a refused person for an empty one keeps no record without a person', async () => {
  const { commons, destination } = await open({ failed_references: 'null' });
  refuse('Caller1');
  const outcomes = await write(destination, plans(3), commons);
  expect(outcomes.map(({ ok }) => ok)).toEqual([true, false, true]);
  expect(account.operations()).toEqual(['search', 'composite', 'collections/delete']);
  expectLinked(outcomes);
  expect(tasks()).toHaveLength(6);
  // What cannot be deleted is found by its key, and linked, when the call comes again.
  refuse('Caller1');
  account.sandbox.control.fault({ api: 'salesforce', kind: 'status', method: 'DELETE' });
  const others = plans(3, 'd', 50);
  const [, parked] = await write(destination, others, commons);
  expect(failure(parked)).toMatchObject({ next: 'park' });
  expect(tasks().filter(({ fields }) => !fields.WhoId)).toHaveLength(2);
  const again = others.slice(1, 2).map((plan) => ({ ...plan, resume: { attempts: 1, records: {} } }));
  expectLinked(await write(destination, again, commons));
  expect(tasks()).toHaveLength(12);
});

test('an org that takes no such request at all is written to as without the setting', async () => {
  const { commons, destination } = await open();
  const body = [{ errorCode: 'INVALID_INPUT', message: 'Collections are not supported here' }];
  account.sandbox.control.fault({ api: 'salesforce', kind: 'status', status: 400, body, object: 'Lead', times: 1 });
  const outcomes = await write(destination, plans(3), commons);
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
  expect(account.operations()).toEqual(['search', 'composite', 'collections/create', 'collections/create']);
  expectLinked(outcomes);
});

test('a person who is there after all has the records, each once', async () => {
  const { commons, destination } = await open({ search_lag: 600_000 });
  const { person } = plans(1)[0] ?? {};
  account.sandbox.control.seed({
    salesforce: {
      records: { Lead: [{ LastName: 'Other', Company: 'x', Phone: '+14155550199', Wrapup_Key__c: person?.key ?? '' }] },
    },
  });
  const holder = leads().find(({ fields }) => fields.LastName === 'Other');
  const outcomes = await write(destination, plans(3), commons);
  expect(ids(outcomes[0]).person).toBe(holder?.id);
  expectLinked(outcomes);
  expect([leads().length, tasks().length]).toEqual([4, 8]);
});

test('a field that the org refuses is left out of the rows that have it, and they alone are sent again', async () => {
  const { commons, destination } = await open();
  const field = salesforceHarness.refusedField();
  const calls = plans(4).map((plan, n) =>
    n === 2
      ? { ...plan, records: plan.records.map((record) => ({ ...record, fields: [...record.fields, field] })) }
      : plan,
  );
  const outcomes = await write(destination, calls, commons);
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
  expect(outcomes[2]).toMatchObject({ receipt: { notes: [{ field: field.name }, { field: field.name }] } });
  expectLinked(outcomes);
});

test('what was said on the phone names no row, whatever it looks like', async () => {
  const { commons, destination } = await open();
  const titles = ['@{part0[0].id}', 'see @{part0[1].errors[0].message}', 'an ordinary one', '@{nothing.at.all}'];
  const calls = titles.map((title, n) => planFor(salesforceHarness, { id: `c${n}`, phone: phone(n), title }));
  const named = planFor(salesforceHarness, { id: 'name', phone: phone(9), first_name: '@{part0[0].id}' });
  const outcomes = await write(destination, [...calls, named], commons);
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
  const logs = new Map(tasks().map(({ id, fields }) => [id, fields.Subject]));
  expect(outcomes.slice(0, 4).map((outcome) => logs.get(ids(outcome).call_log ?? ''))).toEqual(titles);
  expect(leads().at(-1)?.fields.FirstName).toBe('@{part0[0].id}');
  expectLinked(outcomes);
});

test('an org whose automation breaks under many rows gets people and records apart, in the size that it takes', async () => {
  const { commons, destination } = await open({ automation_rows: { Task: 60 } });
  const first = await write(destination, plans(100), commons);
  expect(first.filter(({ ok }) => !ok)).toEqual([]);
  expectLinked(first);
  const sizes = () =>
    account.sandbox.control
      .requests()
      .requests.filter(({ operation }) => operation === 'collections/create')
      .map(({ inputs }) => inputs ?? 0);
  const before = sizes().length;
  account.operations();
  const second = await write(destination, plans(100, 'd', 500), commons);
  expectLinked(second);
  // The first request creates the people alone.
  expect(account.operations()[1]).toBe('collections/create');
  expect(sizes().slice(before)[0]).toBe(100);
  expect(Math.max(...sizes().slice(before + 1))).toBeLessThanOrEqual(100);
});

test('a request that has no answer in time is followed by smaller ones', async () => {
  const { commons } = await open();
  const destination = await account.connect({ timeout: 400 });
  account.sandbox.control.fault({ api: 'salesforce', kind: 'commit_then_hang', object: 'Lead' });
  const first = await write(destination, plans(20), commons);
  expect(faults()).toEqual(['commit_then_hang']);
  expectLinked(first);
  expect([leads().length, tasks().length]).toEqual([21, 42]);
  const rows = () =>
    account.sandbox.control
      .requests({ bodies: true })
      .requests.filter(({ operation }) => operation === 'composite')
      .map(({ request_body = '' }) => JSON.parse(request_body).compositeRequest[0]?.body?.records?.length ?? 0);
  const before = rows().length;
  expectLinked(await write(destination, plans(20, 'd', 500), commons));
  expect(rows().slice(before)).toEqual([10, 10]);
});

test('assignment rules and duplicate rules hold for the parts as for requests of their own', async () => {
  account = await openAccount({ duplicate_rules: 'alert' }, { connection: { composite: true } });
  const { control, salesforce } = account.sandbox;
  const other = salesforce.records('User').find(({ id, fields }) => fields.IsActive && id !== salesforce.userId);
  control.settings({ salesforce: { assignment: { Lead: other?.id ?? '' } } });
  const twin = { LastName: 'Lovelace', FirstName: 'Ada', Email: 'ada@example.com' };
  const { Contact = [] } = control.seed({
    salesforce: { records: { Contact: [twin, { LastName: 'Lovelace', Phone: phone(2), Email: 'b@example.com' }] } },
  });
  const plan = (n: number, more: object) => planFor(salesforceHarness, { id: `c${n}`, phone: phone(n), ...more });
  const commons = makeMemoryCommons();
  const outcomes = await write(
    await account.connect(),
    [
      plan(1, { first_name: 'Grace' }),
      // Is changed to one that the rule takes for the other contact: who is there already is no duplicate.
      plan(2, { first_name: 'Ada', email: 'b@example.com' }),
      plan(3, {
        first_name: 'Ada',
        last_name: 'Lovelace',
        person_fields: [sampleField('Email', 'ada@example.com', 'if_empty')],
      }),
    ],
    commons,
  );
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
  expect(outcomes.slice(1).map((outcome) => ids(outcome).person)).toEqual([Contact[1], Contact[0]]);
  expect(leads().map(({ fields }) => fields.OwnerId)).toEqual([salesforce.userId]);
  expectLinked(outcomes);
});

test.each([
  ['commit_then_reset', 'Lead'],
  ['drop_rows', 'Lead'],
  ['drop_rows', 'Task'],
] as const)(
  'an answer that is lost in whole or in part (%s of %s) leaves each record once, and linked',
  async (kind, object) => {
    const { commons, destination } = await open();
    account.sandbox.control.fault({ api: 'salesforce', kind, object });
    const outcomes = await write(destination, plans(20), commons);
    expect(faults()).toEqual([kind]);
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
    expectLinked(outcomes);
    expect([leads().length, tasks().length]).toEqual([21, 42]);
  },
);

test('records of several objects name their person, and what waits for another record follows', async () => {
  const { commons, destination } = await open();
  const calls = plans(3).map((plan) => {
    const opportunity = {
      type: 'opportunity',
      object: 'Opportunity',
      name: 'renewal',
      key: `${plan.key}:renewal`,
      associate: ['person'],
      fields: [
        sampleField('Name', 'A renewal'),
        sampleField('StageName', 'Prospecting'),
        sampleField('CloseDate', '2026-12-31'),
      ],
    };
    const [log, ...rest] = plan.records;
    const person = plan.person && { ...plan.person, create_as: 'contact' as const };
    const follows = rest.map((record) => ({ ...record, associate: ['person', 'renewal'] }));
    return { ...plan, person, records: [...(log ? [log] : []), opportunity, ...follows] };
  });
  const outcomes = await write(destination, calls, commons);
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
  expect(account.operations()).toEqual(['composite', 'search', 'composite', 'collections/create']);
  expectLinked(outcomes);
  for (const outcome of outcomes) {
    const { person, renewal, 'call-back': task } = ids(outcome);
    const find = (object: string, id: string | undefined) =>
      account.sandbox.salesforce.records(object).find((record) => record.id === id)?.fields;
    expect(find('Task', task)).toMatchObject({ WhoId: person, WhatId: renewal });
  }
  const roles = account.sandbox.salesforce.records('OpportunityContactRole').map(({ fields }) => fields.ContactId);
  expect(roles.toSorted()).toEqual(outcomes.map((outcome) => ids(outcome).person).toSorted());
});

test('a call that waits for a person since nothing was found leaves nothing but the person', async () => {
  const { commons, destination } = await open();
  const find = { open: true as const, none: 'park' as const, several: 'park' as const, why: '', at: SAMPLE_PLACE };
  const calls = plans(2).map((plan, n) => {
    const renewal = {
      type: 'opportunity',
      object: 'Opportunity',
      name: 'renewal',
      key: `${plan.key}:renewal`,
      associate: ['person'],
      fields: [sampleField('StageName', 'Qualification')],
    };
    return n === 0 ? plan : { ...plan, records: [...plan.records, { ...renewal, find }] };
  });
  const outcomes = await write(destination, calls, commons);
  expect(outcomes.map(({ ok }) => ok)).toEqual([true, false]);
  expect(failure(outcomes[1])).toMatchObject({ next: 'park', details: { record: 'renewal' } });
  expectLinked(outcomes);
  expect([leads().length, tasks().length]).toEqual([3, 4]);
});

test('where activities take no key, people and records are written one after the other', async () => {
  account = await openAccount({}, { provisioned: false, connection: { composite: true } });
  const outcomes = await write(await account.connect(), plans(3));
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
  for (const { fields } of tasks()) expect(fields.WhoId).toBeTruthy();
  expect([leads().length, tasks().length]).toEqual([3, 6]);
});
