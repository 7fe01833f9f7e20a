import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openStore, revisionOf } from '@wrapup/queue';
import { startSandbox } from '@wrapup/sandbox';
import { samplePayload } from '@wrapup/synthflow';
import { expect, onTestFinished, test } from 'vitest';
import { makeArrival } from '../../../test/support/store.ts';
import { CONFIG, configFolder, openInstallation, SECRET } from './support/installation.ts';
import { ROOT, wrapup } from './support/run.ts';

const SAMPLE = join(ROOT, 'samples/connected.json');

const MAPPING = `extends: hubspot/call-log
person:
  fields:
    firstname: { from: lead.first_name, write: if_empty }
    city: { from: vars.city, write: overwrite }
    hs_lead_status:
      from: call.outcome
      map: { connected: CONNECTED }
      default: OPEN
      write: overwrite
`;

async function openCrm(mapping = MAPPING) {
  const sandbox = await startSandbox({ provisioned: true, settings: { hubspot: { search_lag: 0 } } });
  onTestFinished(() => sandbox.close());
  const folder = configFolder(CONFIG, mapping);
  const env = {
    WRAPUP_CONFIG: join(folder, 'wrapup.yaml'),
    SYNTHFLOW_WEBHOOK_SECRET: SECRET,
    HUBSPOT_ACCESS_TOKEN: 'pat-na1-test',
    HUBSPOT_BASE_URL: sandbox.hubspotUrl,
  };
  return { sandbox, env };
}

/** Requests that could have changed something: all but reads, searches and batch reads. */
function writes(sandbox: Awaited<ReturnType<typeof startSandbox>>) {
  return sandbox.control
    .requests()
    .requests.filter(({ method, path }) => method !== 'GET' && !/\/(search|read)$/.test(path))
    .map(({ method, path }) => `${method} ${path}`);
}

test('a known caller is shown field by field, with write mode and mapping line, and nothing is written', async () => {
  const { sandbox, env } = await openCrm();
  const ids = sandbox.control.seed({
    records: { contacts: [{ properties: { firstname: 'Daniela', phone: '+14155550142', hs_lead_status: 'OPEN' } }] },
  });
  const { code, stdout } = await wrapup(['plan', SAMPLE], env);
  expect(code).toBe(0);
  for (const part of [
    /^call 0d3e1f6a-\S+ of source main: connected, answered by human/m,
    /^route sales-calls to sales \(hubspot\), mapping mappings\/hubspot\.yaml [0-9a-f]{12}$/m,
    new RegExp(`person    contacts ${ids.contacts?.[0]}, found by phone.*is written to`),
    /update person: contacts/,
    /firstname \(First Name\): "Daniela" stays, not "Dana".* if_empty mappings\/hubspot\.yaml:4$/m,
    /hs_lead_status \(Lead Status\): "Open" -> "Connected" {2}overwrite mappings\/hubspot\.yaml:6$/m,
    /create call_log: calls/,
    /create call-back: tasks/,
    /^ {4}person\.city: /m,
    /would cost \d+ requests?; nothing was written/,
  ]) {
    expect(stdout).toMatch(part);
  }
  expect(writes(sandbox)).toEqual([]);
  expect(sandbox.records('calls')).toEqual([]);
});

test('an unknown caller who spoke would be created, one who did not would only be logged', async () => {
  const { env } = await openCrm();
  const spoke = await wrapup(['plan', SAMPLE, '--json'], env);
  expect(spoke.json()).toMatchObject({
    call: { outcome: 'connected' },
    routes: [
      {
        route: 'sales-calls',
        connection: 'sales',
        preview: {
          person: { found: 'none' },
          decision: 'create',
          records: [{ name: 'person', did: 'create' }, { name: 'call_log' }, { name: 'call-back' }],
        },
      },
    ],
  });
  const machine = await wrapup(['plan', join(ROOT, 'samples/voicemail.json')], env);
  expect(machine.stdout).toContain('the call would be logged without a person');
});

const TWIN = { properties: { phone: '+14155550142' } };

test('several candidates are all shown, and the exit code is 1', async () => {
  const { sandbox, env } = await openCrm();
  const ids = sandbox.control.seed({ records: { contacts: [TWIN, TWIN] } });
  const { code, stdout } = await wrapup(['plan', SAMPLE], env);
  expect(code).toBe(1);
  expect(stdout).toContain('2 found by phone, policy park: the delivery would be parked');
  for (const id of ids.contacts ?? []) expect(stdout).toContain(`candidate contacts ${id}`);
});

test('of several the one whom an operator chose for the number is taken for a payload file, too', async () => {
  const { sandbox, env } = await openCrm();
  const { env: redis, store } = await openInstallation();
  const { contacts: [, person = ''] = [] } = sandbox.control.seed({ records: { contacts: [TWIN, TWIN] } });
  const digest = await store.choices.digestOf('phone', TWIN.properties.phone);
  const made = { by: 'Olga', at: Date.now(), source: 'main', call_id: 'c-0' };
  await store.choices.keep({ ...made, connection: 'sales', digest, of: 'phone', person });
  const { code, stdout } = await wrapup(['plan', SAMPLE], { ...redis, ...env });
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`chosen    contacts ${person}`));

  // Without Redis it is planned all the same.
  const away = await wrapup(['plan', SAMPLE], { ...redis, ...env, REDIS_URL: 'redis://127.0.0.1:1' });
  expect(away.code).toBe(1);
  expect(away.stdout).toContain('2 found by phone, policy park');
  expect(away.stderr).toContain('whom operators chose for a number or address is not known here');
});

test('of several the one that the policy takes is marked, and the others with what tells them apart', async () => {
  const { sandbox, env } = await openCrm(`${MAPPING}`.replace('person:\n', 'person:\n  ambiguous: oldest\n'));
  const named = (firstname: string) => ({ properties: { ...TWIN.properties, firstname } });
  const ids = sandbox.control.seed({ records: { contacts: [named('Dana'), named('Daniela')] } });
  const { code, stdout } = await wrapup(['plan', SAMPLE], env);
  expect(code).toBe(0);
  expect(stdout).toMatch(/2 found by phone, policy oldest: is written to/);
  expect(stdout).toMatch(new RegExp(`chosen    contacts ${ids.contacts?.[0]} \\(Dana, `));
  expect(stdout).toMatch(new RegExp(`not taken contacts ${ids.contacts?.[1]} \\(Daniela, `));
  expect(stdout).toMatch(/create call-back: tasks, linked to person$/m);
  // What is left out names the line that would have written it.
  expect(stdout).toMatch(/^ {4}person\.city: vars\.city is not in the call {2}mappings\/hubspot\.yaml:6$/m);
});

test('a payload from standard input, and a call from the ledger, give the same plan', async () => {
  const { sandbox, env } = await openCrm();
  const { env: redis, route } = await openInstallation();
  const overrides = { call_id: 'c-1' };
  await route('connected', overrides);
  const both = { ...redis, ...env };
  const stdin = await wrapup(['plan', '-', '--json'], both, JSON.stringify(samplePayload('connected', overrides)));
  const ledger = await wrapup(['plan', 'c-1', '--json'], both);
  expect(ledger.code).toBe(0);
  const routes = (run: typeof stdin) => (run.json() as { routes: unknown }).routes;
  expect(routes(ledger)).toEqual(routes(stdin));
  expect(writes(sandbox)).toEqual([]);
});

test('of a revision that only a signature vouches for, no address is in the plan, as it is not written', async () => {
  const { env } = await openCrm();
  const { env: redis, route, receive, store } = await openInstallation();
  await route('connected', { call_id: 'c-2', collected: { email: null } });
  const added = await receive('connected', { call_id: 'c-2', collected: { email: 'other@example.com' } });
  await store.ledger.route(added, {
    effect: 'added',
    facts: { notes: [] },
    wanted: [{ route: 'sales-calls', connection: 'sales' }],
  });
  const { code, stdout } = await wrapup(['plan', 'c-2'], { ...redis, ...env });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ {4}lead\.email: only a signature vouches for it$/m);
  expect(stdout).not.toContain('other@example.com');
});

test('offline the mapping alone is shown, and the CRM is not asked', async () => {
  const { sandbox, env } = await openCrm();
  const { code, stdout } = await wrapup(['plan', SAMPLE, '--offline'], env);
  expect(code).toBe(0);
  expect(stdout).toMatch(/person {4}by .*phone.*unmatched: create, ambiguous: park/);
  expect(stdout).toMatch(/hs_lead_status: "CONNECTED" {2}overwrite mappings\/hubspot\.yaml:6/);
  expect(sandbox.control.requests().requests).toEqual([]);
});

test('a CRM that does not answer is exit code 3, one that refuses is 1; the mapping is shown all the same', async () => {
  const { env } = await openCrm();
  const away = await wrapup(['plan', SAMPLE], { ...env, HUBSPOT_BASE_URL: 'http://127.0.0.1:1' });
  expect(away.code).toBe(3);
  expect(away.stdout).toContain('the CRM could not be asked');
  expect(away.stdout).toContain('hs_lead_status: "CONNECTED"');
  const refused = await wrapup(['plan', SAMPLE], { ...env, HUBSPOT_ACCESS_TOKEN: 'wrong' });
  expect(refused.code).toBe(1);
  expect(refused.stdout).toContain('[unauthorized]');
});

test('what cannot be planned says why', async () => {
  const { env } = await openCrm();
  const { env: redis } = await openInstallation();
  const nobody = await wrapup(['plan', 'no-such-call'], { ...redis, ...env });
  expect(nobody.code).toBe(1);
  expect(nobody.stderr).toContain('neither a file nor a call in the ledger');
  const shapeless = await wrapup(['plan', '-'], env, '{"hello": 1}');
  expect(shapeless.code).toBe(2);
  expect(shapeless.stderr).toContain('call.call_id');
  const unrouted = configFolder(
    CONFIG.replace('retries:', 'when: { path: call.outcome, equals: busy }, retries:'),
    MAPPING,
  );
  const none = await wrapup(['plan', SAMPLE, '--config', join(unrouted, 'wrapup.yaml')], env);
  expect(none.code).toBe(1);
  expect(none.stdout).toContain('No route takes this call');
  expect(none.stdout + none.stderr).not.toContain('undefined');
});

test('a call whose body has no known shape says so, as it does everywhere that its payload is read', async () => {
  const { env } = await openCrm();
  const { env: redis, store } = await openInstallation();
  const body = Buffer.from('{"hello":1}');
  await store.accept(makeArrival('unrecognised-1', body), 90);
  const call = { source: 'main', call_id: 'unrecognised-1', revision: revisionOf(body) };
  await store.ledger.parkUnrecognised(call, { code: 'unrecognised', reason: 'No call id.', hint: 'Look at it.' });
  const planned = await wrapup(['plan', 'unrecognised-1'], { ...redis, ...env });
  expect(planned).toMatchObject({ code: 1, stdout: '' });
  expect(planned.stderr).toMatch(
    /payload of call unrecognised-1 has a shape that this version does not know\n.*Look at it\./,
  );
});

test('provision lists what is missing, creates it, and finds it present', async () => {
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  const { env } = await openCrm();
  const fresh = { ...env, HUBSPOT_BASE_URL: sandbox.hubspotUrl };
  const plan = await wrapup(['provision', '--plan'], fresh);
  expect(plan.code).toBe(1);
  expect(plan.stdout).toMatch(/missing +calls\.wrapup_call_id/);
  const done = await wrapup(['provision', '--json'], fresh);
  expect(done.code).toBe(0);
  expect(done.json()).toMatchObject([
    { connection: 'sales', steps: expect.arrayContaining([{ what: 'calls.wrapup_call_id', state: 'created' }]) },
  ]);
  const again = await wrapup(['provision', 'sales'], fresh);
  expect(again.code).toBe(0);
  expect(again.stdout).not.toMatch(/created|missing/);
  expect((await wrapup(['provision', 'slaes'], fresh)).code).toBe(2);
});

test('doctor asks the CRM and Redis, and names the mapping line of a field that is not there', async () => {
  const { env } = await openCrm();
  const { env: redis } = await openInstallation();
  const well = await wrapup(['doctor', '--json'], { ...redis, ...env });
  expect(well.json()).toMatchObject({
    ok: true,
    connections: [{ connection: 'sales', findings: [] }],
    redis: { ok: true },
  });
  expect(well.code).toBe(0);

  const folder = configFolder(CONFIG, `${MAPPING}    no_such_field: lead.phone\n`);
  const ill = await wrapup(['doctor', '--no-redis', '--config', join(folder, 'wrapup.yaml')], env);
  expect(ill.code).toBe(1);
  expect(ill.stdout).toMatch(/mappings\/hubspot\.yaml:11:\d+: error: .*no_such_field/);
});

test('doctor says which encryption key is in force, and what is left under one that is gone', async () => {
  const { env: crm } = await openCrm();
  const { env: redis, receive } = await openInstallation();
  const [old, current] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
  const sealed = openStore({
    ...{
      url: redis.REDIS_URL ?? '',
      prefix: redis.WRAPUP_PREFIX ?? '',
      encryption_keys: old,
      role: 'worker',
      onError() {},
    },
  });
  onTestFinished(() => sealed.close());
  await receive('connected', { call_id: 'plain' });
  const arrival = { source: 'main', call_id: 'sealed', received: 'webhook', verified: 'none', received_at: 1 } as const;
  await sealed.accept({ ...arrival, body: Buffer.from('{}') }, 1);
  const id = sealed.encryptor.key;

  const both = await wrapup(['doctor'], { ...redis, ...crm, WRAPUP_ENCRYPTION_KEY: `${current},${old}` });
  expect(both.code).toBe(0);
  expect(both.stdout).toMatch(/Encryption: key [0-9a-f]{8} is in force, 0 values sealed with it, 1 not encrypted/);
  expect(both.stdout).toContain(`also opens: ${id} (1 value left that it sealed)`);
  const one = await wrapup(['doctor', '--json'], { ...redis, ...crm, WRAPUP_ENCRYPTION_KEY: current });
  expect(one.json()).toMatchObject({
    ok: false,
    redis: { encryption: { missing: [id], sealed: { [id ?? '']: 1 }, plain: 1, complete: true } },
  });
  expect(one.code).toBe(1);
  const none = await wrapup(['doctor'], { ...redis, ...crm });
  expect(none.stdout).toMatch(new RegExp(`Encryption: off[^]*missing: 1 value sealed with key ${id}`));
});

test('doctor says with exit code 3 that the CRM or Redis does not answer', async () => {
  const { env } = await openCrm();
  const away = await wrapup(['doctor', 'sales'], { ...env, HUBSPOT_BASE_URL: 'http://127.0.0.1:1' });
  expect(away.code).toBe(3);
  const noRedis = await wrapup(['doctor'], { ...env, REDIS_URL: 'redis://127.0.0.1:1' });
  expect(noRedis.code).toBe(3);
  expect(noRedis.stdout).toContain('does not answer');
});
