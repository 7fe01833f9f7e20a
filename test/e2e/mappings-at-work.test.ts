/**
 * Write modes and corrections of a mapping, through ingress, Redis, worker and a CRM: calls that come late or twice change
 * nothing they should not, and old calls are written anew when their mapping was wrong.
 */
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { wrapup } from '../../apps/cli/test/support/run.ts';
import { samplePayload } from '../../packages/synthflow/src/index.ts';
import { openSystem, type TestSystem } from '../support/system.ts';

/** The topic stands in the wrong field. */
const WRONG = `extends: hubspot/call-log
person:
  fields:
    jobtitle: vars.topic
    hs_lead_status: { from: call.outcome, map: { connected: CONNECTED, no_answer: ATTEMPTED_TO_CONTACT }, default: null }
    message: { from: "{{ call.started_at | date }} {{ call.outcome }}: {{ vars.topic | default: nothing }}", write: append }
tasks:
  - { name: call-back, remove: true }
`;
const CORRECTED = WRONG.replace(
  'jobtitle: vars.topic',
  'city: { from: vars.topic, transform: title_case }\n    jobtitle: vars.role',
);

let system: TestSystem;
let env: Record<string, string>;
beforeAll(async () => {
  system = await openSystem({ mapping: WRONG });
  await Promise.all([system.startIngress(), system.startWorker()]);
  system.sandbox.control.settings({ hubspot: { search_lag: 0 } });
  env = { ...system.env, INGRESS_PORT: String(system.ingress?.port) };
});
afterAll(() => system.close());

/** A call of Dana's that began at this hour. */
function call(
  id: string,
  hour: number,
  outcome: 'connected' | 'no-answer',
  topic: string,
  phone: string = '+14155550142',
) {
  return samplePayload(outcome, {
    ...{ call_id: id, phone, name: 'Dana Example', collected: { topic, role: 'Buyer' } },
    start_time: `2026-11-20T${hour}:00:00-08:00`,
  }) as { call: { call_id: string } };
}

async function deliver(payload: { call: { call_id: string } }) {
  await system.post(payload);
  const entry = await system.settled(payload.call.call_id);
  expect(entry.deliveries.map(({ state }) => state)).toEqual(['written']);
}

const contact = async () => {
  const contacts = await system.crm('contacts');
  expect(contacts).toHaveLength(1);
  return contacts[0]?.properties ?? {};
};

test('calls that come late do not undo later ones, and every call has its block once', async () => {
  await deliver(call('first', 10, 'connected', 'upgrade'));
  await deliver(call('third', 12, 'no-answer', 'security'));
  expect((await contact()).hs_lead_status).toBe('ATTEMPTED_TO_CONTACT');
  // The webhook of the call between the two comes last.
  await deliver(call('second', 11, 'connected', 'renewal'));
  const { hs_lead_status, jobtitle, message } = await contact();
  expect([hs_lead_status, jobtitle]).toEqual(['ATTEMPTED_TO_CONTACT', 'security']);
  for (const block of [
    'first]\n2026-11-20 connected: upgrade',
    'second]\n2026-11-20 connected: renewal',
    'third]\n2026-11-20 no_answer: security',
  ])
    expect(message).toContain(`[call main:${block}`);
  expect(message?.match(/\[call /g)).toHaveLength(3);
  expect(await system.crm('calls')).toHaveLength(3);
});

test('delivered once more, all of them, nothing changes', async () => {
  const before = await contact();
  const { stdout } = await wrapup(['replay', '--since', '2h', '--route', 'sales-calls'], env);
  expect(stdout).toContain('3 of 3 deliveries replayed');
  for (const id of ['first', 'second', 'third']) await system.settled(id);
  const after = await contact();
  for (const name of ['hs_lead_status', 'jobtitle', 'message']) expect(after[name]).toBe(before[name]);
  expect(await system.crm('calls')).toHaveLength(3);
});

test('a corrected mapping is taken over, planned, and written over old calls: newest facts win, nothing is made twice', async () => {
  const old = (await system.store.ledger.read('main', 'third'))?.deliveries[0]?.mapping;
  writeFileSync(join(system.folder, 'mapping.yaml'), CORRECTED);

  const plan = await wrapup(['plan', 'third'], env);
  expect(plan.stdout).toMatch(/city \(City\): \(nothing\) -> "Security" {2}if_newer mapping\.yaml:4/);
  expect(plan.stdout).toMatch(/jobtitle \(Job Title\): "security" -> "Buyer"/);
  const listed = await wrapup(['replay', '--since', '2h', '--plan'], env);
  expect(listed.stdout).toContain('third on sales-calls (written): would be replayed');
  expect((await contact()).city ?? null).toBeNull();

  // The worker looks for changes every few seconds only: the job tells it that there is one.
  await wrapup(['replay', 'third'], env);
  expect((await system.settled('third')).deliveries[0]?.mapping).not.toBe(old);
  await wrapup(['replay', '--since', '2h'], env);
  for (const id of ['first', 'second', 'third']) await system.settled(id);

  const { city, jobtitle, hs_lead_status, message } = await contact();
  expect([city, jobtitle, hs_lead_status]).toEqual(['Security', 'Buyer', 'ATTEMPTED_TO_CONTACT']);
  expect(message?.match(/\[call /g)).toHaveLength(3);
  expect(await system.crm('calls')).toHaveLength(3);
});

test('a delivery that the dashboard replays goes by what the file says when the button is pressed', async () => {
  const change = (mapping: string) => writeFileSync(join(system.folder, 'mapping.yaml'), mapping);
  change(CORRECTED.replace('person:\n', 'person:\n  match: [phone]\n  unmatched: skip\n'));
  // So that the worker has it.
  await wrapup(['replay', 'first'], env);
  await system.settled('first');
  await system.post(call('skipped', 13, 'connected', 'support', '+14155550143'));
  expect((await system.settled('skipped')).deliveries[0]).toMatchObject({ state: 'skipped' });

  const dashboard = await system.startDashboard();
  const origin = `http://127.0.0.1:${dashboard.port}`;
  change(CORRECTED.replace('city:', 'company:'));
  const answer = await fetch(`${origin}/calls/skipped/replay`, {
    method: 'POST',
    headers: { origin },
    body: new URLSearchParams({ source: 'main', route: 'sales-calls' }),
    redirect: 'manual',
  });
  expect(answer.headers.get('location')).toMatch(/did=replayed/);
  expect((await system.settled('skipped')).deliveries[0]).toMatchObject({ state: 'written', replays: 1 });
});

test('a replay with a configuration that the workers do not have goes on without it, and says so', async () => {
  const elsewhere = `${system.folder}-elsewhere`;
  cpSync(system.folder, elsewhere, { recursive: true });
  onTestFinished(() => rmSync(elsewhere, { recursive: true, force: true }));
  writeFileSync(join(elsewhere, 'mapping.yaml'), WRONG);
  await wrapup(['replay', 'first'], { ...env, WRAPUP_CONFIG: join(elsewhere, 'wrapup.yaml') });
  expect((await system.settled('first')).deliveries[0]).toMatchObject({
    state: 'written',
    attempts: 1,
    notes: [expect.stringContaining('the worker did not have')],
  });
});

test('what a colleague changed stays: plan and replay --plan say so, and a replay leaves it alone', async () => {
  writeFileSync(join(system.folder, 'mapping.yaml'), CORRECTED);
  await wrapup(['replay', 'third'], env);
  await system.settled('third');
  const [log] = await system.crm('calls');
  const id = (await system.store.ledger.read('main', 'third'))?.deliveries[0]?.records.find(
    ({ name }) => name === 'person',
  )?.id;
  await changeAsColleague('contacts', id, { jobtitle: 'Head of Security' });
  await changeAsColleague('calls', log?.id, { hs_call_title: 'About the renewal' });

  const plan = await wrapup(['plan', 'third'], env);
  expect(plan.stdout).toContain(
    'jobtitle (Job Title): "Head of Security" stays, not "Buyer": a colleague changed this',
  );
  const listed = await wrapup(['replay', '--since', '2h', '--plan'], env);
  expect(listed.stdout).toContain('person.jobtitle: a colleague changed this: stays');
  expect(listed.stdout).toContain('call_log.hs_call_title: a colleague changed this: stays');

  await wrapup(['replay', '--since', '2h'], env);
  for (const call of ['first', 'second', 'third']) await system.settled(call);
  const person = (await system.crm('contacts')).find((one) => one.id === id);
  expect(person?.properties.jobtitle).toBe('Head of Security');
  const logs = await system.crm('calls');
  expect(logs.find((one) => one.id === log?.id)?.properties.hs_call_title).toBe('About the renewal');
  const { deliveries } = (await system.store.ledger.read('main', 'third')) ?? { deliveries: [] };
  expect(deliveries[0]?.notes).toContain('person.jobtitle: a colleague changed this: stays.');
});

async function changeAsColleague(object: string, id: string | undefined, properties: Record<string, string>) {
  const response = await fetch(`${system.sandbox.hubspotUrl}/crm/v3/objects/${object}/${id}`, {
    method: 'PATCH',
    headers: { authorization: 'Bearer pat-na1-test', 'content-type': 'application/json' },
    body: JSON.stringify({ properties }),
  });
  expect(response.status).toBe(200);
}
