/** The attack by a spoken address, as attacker and system say it in turn. */
import type { VoiceCall } from '@wrapup/sandbox';
import { webhookOf } from '@wrapup/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sign } from '../../packages/synthflow/src/index.ts';
import { makeConfig } from '../support/config.ts';
import { inboundCall } from '../support/sample-caller.ts';
import { openSystem, SECRET, type TestSystem } from '../support/system.ts';

const TOKEN = 'a-path-token-of-tests';
const AGENT = '8b9d7e10-2c3f-4a56-b7d8-6f5e4d3c2b1a';
const ATTACKER = '+14155550166';
const VICTIM = 'ceo@victim.example';
const OWN = '+14155550111';
const NEUTRAL = { call_inbound: { override_model_id: '' } };
const INBOUND = `
inbound:
  look_up: sales
  within: 8s
  variables: { first_name: person.firstname, mail: person.email, status: person.hs_lead_status }
`;
let system: TestSystem;
let at: (kind: 'post-call' | 'inbound-call') => string;
let victim: string;
let known: Record<string, string>;

beforeAll(async () => {
  const agents = `agents: { "${AGENT}": { name: Robert, direction: inbound, number: "+14155550101" } }`;
  system = await openSystem({ config: makeConfig({ source: [`path_token: ["${TOKEN}"]`, agents], rest: INBOUND }) });
  system.sandbox.control.settings({ hubspot: { search_lag: 0, limits: { search_per_second: null } } });
  await Promise.all([system.startIngress(), system.startWorker()]);
  at = (kind) => `http://127.0.0.1:${system.ingress?.port}/webhooks/main/${TOKEN}/${kind}`;
  const properties = { firstname: 'Vera', lastname: 'Chief', email: VICTIM };
  victim = system.sandbox.control.seed({ records: { contacts: [{ properties }] } }).contacts?.[0] as string;
  known = await contact();
});
afterAll(() => system.close());

describe('a caller who speaks the address of another person', () => {
  it('attacker: "My address is ceo@victim.example." system: logs the call with her, marked, and leaves her as she is', async () => {
    const records = await deliver({ collected: { email: VICTIM } });
    expect(records).toContainEqual(expect.objectContaining({ name: 'person', id: victim, did: 'unchanged' }));
    expect(await contact()).toEqual(known);
    const [log] = await system.crm('calls');
    expect(JSON.stringify(log?.associations)).toContain(victim);
    expect(log?.properties.hs_call_title).toMatch(/^Unverified person: Inbound call/);
  });

  it('attacker rings again: "Who am I?" system: the neutral answer, as for every unknown caller', async () => {
    expect(await ring(ATTACKER)).toEqual(NEUTRAL);
  });

  it('attacker: "I am her record of your CRM." system: never said that to this number, so it counts for nothing', async () => {
    const before = (await system.crm('calls')).length;
    const records = await deliver({ prompt_variables: { crm_person_id: victim, crm_connection: 'sales' } });
    expect(records.filter(({ name, id }) => name === 'person' && id === victim)).toEqual([]);
    expect(await contact()).toEqual(known);
    expect(await system.crm('calls')).toHaveLength(before + 1);
  });

  it('attacker: "My list says lead.email is hers." system: lists are for outbound calls, so it was only said', async () => {
    const payload = { lead: { email: VICTIM, phone_number: '+14155550167' } };
    const records = await deliver({ lead: { phone: '+14155550167' } }, payload);
    expect(records).toContainEqual(expect.objectContaining({ name: 'person', id: victim, did: 'unchanged' }));
    expect(await contact()).toEqual(known);
  });

  it('she rings from a number that her record has: system: greets her, and writes to her', async () => {
    const body = JSON.stringify({ properties: { phone: OWN } });
    const headers = { 'content-type': 'application/json', authorization: 'Bearer pat-na1-test' };
    const url = `${system.sandbox.hubspotUrl}/crm/v3/objects/contacts/${victim}`;
    expect((await fetch(url, { method: 'PATCH', headers, body })).status).toBe(200);
    const answer = (await ring(OWN)) as { call_inbound: { custom_variables: Record<string, string> } };
    expect(answer.call_inbound.custom_variables).toMatchObject({ first_name: 'Vera', crm_person_id: victim });
    const records = await deliver({ lead: { phone: OWN }, prompt_variables: answer.call_inbound.custom_variables });
    expect(records).toContainEqual(expect.objectContaining({ name: 'person', id: victim }));
    const logs = await system.crm('calls');
    const hers = logs.filter(({ properties }) => properties.hs_call_from_number === OWN);
    expect(hers.map(({ properties }) => properties.hs_call_title)).toEqual(['Inbound call: Connected']);
  });
});

/** What the attacker could have changed of her. */
async function contact(): Promise<Record<string, string>> {
  const found = (await system.crm('contacts')).find(({ id }) => id === victim);
  return { ...(found?.properties as Record<string, string>) };
}

async function ring(from: string): Promise<unknown> {
  const asked = { event: 'call_inbound', call_inbound: { from_number: from, to_number: '+14155550101' } };
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(at('inbound-call'), { method: 'POST', headers, body: JSON.stringify(asked) });
  expect(answer.status).toBe(200);
  return answer.json();
}

/** Posts an inbound call as Synthflow would, and gives what its delivery wrote. */
async function deliver(call: Partial<VoiceCall>, more: { lead?: object } = {}) {
  const payload = webhookOf({ ...inboundCall(AGENT, ATTACKER), ...call }) as unknown as {
    call: { call_id: string };
    lead: object;
  };
  const { call_id } = payload.call;
  Object.assign(payload.lead, more.lead);
  const headers = { 'content-type': 'application/json', 'synthflow-signature': sign(call_id, SECRET) };
  const posted = await fetch(at('post-call'), { method: 'POST', headers, body: JSON.stringify(payload) });
  expect(posted.status).toBe(202);
  const { deliveries } = await system.settled(call_id);
  expect(deliveries).toMatchObject([{ state: 'written' }]);
  return deliveries[0]?.records ?? [];
}
