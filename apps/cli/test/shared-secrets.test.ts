/** Commands and workers at one OAuth app whose refresh token the CRM replaces with each use. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { hubspotKind } from '@wrapup/hubspot';
import { makeContext, openStore } from '@wrapup/queue';
import { salesforceKind } from '@wrapup/salesforce';
import { startSandbox } from '@wrapup/sandbox';
import { expect, onTestFinished, test } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { freshPrefix, redisUrl } from '../../../test/support/redis.ts';
import { CONFIG, configFolder, SECRET } from './support/installation.ts';
import { wrapup } from './support/run.ts';

const HUBSPOT = { client_id: 'sandbox-client', client_secret: 'sandbox-secret', refresh_token: 'sandbox-refresh' };
const SALESFORCE = {
  client_id: 'sandbox-consumer-key',
  client_secret: 'sandbox-consumer-secret',
  refresh_token: 'sandbox-refresh',
};
const KINDS = { hubspot: hubspotKind, salesforce: salesforceKind };

async function openInstallation(kind: keyof typeof KINDS = 'hubspot') {
  const sandbox = await startSandbox({
    provisioned: true,
    settings: { hubspot: { oauth: { rotate: true } }, salesforce: { oauth: { rotate: true } } },
  });
  onTestFinished(() => sandbox.close());
  const isHubSpot = kind === 'hubspot';
  const settings = isHubSpot
    ? { ...HUBSPOT, base_url: sandbox.hubspotUrl }
    : { ...SALESFORCE, base_url: sandbox.salesforceUrl };
  const connection = JSON.stringify({ kind, ...settings });
  const folder = configFolder(
    CONFIG.replace(/sales: \{ kind[^\n]*/, `sales: ${connection}`),
    `extends: ${kind}/call-log\n`,
  );
  const prefix = freshPrefix();
  const encryption_keys = randomBytes(32).toString('base64');
  const env = {
    REDIS_URL: redisUrl(),
    WRAPUP_PREFIX: prefix,
    WRAPUP_ENCRYPTION_KEY: encryption_keys,
    WRAPUP_CONFIG: join(folder, 'wrapup.yaml'),
    SYNTHFLOW_WEBHOOK_SECRET: SECRET,
  };
  const store = openStore({ url: redisUrl(), prefix, encryption_keys, role: 'worker', onError() {} });
  await store.connected(PATIENCE);
  onTestFinished(() => store.close());

  return {
    env,
    sandbox,
    store,
    /** What a worker does of its own: it probes. */
    async probe() {
      const { connect, settings: schema } = KINDS[kind];
      const destination = await connect('sales', schema.parse(settings) as never);
      const signal = new AbortController().signal;
      const log = { debug() {}, info() {}, warn() {}, error() {} };
      try {
        return await destination.probe(
          makeContext(store, { connection: 'sales', priority: 'live', within: 60_000, signal, log }),
        );
      } finally {
        await destination.close();
      }
    },
    /** Ends the access token in force, as half an hour does. */
    async endAccessToken() {
      for (const key of await store.redis.keys(`${store.keys.prefix}*access*`)) await store.redis.del(key);
    },
    renewals: () =>
      sandbox.control
        .requests()
        .requests.filter(({ method, path }) => method === 'POST' && path.split('?')[0]?.endsWith('/token')).length,
  };
}

test.each(['hubspot', 'salesforce'] as const)(
  '%s: commands use the token that a worker was given, and the worker the one a command was given',
  async (kind) => {
    const { env, probe, renewals, endAccessToken } = await openInstallation(kind);
    await probe();
    expect(renewals()).toBe(1);
    // The access token in force: nothing is renewed.
    expect(await wrapup(['doctor', 'sales'], env)).toMatchObject({ code: 0 });
    expect(renewals()).toBe(1);
    // The refresh token of wrapup.yaml is no longer taken: only what the worker kept is.
    await endAccessToken();
    expect(await wrapup(['doctor', 'sales'], env)).toMatchObject({ code: 0 });
    expect(renewals()).toBe(2);
    await endAccessToken();
    await probe();
    expect(renewals()).toBe(3);
  },
);

test('two commands at once renew once, and what Redis keeps of it is encrypted', async () => {
  const { env, store, renewals } = await openInstallation();
  const runs = await Promise.all([wrapup(['doctor', 'sales'], env), wrapup(['provision', 'sales', '--plan'], env)]);
  expect(runs.map(({ code }) => code)).toEqual([0, 0]);
  expect(renewals()).toBe(1);
  const kept = await store.redis.keys(`${store.keys.prefix}*sales*`);
  const secrets = kept.filter((key) => /access|refresh/.test(key));
  expect(secrets).toHaveLength(2);
  for (const key of secrets) expect(await store.redis.get(key)).not.toMatch(/oauth-|expires_at/);
});

test('without Redis a command renews a token of its own, and says what that may cost', async () => {
  const { env, renewals } = await openInstallation();
  const alone = { ...env, REDIS_URL: 'redis://127.0.0.1:9' };
  const { code, stdout } = await wrapup(['doctor', 'sales'], alone);
  expect(code).toBe(0);
  expect(stdout).toContain('Redis at 127.0.0.1:9 does not answer');
  expect(stdout).toContain('not shared with the workers');
  expect(stdout).toContain('gave a new refresh token, which is lost without Redis');
  expect(renewals()).toBe(1);
});

test('a service key is used without Redis and without a word about it', async () => {
  const { sandbox, env } = await openInstallation();
  const folder = configFolder();
  const { code, stdout, stderr } = await wrapup(['doctor', 'sales'], {
    ...env,
    REDIS_URL: 'redis://127.0.0.1:9',
    WRAPUP_CONFIG: join(folder, 'wrapup.yaml'),
    HUBSPOT_ACCESS_TOKEN: 'pat-na1-test',
    HUBSPOT_BASE_URL: sandbox.hubspotUrl,
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).not.toContain('Redis');
});
