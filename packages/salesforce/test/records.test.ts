import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { failure, ids, planFor, write } from '@wrapup/destination/conformance';
import { compileSample } from '@wrapup/destination/sample-mapping';
import { sampleField } from '@wrapup/destination/sample-plan';
import type { Plan } from '@wrapup/mapping';
import { afterEach, expect, test } from 'vitest';
import { salesforceDialect } from '../src/index.ts';
import { mapped, openAccount, type SalesforceAccount, salesforceHarness } from './salesforce-harness.ts';

let account: SalesforceAccount;
afterEach(async () => {
  await account.close();
});

const PHONE = '+14155550142';
const seed = (records: Record<string, Record<string, unknown>[]>) =>
  account.sandbox.control.seed({ salesforce: { records } });
const all = (object: string) => account.sandbox.salesforce.records(object).map(({ fields }) => fields);

const CONNECTED = { id: 'c1', phone: PHONE, first_name: 'Ada' };

test('a call log of the preset: closed, of the kind that stands under calls, on the org’s day, with all call fields', async () => {
  account = await openAccount();
  // An org that closes tasks with a word of its own.
  account.sandbox.control.seed({
    salesforce: {
      picklists: { Task: { Status: ['Open', 'Erledigt'] } },
      records: { TaskStatus: [{ ApiName: 'Erledigt', MasterLabel: 'Erledigt', IsClosed: true, SortOrder: 9 }] },
    },
  });
  const plan = mapped('extends: salesforce/call-log\n', CONNECTED, {
    direction: 'outbound',
    // Eight in the evening of the day before in Los Angeles.
    started_at: '2026-11-21T04:00:00.000Z',
    ended_at: '2026-11-21T04:02:14.000Z',
    duration: 134.2,
    vars: {},
  });
  const [outcome] = await write(await account.connect(), [plan]);
  expect(Object.keys(ids(outcome))).toEqual(['person', 'call_log']);
  expect(all('Task')).toMatchObject([
    {
      Subject: 'Outbound call: Connected',
      Status: 'Erledigt',
      TaskSubtype: 'Call',
      CallType: 'Outbound',
      CallDurationInSeconds: 134,
      CallDisposition: 'Connected',
      ActivityDate: '2026-11-20',
      Wrapup_Call_Id__c: 'main:c1',
    },
  ]);
  expect(all('Lead')).toMatchObject([{ LastName: 'Caller (415) 555-0142', Company: '[not provided]', Phone: PHONE }]);
});

test('the status that closes a task is the org’s own', async () => {
  account = await openAccount();
  await write(await account.connect(), [planFor(salesforceHarness, { id: 'c1', phone: PHONE })]);
  const [log, task] = all('Task').sort((a, b) => String(b.TaskSubtype).localeCompare(String(a.TaskSubtype)));
  const closed = all('TaskStatus').filter(({ IsClosed }) => IsClosed);
  const [call, open] = log?.TaskSubtype === 'Call' ? [log, task] : [task, log];
  expect(call?.Status).toBe(closed[0]?.ApiName);
  expect(open?.Status).not.toBe(closed[0]?.ApiName);
});

test('a placeholder of a name is no name: the next call may say the real one', async () => {
  account = await openAccount();
  const text = 'extends: salesforce/call-log\n';
  const destination = await account.connect();
  const commons = makeMemoryCommons();
  await write(destination, [mapped(text, { id: 'c1', phone: PHONE })], commons);
  const lead = { phone: PHONE, first_name: 'Ada', last_name: 'Lovelace' };
  await write(destination, [mapped(text, { id: 'c2', phone: PHONE }, { lead })], commons);
  await write(
    destination,
    [mapped(text, { id: 'c3', phone: PHONE }, { lead: { ...lead, last_name: 'Byron' } })],
    commons,
  );
  expect(all('Lead')).toMatchObject([{ FirstName: 'Ada', LastName: 'Lovelace' }]);
});

test('a transcript that is too long for the comments is attached once, whole', async () => {
  account = await openAccount();
  const turns = Array.from({ length: 900 }, (_, n) => ({
    speaker: 'human' as const,
    text: `Sentence ${n} of an hour of talk.`,
  }));
  const plan = mapped('extends: salesforce/call-log\n', CONNECTED, { turns, vars: {} });
  const destination = await account.connect();
  const commons = makeMemoryCommons();
  const [outcome] = await write(destination, [plan], commons);
  const { call_log = '' } = ids(outcome);
  const [log] = all('Task');
  expect(String(log?.Description).length).toBeLessThanOrEqual(32_000);
  expect(log?.Description).toMatch(/ … \[\d+ more characters\]$/);
  const [version] = all('ContentVersion');
  const whole = Buffer.from(String(version?.VersionData), 'base64').toString('utf8');
  expect(whole).toContain('Sentence 0 of');
  expect(whole).toContain('Sentence 899 of');
  expect(all('ContentDocumentLink').some(({ LinkedEntityId }) => LinkedEntityId === call_log)).toBe(true);
  // A replay, and a process that knows nothing, add no second file.
  await write(destination, [{ ...plan, resume: { attempts: 1, records: ids(outcome) } }], commons);
  await write(await account.connect(), [plan], makeMemoryCommons());
  expect(all('ContentVersion')).toHaveLength(1);
  expect(all('Task')).toHaveLength(1);
});

test('a file that cannot be attached fails no call, and a lost answer makes no second file', async () => {
  account = await openAccount();
  const turns = [{ speaker: 'human' as const, text: 'words '.repeat(8_000) }];
  const plan = (id: string) => mapped('extends: salesforce/call-log\n', { ...CONNECTED, id }, { id, turns, vars: {} });
  account.sandbox.control.fault({ api: 'salesforce', kind: 'status', status: 500, object: 'ContentVersion', times: 2 });
  const [failed] = await write(await account.connect(), [plan('c1')]);
  expect(failed).toMatchObject({ ok: true, receipt: { notes: [expect.stringContaining('could not be attached')] } });
  account.sandbox.control.fault({ api: 'salesforce', kind: 'commit_then_reset', object: 'ContentVersion' });
  const [lost] = await write(await account.connect(), [plan('c2')]);
  expect(lost).toMatchObject({ ok: true, receipt: { notes: [] } });
  expect(all('ContentVersion')).toHaveLength(1);
});

const EVERYTHING = `person: { unmatched: create }
call_log: { title: Call, associate: [person, deal] }
opportunities:
  - { name: deal, title: Seats, stage: { value: Prospecting }, close_in: 30 days, amount: { value: "12000" } }
cases: [ { name: complaint, subject: Broken, origin: { value: Phone } } ]
events:
  - { name: visit, subject: Visit, starts_at: { value: "2026-12-01T10:00:00Z" }, minutes: { value: 30 }, associate: [person] }
objects:
  - { name: answer, object: Survey_Answer__c, fields: { Score__c: { value: "7" } }, associate: [person, call_log] }
accounts: [ { name: company, title: Acme } ]
`;

function surveys(): void {
  account.sandbox.control.seed({
    salesforce: {
      custom_objects: [
        {
          name: 'Survey_Answer__c',
          fields: [
            { name: 'Wrapup_Key__c', type: 'string', length: 255, unique: true, external_id: true },
            { name: 'Score__c', type: 'double' },
            { name: 'Contact__c', type: 'reference', reference_to: ['Contact'] },
          ],
        },
      ],
    },
  });
}

test('every kind of record, each once, linked to the contact and its account', async () => {
  account = await openAccount();
  surveys();
  const { Account = [] } = seed({ Account: [{ Name: 'Acme Holding' }] });
  const { Contact = [] } = seed({ Contact: [{ LastName: 'C', Phone: PHONE, AccountId: Account[0] }] });
  const plan = mapped(EVERYTHING, { id: 'c1', phone: PHONE });
  const [outcome] = await write(await account.connect(), [plan]);
  const written = ids(outcome);
  expect(Object.keys(written)).toEqual(['person', 'call_log', 'deal', 'complaint', 'visit', 'answer', 'company']);
  const contact = Contact[0];
  expect(all('Opportunity')).toMatchObject([{ AccountId: Account[0], Amount: 12_000, Wrapup_Key__c: 'main:c1:deal' }]);
  expect(all('Case')).toMatchObject([{ ContactId: contact, Origin: 'Phone' }]);
  expect(all('Event')).toMatchObject([{ WhoId: contact, Wrapup_Call_Id__c: 'main:c1:visit' }]);
  expect(all('Task')).toMatchObject([{ WhoId: contact, WhatId: written.deal }]);
  expect(all('Survey_Answer__c')).toMatchObject([{ Contact__c: contact, Score__c: 7 }]);
  const count = () =>
    ['Task', 'Opportunity', 'Case', 'Event', 'Survey_Answer__c', 'Account'].map((name) => all(name).length);
  const before = count();
  const [again] = await write(await account.connect(), [{ ...plan, resume: { attempts: 1, records: {} } }]);
  expect(ids(again)).toEqual(written);
  expect(count()).toEqual(before);
});

test('a call is about the first of what is listed of which the person has one, and the receipt says what was left out', async () => {
  account = await openAccount();
  const { Account: [acme = ''] = [] } = seed({ Account: [{ Name: 'Acme' }] });
  const people = [PHONE, '+14155550143', '+14155550144'].map((Phone, n) => ({
    ...{ LastName: `Known${n}`, Phone },
    ...(n < 2 ? { AccountId: acme } : {}),
  }));
  const { Contact: [first, , third] = [] } = seed({ Contact: people });
  seed({ Lead: [{ LastName: 'Lead', Company: 'Acme', Phone: '+14155550145' }] });
  const opportunity = { Name: 'Seats', CloseDate: '2026-12-31', StageName: 'Prospecting' };
  const made = seed({
    Case: [{ ContactId: first, Subject: 'Broken', Status: 'New' }],
    Opportunity: [
      { ...opportunity, AccountId: acme },
      { ...opportunity, AccountId: acme },
      { ...opportunity, ContactId: third },
    ],
  });
  const text = `person: {}
call_log: { title: Call, associate: [person, open_opportunities, open_cases, account] }
`;
  const calls = ['2', '3', '4', '5'].map((last, n) => mapped(text, { id: `c${n}`, phone: `+1415555014${last}` }));
  const outcomes = await write(await account.connect(), calls);
  const about = outcomes.map((outcome) => {
    const log = account.sandbox.salesforce.records('Task').find(({ id }) => id === ids(outcome).call_log);
    return log?.fields.WhatId;
  });
  // Two opportunities are not one; then the one case, else the account.
  expect(about).toEqual([made.Case?.[0], acme, made.Opportunity?.[2], undefined]);
  const notes = outcomes.map((outcome) => (outcome.ok ? outcome.receipt.notes : []));
  expect(notes[0]).toEqual([
    'Task.WhatId points at one record, and the person has 2 open_opportunities: none was taken.',
    'Task points at one record by WhatId: account was left out of it.',
  ]);
  expect(notes[2]).toEqual([]);
  expect(notes[3]).toEqual([]);
});

test('a task of a lead relates to nothing else: the receipt says what was left out', async () => {
  account = await openAccount();
  surveys();
  const plan = mapped(EVERYTHING, { id: 'c1', phone: PHONE });
  const [outcome] = await write(await account.connect(), [plan]);
  expect(ids(outcome)).toHaveProperty('deal');
  expect(all('Task')).toMatchObject([{ WhoId: ids(outcome).person }]);
  expect(all('Task')[0]).not.toHaveProperty('WhatId');
  const notes = outcome?.ok ? outcome.receipt.notes.join('\n') : '';
  expect(notes).toMatch(/Task of a lead can relate to nothing else/);
  expect(notes).toMatch(/Survey_Answer__c has no one field that points at a Lead/);
});

test('values are given the type of their field, and refused before Salesforce does', async () => {
  account = await openAccount();
  const fields = [
    sampleField('ReminderDateTime', '2026-11-25T09:00:00+01:00'),
    sampleField('CallDurationInSeconds', '61.6'),
    sampleField('ActivityDate', '2026-11-21T04:00:00Z'),
    sampleField('CallType', 'outbound'),
    sampleField('Subject', 'x'.repeat(300)),
    sampleField('IsRecurrence', true),
    sampleField('Priority', 'Dringend'),
  ];
  const [outcome] = await write(await account.connect(), [
    planFor(salesforceHarness, { id: 'c1', phone: PHONE, task: false, call_fields: fields }),
  ]);
  expect(all('Task')).toMatchObject([
    {
      CallDurationInSeconds: 62,
      ActivityDate: '2026-11-20',
      CallType: 'Outbound',
      IsReminderSet: true,
      Priority: 'Normal',
    },
  ]);
  expect(String(all('Task')[0]?.Subject)).toMatch(/^x+ … \[\d+ more characters\]$/);
  const notes = outcome?.ok ? outcome.receipt.notes : [];
  expect(notes).toMatchObject([
    { code: 'missing_property', field: 'IsRecurrence' },
    { code: 'unknown_option', field: 'Priority', reason: expect.stringContaining('Normal, High, Low') },
  ]);
});

test('what the org’s own rules refuse parks the call and names the line', async () => {
  account = await openAccount({ validation: { Task: ['CallDisposition'] } });
  const destination = await account.connect();
  const [outcome] = await write(destination, [planFor(salesforceHarness, { id: 'c1', phone: PHONE, task: false })]);
  expect(failure(outcome)).toMatchObject({
    code: 'invalid_field',
    next: 'park',
    details: { field: 'CallDisposition', record: 'call_log', vendor_code: 'FIELD_CUSTOM_VALIDATION_EXCEPTION' },
  });
});

test('a field that vanished since the definitions were read is left out, and read afresh', async () => {
  account = await openAccount();
  const destination = await account.connect();
  const commons = makeMemoryCommons();
  const plan = (id: string) =>
    planFor(salesforceHarness, { id, phone: PHONE, task: false, call_fields: [sampleField('CallDisposition', 'Won')] });
  await write(destination, [plan('c1')], commons);
  account.sandbox.control.settings({ salesforce: { hidden_fields: ['Task.CallDisposition'] } });
  for (const id of ['c2', 'c3']) {
    const [outcome] = await write(destination, [plan(id)], commons);
    expect(outcome).toMatchObject({
      ok: true,
      receipt: { notes: [{ code: 'missing_property', field: 'CallDisposition' }] },
    });
  }
  expect(all('Task')).toHaveLength(3);
});

test('a record that is refused for the lack of a dropped field is parked with why that field was refused', async () => {
  account = await openAccount();
  const mapping = compileSample(
    salesforceDialect,
    'person: { unmatched: create }\ncall_log: { title: A call }\nopportunities: [{ name: deal, title: A deal, stage: { value: Prospecting }, fields: { CloseDate: vars.soon } }]\n',
  );
  const { call } = planFor(salesforceHarness, { id: 'c1', phone: PHONE });
  const [outcome] = await write(await account.connect(), [
    mapping.plan({ ...call, vars: { soon: 'when the budget is there' } }, 'sample'),
  ]);
  const { code, message, next, hint, details } = failure(outcome);
  expect({ code, next, field: details.field, line: details.at?.line }).toEqual({
    ...{ code: 'invalid_field', next: 'park', field: 'CloseDate', line: 3 },
  });
  expect(message).toMatch(/Opportunity\.CloseDate: .*takes a date\. Without CloseDate the record was refused/);
  expect(message).not.toContain('budget');
  expect(hint).toMatch(/^Correct the value or its transform/);
});

test('an object that the org does not have parks the call, and is not asked for again and again', async () => {
  account = await openAccount();
  const text =
    'person: { unmatched: create }\ncall_log: { title: x }\nobjects: [ { name: visit, object: Nowhere__c } ]\n';
  const [outcome] = await write(await account.connect(), [mapped(text, CONNECTED)]);
  expect(failure(outcome)).toMatchObject({ code: 'refused', next: 'park', details: { record: 'visit' } });
  // The call itself is on the record all the same.
  expect(Object.keys(failure(outcome).details.done ?? {})).toEqual(['person', 'call_log']);
});

test('a call from a year ago is found again although Salesforce has archived it', async () => {
  account = await openAccount();
  const plan = planFor(salesforceHarness, {
    id: 'old',
    phone: PHONE,
    ended_at: '2024-11-20T10:00:00.000Z',
    task: false,
    call_fields: [sampleField('ActivityDate', '2024-11-20')],
  });
  const destination = await account.connect();
  const [first] = await write(destination, [plan]);
  const [again] = await write(destination, [{ ...plan, resume: { attempts: 1, records: {} } }]);
  expect(ids(again)).toEqual(ids(first));
  expect(all('Task')).toHaveLength(1);
});

test('a preview tells fields as Salesforce takes them, of contacts and of leads', async () => {
  account = await openAccount();
  seed({ Contact: [{ LastName: 'C', Phone: PHONE }] });
  const plan = mapped(
    'extends: salesforce/lead-capture\n',
    { id: 'c1', phone: PHONE, first_name: 'Ada' },
    { vars: { qualified: true } },
  );
  const [preview] = await (await account.connect()).preview([plan], makeMemoryContext());
  expect(preview?.decision).toBe('use');
  expect(preview?.records.map(({ name, object, did }) => [name, object, did])).toEqual([
    ['person', 'Contact', 'update'],
    ['call_log', 'Task', 'create'],
    ['follow-up', 'Task', 'create'],
  ]);
  const status = preview?.records[0]?.fields.find(({ field }) => field === 'Status');
  expect(status).toMatchObject({ applies: false, why: expect.stringContaining('Contact') });
});

test('an opportunity of the list is moved on, and keeps the account and the contact that it has', async () => {
  account = await openAccount();
  const { Account = [] } = seed({ Account: [{ Name: 'Acme' }, { Name: 'Other' }] });
  seed({ Contact: [{ LastName: 'C', Phone: PHONE, AccountId: Account[1] }] });
  const { Opportunity = [] } = seed({
    Opportunity: [{ Name: 'Renewal', StageName: 'Prospecting', CloseDate: '2026-12-31', AccountId: Account[0] }],
  });
  const text = `person: {}
opportunities:
  - name: renewal
    find: { id: metadata.opportunity_id }
    none: park
    fields: { StageName: { value: Qualification, write: forward, order: [Prospecting, Qualification, Closed Won] } }
`;
  const call = { direction: 'outbound', metadata: { opportunity_id: Opportunity[0] ?? '' } } as const;
  const [outcome] = await write(await account.connect(), [mapped(text, { id: 'c1', phone: PHONE }, call)]);
  expect(ids(outcome).renewal).toBe(Opportunity[0]);
  expect(all('Opportunity')).toMatchObject([{ StageName: 'Qualification', AccountId: Account[0] }]);
  const [parked] = await write(await account.connect(), [
    mapped(text, { id: 'c2', phone: PHONE }, { ...call, direction: 'inbound' }),
  ]);
  expect(failure(parked)).toMatchObject({ code: 'missing_record', next: 'park', details: { at: { line: 4 } } });
});

test('an appointment that was moved, and cancelled after that, changes the event that is there', async () => {
  account = await openAccount();
  const destination = await account.connect();
  const commons = makeMemoryCommons();
  const at = (hour: number) => ({ ended_at: `2026-11-20T${hour}:00:00.000Z`, vars: {} });
  const booking = (status: 'booked' | 'moved' | 'canceled', day: number) => ({
    booking: { status, id: 'evt-77', starts_at: `2026-12-0${day}T09:00:00.000Z` },
  });
  const said = (id: string, changes: Partial<Plan['call']>) =>
    mapped('extends: salesforce/appointment\n', { ...CONNECTED, id }, changes);
  const calls = [booking('booked', 1), booking('moved', 2), booking('canceled', 2)];
  const seen: unknown[] = [];
  for (const [index, changes] of calls.entries()) {
    await write(destination, [said(`c${index}`, { ...at(10 + index), ...changes })], commons);
    const [event] = all('Event');
    seen.push([String(event?.StartDateTime).slice(0, 16), String(event?.Subject).split(' with')[0], event?.ShowAs]);
  }
  expect(all('Event')).toHaveLength(1);
  expect(seen).toEqual([
    ['2026-12-01T09:00', 'Appointment', 'Busy'],
    ['2026-12-02T09:00', 'Appointment', 'Busy'],
    ['2026-12-02T09:00', 'Canceled: Appointment', 'Free'],
  ]);
});
