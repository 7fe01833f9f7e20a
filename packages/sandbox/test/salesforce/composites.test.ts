/** Several requests in one: references, transactions, limits, and what they count. */
import { expect, test } from 'vitest';
import { ask, sandboxForFile } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();

const ROOT = '/services/data/v66.0';
const LEAD = { LastName: 'Lovelace', Company: 'Engines' };
const create = (referenceId: string, object: string, body: object) => ({
  method: 'POST',
  url: `${ROOT}/sobjects/${object}`,
  referenceId,
  body,
});
const composite = async (compositeRequest: object[], allOrNone = false) =>
  ask(sandbox, 'POST', '/composite', { allOrNone, compositeRequest });
type Part = { httpStatusCode: number; body: { errorCode?: string }[] | object };
const codes = ({ compositeResponse }: { compositeResponse: Part[] }) =>
  compositeResponse.map(({ httpStatusCode, body }) => [
    httpStatusCode,
    Array.isArray(body) ? body[0]?.errorCode : undefined,
  ]);

test('a later request names what an earlier one answered, and all count as one', async () => {
  const { body, headers } = await composite([
    { method: 'PATCH', url: `${ROOT}/sobjects/Lead/Wrapup_Key__c/person%3A1`, referenceId: 'lead', body: LEAD },
    {
      method: 'PATCH',
      url: `${ROOT}/sobjects/Task/Wrapup_Call_Id__c/main%3A1`,
      referenceId: 'task',
      body: { Subject: 'Call', WhoId: '@{lead.id}' },
    },
    { method: 'GET', url: `${ROOT}/query?q=SELECT+Id,Subject+FROM+Task`, referenceId: 'found' },
    {
      method: 'PATCH',
      url: `${ROOT}/sobjects/Task/@{found.records[0].Id}`,
      referenceId: 'change',
      body: { Subject: 'Called' },
    },
  ]);
  expect(body.compositeResponse).toMatchObject([
    {
      httpStatusCode: 201,
      body: { created: true },
      httpHeaders: { Location: expect.stringContaining('/sobjects/Lead/00Q') },
      referenceId: 'lead',
    },
    { httpStatusCode: 201, referenceId: 'task' },
    { httpStatusCode: 200, body: { records: [{ Subject: 'Call' }] } },
    { httpStatusCode: 204, body: null, httpHeaders: {} },
  ]);
  expect(sandbox.salesforce.records('Task')[0]?.fields).toMatchObject({
    Subject: 'Called',
    WhoId: sandbox.salesforce.records('Lead')[0]?.id,
  });
  expect(headers.get('sforce-limit-info')).toBe('api-usage=1/100000');
});

test('a failure takes only what depends on it, or everything where all belong together', async () => {
  const requests = [
    create('bad', 'Lead', { Company: 'x' }),
    create('task', 'Task', { WhoId: '@{bad.id}' }),
    create('good', 'Lead', LEAD),
  ];
  const apart = await composite(requests);
  expect(codes(apart.body)).toEqual([
    [400, 'REQUIRED_FIELD_MISSING'],
    [400, 'PROCESSING_HALTED'],
    [201, undefined],
  ]);
  expect(sandbox.salesforce.records('Lead')).toHaveLength(1);
  sandbox.control.reset();
  const together = await composite(
    [create('first', 'Lead', LEAD), ...requests.slice(0, 1), create('last', 'Account', { Name: 'x' })],
    true,
  );
  expect(codes(together.body)).toEqual([
    [400, 'PROCESSING_HALTED'],
    [400, 'REQUIRED_FIELD_MISSING'],
    [400, 'PROCESSING_HALTED'],
  ]);
  expect([
    sandbox.salesforce.records('Lead'),
    sandbox.salesforce.records('Account'),
    sandbox.salesforce.journal(),
  ]).toEqual([[], [], []]);
});

test('what was taken back leaves nothing behind: neither keys nor search', async () => {
  await composite(
    [create('a', 'Lead', { ...LEAD, Wrapup_Key__c: 'k', Phone: '4155550123' }), create('bad', 'Lead', {})],
    true,
  );
  const again = await ask(sandbox, 'POST', '/sobjects/Lead', { ...LEAD, Wrapup_Key__c: 'k' });
  expect(again.status).toBe(201);
  const found = await ask(
    sandbox,
    'GET',
    `/search?q=${encodeURIComponent('FIND {4155550123} IN PHONE FIELDS RETURNING Lead(Id)')}`,
  );
  expect(found.body.searchRecords).toEqual([]);
});

test('a collection stands in a composite request, and its rows are named by number', async () => {
  const rows = (type: string, list: object[]) => ({ records: list.map((row) => ({ attributes: { type }, ...row })) });
  const { body } = await composite([
    {
      method: 'PATCH',
      url: `${ROOT}/composite/sobjects/Lead/Wrapup_Key__c`,
      referenceId: 'people',
      body: rows('Lead', [{ ...LEAD, Wrapup_Key__c: 'k' }]),
    },
    {
      method: 'PATCH',
      url: `${ROOT}/composite/sobjects/Task/Wrapup_Call_Id__c`,
      referenceId: 'tasks',
      body: rows('Task', [{ WhoId: '@{people[0].id}', Wrapup_Call_Id__c: 'c' }]),
    },
  ]);
  expect(body.compositeResponse[1].body).toMatchObject([{ success: true, created: true }]);
});

test.each([
  [Array.from({ length: 26 }, (_, n) => create(`r${n}`, 'Lead', LEAD)), 'LIMIT_EXCEEDED'],
  [
    Array.from({ length: 6 }, (_, n) => ({
      method: 'GET',
      url: `${ROOT}/query?q=SELECT+Id+FROM+Lead`,
      referenceId: `r${n}`,
    })),
    'LIMIT_EXCEEDED',
  ],
  [[create('same', 'Lead', LEAD), create('same', 'Lead', LEAD)], 'INVALID_INPUT'],
  [[create('not-a-word', 'Lead', LEAD)], 'INVALID_INPUT'],
  [[{ ...create('a', 'Lead', LEAD), url: '/sobjects/Lead' }], 'INVALID_INPUT'],
])('composite %# is refused as a whole', async (requests, code) => {
  const answer = await composite(requests);
  expect([answer.status, answer.body[0].errorCode]).toEqual([400, code]);
});

test('a search does not stand in a composite request', async () => {
  const url = `${ROOT}/search?q=${encodeURIComponent('FIND {4155550123} IN PHONE FIELDS RETURNING Lead(Id)')}`;
  const { body } = await composite([{ method: 'GET', url, referenceId: 'a' }]);
  expect(body.compositeResponse[0].httpStatusCode).toBeGreaterThanOrEqual(400);
});

test('each graph is a transaction of its own, and after 14 failures the rest is not tried', async () => {
  const graph = (graphId: string, body: object) => ({
    graphId,
    compositeRequest: [create('lead', 'Lead', body), create('task', 'Task', { WhoId: '@{lead.id}' })],
  });
  const mixed = await ask(sandbox, 'POST', '/composite/graph', {
    graphs: [graph('1', LEAD), graph('2', {}), graph('3', { ...LEAD, LastName: 'Hopper' })],
  });
  expect(mixed.body.graphs.map(({ isSuccessful }: { isSuccessful: boolean }) => isSuccessful)).toEqual([
    true,
    false,
    true,
  ]);
  expect(codes(mixed.body.graphs[1].graphResponse)).toEqual([
    [400, 'REQUIRED_FIELD_MISSING'],
    [400, 'PROCESSING_HALTED'],
  ]);
  expect(sandbox.salesforce.records('Task')).toHaveLength(2);
  const bad = Array.from({ length: 15 }, (_, n) => graph(`bad${n}`, {}));
  const stopped = await ask(sandbox, 'POST', '/composite/graph', {
    graphs: [...bad, graph('good', { ...LEAD, LastName: 'Late' })],
  });
  expect(codes(stopped.body.graphs.at(-1).graphResponse)).toEqual([
    [400, 'PROCESSING_HALTED'],
    [400, 'PROCESSING_HALTED'],
  ]);
});

test('parts of a batch know nothing of each other and count one by one', async () => {
  const { body, headers } = await ask(sandbox, 'POST', '/composite/batch', {
    batchRequests: [
      { method: 'POST', url: 'v66.0/sobjects/Lead', richInput: LEAD },
      { method: 'GET', url: 'v66.0/sobjects/Lead/00Q' },
    ],
  });
  expect(body).toMatchObject({ hasErrors: true, results: [{ statusCode: 201 }, { statusCode: 404 }] });
  expect(headers.get('sforce-limit-info')).toBe('api-usage=3/100000');
});

test('records come by their ids, in their order, null where there is none', async () => {
  const { Lead = [] } = sandbox.control.seed({
    salesforce: { records: { Lead: [LEAD, { ...LEAD, LastName: 'Hopper' }] } },
  });
  const gone = '00QgK0000000999AAA';
  const asked = { ids: [Lead[1], gone, Lead[0]], fields: ['Id', 'LastName'] };
  const posted = await ask(sandbox, 'POST', '/composite/sobjects/Lead', asked);
  expect(posted.body).toMatchObject([{ LastName: 'Hopper' }, null, { LastName: 'Lovelace' }]);
  const got = await ask(sandbox, 'GET', `/composite/sobjects/Lead?ids=${asked.ids.join(',')}&fields=Id,LastName`);
  expect(got.body).toEqual(posted.body);
  const removed = await ask(
    sandbox,
    'DELETE',
    `/composite/sobjects?ids=${asked.ids.slice(0, 2).join(',')}&allOrNone=false`,
  );
  expect(removed.body).toMatchObject([
    { id: Lead[1], success: true },
    { success: false, errors: [{ statusCode: 'INVALID_CROSS_REFERENCE_KEY' }] },
  ]);
});
