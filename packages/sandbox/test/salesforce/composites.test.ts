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

const rows = (type: string, list: object[], more: object = {}) => ({
  ...more,
  records: list.map((row) => ({ attributes: { type }, ...row })),
});
const collection = (referenceId: string, body: object, { method = 'POST', path = '' } = {}) => ({
  method,
  url: `${ROOT}/composite/sobjects${path}`,
  referenceId,
  body,
});
const twoLeads = [{ ...LEAD, Wrapup_Key__c: 'k' }, { Company: 'without a name' }];

test('a collection stands in a composite request, and its rows are named by number', async () => {
  const { Lead = [] } = sandbox.control.seed({ salesforce: { records: { Lead: [{ ...LEAD, LastName: 'Hopper' }] } } });
  const { body, headers } = await composite([
    collection('people', rows('Lead', twoLeads.slice(0, 1)), { method: 'PATCH', path: '/Lead/Wrapup_Key__c' }),
    collection('known', rows('Lead', [{ id: Lead[0], FirstName: 'Grace' }]), { method: 'PATCH' }),
    collection(
      'tasks',
      rows('Task', [
        { WhoId: '@{people[0].id}', Wrapup_Call_Id__c: 'c' },
        { WhoId: '@{known[0].id}', Description: 'of @{known[0].id}' },
      ]),
    ),
    collection('read', { ids: ['@{people[0].id}'], fields: ['LastName'] }, { path: '/Lead' }),
  ]);
  expect(body.compositeResponse.map(({ body }: { body: object }) => body)).toMatchObject([
    [{ success: true, created: true }],
    [{ success: true, id: Lead[0] }],
    [{ success: true }, { success: true }],
    [{ LastName: 'Lovelace' }],
  ]);
  const tasks = sandbox.salesforce.records('Task').map(({ fields }) => fields);
  expect(tasks).toMatchObject([
    { WhoId: body.compositeResponse[0].body[0].id, Wrapup_Call_Id__c: 'c' },
    { WhoId: Lead[0], Description: `of ${Lead[0]}` },
  ]);
  expect(headers.get('sforce-limit-info')).toBe('api-usage=1/100000');
});

test('each row of a part has its own result, and a reference to one that failed halts the part that names it', async () => {
  const requests = [
    collection('people', rows('Lead', twoLeads)),
    collection('linked', rows('Task', [{ WhoId: '@{people[0].id}' }, { WhoId: '@{people[1].id}' }])),
    collection('others', rows('Task', [{ WhoId: '@{people[0].id}', Subject: 'Call' }])),
  ];
  const { body } = await composite(requests);
  expect(body.compositeResponse).toMatchObject([
    {
      httpStatusCode: 200,
      body: [{ success: true }, { success: false, errors: [{ statusCode: 'REQUIRED_FIELD_MISSING' }] }],
    },
    {
      httpStatusCode: 400,
      body: [{ errorCode: 'PROCESSING_HALTED', message: expect.stringContaining('people[1].id') }],
    },
    { httpStatusCode: 200, body: [{ success: true }] },
  ]);
  expect(sandbox.salesforce.records('Task').map(({ fields }) => fields.Subject)).toEqual(['Call']);
  // What an org does if it takes such a reference for an empty one.
  sandbox.control.reset();
  sandbox.control.settings({ salesforce: { failed_references: 'null' } });
  expect(codes((await composite(requests)).body).map(([status]) => status)).toEqual([200, 200, 200]);
  expect(sandbox.salesforce.records('Task').map(({ fields }) => Boolean(fields.WhoId))).toEqual([true, false, true]);
});

test('all or none of a composite request holds for its collections, whatever they say themselves', async () => {
  const requests = (allOrNone: boolean) => [
    collection('people', rows('Lead', twoLeads, { allOrNone })),
    create('account', 'Account', { Name: 'x' }),
  ];
  const written = () => ['Lead', 'Account'].map((object) => sandbox.salesforce.records(object).length);
  const results: [boolean, boolean, number[]][] = [];
  for (const outer of [false, true])
    for (const inner of [false, true]) {
      sandbox.control.reset();
      const { body } = await composite(requests(inner), outer);
      expect(body.compositeResponse[1].httpStatusCode).toBe(outer ? 400 : 201);
      results.push([outer, inner, written()]);
    }
  expect(results).toEqual([
    [false, false, [1, 1]],
    [false, true, [0, 1]],
    [true, false, [0, 0]],
    [true, true, [0, 0]],
  ]);
});

test.each([
  ['another spelling', '@{lead.Id}'],
  ['a field that it does not have', '@{lead.Phone}'],
  ['a row that there is none of', '@{people[1].id}'],
  ['something that is no value', '@{people[0]}'],
  ['a part that comes later', '@{later.id}'],
])('a reference to %s halts the part', async (_what, WhoId) => {
  const { body } = await composite([
    create('lead', 'Lead', LEAD),
    collection('people', rows('Lead', twoLeads.slice(0, 1))),
    create('task', 'Task', { WhoId }),
    create('later', 'Lead', LEAD),
  ]);
  expect(codes(body)[2]).toEqual([400, 'PROCESSING_HALTED']);
  expect(sandbox.salesforce.records('Task')).toEqual([]);
});

test.each([
  ['51.0', [400, 'PROCESSING_HALTED']],
  ['66.0', [201, undefined]],
])('a reference to an empty field of a record that was read, in version %s', async (version, answered) => {
  const { Lead = [] } = sandbox.control.seed({ salesforce: { records: { Lead: [LEAD] } } });
  const compositeRequest = [
    { method: 'GET', url: `/services/data/v${version}/sobjects/Lead/${Lead[0]}?fields=FirstName`, referenceId: 'lead' },
    create('task', 'Task', { Subject: '@{lead.FirstName}' }),
  ];
  const url = `${sandbox.salesforceUrl}/services/data/v${version}/composite`;
  const headers = { authorization: `Bearer ${sandbox.salesforce.token()}`, 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ compositeRequest }) });
  expect(codes((await answer.json()) as { compositeResponse: Part[] })[1]).toEqual(answered);
});

test('a part has none of the request’s headers but the three that it may not have of its own', async () => {
  const users = sandbox.salesforce.records('User').map(({ id }) => id);
  const other = users.find((id) => id !== sandbox.salesforce.userId) ?? '';
  sandbox.control.settings({ salesforce: { assignment: { Lead: other } } });
  const forbids = { 'Sforce-Auto-Assign': 'FALSE' };
  const compositeRequest = [
    create('rules', 'Lead', LEAD),
    { ...create('own', 'Lead', { ...LEAD, LastName: 'Hopper' }), httpHeaders: forbids },
  ];
  const url = `${sandbox.salesforceUrl}/services/data/v66.0/composite`;
  const headers = {
    authorization: `Bearer ${sandbox.salesforce.token()}`,
    'content-type': 'application/json',
    ...forbids,
  };
  await fetch(url, { method: 'POST', headers, body: JSON.stringify({ compositeRequest }) });
  const owners = sandbox.salesforce.records('Lead').map(({ fields }) => fields.OwnerId);
  expect(owners).toEqual([other, sandbox.salesforce.userId]);
});

test('the org’s automation counts the rows of all parts', async () => {
  sandbox.control.settings({ salesforce: { automation_rows: { Task: 3 } } });
  const tasks = rows('Task', [{ Subject: 'a' }, { Subject: 'b' }]);
  const { body } = await composite([collection('first', tasks), collection('second', tasks)]);
  const done = body.compositeResponse.map(({ body }: { body: { success: boolean }[] }) =>
    body.map((row) => row.success),
  );
  expect(done).toEqual([
    [true, true],
    [false, false],
  ]);
});

test('a fault is about one part: what stands before it has taken effect', async () => {
  const requests = [
    collection('people', rows('Lead', twoLeads.slice(0, 1))),
    collection('tasks', rows('Task', [{ WhoId: '@{people[0].id}' }])),
  ];
  const written = () => ['Lead', 'Task'].map((object) => sandbox.salesforce.records(object).length);
  const about = { api: 'salesforce', object: 'Task', path: '/composite/sobjects$' } as const;
  sandbox.control.fault({ kind: 'status', ...about });
  expect((await composite(requests)).status).toBe(500);
  expect(written()).toEqual([1, 0]);
  sandbox.control.reset();
  sandbox.control.fault({ kind: 'request_limit', ...about });
  expect((await composite(requests)).status).toBe(403);
  expect(written()).toEqual([0, 0]);
  sandbox.control.fault({ kind: 'row_error', ...about });
  const { body } = await composite(requests);
  expect(body.compositeResponse.map(({ body }: { body: { success: boolean }[] }) => body[0]?.success)).toEqual([
    true,
    false,
  ]);
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
  [[{ ...create('a', 'Lead', LEAD), httpHeaders: { 'content-type': 'application/json' } }], 'INVALID_INPUT'],
  [Array.from({ length: 6 }, (_, n) => collection(`r${n}`, rows('Lead', [LEAD]))), 'LIMIT_EXCEEDED'],
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
