import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CONFIG, configFolder, openInstallation } from './support/installation.ts';
import { wrapup } from './support/run.ts';

const SECRETS = {
  SYNTHFLOW_WEBHOOK_SECRET: '5f1c0de9a77401bb3f1c0de9a77401b3',
  HUBSPOT_ACCESS_TOKEN: 'pat-na1-00000000-0000-0000-0000-000000000000',
};

function secretsFolder(files: Record<string, string> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-secrets-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

test('add writes a client that is in force as soon as its secrets are there', async () => {
  const folder = configFolder();
  const secrets = secretsFolder();
  const env = { ...SECRETS, WRAPUP_CONFIG: join(folder, 'wrapup.yaml'), WRAPUP_SECRETS_DIR: secrets };
  const added = await wrapup(['client', 'add', 'acme-west', '--crm', 'hubspot', '--country', 'DE'], env);
  expect(added).toMatchObject({ code: 0, stderr: '' });
  expect(added.stdout).toContain('/webhooks/acme-west.main/');
  expect(added.stdout).toContain('ACME_WEST_SYNTHFLOW_API_KEY (may be missing; with it calls whose webhook never came');
  const token = join(secrets, 'ACME_WEST_PATH_TOKEN');
  expect(statSync(token).mode & 0o777).toBe(0o600);
  expect(readFileSync(token, 'utf8')).toMatch(/^[0-9a-f]{32}\n$/);

  // The others go on while it waits for its secrets, and `check` says which.
  const waiting = await wrapup(['client', 'list'], env);
  expect(waiting.code).toBe(1);
  expect(waiting.stdout).toMatch(/acme-west +2 errors/);
  expect(waiting.stdout).toContain('ACME_WEST_HUBSPOT_ACCESS_TOKEN is not set');
  writeFileSync(join(secrets, 'ACME_WEST_SYNTHFLOW_WEBHOOK_SECRET'), randomBytes(16).toString('hex'));
  writeFileSync(join(secrets, 'ACME_WEST_HUBSPOT_ACCESS_TOKEN'), SECRETS.HUBSPOT_ACCESS_TOKEN);
  expect((await wrapup(['check'], env)).stdout).toMatch(
    /^ok: 2 sources, 2 connections, 2 routes; 0 errors, 0 warnings/,
  );
  expect((await wrapup(['test', join(folder, 'clients/acme-west')], env)).code).toBe(0);
  expect((await wrapup(['client', 'list', '--json'], env)).json()).toMatchObject([
    { name: 'acme-west', state: 'current', routes: ['acme-west.calls'], sources: [{ name: 'acme-west.main' }] },
    // What stands in wrapup.yaml itself.
    { name: null, routes: ['sales-calls'], sources: [{ name: 'main' }] },
  ]);
  const listed = (await wrapup(['client', 'list'], env)).stdout;
  expect(listed).toMatch(/^wrapup\.yaml +ok +sales \(hubspot\) +1 +\/webhooks\/main\/post-call$/m);

  expect((await wrapup(['client', 'check', 'acme-west'], env)).stdout).toMatch(/^ok: 1 source, 1 connection, 1 route/);
  expect((await wrapup(['client', 'check', 'acme-wets', '--json'], env)).stderr).toContain('acme-west');

  const again = await wrapup(['client', 'add', 'acme-west', '--crm', 'hubspot'], env);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('is there already; nothing was written') });
});

test('add fills in the template of the agency where there is one', async () => {
  const folder = configFolder();
  mkdirSync(join(folder, 'clients/_template'), { recursive: true });
  const text = CONFIG.replace('SYNTHFLOW_WEBHOOK_SECRET', '{{CLIENT}}_SECRET')
    .replace('WEBHOOK_PATH_TOKEN', '{{CLIENT}}_PATH_TOKEN')
    .replace('HUBSPOT_ACCESS_TOKEN', '{{CLIENT}}_TOKEN')
    .replace('mappings/hubspot.yaml', 'clients/{{client}}/own.yaml');
  writeFileSync(join(folder, 'clients/_template/client.yaml'), text);
  writeFileSync(join(folder, 'clients/_template/own.yaml'), 'extends: hubspot/call-log\n');
  const env = {
    ...SECRETS,
    WRAPUP_CONFIG: join(folder, 'wrapup.yaml'),
    ACME_SECRET: randomBytes(16).toString('hex'),
    ACME_TOKEN: 'x',
  };
  const added = await wrapup(['client', 'add', 'acme', '--json'], env);
  expect(added.json()).toMatchObject({ client: 'acme', files: ['clients/acme.yaml', 'clients/acme/own.yaml'] });
  expect((await wrapup(['check'], env)).stdout).toMatch(/^ok: 2 sources/);
});

test('what cannot be added says why', async () => {
  const env = { ...SECRETS, WRAPUP_CONFIG: join(configFolder(), 'wrapup.yaml') };
  const refused = [
    [['client', 'add', 'Acme', '--crm', 'hubspot'], /"Acme" is no name/],
    [['client', 'add', 'acme', '--crm', 'hubspto'], /--crm cannot be hubspto/],
    [['client', 'remove', 'acme', '--yes'], /no client "acme"/],
    [['client', 'adopt', 'mian', '--as', 'acme'], /no source "mian"/],
    [['client', 'adopt', 'main', '--as', 'Shop'], /"Shop" is no name/],
    [['client', 'adopt', 'main', '--as', '../x'], /is no name/],
  ] as const;
  for (const [args, says] of refused) {
    const { code, stderr } = await wrapup([...args], env);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(says);
  }
});

/** A client beside wrapup.yaml, of the installation that the environment names. */
function giveClient(env: Record<string, string>, client: string): string {
  const folder = join(env.WRAPUP_CONFIG as string, '..');
  mkdirSync(join(folder, 'clients'), { recursive: true });
  const file = join(folder, `clients/${client}.yaml`);
  writeFileSync(join(folder, 'wrapup.yaml'), `${CONFIG}client_variables: { ${client}: HUBSPOT_ACCESS_TOKEN }\n`);
  writeFileSync(
    file,
    CONFIG.replace('"${SYNTHFLOW_WEBHOOK_SECRET}"', randomBytes(16).toString('hex')).replace(
      '    path_token: ["${WEBHOOK_PATH_TOKEN:-}"]\n',
      '',
    ),
  );
  return file;
}

test('a client moves to another installation, each call once', async () => {
  const from = await openInstallation();
  const to = await openInstallation();
  const file = giveClient(from.env, 'acme');
  const key = { WRAPUP_EXPORT_KEY: randomBytes(32).toString('base64') };
  const calls = ['a-1', 'a-2', 'a-3'];
  for (const call_id of calls) {
    const body = Buffer.from(JSON.stringify({ call: { call_id, said: `what was said in ${call_id}` } }));
    await from.store.accept(
      { source: 'acme.main', call_id, body, received: 'webhook', verified: 'signature', received_at: Date.now() },
      90,
    );
  }
  const out = join(secretsFolder(), 'acme.wrapup');

  const tooEarly = await wrapup(['client', 'export', 'acme', '--out', out], { ...from.env, ...key });
  expect(tooEarly).toMatchObject({ code: 1, stderr: expect.stringContaining('in force here') });
  expect((await wrapup(['client', 'remove', 'acme'], from.env)).stderr).toContain('add --yes');
  expect((await wrapup(['client', 'remove', 'acme', '--yes'], from.env)).code).toBe(0);
  expect(existsSync(file)).toBe(false);
  expect((await wrapup(['client', 'export', 'acme', '--out', out], from.env)).stderr).toContain(
    'WRAPUP_EXPORT_KEY is not set',
  );
  const exported = await wrapup(['client', 'export', 'acme', '--out', out, '--json'], { ...from.env, ...key });
  expect(exported.json()).toMatchObject({ client: 'acme', calls: 3 });
  expect(statSync(out).mode & 0o777).toBe(0o600);
  expect(readFileSync(out, 'utf8')).not.toContain('said');

  const wrong = await wrapup(['client', 'import', out], {
    ...to.env,
    WRAPUP_EXPORT_KEY: randomBytes(32).toString('base64'),
  });
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot be decrypted') });
  const imported = await wrapup(['client', 'import', out, '--json'], { ...to.env, ...key });
  expect(imported.json()).toMatchObject({
    client: 'acme',
    calls: 3,
    known: 0,
    written: expect.arrayContaining(['clients/acme.yaml']),
  });
  expect((await wrapup(['client', 'import', out, '--json'], { ...to.env, ...key })).json()).toMatchObject({
    calls: 0,
    known: 3,
    written: [],
  });
  for (const call_id of calls) {
    const entry = await to.store.ledger.read('acme.main', call_id);
    expect((await to.store.payloads.read('acme.main', call_id, entry?.revisions[0]?.hash ?? ''))?.toString()).toContain(
      call_id,
    );
  }
  const there = await to.store.ledger.clients();
  expect(there).toEqual([{ client: 'acme', calls: 3, recent: 0, last_webhook: expect.any(Number) }]);
  expect((await to.store.ledger.openSince(Date.now())).map(({ call_id }) => call_id).sort()).toEqual(calls);

  expect((await wrapup(['client', 'remove', 'acme', '--calls', '--yes'], from.env)).stdout).toContain(
    '3 calls of client acme removed',
  );
  for (const call_id of calls) expect(await from.store.ledger.read('acme.main', call_id)).toBeUndefined();
  expect(await from.store.ledger.clients()).toEqual([]);
  expect(await from.store.redis.keys(`${from.store.keys.prefix}:*acme*`)).toEqual([]);
});

test('a file that was cut short or changed is not taken for whole', async () => {
  const { env, store } = await openInstallation();
  const body = Buffer.from('{"call":{"call_id":"a-1"}}');
  await store.accept(
    { source: 'acme.main', call_id: 'a-1', body, received: 'webhook', verified: 'signature', received_at: Date.now() },
    90,
  );
  const key = { WRAPUP_EXPORT_KEY: randomBytes(32).toString('base64') };
  const out = join(secretsFolder(), 'acme.wrapup');
  await wrapup(['client', 'export', 'acme', '--out', out], { ...env, ...key });
  const lines = readFileSync(out, 'utf8').trimEnd().split('\n');
  const to = await openInstallation();
  for (const [text, says] of [
    [lines.slice(0, -1), 'is not whole'],
    [[lines[0], lines[2]], 'cannot be decrypted'],
    [['nothing of the kind'], 'is not whole'],
  ] as const) {
    writeFileSync(out, `${text.join('\n')}\n`);
    expect(await wrapup(['client', 'import', out], { ...to.env, ...key })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(says),
    });
  }
});

test('a file that was made by someone else brings nothing of another client', async () => {
  const { makeEncryptor } = await import('@wrapup/queue');
  const key = randomBytes(32).toString('base64');
  const encryptor = makeEncryptor(key);
  const { env, store } = await openInstallation();
  const out = join(secretsFolder(), 'forged.wrapup');
  const call = (fields: Record<string, string>) => ({ kind: 'call', call: { fields, ttl: -1, payloads: [] } });
  const head = (more: object) => ({ kind: 'client', version: 1, client: 'acme', index: '', files: {}, ...more });
  const own = { source: 'acme.main', call_id: 'x-1', received: 'webhook', received_at: '1', verified: 'signature' };
  const dlv = JSON.stringify({
    route: 'bolt.calls',
    connection: 'bolt.sales',
    state: 'queued',
    records: [],
    notes: [],
  });
  for (const lines of [
    [head({ client: undefined }), call({ ...own, source: 'main' })],
    [head({}), call({ ...own, source: 'bolt.main' })],
    [head({}), call({ ...own, 'dlv:bolt.calls': dlv })],
    [head({ files: { 'clients/bolt.yaml': 'sources: {}' } })],
    [head({ files: { 'wrapup.yaml': 'sources: {}' } })],
    [head({ files: { '../x.yaml': 'sources: {}' } })],
  ]) {
    const sealed = [...lines, { kind: 'end', lines: lines.length }].map((line, index) =>
      encryptor.encrypt(Buffer.from(JSON.stringify(line)), `client-export:${index}`).toString('base64'),
    );
    writeFileSync(out, `${sealed.join('\n')}\n`);
    const { code, stderr } = await wrapup(['client', 'import', out], { ...env, WRAPUP_EXPORT_KEY: key });
    expect(code).toBe(1);
    expect(stderr).toContain('is not whole');
    expect(await store.ledger.list()).toEqual([]);
  }
  expect(existsSync(join(env.WRAPUP_CONFIG as string, '../clients'))).toBe(false);
});
