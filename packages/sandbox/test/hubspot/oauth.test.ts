/** Tokens of an OAuth app: exchanged, ended, rotated, refused. */
import { expect, test } from 'vitest';
import { clientOf, sandboxForFile, send, until } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();

async function exchange(change: Record<string, string> = {}) {
  const form = {
    grant_type: 'refresh_token',
    client_id: 'sandbox-client',
    client_secret: 'sandbox-secret',
    refresh_token: 'sandbox-refresh',
    ...change,
  };
  const response = await fetch(`${sandbox.hubspotUrl}/oauth/2026-09/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

const ask = (token: string) => send(sandbox, 'GET', '/crm/v3/owners', undefined, { token });

test('an access token works until it ends, and says when it has', async () => {
  const { status, body } = await exchange();
  expect([status, Number(body.expires_in), body.refresh_token]).toEqual([200, 1_800, 'sandbox-refresh']);
  const answered = await ask(body.access_token ?? '');
  expect(answered.status).toBe(200);
  // No daily limit is published for OAuth apps, and their answers tell none.
  expect(answered.headers.has('x-hubspot-ratelimit-daily')).toBe(false);
  sandbox.control.settings({ hubspot: { oauth: { expires_in: 0 } } });
  const ended = await exchange();
  const refused = await until(
    () => ask(ended.body.access_token ?? ''),
    ({ status: answered }) => answered === 401,
  );
  expect(refused.body).toMatchObject({
    category: 'EXPIRED_AUTHENTICATION',
    context: { 'expire time': [expect.any(String)] },
  });
  expect(refused.body.message).toMatch(/expired \d+ second\(s\) ago/);
});

test('where refresh tokens rotate the old one is taken once', async () => {
  sandbox.control.settings({ hubspot: { oauth: { rotate: true } } });
  const { body } = await exchange();
  expect(await exchange()).toMatchObject({
    status: 400,
    body: { status: 'BAD_REFRESH_TOKEN', error: 'invalid_grant' },
  });
  expect((await exchange({ refresh_token: body.refresh_token ?? '' })).status).toBe(200);
});

test.each([
  [{ client_secret: 'wrong' }, 'BAD_CLIENT_SECRET'],
  [{ refresh_token: 'wrong' }, 'BAD_REFRESH_TOKEN'],
  [{ grant_type: 'password' }, 'BAD_GRANT_TYPE'],
])('%j is refused', async (change, status) => {
  expect(await exchange(change)).toMatchObject({ status: 400, body: { status } });
});

test('the client exchanges a token on the old path', async () => {
  const answer = await clientOf(sandbox).oauth.tokensApi.create(
    'refresh_token',
    undefined,
    undefined,
    'sandbox-client',
    'sandbox-secret',
    'sandbox-refresh',
  );
  expect((await ask(answer.accessToken)).status).toBe(200);
});
