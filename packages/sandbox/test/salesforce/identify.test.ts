/** What no two records can both be, and what a client hears that tries. */
import { expect, test } from 'vitest';
import { ask, connectionTo, sandboxForFile, until, VERSION } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();

const LEAD = { LastName: 'Lovelace', Company: 'Engines' };
const upsert = (object: string, field: string, records: object[], more: object = {}) =>
  ask(sandbox, 'PATCH', `/composite/sobjects/${object}/${field}`, {
    records: records.map((row) => ({ attributes: { type: object }, ...row })),
    ...more,
  });

test('a key is unique among tasks and events together, and upper case differs', async () => {
  const keyed = { Wrapup_Call_Id__c: 'main:a' };
  const { id } = (await ask(sandbox, 'POST', '/sobjects/Task', keyed)).body;
  const event = { ...keyed, StartDateTime: '2026-11-23T10:00:00Z', DurationInMinutes: 30 };
  expect((await ask(sandbox, 'POST', '/sobjects/Event', event)).body[0]).toEqual({
    errorCode: 'DUPLICATE_VALUE',
    message: `duplicate value found: Wrapup_Call_Id__c duplicates value on record with id: ${id}`,
    fields: [],
  });
  expect((await ask(sandbox, 'POST', '/sobjects/Task', { Wrapup_Call_Id__c: 'MAIN:a' })).status).toBe(201);
});

test('upserts of one new key that overlap: one creates, the others are refused, a repeat changes', async () => {
  sandbox.control.settings({ salesforce: { race_window: 500 } });
  const write = () => upsert('Task', 'Wrapup_Call_Id__c', [{ Wrapup_Call_Id__c: 'main:a', Subject: 'Call' }]);
  const answers = await Promise.all(Array.from({ length: 5 }, write));
  const rows = answers.map(({ body }) => body[0]);
  expect(rows.filter(({ success }) => success)).toMatchObject([{ created: true }]);
  const [task] = sandbox.salesforce.records('Task');
  for (const row of rows.filter(({ success }) => !success)) {
    expect(row).toEqual({
      success: false,
      created: false,
      errors: [{ statusCode: 'DUPLICATE_VALUE', message: expect.stringContaining(String(task?.id)), fields: [] }],
    });
  }
  expect((await write()).body).toEqual([{ id: task?.id, success: true, errors: [], created: false }]);
  expect(sandbox.salesforce.records('Task')).toHaveLength(1);
});

test('a key that comes twice in one request counts once', async () => {
  const { body } = await upsert(
    'Lead',
    'Wrapup_Key__c',
    [1, 2].map(() => ({ ...LEAD, Wrapup_Key__c: 'person:1' })),
  );
  expect(body).toMatchObject([
    { success: true, created: true },
    { success: false, errors: [{ statusCode: 'DUPLICATE_VALUE' }] },
  ]);
});

test('a deleted record frees its key', async () => {
  const { id } = (await ask(sandbox, 'POST', '/sobjects/Lead', { ...LEAD, Wrapup_Key__c: 'person:1' })).body;
  await ask(sandbox, 'DELETE', `/sobjects/Lead/${id}`);
  const again = await upsert('Lead', 'Wrapup_Key__c', [{ ...LEAD, Wrapup_Key__c: 'person:1' }]);
  expect(again.body[0]).toMatchObject({ success: true, created: true });
  expect(again.body[0].id).not.toBe(id);
});

test('an upsert by e-mail needs no key, and finds out when there are several', async () => {
  const write = () => ask(sandbox, 'PATCH', '/sobjects/Contact/Email/a%40b.com', { LastName: 'A' });
  const first = await write();
  expect([first.status, first.body.created, first.headers.get('location')]).toEqual([
    201,
    true,
    `/services/data/v66.0/sobjects/Contact/${first.body.id}`,
  ]);
  expect([(await write()).status, (await write()).body]).toEqual([
    200,
    { id: first.body.id, success: true, errors: [], created: false },
  ]);
  sandbox.control.seed({ salesforce: { records: { Contact: [{ LastName: 'B', Email: 'A@b.com' }] } } });
  const several = await write();
  expect([several.status, several.body.length]).toEqual([300, 2]);
  expect(several.body[0]).toBe(`/services/data/v66.0/sobjects/Contact/${first.body.id}`);
  await expect(
    connectionTo(sandbox).sobject('Contact').upsert({ LastName: 'A', Email: 'a@b.com' }, 'Email'),
  ).rejects.toMatchObject({
    errorCode: 'MULTIPLE_CHOICES',
  });
});

test('what the client does not escape in a key goes astray, as at the vendor', async () => {
  const org = connectionTo(sandbox);
  await expect(
    org.sobject('Task').upsert({ Subject: 'x', Wrapup_Call_Id__c: 'a/b' }, 'Wrapup_Call_Id__c'),
  ).rejects.toMatchObject({
    errorCode: 'NOT_FOUND',
  });
  await org
    .sobject('Task')
    .upsert({ Subject: 'x', Wrapup_Call_Id__c: encodeURIComponent('a/b?c#d') }, 'Wrapup_Call_Id__c');
  await org.sobject('Task').upsert([{ Subject: 'y', Wrapup_Call_Id__c: 'a/b?c#d' }], 'Wrapup_Call_Id__c');
  expect(sandbox.salesforce.records('Task').map(({ fields }) => fields.Subject)).toEqual(['y']);
});

test('updateOnly creates nothing', async () => {
  const answer = await ask(sandbox, 'PATCH', '/sobjects/Task/Wrapup_Call_Id__c/a?updateOnly=true', { Subject: 'x' });
  expect([answer.status, answer.body[0].errorCode]).toEqual([404, 'NOT_FOUND']);
});

test('a duplicate rule names what it found for a single record only, and can be overruled where it only warns', async () => {
  const { Contact = [] } = sandbox.control.seed({
    salesforce: { records: { Contact: [{ LastName: 'Lovelace', FirstName: 'Ada', Phone: '+14155550123' }] } },
  });
  const row = { ...LEAD, FirstName: 'Ada', MobilePhone: '(415) 555-0123' };
  const single = await ask(sandbox, 'POST', '/sobjects/Lead', row);
  expect(single.body[0]).toMatchObject({
    errorCode: 'DUPLICATES_DETECTED',
    duplicateResut: {
      allowSave: true,
      duplicateRule: 'Standard_Lead_Duplicate_Rule',
      matchResults: [{ entityType: 'Contact', size: 1, matchRecords: [{ record: { Id: Contact[0] } }] }],
    },
  });
  const many = { records: [{ attributes: { type: 'Lead' }, ...row }] };
  const collection = await ask(sandbox, 'POST', '/composite/sobjects', many);
  expect(Object.keys(collection.body[0].errors[0])).toEqual(['statusCode', 'message', 'fields']);
  expect(collection.body[0].errors[0].statusCode).toBe('DUPLICATES_DETECTED');
  await expect(connectionTo(sandbox).sobject('Lead').create(row)).rejects.toMatchObject({
    errorCode: 'DUPLICATES_DETECTED',
    data: { duplicateResut: { allowSave: true } },
  });
  const save = { 'sforce-duplicate-rule-header': 'allowSave=true' };
  sandbox.control.settings({ salesforce: { duplicate_rules: 'block' } });
  expect((await ask(sandbox, 'POST', '/sobjects/Lead', row, save)).body[0].duplicateResut.allowSave).toBe(false);
  sandbox.control.settings({ salesforce: { duplicate_rules: 'alert' } });
  expect((await ask(sandbox, 'POST', '/sobjects/Lead', row, save)).status).toBe(201);
});

test('a record names its parent by external id, attributes first', async () => {
  sandbox.control.seed({ salesforce: { records: { Lead: [{ ...LEAD, Wrapup_Key__c: 'person:1' }] } } });
  const who = { attributes: { type: 'Lead' }, Wrapup_Key__c: 'person:1' };
  const made = await ask(sandbox, 'POST', '/sobjects/Task', { Subject: 'x', Who: who });
  expect(made.status).toBe(201);
  expect(sandbox.salesforce.records('Task')[0]?.fields.WhoId).toBe(sandbox.salesforce.records('Lead')[0]?.id);
  const { attributes, ...last } = who;
  expect((await ask(sandbox, 'POST', '/sobjects/Task', { Who: { ...last, attributes } })).body[0].errorCode).toBe(
    'JSON_PARSER_ERROR',
  );
  expect(
    (await ask(sandbox, 'POST', '/sobjects/Task', { Who: { ...who, Wrapup_Key__c: 'x' } })).body[0].errorCode,
  ).toBe('INVALID_FIELD');
});

test('two writes that need one parent at once: the later one does not get its lock', async () => {
  sandbox.control.settings({ salesforce: { locks: 'fail', race_window: 500 } });
  const { Lead = [] } = sandbox.control.seed({
    salesforce: { records: { Lead: [LEAD, { ...LEAD, LastName: 'Hopper' }] } },
  });
  const write = (key: string, who: string | undefined) =>
    upsert('Task', 'Wrapup_Call_Id__c', [{ Wrapup_Call_Id__c: key, WhoId: who }]);
  const answers = await Promise.all([write('a', Lead[0]), write('b', Lead[0]), write('c', Lead[1])]);
  expect(answers.map(({ body }) => body[0].errors[0]?.statusCode ?? 'written').toSorted()).toEqual([
    'UNABLE_TO_LOCK_ROW',
    'written',
    'written',
  ]);
  expect((await write('b', Lead[0])).body[0].success).toBe(true);
});

const arrived = (count: number) =>
  until(
    async () => sandbox.control.requests().requests.length,
    (requests) => requests === count,
  );

test.each(['/composite/sobjects', '/composite'])(
  'writes of one record by %s wait for the collection before',
  async (path) => {
    sandbox.control.settings({ salesforce: { race_window: 1_000 } });
    const { Lead: [id = ''] = [] } = sandbox.control.seed({ salesforce: { records: { Lead: [LEAD] } } });
    const done: string[] = [];
    const write = async (FirstName: string, by = path) => {
      const body = { records: [{ attributes: { type: 'Lead' }, id, FirstName }] };
      const url = `/services/data/v${VERSION}/composite/sobjects`;
      const compositeRequest = [{ method: 'PATCH', url, referenceId: 'part0', body }];
      if (by === '/composite') await ask(sandbox, 'POST', by, { compositeRequest });
      else await ask(sandbox, 'PATCH', by, body);
      done.push(FirstName);
    };
    const first = write('Ada', '/composite/sobjects');
    await arrived(1);
    // Those that follow would be done at once.
    sandbox.control.settings({ salesforce: { race_window: 0 } });
    const second = write('Ben');
    await arrived(2);
    await Promise.all([first, second, write('Cyd')]);
    expect(done).toEqual(['Ada', 'Ben', 'Cyd']);
    expect(sandbox.salesforce.records('Lead')[0]?.fields.FirstName).toBe('Cyd');
  },
);

test('a write waits for ten seconds and no longer', async () => {
  sandbox.control.settings({ salesforce: { race_window: 13_000 } });
  const { Lead: [who] = [] } = sandbox.control.seed({ salesforce: { records: { Lead: [LEAD] } } });
  const write = (key: string) => upsert('Task', 'Wrapup_Call_Id__c', [{ Wrapup_Call_Id__c: key, WhoId: who }]);
  const first = write('a');
  await arrived(1);
  sandbox.control.settings({ salesforce: { race_window: 0 } });
  const refused = await write('b');
  expect(refused.body[0].errors[0]).toMatchObject({ statusCode: 'UNABLE_TO_LOCK_ROW' });
  expect((await first).body[0].success).toBe(true);
});

test('the org’s own automation breaks under many rows', async () => {
  sandbox.control.settings({ salesforce: { automation_rows: { Task: 2 } } });
  const rows = ['a', 'b', 'c'].map((key) => ({ Wrapup_Call_Id__c: key }));
  const { body } = await upsert('Task', 'Wrapup_Call_Id__c', rows);
  expect(body).toHaveLength(3);
  for (const row of body) {
    expect(row.errors[0]).toMatchObject({
      statusCode: 'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY',
      message: expect.stringContaining('CPU time limit'),
    });
  }
  expect(
    (await upsert('Task', 'Wrapup_Call_Id__c', rows.slice(1))).body.every(
      ({ success }: { success: boolean }) => success,
    ),
  ).toBe(true);
});

test('a person account has a contact that says the same', async () => {
  sandbox.control.settings({ salesforce: { person_accounts: true } });
  const { id } = (
    await ask(sandbox, 'POST', '/sobjects/Account', {
      FirstName: 'Ada',
      LastName: 'Lovelace',
      PersonMobilePhone: '+14155550123',
    })
  ).body;
  const account = (await ask(sandbox, 'GET', `/sobjects/Account/${id}`)).body;
  expect(account).toMatchObject({ IsPersonAccount: true, Name: 'Ada Lovelace' });
  const { records } = (
    await ask(
      sandbox,
      'GET',
      `/query?q=${encodeURIComponent('SELECT Id, Name, MobilePhone, AccountId, IsPersonAccount FROM Contact')}`,
    )
  ).body;
  expect(records).toMatchObject([
    {
      Id: account.PersonContactId,
      Name: 'Ada Lovelace',
      MobilePhone: '+14155550123',
      AccountId: id,
      IsPersonAccount: true,
    },
  ]);
  expect(
    (await ask(sandbox, 'PATCH', `/sobjects/Contact/${account.PersonContactId}`, { AccountId: null })).status,
  ).toBe(400);
  sandbox.control.settings({ salesforce: { person_accounts: false } });
  expect((await ask(sandbox, 'GET', '/query?q=SELECT IsPersonAccount FROM Contact')).body[0].errorCode).toBe(
    'INVALID_FIELD',
  );
});
