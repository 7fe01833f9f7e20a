/** How tokens are had: by each of the three flows, once for everybody, and with patience where Salesforce asks for it. */
import { generateKeyPairSync, verify } from 'node:crypto';
import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { afterEach, expect, test } from 'vitest';
import { queryPath, readTogether } from '../src/client/api.ts';
import { salesforceSettings } from '../src/client/settings.ts';
import type { SalesforceTransport } from '../src/client/transport.ts';
import { openAccount, type SalesforceAccount } from './salesforce-harness.ts';
import { giveToken, json, openTransport, SESSION_INVALID, type TinyServer, tinyServer } from './tiny-server.ts';

const READ = readTogether('read', [{ ref: 'a', path: queryPath('SELECT Id FROM Organization') }], '66.0');
const KEY = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PEM = KEY.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const PUBLIC = KEY.publicKey.export({ type: 'spki', format: 'pem' }).toString();

let server: TinyServer | undefined;
let account: SalesforceAccount | undefined;
const transports: SalesforceTransport[] = [];
afterEach(async () => {
  for (const one of transports.splice(0)) one.close();
  await server?.close();
  await account?.close();
  [server, account] = [undefined, undefined];
});

async function open(url: string, settings: Record<string, unknown> = {}): Promise<SalesforceTransport> {
  const transport = await openTransport(url, settings);
  transports.push(transport);
  return transport;
}

const refuse = (error: string, error_description: string) => (response: Parameters<typeof giveToken>[0]) =>
  json(response, 400, { error, error_description });

test('client credentials: asked for once by many at once, and by the processes after them', async () => {
  server = await tinyServer((response) => json(response, 200, {}));
  const commons = makeMemoryCommons();
  const processes = [await open(server.url), await open(server.url)];
  await Promise.all(Array.from({ length: 10 }, (_, n) => processes[n % 2]?.send(READ, makeMemoryContext(commons))));
  expect(server.tokens).toEqual([{ grant_type: 'client_credentials', client_id: 'key', client_secret: 'secret' }]);
});

test('other credentials are other tokens', async () => {
  server = await tinyServer((response) => json(response, 200, {}));
  const commons = makeMemoryCommons();
  await (await open(server.url)).send(READ, makeMemoryContext(commons));
  await (await open(server.url, { client_secret: 'rotated' })).send(READ, makeMemoryContext(commons));
  expect(server.tokens.map(({ client_secret }) => client_secret)).toEqual(['secret', 'rotated']);
});

test('JWT: an assertion that Salesforce can check, of three minutes', async () => {
  server = await tinyServer((response) => json(response, 200, {}));
  const jwt = { username: 'wrapup@acme.example', private_key: PEM.replaceAll('\n', '\\n') };
  const transport = await open(server.url, { client_secret: undefined, jwt });
  await transport.send(READ, makeMemoryContext());
  const [{ grant_type, assertion = '' } = {}] = server.tokens;
  expect(grant_type).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
  const [head = '', claims = '', signature = ''] = assertion.split('.');
  expect(verify('RSA-SHA256', Buffer.from(`${head}.${claims}`), PUBLIC, Buffer.from(signature, 'base64url'))).toBe(
    true,
  );
  const { iss, sub, aud, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString());
  expect([iss, sub, aud]).toEqual(['key', 'wrapup@acme.example', 'https://login.salesforce.com']);
  expect(exp - Date.now() / 1000).toBeGreaterThan(60);
  expect(exp - Date.now() / 1000).toBeLessThanOrEqual(180);
});

test('the sandbox checks the assertion as Salesforce does', async () => {
  account = await openAccount({ oauth: { certificate: PUBLIC } });
  const jwt = { username: 'wrapup.integration@sandbox.example', private_key: PEM };
  const client = { client_id: 'sandbox-consumer-key', client_secret: 'sandbox-consumer-secret' };
  const good = await open(account.sandbox.salesforceUrl, { ...client, jwt });
  expect((await good.whose(makeMemoryContext())).user).toBe(account.sandbox.salesforce.userId);
  const stranger = await open(account.sandbox.salesforceUrl, {
    ...client,
    jwt: { ...jwt, username: 'else@where.example' },
  });
  await expect(stranger.whose(makeMemoryContext())).rejects.toMatchObject({
    code: 'unauthorized',
    next: 'reauthenticate',
    hint: expect.stringContaining('Pre-authorise'),
  });
});

test('a refresh token that rotates is followed, and a new one in the settings goes before it', async () => {
  account = await openAccount({ oauth: { rotate: true, expires_in: 7200 } });
  const client = { client_id: 'sandbox-consumer-key', client_secret: 'sandbox-consumer-secret' };
  const commons = makeMemoryCommons();
  const url = account.sandbox.salesforceUrl;
  const first = await open(url, { ...client, refresh_token: 'sandbox-refresh' });
  await first.send(READ, makeMemoryContext(commons));
  // The access token is refused: the rotated refresh token must be the one that is used now.
  account.sandbox.control.fault({ api: 'salesforce', kind: 'unauthorized', path: '/composite$', times: 1 });
  await first.send(READ, makeMemoryContext(commons));
  const other = await open(url, { ...client, refresh_token: 'sandbox-refresh' });
  account.sandbox.control.fault({ api: 'salesforce', kind: 'unauthorized', path: '/composite$', times: 1 });
  await other.send(READ, makeMemoryContext(commons));
  const fresh = await open(url, { ...client, refresh_token: 'given-by-an-operator' });
  await expect(fresh.whose(makeMemoryContext(commons))).rejects.toMatchObject({ code: 'unauthorized' });
});

test('"already being processed" is waited for, not taken for a revoked grant', async () => {
  let refused = 0;
  server = await tinyServer(
    (response) => json(response, 200, {}),
    (response, request) => {
      refused += 1;
      if (refused <= 2) refuse('invalid_grant', 'token request is already being processed')(response);
      else giveToken(response, request);
    },
  );
  const transport = await open(server.url, { refresh_token: 'r' });
  await transport.send(READ, makeMemoryContext());
  expect(server.tokens).toHaveLength(3);
});

test('but not for ever, and it burns no attempt', async () => {
  server = await tinyServer(() => {}, refuse('invalid_grant', 'token request is already being processed'));
  const transport = await open(server.url, { refresh_token: 'r' });
  await expect(transport.send(READ, makeMemoryContext())).rejects.toMatchObject({ code: 'busy', next: 'throttle' });
  expect(server.tokens).toHaveLength(4);
});

test.each([
  ['invalid_grant', 'expired access/refresh token', 'clock'],
  ['invalid_client', 'invalid client credentials', 'client_secret'],
  ['invalid_client_id', 'client identifier invalid', 'client_id'],
  ['unsupported_grant_type', 'grant type not supported', 'external client app'],
])('%s stops the connection and says what to look at', async (error, description, hint) => {
  server = await tinyServer(() => {}, refuse(error, description));
  const transport = await open(server.url);
  await expect(transport.send(READ, makeMemoryContext())).rejects.toMatchObject({
    code: 'unauthorized',
    next: 'reauthenticate',
    hint: expect.stringContaining(hint),
    details: { vendor_code: error },
  });
  expect(server.tokens).toHaveLength(1);
});

test.each([
  ['hangs', () => {}, 'timeout'],
  ['answers a page', (r: Parameters<typeof giveToken>[0]) => r.writeHead(503).end('<html>'), 'unavailable'],
  ['answers nothing of use', (r: Parameters<typeof giveToken>[0]) => json(r, 200, {}), 'unaccounted'],
])('a login that %s is tried again another time', async (_what, token, code) => {
  server = await tinyServer(() => {}, token);
  const transport = await open(server.url, { timeout: 150 });
  await expect(transport.send(READ, makeMemoryContext())).rejects.toMatchObject({ code, next: 'retry' });
  expect(server.seen).toHaveLength(0);
});

test('a refusal that goes on after a new token says so once, whatever the flow', async () => {
  server = await tinyServer((response) => json(response, 401, SESSION_INVALID));
  const transport = await open(server.url, { refresh_token: 'r' });
  await expect(transport.send(READ, makeMemoryContext())).rejects.toMatchObject({ code: 'unauthorized' });
  expect([server.seen.length, server.tokens.length]).toEqual([2, 2]);
});

test('settings: one way to log in, said clearly when there is none or two', () => {
  const problems = (settings: object) =>
    salesforceSettings
      .safeParse({ client_id: 'k', ...settings })
      .error?.issues.map(({ path, message }) => `${path}: ${message}`);
  const jwt = { username: 'u', private_key: PEM };
  const url = 'https://acme.my.salesforce.com/';
  expect(salesforceSettings.parse({ client_id: 'k', client_secret: 's', login_url: url })).toEqual({
    login_url: 'https://acme.my.salesforce.com',
    client_id: 'k',
    client_secret: 's',
    api_version: '66.0',
    timeout: 20_000,
    on_refused_field: 'drop',
    duplicates: 'use_match',
    assignment_rules: false,
    composite: false,
  });
  expect(problems({ jwt })).toBeUndefined();
  expect(problems({ refresh_token: 'r' })).toBeUndefined();
  expect(problems({ jwt, api_version: 62, assignment_rules: 'true', base_url: '' })).toBeUndefined();
  expect(problems({})).toEqual(['client_secret: is missing: give client_secret, jwt or refresh_token']);
  expect(problems({ client_secret: 's' })).toEqual([expect.stringContaining('login_url: must be your My Domain')]);
  expect(problems({ jwt, refresh_token: 'r' })).toEqual([expect.stringContaining('jwt: is one way')]);
  expect(problems({ jwt: { username: 'u', private_key: 'no key' } })).toEqual([expect.stringContaining('PEM')]);
  expect(problems({ client_secret: 's', login_url: url, api_version: '45.0' })).toEqual([
    expect.stringContaining('52.0'),
  ]);
  expect(problems({ client_secret: 's', login_url: url, pasword: 'x' })).toHaveLength(1);
});
