/** The vendor's own client, unchanged, against the sandbox: what an integration with calls needs of it. */
import { expect, test } from 'vitest';
import { connectionTo, sandboxForFile } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();

const lead = (more: object = {}) => ({ LastName: 'Lovelace', Company: 'Engines', Phone: '(415) 555-0123', ...more });

test('a record is created, read, changed, found and deleted', async () => {
  const org = connectionTo(sandbox);
  const made = await org.sobject('Lead').create(lead({ FirstName: 'Ada' }));
  expect(made).toMatchObject({ success: true, id: expect.stringMatching(/^00Q\w{15}$/), errors: [] });
  const id = made.id as string;
  expect(await org.sobject('Lead').retrieve(id.slice(0, 15))).toMatchObject({
    Id: id,
    Name: 'Ada Lovelace',
    Status: 'Open - Not Contacted',
    IsConverted: false,
    Wrapup_Key__c: null,
  });
  expect(await org.sobject('Lead').update({ Id: id, Title: 'Countess' })).toEqual({ id, success: true, errors: [] });
  const found = await org.query("SELECT Id, Title, Owner.Name FROM Lead WHERE LastName = 'lovelace'");
  expect(found).toMatchObject({
    totalSize: 1,
    done: true,
    records: [{ Id: id, Title: 'Countess', Owner: { Name: 'Wrapup Integration' } }],
  });
  await org.sobject('Lead').destroy(id);
  expect((await org.query('SELECT Id FROM Lead')).totalSize).toBe(0);
  expect(sandbox.salesforce.records('Lead')).toEqual([]);
  expect(sandbox.salesforce.journal().map(({ effect }) => effect)).toEqual(['created', 'updated', 'archived']);
});

test('an upsert by external id creates once and changes later', async () => {
  const org = connectionTo(sandbox);
  const write = (subject: string) =>
    org.sobject('Task').upsert({ Subject: subject, Wrapup_Call_Id__c: 'main:1' }, 'Wrapup_Call_Id__c');
  const first = await write('Call');
  const second = await write('Call again');
  expect([first, second]).toMatchObject([
    { success: true, created: true },
    { success: true, created: false, id: (first as { id: string }).id },
  ]);
  expect(sandbox.salesforce.records('Task').map(({ fields }) => fields.Subject)).toEqual(['Call again']);
});

test('collections answer row by row, in order, at one request each', async () => {
  const org = connectionTo(sandbox);
  const people = await org.sobject('Lead').create([lead(), { Company: 'Nameless' }, lead({ LastName: 'Hopper' })]);
  expect(people).toMatchObject([
    { success: true },
    {
      success: false,
      errors: [
        {
          statusCode: 'REQUIRED_FIELD_MISSING',
          message: 'Required fields are missing: [LastName]',
          fields: ['LastName'],
        },
      ],
    },
    { success: true },
  ]);
  expect(people[1]).not.toHaveProperty('id');
  const rows = ['1', '2'].map((id, at) => ({
    Subject: 'Call',
    WhoId: people[at * 2]?.id,
    Wrapup_Call_Id__c: `main:${id}`,
  }));
  const tasks = await org.sobject('Task').upsert(rows, 'Wrapup_Call_Id__c');
  expect(tasks).toMatchObject([
    { success: true, created: true },
    { success: true, created: true },
  ]);
  expect(sandbox.control.requests().by_operation).toMatchObject({
    'Lead collections/create': 1,
    'Task collections/upsert': 1,
  });
});

test('a search in phone fields finds numbers however they are written', async () => {
  const org = connectionTo(sandbox);
  sandbox.control.seed({
    salesforce: {
      records: {
        Lead: [
          { LastName: 'A', Company: 'x', Phone: '(415) 555-0123' },
          { LastName: 'B', Company: 'x', MobilePhone: '+1 415.555.0124' },
          { LastName: 'C', Company: '4155550125', Phone: '+14155550199' },
        ],
        Contact: [{ LastName: 'D', HomePhone: '415-555-0126' }],
      },
    },
  });
  const found = await org.search(
    'FIND {4155550123 OR "4155550124" OR 4155550125 OR 4155550126} IN PHONE FIELDS RETURNING Contact(Id, LastName), Lead(Id, LastName WHERE IsConverted = false ORDER BY LastName LIMIT 10)',
  );
  expect(found.searchRecords.map(({ LastName }) => LastName)).toEqual(['D', 'A', 'B']);
});

test('a describe tells what can be written', async () => {
  const { fields } = await connectionTo(sandbox).sobject('Task').describe();
  const field = (name: string) => fields.find((one) => one.name === name);
  expect(field('Wrapup_Call_Id__c')).toMatchObject({ externalId: true, unique: true, createable: true, custom: true });
  expect(field('TaskSubtype')).toMatchObject({ createable: true, updateable: false, restrictedPicklist: true });
  expect(field('Subject')).toMatchObject({ type: 'string', length: 255 });
  expect(field('WhoId')).toMatchObject({
    type: 'reference',
    referenceTo: ['Contact', 'Lead'],
    polymorphicForeignKey: true,
  });
});

test('client credentials give a session, and every answer says what is left', async () => {
  const { oauth } = { oauth: { clientId: 'sandbox-consumer-key', clientSecret: 'sandbox-consumer-secret' } };
  const { Connection } = (await import('jsforce')).default;
  const org = new Connection({
    loginUrl: sandbox.salesforceUrl,
    oauth2: { ...oauth, loginUrl: sandbox.salesforceUrl },
    version: '66.0',
  });
  await org.authorize({ grant_type: 'client_credentials' });
  expect(org.instanceUrl).toBe(sandbox.salesforceUrl);
  await org.query('SELECT Id FROM Lead');
  expect(org.limitInfo.apiUsage).toEqual({ used: 1, limit: 100_000 });
  expect((await org.limits()).DailyApiRequests).toEqual({ Max: 100_000, Remaining: 99_998 });
});
