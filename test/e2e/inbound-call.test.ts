/** An inbound call, from the ringing phone to the record: who was found then is who is written to afterwards. */
import { personNumber, webhookOf } from '@wrapup/sandbox';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sign } from '../../packages/synthflow/src/index.ts';
import { makeConfig } from '../support/config.ts';
import { inboundCall } from '../support/sample-caller.ts';
import { openSystem, SECRET, type TestSystem } from '../support/system.ts';

const TOKEN = 'a-path-token-of-tests';
const CALLER = '+14155550142';
const INBOUND = `
inbound:
  look_up: sales
  within: 8s
  variables: { first_name: person.firstname }
`;
let system: TestSystem;
let at: (kind: 'post-call' | 'inbound-call') => string;

beforeAll(async () => {
  system = await openSystem({ config: makeConfig({ source: [`path_token: ["${TOKEN}"]`], rest: INBOUND }) });
  system.sandbox.control.settings({ hubspot: { search_lag: 0, limits: { search_per_second: null } } });
  await Promise.all([system.startIngress(), system.startWorker()]);
  at = (kind) => `http://127.0.0.1:${system.ingress?.port}/webhooks/main/${TOKEN}/${kind}`;
});
afterAll(() => system.close());

const json = { 'content-type': 'application/json' };
const seedContact = (properties: Record<string, string>) =>
  system.sandbox.control.seed({ records: { contacts: [{ properties }] } }).contacts?.[0] as string;
const searches = () => system.sandbox.control.requests().by_operation['contacts search'] ?? 0;

it('the record that was found while the phone rang is written to, without matching again', async () => {
  const dana = seedContact({ firstname: 'Dana', phone: CALLER });
  const asked = { event: 'call_inbound', call_inbound: { from_number: CALLER, to_number: '+14155550101' } };
  const answer = await fetch(at('inbound-call'), { method: 'POST', headers: json, body: JSON.stringify(asked) });
  const { call_inbound } = (await answer.json()) as { call_inbound: Record<'custom_variables' | 'metadata', object> };
  expect(call_inbound).toMatchObject({
    override_model_id: '',
    custom_variables: { first_name: 'Dana', crm_person_id: dana, crm_connection: 'sales' },
    metadata: { crm_person_id: dana, crm_connection: 'sales' },
  });

  // While they talk another person gets the same number: matching again would find two people, and park the call.
  const twin = seedContact({ firstname: 'Twin', phone: CALLER });
  const before = searches();
  expect(before).toBeGreaterThan(0);
  const payload = webhookOf({
    ...inboundCall('8b9d7e10-2c3f-4a56-b7d8-6f5e4d3c2b1a', CALLER),
    prompt_variables: call_inbound.custom_variables as never,
    metadata: call_inbound.metadata as never,
  }) as unknown as { call: { call_id: string } };
  const { call_id } = payload.call;
  const headers = { ...json, 'synthflow-signature': sign(call_id, SECRET) };
  const posted = await fetch(at('post-call'), { method: 'POST', headers, body: JSON.stringify(payload) });
  expect(posted.status).toBe(202);
  const { deliveries } = await system.settled(call_id);
  expect(deliveries).toMatchObject([{ state: 'written' }]);
  expect(deliveries[0]?.records).toContainEqual(expect.objectContaining({ name: 'person', id: dana }));
  expect(searches()).toBe(before);
  const [log] = await system.crm('calls');
  expect(JSON.stringify(log?.associations)).toContain(dana);
  expect(JSON.stringify(log?.associations)).not.toContain(twin);
});

it('a demo asks before its inbound calls connect, and each of them ends at the caller’s record', async () => {
  const people = Array.from({ length: 40 }, (_, index) => personNumber(index));
  for (const { phone, name } of people) seedContact({ firstname: name, phone });
  const status = await system.sandbox.control.demo({
    ...{ calls: 40, rate: 20, pace: 1, secret: SECRET },
    ...{ webhook: at('post-call'), inbound: at('inbound-call') },
  });
  const informed = system.sandbox.control.calls().filter(({ metadata }) => metadata);
  expect(informed.length).toBeGreaterThan(0);
  // Two who call in the same second may find the share of searches used up: they are put through without.
  expect(status.inbound).toEqual({
    variables: informed.length,
    ...(status.inbound.kept && { kept: expect.any(Number) }),
  });
  expect(status.webhooks.answers).toEqual({ 202: 40 });
  for (const { id, metadata } of informed) {
    const entry = await system.settled(id, 60_000);
    expect(entry.deliveries[0]?.records).toContainEqual(
      expect.objectContaining({ name: 'person', id: metadata?.crm_person_id }),
    );
  }
});
