import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeConfig } from '../support/config.ts';
import { sampleOf } from '../support/sample-caller.ts';
import { openSystem, type TestSystem } from '../support/system.ts';

const CONFIG = makeConfig({
  connections: [
    'sales: { kind: salesforce, client_id: sandbox-consumer-key, client_secret: "${SALESFORCE_CLIENT_SECRET}", base_url: "${SALESFORCE_BASE_URL}" }',
  ],
});

let system: TestSystem;
beforeAll(async () => {
  system = await openSystem({ config: CONFIG, mapping: 'extends: salesforce/lead-capture\n' });
  await Promise.all([system.startIngress(), system.startWorker()]);
});
afterAll(() => system.close());

const records = (object: string) =>
  system.sandbox.salesforce.records(object).map(({ id, fields }) => ({ id, ...fields }));
const tasksOf = (callId: string) =>
  records('Task').filter((task) =>
    String((task as Record<string, unknown>).Wrapup_Call_Id__c).startsWith(`main:${callId}`),
  );

it('a signed webhook becomes a lead, a closed call and a call-back', async () => {
  const made = sampleOf('connected', '+14155550142', { wants_callback: true });
  expect((await system.post(made)).status).toBe(202);
  const entry = await system.settled(made.call.call_id);
  expect(entry.deliveries).toMatchObject([{ state: 'written', attempts: 1 }]);
  expect(entry.deliveries[0]?.records.map(({ name }) => name)).toEqual(['person', 'call_log', 'call-back']);
  const [lead] = records('Lead');
  expect(lead).toMatchObject({ Phone: '+14155550142', LeadSource: 'Phone Inquiry', Status: 'Working - Contacted' });
  const tasks = tasksOf(made.call.call_id);
  expect(tasks).toHaveLength(2);
  expect(tasks.every((task) => (task as Record<string, unknown>).WhoId === lead?.id)).toBe(true);
  expect(tasks).toContainEqual(expect.objectContaining({ TaskSubtype: 'Call', Status: 'Completed' }));
});

it('delivered twenty times at once, and then a second call: one lead, one log of each', async () => {
  const made = sampleOf('connected', '+14155550143');
  await Promise.all(Array.from({ length: 20 }, () => system.post(made)));
  const second = sampleOf('connected', '+14155550143');
  await system.post(second);
  await Promise.all([system.settled(made.call.call_id), system.settled(second.call.call_id)]);
  expect(records('Lead').filter((lead) => (lead as Record<string, unknown>).Phone === '+14155550143')).toHaveLength(1);
  const logs = (callId: string) =>
    tasksOf(callId).filter((task) => (task as Record<string, unknown>).TaskSubtype === 'Call');
  expect([logs(made.call.call_id).length, logs(second.call.call_id).length]).toEqual([1, 1]);
});
