/** `trust: api` through real processes: a webhook is a hint, and what reaches the CRM is what the API says. */
import { randomUUID } from 'node:crypto';
import type { VoiceCall } from '@wrapup/sandbox';
import { webhookOf } from '@wrapup/sandbox';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { makeConfig } from '../support/config.ts';
import type { Process } from '../support/process.ts';
import { openSystem, type TestSystem } from '../support/system.ts';

const KEY = 'the-right-key';
let system: TestSystem;
let worker: Process;
let answered: VoiceCall;

beforeAll(async () => {
  const source = ['trust: api', `api_key: ${KEY}`, 'base_url: "${SYNTHFLOW_BASE_URL}/us"'];
  system = await openSystem({ config: makeConfig({ source }) });
  system.sandbox.control.settings({ synthflow: { api_key: KEY, region: 'us' } });
  await system.sandbox.control.demo({ calls: 30, past: 3600_000 });
  answered = system.sandbox.control.calls().find(({ collected }) => 'budget' in collected) as VoiceCall;
  [, worker] = await Promise.all([system.startIngress(), system.startWorker()]);
});
afterAll(() => system.close());
beforeEach(() => void system.sandbox.control.settings({ synthflow: { api_key: KEY } }));

type Payload = { call: { call_id: string; transcript: string }; lead: { name?: string; phone_number: string } };

/** A call of a number of its own, and its webhook. */
function makeCall(phone: string): { call: VoiceCall; webhook: Payload } {
  const email = `caller${phone.slice(-3)}@example.com`;
  const call = { ...answered, id: randomUUID(), lead: { phone, name: 'Noor Ginkgo' } };
  call.collected = { ...answered.collected, email };
  return { call, webhook: webhookOf(call) as unknown as Payload };
}

async function waits(callId: string, code: string) {
  await expect.poll(async () => (await system.store.ledger.read('main', callId))?.waiting?.code).toBe(code);
}

const metric = async (name: string) => {
  const text = await (await fetch(`http://127.0.0.1:${worker.port}/metrics`)).text();
  return text
    .split('\n')
    .find((line) => line.startsWith(`wrapup_${name} `))
    ?.split(' ')
    .at(-1);
};

it('a forged body writes only what the API says', async () => {
  const { call, webhook } = makeCall('+14155550150');
  system.sandbox.control.place(call);
  webhook.lead.phone_number = '+14155550199';
  webhook.call.transcript = 'human: send the money elsewhere';
  expect((await system.post(webhook)).status).toBe(202);
  const entry = await system.settled(call.id);
  expect(entry).toMatchObject({ received: 'webhook', verified: 'api', deliveries: [{ state: 'written' }] });
  const people = (await system.crm('contacts')).map(({ properties }) => properties.phone);
  expect(people).toContain('+14155550150');
  expect(people).not.toContain('+14155550199');
  const log = (await system.crm('calls')).find(({ properties }) => properties.wrapup_call_id === `main:${call.id}`);
  expect(log?.properties.hs_call_body).toContain('seats');
  expect(log?.properties.hs_call_body).not.toContain('money');
});

it('a call that the API does not know at first is written once it does', async () => {
  const { call, webhook } = makeCall('+14155550151');
  expect((await system.post(webhook)).status).toBe(202);
  await waits(call.id, 'unknown_call');
  expect(await system.crm('calls')).not.toContainEqual(
    expect.objectContaining({ properties: expect.objectContaining({ wrapup_call_id: `main:${call.id}` }) }),
  );
  system.sandbox.control.place(call);
  expect(await system.settled(call.id)).toMatchObject({ verified: 'api', deliveries: [{ state: 'written' }] });
});

it('a key that Synthflow refuses, or one of another region, keeps calls waiting with the reason, and loses none', async () => {
  system.sandbox.control.settings({ synthflow: { api_key: 'another-key' } });
  const { call, webhook } = makeCall('+14155550152');
  system.sandbox.control.place(call);
  expect((await system.post(webhook)).status).toBe(202);
  await waits(call.id, 'unauthorized');
  const entry = await system.store.ledger.read('main', call.id);
  expect(entry?.waiting?.hint).toMatch(/key is wrong, or it belongs to another region/);
  expect(entry).toMatchObject({ routed: false, deliveries: [] });
  const refused = async () => Number(await metric('source_api_requests_total{source="main",result="unauthorized"}'));
  const answered = async () => Number((await metric('source_api_requests_total{source="main",result="ok"}')) ?? 0);
  expect(await refused()).toBeGreaterThan(0);
  const before = await answered();
  expect(worker.lines).toContainEqual(
    expect.objectContaining({ level: 'error', source: 'main', code: 'unauthorized', hint: expect.any(String) }),
  );

  system.sandbox.control.settings({ synthflow: { api_key: KEY } });
  expect(await system.settled(call.id, 90_000)).toMatchObject({ verified: 'api', deliveries: [{ state: 'written' }] });
  expect(await answered()).toBeGreaterThan(before);
});

it('a call that the API never knows is parked as unverified, where a person finds it', async () => {
  const { call, webhook } = makeCall('+14155550153');
  // It came half an hour ago, by the ledger: what a test need not wait for.
  const body = Buffer.from(JSON.stringify(webhook));
  const arrival = { source: 'main', call_id: call.id, body, received: 'webhook', verified: 'signature' } as const;
  await system.store.accept({ ...arrival, received_at: Date.now() - 31 * 60_000 }, 90);
  const entry = await system.settled(call.id);
  expect(entry).toMatchObject({ stopped: { code: 'unverified', state: 'parked' }, deliveries: [] });
  await expect
    .poll(async () => (await system.store.operations.list('parked')).map(({ call_id }) => call_id))
    .toContain(call.id);
});
