/**
 * Three clients of an agency in one installation, each with a Synthflow workspace and a CRM of its own: two HubSpot accounts
 * and a Salesforce org. The same caller rings all of them, under the same call id, and everything lands where it belongs
 * and nowhere else. Files of clients come, break and go while the processes run.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunningSandbox, startSandbox } from '@wrapup/sandbox';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sign } from '../../packages/synthflow/src/index.ts';
import { sampleOf } from '../support/sample-caller.ts';
import { openSystem, type TestSystem } from '../support/system.ts';

const CALLER = '+14155550142';
const CLIENTS = ['acme', 'bolt', 'calm'] as const;
type Client = (typeof CLIENTS)[number];
const SECRETS: Record<Client, string> = {
  acme: 'a3f1c09e5d7b48a6a3f1c09e5d7b48a6',
  bolt: '7be04d92c1f8436a7be04d92c1f8436a',
  calm: '5ad04d92c1f8436a7be04d92c1f8987c',
};
const TOKENS: Record<Client, string> = {
  acme: 'fe8c12a94d6b4077fe8c12a94d6b4077',
  bolt: '19d0c7e65b3a4f2819d0c7e65b3a4f28',
  calm: '28d0c7e65b3a4f2819d0c7e65b3a4f99',
};
const HUBSPOT = (address: string) => `{ kind: hubspot, access_token: pat-na1-test, base_url: "\${${address}}" }`;
const SALESFORCE =
  '{ kind: salesforce, client_id: sandbox-consumer-key, client_secret: "${SALESFORCE_CLIENT_SECRET}", base_url: "${SALESFORCE_BASE_URL}" }';

/** All three use the same names in their files. */
const fileOf = (client: Client, crm: string, mapping: string, firstName: string) => `
sources:
  main: { webhook_secrets: [${SECRETS[client]}], path_token: ${TOKENS[client]}, default_country: US }
connections:
  sales: ${crm}
routes:
  - { name: calls, to: sales, mapping: ${mapping} }
inbound: { look_up: sales, within: 8s, variables: { first_name: person.${firstName} } }
`;
const FILES: Record<Client, string> = {
  acme: fileOf('acme', HUBSPOT('HUBSPOT_BASE_URL'), 'mapping.yaml', 'firstname'),
  bolt: fileOf('bolt', HUBSPOT('BOLT_BASE_URL'), 'mapping.yaml', 'firstname'),
  calm: fileOf('calm', SALESFORCE, 'salesforce.yaml', 'FirstName'),
};

let bolt: RunningSandbox;
let system: TestSystem;
beforeAll(async () => {
  bolt = await startSandbox({ port: 0, provisioned: true });
  system = await openSystem({
    config: 'retention: { delivered: 3d }\nclient_variables: { calm: SALESFORCE_CLIENT_SECRET }\n',
    files: {
      'salesforce.yaml': 'extends: salesforce/call-log\n',
      ...Object.fromEntries(CLIENTS.map((client) => [`clients/${client}.yaml`, FILES[client]])),
    },
    env: { BOLT_BASE_URL: bolt.hubspotUrl },
  });
  for (const { control } of [system.sandbox, bolt])
    control.settings({ hubspot: { search_lag: 0 }, salesforce: { search_lag: 0 } });
  await Promise.all([system.startIngress(), system.startWorker()]);
});
afterAll(async () => {
  await system.close();
  await bolt.close();
});

const write = (client: Client, text: string) => writeFileSync(join(system.folder, `clients/${client}.yaml`), text);
const addressOf = (client: string, kind: 'post-call' | 'inbound-call', token: string) =>
  `http://127.0.0.1:${system.ingress?.port}/webhooks/${client}.main/${token}/${kind}`;
const json = { 'content-type': 'application/json' };

async function send(payload: { call: { call_id: string } }, to: Client, signedBy: Client = to, token: Client = to) {
  const headers = { ...json, 'synthflow-signature': sign(payload.call.call_id, SECRETS[signedBy]) };
  const address = addressOf(to, 'post-call', TOKENS[token]);
  return (await fetch(address, { method: 'POST', headers, body: JSON.stringify(payload) })).status;
}

async function ring(client: Client, from_number: string, token: Client = client): Promise<object | undefined> {
  const body = JSON.stringify({
    event: 'call_inbound',
    call_inbound: { from_number, to_number: '+14155550101' },
  });
  const address = addressOf(client, 'inbound-call', TOKENS[token]);
  const answer = await fetch(address, { method: 'POST', headers: json, body });
  return ((await answer.json()) as { call_inbound: { custom_variables?: object } }).call_inbound.custom_variables;
}

const KEYS: Record<Client, () => unknown[]> = {
  acme: () => hubspotKeys(system.sandbox),
  bolt: () => hubspotKeys(bolt),
  calm: () =>
    system.sandbox.salesforce
      .records('Task')
      .filter(({ fields }) => fields.TaskSubtype === 'Call')
      .map(({ fields }) => fields.Wrapup_Call_Id__c),
};
const hubspotKeys = (sandbox: RunningSandbox) =>
  sandbox.records('calls').map(({ properties }) => properties.wrapup_call_id);

const isWritten = (client: Client, callId: string) =>
  expect
    .poll(async () => (await system.store.ledger.read(`${client}.main`, callId))?.deliveries.map(({ state }) => state))
    .toEqual(['written']);

it('the same call id and the same caller at all: each call is in its own CRM and nowhere else', async () => {
  const payload = sampleOf('connected', CALLER);
  const { call_id } = payload.call;
  expect(await Promise.all(CLIENTS.map((client) => send(payload, client)))).toEqual([202, 202, 202]);
  for (const client of CLIENTS) await isWritten(client, call_id);
  for (const client of CLIENTS) expect(KEYS[client]()).toEqual([`${client}.main:${call_id}`]);
  for (const client of CLIENTS) {
    const entry = await system.store.ledger.read(`${client}.main`, call_id);
    expect(entry?.deliveries).toMatchObject([{ route: `${client}.calls`, connection: `${client}.sales` }]);
  }
});

it('the signature and the token of one are worth nothing at the address of another', async () => {
  const payload = sampleOf('connected', CALLER);
  for (const to of CLIENTS) {
    for (const by of CLIENTS.filter((one) => one !== to)) {
      expect(await send(payload, to, by)).toBe(401);
      expect(await send(payload, to, to, by)).toBe(404);
      expect(await send(payload, to, by, by)).toBe(404);
    }
    expect(await system.store.ledger.read(`${to}.main`, payload.call.call_id)).toBeUndefined();
  }
});

it('a ringing caller is answered from the CRM of the one who is rung, and by its token only', async () => {
  const phone = '+14155550143';
  system.sandbox.control.seed({
    records: { contacts: [{ properties: { firstname: 'Nora', phone } }] },
    salesforce: { records: { Contact: [{ LastName: 'Sur', FirstName: 'Sara', Phone: phone }] } },
  });
  bolt.control.seed({ records: { contacts: [{ properties: { firstname: 'Bea', phone } }] } });
  expect(await ring('acme', phone)).toMatchObject({ first_name: 'Nora', crm_connection: 'acme.sales' });
  expect(await ring('bolt', phone)).toMatchObject({ first_name: 'Bea', crm_connection: 'bolt.sales' });
  expect(await ring('calm', phone)).toMatchObject({ first_name: 'Sara', crm_connection: 'calm.sales' });
  expect(await ring('acme', phone, 'bolt')).toBeUndefined();
});

it('a mistake in the file of one client leaves it as it was, and the others go on', async () => {
  // What it said is kept once ingress and worker have both found it good.
  const kept = () => system.store.redis.hkeys(system.store.keys.clientHashes);
  await expect.poll(async () => (await kept()).sort()).toEqual([...CLIENTS]);
  write('acme', FILES.acme.replace('to: sales', 'to: salse'));
  write('bolt', FILES.bolt.replace('main:', 'second:'));
  await expect.poll(() => fetch(addressOf('bolt', 'post-call', TOKENS.bolt)).then(({ status }) => status)).toBe(404);
  const payload = sampleOf('connected', CALLER);
  expect(await send(payload, 'acme')).toBe(202);
  await isWritten('acme', payload.call.call_id);

  // What was good outlives the processes.
  const again = sampleOf('connected', CALLER);
  await system.stop();
  await Promise.all([system.startIngress(), system.startWorker()]);
  expect(await send(again, 'acme')).toBe(202);
  await isWritten('acme', again.call.call_id);
  write('acme', FILES.acme);
  write('bolt', FILES.bolt);
});

it('a client whose file never was good is answered 503, and is served once it is right', async () => {
  const path = join(system.folder, 'clients/dawn.yaml');
  const good = FILES.bolt.replaceAll(SECRETS.bolt, '9ad04d92c1f8436a7be04d92c1f8987d');
  writeFileSync(path, good.replace('kind: hubspot', 'kind: hubspto'));
  // The token proves the sender, so that it is taken, and the same bytes again are a duplicate.
  const status = () =>
    fetch(addressOf('dawn', 'post-call', TOKENS.bolt), { method: 'POST', headers: json, body: '{"call":{}}' }).then(
      (answer) => [answer.status, answer.headers.get('retry-after')],
    );
  await expect.poll(status).toEqual([503, '60']);
  writeFileSync(path, good);
  await expect.poll(status).toEqual([200, null]);
  rmSync(path);
  await expect.poll(status).toEqual([404, null]);
});
