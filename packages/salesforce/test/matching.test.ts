/** Who the caller is: kinds of people in their order, numbers as they were typed, what became of leads, duplicate rules. */
import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { failure, ids, planFor, write } from '@wrapup/destination/conformance';
import { rememberPerson } from '@wrapup/destination/engine';
import { sampleField } from '@wrapup/destination/sample-plan';
import { afterEach, expect, test } from 'vitest';
import { escapeTerm, longId, quote } from '../src/client/query.ts';
import { termsOf } from '../src/people/phone-search.ts';
import { openAccount, type SalesforceAccount, salesforceHarness } from './salesforce-harness.ts';

let account: SalesforceAccount;
afterEach(async () => {
  await account?.close();
});

const PHONE = '+14155550142';
const seed = (records: Record<string, Record<string, unknown>[]>) =>
  account.sandbox.control.seed({ salesforce: { records } });
const call = (more: Partial<Parameters<typeof planFor>[1]> = {}) =>
  planFor(salesforceHarness, { id: 'c1', phone: PHONE, ...more });
const find = async (phone = PHONE) => {
  const destination = await account.connect();
  const [answer] = await destination.find(
    [{ match: [{ by: 'phone', value: phone }], properties: [] }],
    makeMemoryContext(),
  );
  return answer?.found === 'one' ? answer.person.id : answer?.found;
};

test('a contact goes before a lead, a lead before an account', async () => {
  account = await openAccount();
  const { Account = [] } = seed({ Account: [{ Name: 'Acme', Phone: '(415) 555-0142' }] });
  expect(await find()).toBe(Account[0]);
  const { Lead = [] } = seed({ Lead: [{ LastName: 'L', Company: 'C', MobilePhone: '415.555.0142' }] });
  expect(await find()).toBe(Lead[0]);
  const { Contact = [] } = seed({ Contact: [{ LastName: 'C', OtherPhone: '+1 415 555 0142' }] });
  expect(await find()).toBe(Contact[0]);
});

test.each([
  '4155550142',
  '(415) 555-0142',
  '415-555-0142',
  '+1 (415) 555-0142',
  '14155550142',
  '+14155550142',
  '415.555.0142 x12',
])('a number that was typed as %s is found, and no other number is taken for it', async (typed) => {
  account = await openAccount();
  const { Lead = [] } = seed({
    Lead: [
      { LastName: 'Meant', Company: 'C', Phone: typed },
      { LastName: 'Abroad', Company: 'C', Phone: '+44 4155550142' },
      { LastName: 'Longer', Company: 'C', Phone: '41555501420' },
    ],
  });
  expect(await find()).toBe(Lead[0]);
});

test('the open opportunity and the open case of a contact are read along, and a lead has none', async () => {
  account = await openAccount();
  const { Account: [acme = ''] = [] } = seed({ Account: [{ Name: 'Acme' }] });
  const { Contact: [ada = ''] = [] } = seed({ Contact: [{ LastName: 'Ada', Phone: PHONE, AccountId: acme }] });
  seed({ Lead: [{ LastName: 'L', Company: 'C', Phone: '+14155550143' }] });
  const opportunity = (Name: string, StageName: string) => ({
    Name,
    StageName,
    CloseDate: '2026-12-31',
    AccountId: acme,
  });
  seed({
    Opportunity: [opportunity('Open one', 'Prospecting'), opportunity('Lost one', 'Closed Lost')],
    Case: [
      { ContactId: ada, Subject: 'Late', Status: 'New' },
      { ContactId: ada, Subject: 'Solved', Status: 'Closed' },
    ],
  });
  const destination = await account.connect();
  const question = (value: string) => ({
    match: [{ by: 'phone' as const, value }],
    properties: [],
    open: { open_opportunity: ['Name', 'StageName'], open_case: ['Subject'] },
  });
  const answers = await destination.find([question(PHONE), question('+14155550143')], makeMemoryContext());
  expect(answers).toMatchObject([
    {
      person: {
        open: { open_opportunity: { Name: 'Open one', StageName: 'Prospecting' }, open_case: { Subject: 'Late' } },
      },
    },
    { person: { object: 'Lead', open: { open_opportunity: null, open_case: null } } },
  ]);
});

test('a fax number matches no person', async () => {
  account = await openAccount();
  seed({ Contact: [{ LastName: 'Fax', Fax: PHONE }] });
  expect(await find()).toBe('none');
});

test('what a search asks for: national digits and all digits, nothing that means something to it', () => {
  expect(termsOf('+14155550142')).toEqual(['4155550142', '14155550142']);
  expect(termsOf('+442079460142')).toEqual(['2079460142', '442079460142']);
  expect(escapeTerm('a-b*"c"{d}')).toBe('a\\-b\\*\\"c\\"\\{d\\}');
  expect(quote("O'Brien \\ \n")).toBe("'O\\'Brien \\\\ \\n'");
  expect(longId('003D000000QXYZA')).toBe('003D000000QXYZAIA4'.slice(0, 15) + longId('003D000000QXYZA').slice(15));
  expect(longId('001000000000001')).toBe('001000000000001AAA');
});

test('a quote in an address asks for that address and nothing else', async () => {
  account = await openAccount();
  seed({ Lead: [{ LastName: 'X', Company: 'C', Email: 'x@example.com' }] });
  const value = "o'brien@example.com') OR (Email = 'x@example.com";
  const [answer] = await (await account.connect()).find(
    [{ match: [{ by: 'email', value }], properties: [] }],
    makeMemoryContext(),
  );
  expect(answer?.found).toBe('none');
});

test('a converted lead is its contact: by memory, by id, by key', async () => {
  account = await openAccount();
  const commons = makeMemoryCommons();
  const destination = await account.connect();
  const { Contact = [] } = seed({ Contact: [{ LastName: 'Now a contact', Email: 'c@example.com' }] });
  const { Lead = [] } = seed({
    Lead: [
      {
        LastName: 'Once a lead',
        Company: 'C',
        Phone: PHONE,
        IsConverted: true,
        ConvertedContactId: Contact[0],
        Wrapup_Key__c: call().person?.key,
      },
    ],
  });
  const lead = Lead[0] ?? '';
  await rememberPerson(makeMemoryContext(commons), [{ by: 'phone', value: PHONE }], lead);
  const byMemory = await write(destination, [call({ id: 'c2', first_name: 'Ada' })], commons);
  expect(ids(byMemory[0]).person).toBe(Contact[0]);
  const byId = await write(destination, [call({ id: 'c3', person: lead.slice(0, 15) })], makeMemoryCommons());
  expect(ids(byId[0]).person).toBe(Contact[0]);
  // Neither number nor memory: Salesforce refuses a second holder of the key, and the lead that holds it is followed.
  const byKey = await write(destination, [call({ id: 'c4' })], makeMemoryCommons());
  expect(ids(byKey[0]).person).toBe(Contact[0]);
  expect(account.sandbox.salesforce.records('Lead')).toHaveLength(1);
  expect(account.sandbox.salesforce.records('Task').every(({ fields }) => fields.WhoId === Contact[0])).toBe(true);
});

test('a person account is met as its contact and written as the account', async () => {
  account = await openAccount({ person_accounts: true });
  const { Account = [] } = seed({ Account: [{ LastName: 'Human', PersonMobilePhone: '(415) 555-0142' }] });
  const contact = account.sandbox.salesforce.records('Contact')[0]?.id;
  const plan = call({ first_name: 'Ada', person_fields: [sampleField('Email', 'ada@example.com', 'if_empty')] });
  const [outcome] = await write(await account.connect(), [plan]);
  expect(ids(outcome).person).toBe(contact);
  expect(account.sandbox.salesforce.records('Account')[0]).toMatchObject({
    id: Account[0],
    fields: { FirstName: 'Ada', PersonEmail: 'ada@example.com' },
  });
  expect(account.sandbox.salesforce.records('Task').every(({ fields }) => fields.WhoId === contact)).toBe(true);
});

test('the number of an account: the call is logged there, and nothing is said of a person', async () => {
  account = await openAccount();
  const { Account = [] } = seed({ Account: [{ Name: 'Acme', Phone: PHONE }] });
  const [outcome] = await write(await account.connect(), [call({ first_name: 'Ada' })]);
  expect(ids(outcome).person).toBe(Account[0]);
  const tasks = account.sandbox.salesforce.records('Task').map(({ fields }) => [fields.WhatId, fields.WhoId]);
  expect(tasks).toEqual([
    [Account[0], undefined],
    [Account[0], undefined],
  ]);
  expect(outcome).toMatchObject({ receipt: { notes: [expect.stringContaining('account')] } });
});

test('several leads of one number are not several when one of them is a contact', async () => {
  account = await openAccount();
  const { Contact = [] } = seed({
    Lead: [
      { LastName: 'A', Company: 'C', Phone: PHONE },
      { LastName: 'B', Company: 'C', Phone: PHONE },
    ],
    Contact: [{ LastName: 'C', Phone: PHONE }],
  });
  expect(await find()).toBe(Contact[0]);
});

test.each(['alert', 'block'] as const)(
  'a duplicate rule that would %s: the call is written to whom it names',
  async (duplicate_rules) => {
    account = await openAccount({ duplicate_rules });
    // The search does not see her yet, and another number would not find her either.
    const { Contact = [] } = seed({ Contact: [{ FirstName: 'Ada', LastName: 'Lovelace', Email: 'ada@example.com' }] });
    const plan = call({
      first_name: 'Ada',
      last_name: 'Lovelace',
      person_fields: [sampleField('Email', 'ada@example.com', 'if_empty')],
    });
    const [outcome] = await write(await account.connect(), [plan]);
    expect(ids(outcome).person).toBe(Contact[0]);
    expect(outcome).toMatchObject({ receipt: { notes: [expect.stringContaining('duplicate rule')] } });
    expect(account.sandbox.salesforce.records('Lead')).toHaveLength(0);
  },
);

test('or parked, or created all the same, as the connection says', async () => {
  account = await openAccount({ duplicate_rules: 'alert' });
  const { Contact = [] } = seed({ Contact: [{ FirstName: 'Ada', LastName: 'Lovelace', Email: 'ada@example.com' }] });
  const plan = call({
    first_name: 'Ada',
    last_name: 'Lovelace',
    person_fields: [sampleField('Email', 'ada@example.com', 'if_empty')],
  });
  const [parked] = await write(await account.connect({ duplicates: 'park' }), [plan]);
  expect(failure(parked)).toMatchObject({
    code: 'ambiguous_person',
    next: 'park',
    details: { candidates: [Contact[0]] },
  });
  const [allowed] = await write(await account.connect({ duplicates: 'allow' }), [plan]);
  expect(ids(allowed).person).toBe(account.sandbox.salesforce.records('Lead')[0]?.id);
});

test('a rule that warns of people who are there already does not keep calls from them', async () => {
  account = await openAccount({ duplicate_rules: 'alert' });
  const { Contact = [] } = seed({
    Contact: [
      { FirstName: 'Ada', LastName: 'Lovelace', Email: 'ada@example.com' },
      { FirstName: 'Ada', LastName: 'Lovelace', Phone: PHONE },
    ],
  });
  const plan = call({ person_fields: [sampleField('Email', 'ada@example.com', 'if_empty')] });
  const [outcome] = await write(await account.connect(), [plan]);
  expect(ids(outcome).person).toBe(Contact[1]);
});

test('assignment rules do not take people away, unless they are asked to', async () => {
  const [queue] = await (async () => {
    account = await openAccount();
    return account.sandbox.salesforce.records('Group').map(({ id }) => id);
  })();
  account.sandbox.control.settings({ salesforce: { assignment: { Lead: queue ?? '' } } });
  await write(await account.connect(), [call()]);
  expect(account.sandbox.salesforce.records('Lead')[0]?.fields.OwnerId).toBe(account.sandbox.salesforce.userId);
  await write(await account.connect({ assignment_rules: true }), [call({ id: 'c2', phone: '+14155550143' })]);
  expect(account.sandbox.salesforce.records('Lead')[1]?.fields.OwnerId).toBe(queue);
});

test('a caller’s open cases and opportunities can be read along', async () => {
  account = await openAccount();
  const { Account = [] } = seed({ Account: [{ Name: 'Acme' }] });
  const { Contact = [] } = seed({ Contact: [{ LastName: 'C', Phone: PHONE, AccountId: Account[0] }] });
  seed({
    Case: [{ Subject: 'Broken', ContactId: Contact[0], Status: 'New' }],
    Opportunity: ['Closed Won', 'Prospecting'].map((StageName) => ({
      ...{ Name: `Seats, ${StageName}`, AccountId: Account[0], StageName, CloseDate: '2026-12-01' },
    })),
  });
  const [answer] = await (await account.connect()).find(
    [
      {
        match: [{ by: 'phone', value: PHONE }],
        properties: ['LastName'],
        related: { cases: { properties: ['Subject'], most: 3 }, opportunities: { properties: ['Name'], most: 3 } },
      },
    ],
    makeMemoryContext(),
  );
  expect(answer).toMatchObject({
    found: 'one',
    person: {
      related: {
        cases: [{ Subject: 'Broken' }],
        opportunities: [{ Name: 'Seats, Prospecting' }, { Name: 'Seats, Closed Won' }],
      },
    },
  });
});

test('without a field for it, which call is the newest is remembered, and an older call moves that not back', async () => {
  account = await openAccount({}, { provisioned: false });
  await account.addPeople([{ phone: PHONE }]);
  const destination = await account.connect();
  const commons = makeMemoryCommons();
  const names: unknown[] = [];
  // The second says nothing new; still nothing older may be believed after it.
  for (const [hour, first_name, says] of [
    [12, 'Newest', 'Said'],
    [16, 'Newest', 'Said'],
    [8, 'Oldest', 'Said first'],
    [14, 'Between', 'Said between'],
  ] as const) {
    const ended_at = `2026-11-20T${String(hour).padStart(2, '0')}:00:00.000Z`;
    const person_fields = [sampleField('Description', says, 'overwrite')];
    const plan = planFor(salesforceHarness, { id: `c${hour}`, phone: PHONE, first_name, ended_at, person_fields });
    ids((await write(destination, [plan], commons))[0]);
    names.push((await account.effects()).people[0]?.properties.FirstName);
  }
  expect(names).toEqual(['Newest', 'Newest', 'Newest', 'Newest']);
});
