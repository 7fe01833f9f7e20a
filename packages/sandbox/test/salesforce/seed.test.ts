/** What a test puts into Salesforce, changes about it and reads of it, besides its API. */
import { expect, test } from 'vitest';
import { ask, sandboxForFile } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();

const control = async (method: string, path: string, body?: unknown) => {
  const response = await fetch(`${sandbox.url}/_sandbox${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
};

test('objects, fields, picklists and records are there before a test begins', async () => {
  const seeded = await control('POST', '/seed', {
    records: { contacts: [{ properties: { firstname: 'Ada' } }] },
    salesforce: {
      custom_objects: [{ name: 'Voice_Call__c', fields: [{ name: 'Key__c', external_id: true, unique: true }] }],
      fields: {
        Lead: [
          { name: 'Budget__c', type: 'double' },
          { name: 'Call__c', type: 'reference', reference_to: ['Voice_Call__c'] },
        ],
      },
      picklists: { Task: { Status: ['Open', 'Done'] } },
      records: { Lead: [{ LastName: 'L', Company: 'x', Budget__c: 5, CreatedDate: '2026-01-01T00:00:00Z' }] },
    },
  });
  expect([seeded.status, seeded.body.contacts.length, seeded.body.Lead.length]).toEqual([201, 1, 1]);
  const made = await ask(sandbox, 'PATCH', '/sobjects/Voice_Call__c/Key__c/a', {});
  expect(made.body).toMatchObject({ created: true, id: expect.stringMatching(/^a00/) });
  expect((await ask(sandbox, 'PATCH', `/sobjects/Lead/${seeded.body.Lead[0]}`, { Call__c: made.body.id })).status).toBe(
    204,
  );
  const task = await ask(sandbox, 'POST', '/sobjects/Task', { WhatId: made.body.id });
  expect(task.status).toBe(201);
  expect(sandbox.salesforce.records('Task')[0]?.fields.Status).toBe('Open');
  const { records } = (await ask(sandbox, 'GET', '/query?q=SELECT Call__r.Key__c, CreatedDate FROM Lead')).body;
  expect(records).toMatchObject([{ Call__r: { Key__c: 'a' }, CreatedDate: '2026-01-01T00:00:00.000+0000' }]);
});

test('a merged record is deleted and names its winner', async () => {
  const { Contact = [] } = sandbox.control.seed({ salesforce: { records: { Contact: [{ LastName: 'Winner' }] } } });
  sandbox.control.seed({
    salesforce: { records: { Contact: [{ LastName: 'Loser', IsDeleted: true, MasterRecordId: Contact[0] }] } },
  });
  const soql = 'SELECT LastName, MasterRecordId FROM Contact WHERE IsDeleted = true';
  const { records } = (await ask(sandbox, 'GET', `/queryAll?q=${encodeURIComponent(soql)}`)).body;
  expect(records).toMatchObject([{ LastName: 'Loser', MasterRecordId: Contact[0] }]);
  expect(sandbox.salesforce.journal().at(-1)).toMatchObject({
    effect: 'merged',
    to: { object: 'Contact', id: Contact[0] },
  });
});

test('what it holds and what took effect is kept apart from HubSpot', async () => {
  const { id } = (await ask(sandbox, 'POST', '/sobjects/Task', { Subject: 'x', Wrapup_Call_Id__c: 'main:1' })).body;
  await ask(sandbox, 'DELETE', `/sobjects/Task/${id}`);
  const state = (await control('GET', '/state?api=salesforce')).body;
  expect(Object.keys(state)).toContain('Opportunity');
  expect(Object.keys(state)).not.toContain('User');
  expect(state.Task).toMatchObject([{ id, deleted: true, fields: { Subject: 'x' } }]);
  expect((await control('GET', '/state?api=salesforce&object=User')).body.User.length).toBeGreaterThan(1);
  const journal = (await control('GET', '/journal?api=salesforce')).body;
  expect(journal).toMatchObject([
    { n: 1, effect: 'created', object: 'Task', id, unique: { Wrapup_Call_Id__c: 'main:1' }, request: 1 },
    { n: 2, effect: 'archived', request: 2 },
  ]);
  expect((await control('GET', '/journal')).body).toEqual([]);
});

test('a reset takes records, custom fields, sessions and settings back, and can leave the org bare', async () => {
  const token = sandbox.salesforce.token();
  await control('POST', '/settings', { salesforce: { duplicate_rules: 'off' } });
  sandbox.control.seed({
    salesforce: { fields: { Lead: [{ name: 'Budget__c' }] }, records: { Lead: [{ LastName: 'L' }] } },
  });
  await control('POST', '/reset', { provisioned: false });
  const answer = await fetch(`${sandbox.salesforceUrl}/services/data/v66.0/limits`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(answer.status).toBe(401);
  expect((await control('GET', '/settings')).body.salesforce.duplicate_rules).toBe('alert');
  const { fields } = (await ask(sandbox, 'GET', '/sobjects/Lead/describe')).body;
  const names = fields.map(({ name }: { name: string }) => name);
  expect(names).not.toContain('Budget__c');
  expect(names).not.toContain('Wrapup_Key__c');
  expect(sandbox.salesforce.records('Lead')).toEqual([]);
});

test.each([
  [{ salesforce: { things: 1 } }, 'has no "things"'],
  [{ salesforce: { records: { Nothing__c: [{}] } } }, 'no object Nothing__c'],
  [{ salesforce: { records: { Lead: [{ Nope__c: 1 }] } } }, 'Lead has no field Nope__c'],
  [
    { salesforce: { records: { Task: [{ WhoId: '00QgK0000000zzzAAA' }] } } },
    'MALFORMED|points at no record|incorrect type',
  ],
  [{ salesforce: { fields: { Lead: [{ name: 'Budget' }] } } }, 'ends with __c'],
  [{ salesforce: { picklists: { Lead: { Nope: ['a'] } } } }, 'no field Nope'],
])('%j is no seed', async (seed, reason) => {
  const { status, body } = await control('POST', '/seed', seed);
  expect(status).toBe(400);
  expect(body.error).toMatch(new RegExp(reason));
});

test.each([
  [{ locks: 'sometimes' }, 'salesforce.locks must be one of wait, fail'],
  [{ limits: { used: -1 } }, 'salesforce.limits.used must be a whole number'],
  [{ automation_rows: { Task: 'x' } }, 'whole numbers by object'],
  [{ colour: 'blue' }, 'there is no setting salesforce.colour'],
])('%j is no setting', async (settings, reason) => {
  const { status, body } = await control('POST', '/settings', { salesforce: settings });
  expect([status, body.error]).toEqual([400, expect.stringContaining(reason)]);
});
