/** Tokens and scopes. */
import { expect, test } from 'vitest';
import { startSandbox } from '../../src/index.ts';
import { aCall, sandboxForFile, send } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();
const PATH = '/crm/v3/objects/contacts/1';

test.each([
  ['no token', null],
  ['a token of another kind', 'CJ-oauth'],
])('%s is 401', async (_what, token) => {
  const answer = await send(sandbox, 'GET', PATH, undefined, { token });
  expect(answer).toMatchObject({
    status: 401,
    body: { category: 'INVALID_AUTHENTICATION', correlationId: expect.any(String) },
  });
});

test('a token that was revoked is 401 until it is given back', async () => {
  sandbox.control.settings({ hubspot: { revoked_tokens: ['pat-na1-test'] } });
  expect((await send(sandbox, 'GET', PATH)).status).toBe(401);
  expect((await send(sandbox, 'GET', PATH, undefined, { token: 'pat-new' })).status).toBe(404);
  sandbox.control.settings({ hubspot: { revoked_tokens: [] } });
  expect((await send(sandbox, 'GET', PATH)).status).toBe(404);
});

test('a sandbox can be started for one token only', async () => {
  const strict = await startSandbox({ token: 'pat-only' });
  try {
    expect((await send(strict, 'GET', PATH, undefined, { token: 'pat-only' })).status).toBe(404);
    expect((await send(strict, 'GET', PATH, undefined, { token: 'pat-other' })).status).toBe(401);
  } finally {
    await strict.close();
  }
});

test.each([
  ['crm.objects.contacts.write', 'POST', '/crm/v3/objects/calls', { properties: aCall('a') }],
  ['crm.objects.contacts.read', 'GET', '/crm/objects/2026-09/calls/1', undefined],
  ['crm.objects.deals.write', 'POST', '/crm/v3/objects/deals/batch/create', { inputs: [{ properties: {} }] }],
  ['tickets', 'POST', '/crm/v3/objects/tickets/search', {}],
  ['crm.objects.owners.read', 'GET', '/crm/v3/owners/', undefined],
  ['crm.objects.contacts.write', 'POST', '/crm/v4/associations/calls/contacts/batch/associate/default', { inputs: [] }],
])('without %s, %s %s is 403 and names it', async (scope, method, path, body) => {
  sandbox.control.settings({ hubspot: { revoked_scopes: [scope] } });
  const answer = await send(sandbox, method, path, body);
  expect(answer.status).toBe(403);
  expect(answer.body.category).toBe('MISSING_SCOPES');
  expect(answer.body.context.requiredGranularScopes).toEqual([scope]);
});

test('one of several scopes is enough to define a property of calls', async () => {
  const define = (name: string) =>
    send(sandbox, 'POST', '/crm/properties/2026-09/calls', {
      name,
      label: name,
      type: 'string',
      fieldType: 'text',
      groupName: 'call',
    });
  sandbox.control.settings({ hubspot: { revoked_scopes: ['crm.schemas.calls.write'] } });
  expect((await define('one')).status).toBe(201);
  sandbox.control.settings({ hubspot: { revoked_scopes: ['crm.schemas.calls.write', 'crm.schemas.contacts.write'] } });
  const refused = await define('two');
  expect(refused.body.context.requiredGranularScopes).toEqual([
    'crm.schemas.calls.write',
    'crm.schemas.contacts.write',
  ]);
});

test('the account tells its id whatever the scopes', async () => {
  sandbox.control.settings({ hubspot: { revoked_scopes: ['crm.objects.contacts.read', 'crm.objects.owners.read'] } });
  expect((await send(sandbox, 'GET', '/account-info/v3/details')).status).toBe(200);
});
