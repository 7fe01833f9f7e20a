/** A connection through an OAuth app: tokens that end, are renewed once for all, and are replaced. */
import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { failure, ids, planFor, write } from '@wrapup/destination/conformance';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hubspotKind } from '../src/index.ts';
import { hubspotHarness, openAccount } from './hubspot-harness.ts';

let account: Awaited<ReturnType<typeof openAccount>>;
const opened: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  account = await openAccount();
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  await account.close();
});

async function connect(more: object = {}) {
  const app = { client_id: 'sandbox-client', client_secret: 'sandbox-secret', refresh_token: 'sandbox-refresh' };
  const settings = hubspotKind.settings.parse({ base_url: account.sandbox.hubspotUrl, ...app, ...more });
  const destination = await hubspotKind.connect('sales', settings);
  opened.push(destination);
  return destination;
}

const call = (id: string, n = 0) => planFor(hubspotHarness, { id, phone: `+1415555${1000 + n}` });
const renewals = () =>
  account.sandbox.control.requests().requests.filter(({ operation }) => operation === 'oauth token').length;

test('many deliveries of several processes renew the token once', async () => {
  const commons = makeMemoryCommons();
  const processes = [await connect(), await connect()] as const;
  const outcomes = await Promise.all(
    Array.from({ length: 10 }, (_, n) => write(processes[n % 2 === 0 ? 0 : 1], [call(`c${n}`, n)], commons)),
  );
  for (const [outcome] of outcomes) expect(Object.keys(ids(outcome))).toEqual(['person', 'call_log', 'call-back']);
  expect(renewals()).toBe(1);
});

test('a token that HubSpot refuses before its time is renewed in the same write', async () => {
  const commons = makeMemoryCommons();
  const destination = await connect();
  await write(destination, [call('c1')], commons);
  account.sandbox.control.fault({ kind: 'unauthorized', object: 'calls' });
  const [outcome] = await write(destination, [call('c2')], commons);
  expect(Object.keys(ids(outcome))).toEqual(['person', 'call_log', 'call-back']);
  expect(renewals()).toBe(2);
});

test('a token near its end is renewed before HubSpot refuses it', async () => {
  account.sandbox.control.settings({ hubspot: { oauth: { expires_in: 30 } } });
  await write(await connect(), [call('c1')]);
  expect(account.sandbox.control.requests().requests.map(({ status }) => status)).not.toContain(401);
  expect(renewals()).toBeGreaterThan(1);
});

test('a refresh token that was replaced is used from then on, also by a process that knows only the configured one', async () => {
  account.sandbox.control.settings({ hubspot: { oauth: { rotate: true } } });
  const commons = makeMemoryCommons();
  await write(await connect(), [call('c1')], commons);
  account.sandbox.control.fault({ kind: 'unauthorized', object: 'calls' });
  const [outcome] = await write(await connect(), [call('c2')], commons);
  expect(ids(outcome)).toBeTruthy();
  expect(renewals()).toBe(2);
});

test('a refresh token that is no longer taken breaks the connection and says what to do', async () => {
  const destination = await connect({ refresh_token: 'no-longer-taken' });
  const [outcome] = await write(destination, [call('c1')]);
  expect(failure(outcome)).toMatchObject({
    code: 'unauthorized',
    next: 'reauthenticate',
    details: { vendor_code: 'BAD_REFRESH_TOKEN', hint: expect.stringContaining('Install the app again') },
  });
  expect(JSON.stringify(failure(outcome).details) + failure(outcome).message).not.toContain('no-longer-taken');
  await expect(destination.probe(makeMemoryContext())).rejects.toMatchObject({ code: 'unauthorized' });
});

test('while HubSpot gives no token the delivery waits', async () => {
  const destination = await connect();
  account.sandbox.control.fault({ kind: 'html', path: '/oauth/', times: null });
  expect(failure((await write(destination, [call('c1')]))[0])).toMatchObject({ code: 'unavailable', next: 'retry' });
  account.sandbox.control.clearFaults();
  account.sandbox.control.fault({ kind: 'reset', path: '/oauth/', times: null });
  expect(failure((await write(destination, [call('c1')]))[0])).toMatchObject({ code: 'network', next: 'retry' });
});

test('a connection has a service key or a whole app', () => {
  const issues = (settings: object) =>
    hubspotKind.settings.safeParse(settings).error?.issues.map(({ path }) => path.join('.'));
  expect(issues({})).toEqual(['access_token']);
  expect(issues({ access_token: 'pat-x', client_id: 'a', client_secret: 'b', refresh_token: 'c' })).toEqual([
    'access_token',
  ]);
  expect(issues({ client_id: 'a' })).toEqual(['client_secret', 'refresh_token']);
  expect(issues({ client_id: 'a', client_secret: 'b', refresh_token: 'c' })).toBeUndefined();
});
