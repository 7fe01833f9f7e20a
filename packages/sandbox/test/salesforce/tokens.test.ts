/** Tokens: the ways to get one, when they end, and what the vendor says of versions and of what is left. */
import { createSign, generateKeyPairSync } from 'node:crypto';
import jsforce from 'jsforce';
import { expect, test } from 'vitest';
import { ask, connectionTo, sandboxForFile } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();

const CLIENT = { client_id: 'sandbox-consumer-key', client_secret: 'sandbox-consumer-secret' };
const JWT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const keys = generateKeyPairSync('rsa', { modulusLength: 2_048 });

async function token(form: Record<string, string>) {
  const response = await fetch(`${sandbox.salesforceUrl}/services/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  // biome-ignore lint/suspicious/noExplicitAny: bodies are looked at field by field
  return { status: response.status, body: (await response.json()) as any };
}

function assertion(claims: object = {}): string {
  const all = {
    iss: CLIENT.client_id,
    sub: 'wrapup.integration@sandbox.example',
    aud: 'https://login.salesforce.com',
    exp: Math.floor(Date.now() / 1_000) + 180,
    ...claims,
  };
  const text = [{ alg: 'RS256' }, all].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${createSign('RSA-SHA256').update(text).sign(keys.privateKey, 'base64url')}`;
}

test('each flow gives a token that works, and says nothing of its end', async () => {
  const answers = [
    await token({ grant_type: 'client_credentials', ...CLIENT }),
    await token({ grant_type: JWT, assertion: assertion() }),
    await token({ grant_type: 'refresh_token', refresh_token: 'sandbox-refresh', ...CLIENT }),
  ];
  for (const { status, body } of answers) {
    expect(status).toBe(200);
    expect(body).toMatchObject({ instance_url: sandbox.salesforceUrl, token_type: 'Bearer' });
    expect(body.id).toMatch(/\/id\/00D\w{15}\/005\w{15}$/);
    expect(body).not.toHaveProperty('expires_in');
    const asked = await fetch(`${body.instance_url}/services/data/v66.0/limits`, {
      headers: { authorization: `Bearer ${body.access_token}` },
    });
    expect(asked.status).toBe(200);
  }
  expect(answers.map(({ body }) => 'signature' in body)).toEqual([true, false, true]);
});

test.each([
  [{ grant_type: 'client_credentials', ...CLIENT, client_id: 'x' }, 'invalid_client_id'],
  [{ grant_type: 'client_credentials', ...CLIENT, client_secret: 'x' }, 'invalid_client'],
  [{ grant_type: 'password', ...CLIENT }, 'unsupported_grant_type'],
  [{ grant_type: 'refresh_token', refresh_token: 'x', ...CLIENT }, 'invalid_grant'],
  [{ grant_type: JWT, assertion: 'x.y.z' }, 'invalid_grant'],
  [{ grant_type: JWT, assertion: assertion({ exp: 1 }) }, 'invalid_grant'],
  [{ grant_type: JWT, assertion: assertion({ sub: 'stranger@example.com' }) }, 'invalid_grant'],
  [{ grant_type: JWT, assertion: assertion({ iss: 'x' }) }, 'invalid_client_id'],
])('grant %# is refused', async (form, error) => {
  const { status, body } = await token(form as Record<string, string>);
  expect([status, body.error, typeof body.error_description]).toEqual([400, error, 'string']);
});

test('an assertion must be signed by the key of the certificate', async () => {
  const certificate = keys.publicKey.export({ type: 'spki', format: 'pem' }) as string;
  sandbox.control.settings({ salesforce: { oauth: { certificate } } });
  expect((await token({ grant_type: JWT, assertion: assertion() })).status).toBe(200);
  const other = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  sandbox.control.settings({
    salesforce: { oauth: { certificate: other.publicKey.export({ type: 'spki', format: 'pem' }) as string } },
  });
  expect((await token({ grant_type: JWT, assertion: assertion() })).body.error).toBe('invalid_grant');
});

test('refresh tokens rotate, and two refreshes at once are one too many', async () => {
  sandbox.control.settings({ salesforce: { race_window: 300, oauth: { rotate: true } } });
  const refresh = (refresh_token: string) => token({ grant_type: 'refresh_token', refresh_token, ...CLIENT });
  const answers = await Promise.all([refresh('sandbox-refresh'), refresh('sandbox-refresh')]);
  const [good, bad] = answers.toSorted((a, b) => a.status - b.status);
  expect(bad?.body).toEqual({ error: 'invalid_grant', error_description: 'token request is already being processed' });
  expect((await refresh('sandbox-refresh')).body.error_description).toBe('expired access/refresh token');
  expect((await refresh(good?.body.refresh_token)).status).toBe(200);
});

test('a session ends, and the client hears it as 401', async () => {
  sandbox.control.settings({ salesforce: { oauth: { expires_in: 0 } } });
  await expect(connectionTo(sandbox).query('SELECT Id FROM Lead')).rejects.toMatchObject({
    errorCode: 'INVALID_SESSION_ID',
  });
  const answer = await ask(sandbox, 'GET', '/limits');
  expect([answer.status, answer.body]).toEqual([
    401,
    [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }],
  ]);
});

test('the client gets its session by client credentials and by an assertion', async () => {
  const open = () =>
    new jsforce.Connection({
      loginUrl: sandbox.salesforceUrl,
      version: '66.0',
      oauth2: { clientId: CLIENT.client_id, clientSecret: CLIENT.client_secret, loginUrl: sandbox.salesforceUrl },
    });
  for (const grant of [{ grant_type: 'client_credentials' }, { grant_type: JWT, assertion: assertion() }]) {
    const org = open();
    await org.authorize(grant);
    expect(org.instanceUrl).toBe(sandbox.salesforceUrl);
    expect(await org.identity()).toMatchObject({ username: 'wrapup.integration@sandbox.example' });
  }
  await expect(open().authorize({ grant_type: 'password' })).rejects.toMatchObject({ name: 'unsupported_grant_type' });
});

test('versions that are gone answer 410, those to come 404, and a list says which are there', async () => {
  const status = async (version: string) => {
    const headers = { authorization: `Bearer ${sandbox.salesforce.token()}` };
    return (await fetch(`${sandbox.salesforceUrl}/services/data/v${version}/limits`, { headers })).status;
  };
  expect([await status('30.0'), await status('31.0'), await status('68.0'), await status('69.0')]).toEqual([
    410, 200, 200, 404,
  ]);
  const versions = (await (await fetch(`${sandbox.salesforceUrl}/services/data`)).json()) as object[];
  expect(versions.at(-1)).toEqual({ label: "Winter '27", url: '/services/data/v68.0', version: '68.0' });
  expect(versions).toContainEqual({ label: "Spring '26", url: '/services/data/v66.0', version: '66.0' });
});

test('what others used counts, and at the end nothing is answered', async () => {
  sandbox.control.settings({ salesforce: { limits: { daily: 100, used: 98 } } });
  const first = await ask(sandbox, 'GET', '/limits');
  expect(first.headers.get('sforce-limit-info')).toBe('api-usage=99/100');
  expect(first.body.DailyApiRequests).toEqual({ Max: 100, Remaining: 1 });
  await ask(sandbox, 'GET', '/limits');
  const last = await ask(sandbox, 'GET', '/limits');
  expect([last.status, last.body[0].errorCode, last.headers.get('retry-after')]).toEqual([
    403,
    'REQUEST_LIMIT_EXCEEDED',
    null,
  ]);
});
