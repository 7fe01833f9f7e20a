/**
 * Two clients of an agency in one installation: each has a Synthflow workspace and a CRM of its own. The same caller rings
 * both, under the same call id, and everything lands where it belongs and nowhere else.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sign } from '../../packages/synthflow/src/index.ts';
import { sampleOf } from '../support/sample-caller.ts';
import { openSystem, type TestSystem } from '../support/system.ts';

const CALLER = '+14155550142';
const SECRETS = { north: 'a3f1c09e5d7b48a6a3f1c09e5d7b48a6', south: '7be04d92c1f8436a7be04d92c1f8436a' } as const;
const TOKENS = { north: 'fe8c12a94d6b4077fe8c12a94d6b4077', south: '19d0c7e65b3a4f2819d0c7e65b3a4f28' } as const;
type Client = keyof typeof SECRETS;
const CLIENTS = ['north', 'south'] as const;

const sourceOf = (name: Client, look_up: string, variable: string) => `
  ${name}:
    webhook_secrets: [${SECRETS[name]}]
    path_token: ${TOKENS[name]}
    default_country: US
    inbound: { look_up: ${look_up}, within: 8s, variables: { first_name: person.${variable} } }`;

const CONFIG = `
sources:${sourceOf('north', 'hub', 'firstname')}${sourceOf('south', 'force', 'FirstName')}
connections:
  hub: { kind: hubspot, access_token: "\${HUBSPOT_ACCESS_TOKEN}", base_url: "\${HUBSPOT_BASE_URL}" }
  force:
    kind: salesforce
    client_id: sandbox-consumer-key
    client_secret: "\${SALESFORCE_CLIENT_SECRET}"
    base_url: "\${SALESFORCE_BASE_URL}"
routes:
  - { name: north-calls, from: north, to: hub, mapping: mapping.yaml }
  - { name: south-calls, from: south, to: force, mapping: salesforce.yaml }
`;

let system: TestSystem;
beforeAll(async () => {
  system = await openSystem({ config: CONFIG, files: { 'salesforce.yaml': 'extends: salesforce/call-log\n' } });
  system.sandbox.control.settings({ hubspot: { search_lag: 0 }, salesforce: { search_lag: 0 } });
  await Promise.all([system.startIngress(), system.startWorker()]);
});
afterAll(() => system.close());

const addressOf = (client: Client, kind: 'post-call' | 'inbound-call') =>
  `http://127.0.0.1:${system.ingress?.port}/webhooks/${client}/${TOKENS[client]}/${kind}`;
const json = { 'content-type': 'application/json' };

async function send(payload: { call: { call_id: string } }, to: Client, signedBy: Client = to): Promise<number> {
  const headers = { ...json, 'synthflow-signature': sign(payload.call.call_id, SECRETS[signedBy]) };
  const answer = await fetch(addressOf(to, 'post-call'), { method: 'POST', headers, body: JSON.stringify(payload) });
  return answer.status;
}

async function ring(client: Client, from_number: string): Promise<unknown> {
  const body = JSON.stringify({
    event: 'call_inbound',
    call_inbound: { from_number, to_number: '+14155550101' },
  });
  const answer = await fetch(addressOf(client, 'inbound-call'), { method: 'POST', headers: json, body });
  return ((await answer.json()) as { call_inbound: { custom_variables?: object } }).call_inbound.custom_variables;
}

const callsInHubSpot = async () => (await system.crm('calls')).map(({ properties }) => properties.wrapup_call_id);
const callsInSalesforce = () =>
  system.sandbox.salesforce
    .records('Task')
    .filter(({ fields }) => fields.TaskSubtype === 'Call')
    .map(({ fields }) => fields.Wrapup_Call_Id__c);

it('the same call id and the same caller at both: each call is in its own CRM and nowhere else', async () => {
  const payload = sampleOf('connected', CALLER);
  const { call_id } = payload.call;
  expect(await Promise.all(CLIENTS.map((client) => send(payload, client)))).toEqual([202, 202]);
  await expect
    .poll(async () => (await callsInHubSpot()).length + callsInSalesforce().length, { timeout: 60_000 })
    .toBe(2);
  for (const client of CLIENTS) {
    await expect
      .poll(async () => (await system.store.ledger.read(client, call_id))?.deliveries.map(({ state }) => state))
      .toEqual(['written']);
  }
  expect(await callsInHubSpot()).toEqual([expect.stringMatching(`^north:${call_id}`)]);
  expect(callsInSalesforce()).toEqual([expect.stringMatching(`^south:${call_id}`)]);
});

it('the signature of one is worth nothing at the address of the other', async () => {
  const payload = sampleOf('connected', CALLER);
  expect(await send(payload, 'south', 'north')).toBe(401);
  expect(await send(payload, 'north', 'south')).toBe(401);
  for (const client of CLIENTS) expect(await system.store.ledger.read(client, payload.call.call_id)).toBeUndefined();
});

it('a ringing caller is answered from the CRM of the one who is rung', async () => {
  const both = '+14155550143';
  system.sandbox.control.seed({
    records: { contacts: [{ properties: { firstname: 'Nora', phone: both } }] },
    salesforce: { records: { Contact: [{ LastName: 'Sur', FirstName: 'Sara', Phone: both }] } },
  });
  expect(await ring('north', both)).toMatchObject({ first_name: 'Nora', crm_connection: 'hub' });
  expect(await ring('south', both)).toMatchObject({ first_name: 'Sara', crm_connection: 'force' });
});
