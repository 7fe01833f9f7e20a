/** SOQL and SOSL: what is found, in what order, and what is refused. */
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { startSandbox } from '../../src/index.ts';
import { ask, connectionTo, sandboxForFile } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();

const YEARS_AGO = new Date(Date.now() - 2 * 365 * 86_400_000).toISOString();
const TODAY = new Date().toISOString().slice(0, 10);

let ids: Record<string, string[]>;
beforeEach(() => {
  const { Account = [] } = sandbox.control.seed({
    salesforce: { records: { Account: [{ Name: 'Engines', Phone: '415-555-0100' }] } },
  });
  ids = {
    Account,
    ...sandbox.control.seed({
      salesforce: {
        records: {
          Contact: [
            {
              LastName: 'Lovelace',
              FirstName: 'Ada',
              Phone: '(415) 555-0123',
              Email: 'ada@b.com',
              AccountId: Account[0],
            },
            { LastName: "O'Hara", Phone: '+44 20 7946 0958', Description: 'asks often' },
          ],
          Lead: [
            {
              LastName: 'Hopper',
              Company: 'Navy',
              MobilePhone: '+14155550123',
              NumberOfEmployees: 40,
              IsConverted: true,
            },
          ],
        },
      },
    }),
  };
  sandbox.control.seed({
    salesforce: {
      records: {
        Task: [
          {
            Subject: 'First',
            WhoId: ids.Contact?.[0],
            Status: 'Completed',
            ActivityDate: TODAY,
            CallDurationInSeconds: 60,
          },
          { Subject: 'Second', WhoId: ids.Lead?.[0], CallDurationInSeconds: 90 },
          { Subject: 'Old', Status: 'Completed', CreatedDate: YEARS_AGO },
          { Subject: 'Gone', IsDeleted: true },
        ],
      },
    },
  });
});

const query = (soql: string, all = false) =>
  ask(sandbox, 'GET', `/${all ? 'queryAll' : 'query'}?q=${encodeURIComponent(soql)}`);
const subjects = async (where: string, all = false) =>
  (await query(`SELECT Subject FROM Task ${where}`, all)).body.records.map(
    ({ Subject }: { Subject: string }) => Subject,
  );

test.each([
  ['', ['First', 'Second']],
  ["WHERE Subject = 'first'", ['First']],
  ["WHERE Subject != 'First'", ['Second']],
  ["WHERE Subject LIKE 'f%' OR Subject LIKE '_econd'", ['First', 'Second']],
  ["WHERE Subject IN ('First', 'x') AND IsClosed = true", ['First']],
  ["WHERE NOT (Subject = 'First' OR Subject = 'x')", ['Second']],
  ["WHERE Who.Name = 'Ada Lovelace'", ['First']],
  ["WHERE Who.Type = 'Lead'", ['Second']],
  ['WHERE WhoId = null', []],
  ['WHERE CallDurationInSeconds > 60', ['Second']],
  ['WHERE ActivityDate = TODAY', ['First']],
  ['WHERE ActivityDate = LAST_N_DAYS:7', ['First']],
  ['WHERE CreatedDate > 2020-01-01T00:00:00Z ORDER BY CallDurationInSeconds DESC', ['Second', 'First']],
  ["WHERE WhoId IN (SELECT Id FROM Contact WHERE LastName = 'Lovelace')", ['First']],
  ['ORDER BY Subject DESC LIMIT 1', ['Second']],
  ['ORDER BY Subject LIMIT 1 OFFSET 1', ['Second']],
  ['ORDER BY ActivityDate NULLS LAST', ['First', 'Second']],
])('SELECT Subject FROM Task %s', async (where, expected) => {
  expect(await subjects(where)).toEqual(expected);
});

test('what is archived or deleted is only shown to those who ask for all', async () => {
  expect(await subjects('', true)).toEqual(['First', 'Second', 'Old', 'Gone']);
  const { body } = await query('SELECT Subject, IsArchived, IsDeleted FROM Task WHERE IsDeleted = false', true);
  expect(body.records.map(({ IsArchived }: { IsArchived: boolean }) => IsArchived)).toEqual([false, false, true]);
});

test('parents nest, those that are not there are null, children are a result of their own', async () => {
  const contacts = await query(
    'SELECT Name, Account.Name, Account.Owner.Name, (SELECT Subject FROM Tasks) FROM Contact ORDER BY LastName',
  );
  expect(contacts.body.records).toMatchObject([
    {
      attributes: { type: 'Contact', url: `/services/data/v66.0/sobjects/Contact/${ids.Contact?.[0]}` },
      Account: { attributes: { type: 'Account' }, Name: 'Engines', Owner: { Name: 'Wrapup Integration' } },
      Tasks: { totalSize: 1, done: true, records: [{ Subject: 'First' }] },
    },
    { Name: "O'Hara", Account: null, Tasks: null },
  ]);
});

test('quotes and backslashes are escaped, ids come in either length, and things are counted', async () => {
  expect((await query("SELECT Id FROM Contact WHERE LastName = 'O\\'Hara'")).body.totalSize).toBe(1);
  expect((await query(`SELECT Id FROM Contact WHERE Id = '${ids.Contact?.[0]?.slice(0, 15)}'`)).body.totalSize).toBe(1);
  expect((await query('SELECT COUNT() FROM Task')).body).toEqual({ totalSize: 2, done: true, records: [] });
  const grouped = await query('SELECT Status, COUNT(Id) n, MAX(CallDurationInSeconds) FROM Task GROUP BY Status');
  expect(grouped.body.records).toMatchObject([
    { Status: 'Completed', n: 1, expr0: 60 },
    { Status: 'Not Started', n: 1, expr0: 90 },
  ]);
  expect((await query('SELECT ApiName FROM TaskStatus WHERE IsClosed = true')).body.records).toMatchObject([
    { ApiName: 'Completed' },
  ]);
});

test.each([
  ['SELECT Id FROM', 'MALFORMED_QUERY'],
  ['SELECT Id FROM Nothing__c', 'INVALID_TYPE'],
  ['SELECT Nope__c FROM Lead', 'INVALID_FIELD'],
  ['SELECT IsPersonAccount FROM Contact', 'INVALID_FIELD'],
  ['SELECT Nobody.Name FROM Lead', 'INVALID_FIELD'],
  ["SELECT Id FROM Lead WHERE Nope__c = 'x'", 'INVALID_FIELD'],
  ["SELECT Id FROM Lead WHERE Description = 'x'", 'INVALID_FIELD'],
  ['SELECT Id FROM Lead WHERE Company = 5', 'INVALID_FIELD'],
  ["SELECT Id FROM Lead WHERE IsConverted = 'true'", 'INVALID_FIELD'],
  ["SELECT Id FROM Task WHERE WhoId = 'nobody'", 'INVALID_QUERY_FILTER_OPERATOR'],
  ["SELECT Id FROM Lead WHERE Company = 'a' AND Title = 'b' OR Title = 'c'", 'MALFORMED_QUERY'],
  ["SELECT Id FROM Lead WHERE Company = 'O'Hara'", 'MALFORMED_QUERY'],
  ['SELECT FIELDS(ALL) FROM Lead', 'MALFORMED_QUERY'],
])('%s is refused as %s', async (soql, code) => {
  const answer = await query(soql);
  expect([answer.status, answer.body[0].errorCode]).toEqual([400, code]);
});

test('an address that is too long is not read, a query in a composite request is', async () => {
  const long = `SELECT Id FROM Lead WHERE LastName IN (${Array.from({ length: 1_500 }, (_, n) => `'name ${n}'`).join(', ')})`;
  const direct = await fetch(`${sandbox.salesforceUrl}/services/data/v66.0/query?q=${encodeURIComponent(long)}`, {
    headers: { authorization: `Bearer ${sandbox.salesforce.token()}` },
  });
  expect([414, 431]).toContain(direct.status);
  const url = `/services/data/v66.0/query?q=${encodeURIComponent(long)}`;
  const { body } = await ask(sandbox, 'POST', '/composite', {
    compositeRequest: [{ method: 'GET', url, referenceId: 'a' }],
  });
  expect(body.compositeResponse[0]).toMatchObject({ httpStatusCode: 200, body: { totalSize: 0 } });
});

test('long results come in pages that the client follows', async () => {
  sandbox.control.seed({
    salesforce: { records: { Lead: Array.from({ length: 2_400 }, (_, n) => ({ LastName: `L${n}`, Company: 'x' })) } },
  });
  const org = connectionTo(sandbox);
  const first = await org.query('SELECT Id FROM Lead');
  expect([first.totalSize, first.done, first.records.length]).toEqual([2_401, false, 2_000]);
  const all = await org.query('SELECT Id FROM Lead', { autoFetch: true, maxFetch: 5_000 });
  expect(new Set(all.records.map(({ Id }) => Id)).size).toBe(2_401);
});

describe('a search', () => {
  const search = (sosl: string) => ask(sandbox, 'GET', `/search?q=${encodeURIComponent(sosl)}`);
  const found = async (sosl: string) =>
    (await search(sosl)).body.searchRecords.map(({ attributes, Id }: { attributes: { type: string }; Id: string }) => [
      attributes.type,
      Id,
    ]);
  const RETURNING = 'RETURNING Contact(Id), Lead(Id)';

  test.each([
    ['{4155550123} IN PHONE FIELDS', 2],
    ['{"4155550123"} IN PHONE FIELDS', 2],
    ['{14155550123} IN PHONE FIELDS', 1],
    ['{2079460958} IN PHONE FIELDS', 1],
    ['{5550123 OR 2079460958} IN PHONE FIELDS', 1],
    ['{415555012*} IN PHONE FIELDS', 2],
    ['{0123 AND 415} IN PHONE FIELDS', 1],
    ['{Lovelace AND NOT Ada} IN ALL FIELDS', 0],
    ['{lovelace} IN PHONE FIELDS', 0],
    ['{"ada lovelace"} IN NAME FIELDS', 1],
    ['{ada\\@b.com} IN EMAIL FIELDS', 1],
    ['{nobody}', 0],
  ])('FIND %s finds %i', async (find, count) => {
    expect(await found(`FIND ${find} ${RETURNING}`)).toHaveLength(count);
  });

  test('shows fields, by conditions and in the order of the objects', async () => {
    const { body } = await search(
      'FIND {4155550123} IN PHONE FIELDS RETURNING Lead(Id, IsConverted WHERE IsConverted = true LIMIT 5), Contact(Id, Account.Name ORDER BY LastName)',
    );
    expect(body.searchRecords).toMatchObject([{ IsConverted: true }, { Account: { Name: 'Engines' } }]);
    expect(await found('FIND {4155550123} IN PHONE FIELDS RETURNING Lead(Id WHERE IsConverted = false)')).toEqual([]);
    expect(await found(`FIND {4155550123} IN PHONE FIELDS ${RETURNING} LIMIT 1`)).toHaveLength(1);
  });

  test('takes its parts as parameters too', async () => {
    const sobjects = [{ name: 'Lead', fields: ['Id', 'LastName'], where: 'IsConverted = true', limit: 10 }];
    const { body } = await ask(sandbox, 'POST', '/parameterizedSearch', { q: '4155550123', in: 'PHONE', sobjects });
    expect(body.searchRecords).toMatchObject([{ LastName: 'Hopper' }]);
  });

  test.each([
    'FIND 4155550123 IN PHONE FIELDS RETURNING Lead(Id)',
    'FIND {+14155550123} IN PHONE FIELDS RETURNING Lead(Id)',
    'FIND {(415} IN PHONE FIELDS RETURNING Lead(Id)',
    'FIND {4} IN PHONE FIELDS RETURNING Lead(Id)',
    'FIND {4155550123} IN TELEPHONE FIELDS RETURNING Lead(Id)',
    'FIND {4155550123} IN PHONE FIELDS RETURNING Lead(Id',
  ])('%s is no search', async (sosl) => {
    const answer = await search(sosl);
    expect([answer.status, answer.body[0].errorCode]).toEqual([400, 'MALFORMED_SEARCH']);
  });

  test('asks for fields that are there only', async () => {
    const { body } = await search('FIND {4155550123} IN PHONE FIELDS RETURNING Contact(Id, IsPersonAccount)');
    expect(body[0].errorCode).toBe('INVALID_FIELD');
  });

  test('with 200 numbers still knows its operators, and loses them above 4,000 characters', async () => {
    const numbers = (count: number) => Array.from({ length: count }, (_, n) => `21255${String(10_000 + n)}`);
    expect(
      await found(`FIND {${[...numbers(199), '4155550123'].join(' OR ')}} IN PHONE FIELDS ${RETURNING}`),
    ).toHaveLength(2);
    const both = `${numbers(310).join(' AND ')} AND 4155550123`;
    expect(await found(`FIND {${both}} IN PHONE FIELDS ${RETURNING}`)).toHaveLength(2);
  });
});

test('search sees a write only after a while', async () => {
  const slow = await startSandbox({ settings: { salesforce: { search_lag: 600_000 } } });
  afterAll(() => slow.close());
  await ask(slow, 'POST', '/sobjects/Lead', { LastName: 'L', Company: 'x', Phone: '4155550123' });
  const sosl = encodeURIComponent('FIND {4155550123} IN PHONE FIELDS RETURNING Lead(Id)');
  expect((await ask(slow, 'GET', `/search?q=${sosl}`)).body.searchRecords).toEqual([]);
  expect(
    (await ask(slow, 'GET', `/query?q=${encodeURIComponent("SELECT Id FROM Lead WHERE Phone = '4155550123'")}`)).body
      .totalSize,
  ).toBe(1);
  slow.control.settings({ salesforce: { search_lag: 0 } });
  expect((await ask(slow, 'GET', `/search?q=${sosl}`)).body.searchRecords).toHaveLength(1);
});
