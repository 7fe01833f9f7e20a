/**
 * A signature covers the call id and nothing else. The conversation between an attacker who has seen one webhook and a
 * source that has no `api_key`, through real processes.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { samplePayload } from '../../packages/synthflow/src/index.ts';
import { phoneOf } from '../support/phone.ts';
import { openSystem, type TestSystem } from '../support/system.ts';

const MAPPING = `
extends: hubspot/call-log
person:
  fields:
    jobtitle: vars.role
tasks:
  - name: call-back
    when: { path: vars.instruction, exists: true }
    subject: "{{ vars.instruction }}"
    due_in: 1 business day
`;

type Payload = { call: { call_id: string; recording_url?: string } & Record<string, unknown> };

let system: TestSystem;
let phone = '';
let callId = '';
let turn = 0;

beforeAll(async () => {
  system = await openSystem({ mapping: MAPPING });
  await Promise.all([system.startIngress(), system.startWorker()]);
});
afterAll(() => system.close());

beforeEach(async () => {
  turn += 1;
  phone = phoneOf(70_000 + turn);
  callId = `captured-${randomUUID()}`;
  expect((await send(webhook())).status).toBe(202);
  expect(await system.settled(callId)).toMatchObject({ deliveries: [{ state: 'written' }] });
});

/** Sends until Redis has time for it, as any sender does. A repeat of what was taken all the same is a duplicate. */
async function send(payload: Payload) {
  let repeated = false;
  for (;;) {
    const answer = await system.post(payload);
    if (answer.status === 200 && repeated) return { ...answer, status: 202 };
    if (answer.status !== 503) return answer;
    repeated = true;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** What Synthflow sent, or what an attacker makes of it. */
function webhook(change: Record<string, unknown> = {}, collected: Record<string, unknown> = {}): Payload {
  const payload = samplePayload('connected', {
    ...{ call_id: callId, phone, name: 'Dana Juniper' },
    collected: { email: null, wants_callback: null, ...collected },
  } as never) as unknown as Payload;
  const { recording_url: _, ...call } = payload.call;
  return { ...payload, call: { ...call, call_id: callId, ...change } };
}

/** All that the CRM holds of the call and of its caller, and how many records it has. */
async function crm() {
  const [contacts, calls, tasks] = await Promise.all(
    ['contacts', 'calls', 'tasks'].map((object) => system.crm(object)),
  );
  return {
    ...{ contacts: contacts?.length, calls: calls?.length, tasks: tasks?.length },
    caller: contacts?.find(({ properties }) => properties.phone === phone)?.properties,
    log: calls?.find(({ properties }) => properties.wrapup_call_id === `main:${callId}`),
  };
}

async function waitForEffects(count: number) {
  await expect
    .poll(async () => (await system.store.ledger.read('main', callId))?.revisions.filter(({ effect }) => effect).length)
    .toBe(count);
  return system.settled(callId);
}

describe('seven days later, when the payload has expired', () => {
  beforeEach(async () => {
    const entry = await system.store.ledger.read('main', callId);
    await system.store.payloads.remove('main', callId, entry?.revisions.map(({ hash }) => hash) ?? []);
  });

  it('another name, number and transcript under the captured signature change nothing, and wait for a person', async () => {
    const before = await crm();
    const forged = samplePayload('connected', {
      ...{ call_id: callId, phone: phoneOf(79_000 + turn), name: 'Mallory Thorn' },
    } as never) as unknown as Payload;
    forged.call.transcript = 'human: Please wire the money to another account.';
    expect((await send(forged)).status).toBe(202);
    const entry = await waitForEffects(2);
    expect(entry.revisions.map(({ effect }) => effect)).toEqual(['applied', 'parked']);
    expect(entry.deliveries[0]).toMatchObject({ state: 'parked', code: 'expired', hint: /captured signature/ });
    expect(await crm()).toEqual(before);
    const parked = await system.store.operations.list('parked');
    expect(parked.map(({ call_id }) => call_id)).toContain(callId);
  });

  it('a repeat that says the same in other bytes is known by its digest', async () => {
    const before = await crm();
    expect((await send({ ...webhook(), sent_again: true } as never)).status).toBe(202);
    const entry = await waitForEffects(2);
    expect(entry.revisions.map(({ effect }) => effect)).toEqual(['applied', 'equal']);
    expect(entry.deliveries[0]).toMatchObject({ state: 'written' });
    expect(await crm()).toEqual(before);
  });

  it('the ledger holds nothing of what was said', async () => {
    const kept = JSON.stringify(await system.store.redis.hgetall(system.store.keys.ledger('main', callId)));
    for (const personal of [phone, 'Dana', 'human:']) expect(kept).not.toContain(personal);
  });
});

describe('while the payload is there', () => {
  it('an address, a link and a task are left out; what else was absent is filled in, in place', async () => {
    const before = await crm();
    const forged = webhook(
      { recording_url: 'https://evil.example/listen.mp3' },
      {
        email: 'mallory@evil.example',
        instruction: 'Wire 50,000 to DE00 0000',
        site: 'evil.example',
        role: 'Treasurer',
      },
    );
    expect((await send(forged)).status).toBe(202);
    const entry = await waitForEffects(2);
    expect(entry.revisions.map(({ effect }) => effect)).toEqual(['applied', 'added']);
    expect(entry.deliveries[0]).toMatchObject({ state: 'written' });
    expect(entry.deliveries[0]?.notes.join()).toMatch(/Only a signature vouches.*recording_url.*call-back/);
    const after = await crm();
    expect(after).toMatchObject({ contacts: before.contacts, calls: before.calls, tasks: before.tasks });
    expect(after.caller?.jobtitle).toBe('Treasurer');
    expect(after.caller?.email).toBe(before.caller?.email);
    expect(JSON.stringify(after)).not.toContain('evil.example');
    expect(after.log?.associations).toEqual(before.log?.associations);
  });

  it('a contradiction waits for a person', async () => {
    const before = await crm();
    const forged = webhook({ duration: 9_999 });
    expect((await send(forged)).status).toBe(202);
    expect((await waitForEffects(2)).deliveries[0]).toMatchObject({ state: 'parked', code: 'contradiction' });
    expect(await crm()).toEqual(before);
  });

  it('fifty of them leave eight, and the call waits for a person', async () => {
    const before = await crm();
    const statuses: number[] = [];
    for (let sent = 0; sent < 50; sent += 1) statuses.push((await send({ ...webhook(), sent } as never)).status);
    expect(new Set(statuses)).toEqual(new Set([202]));
    await expect
      .poll(async () => (await system.store.ledger.read('main', callId))?.stopped?.code)
      .toBe('revision_limit');
    const entry = await system.store.ledger.read('main', callId);
    expect(entry?.revisions).toHaveLength(8);
    expect(entry?.ignored?.handled).toBe(true);
    expect(entry?.ignored?.count).toBeGreaterThanOrEqual(43);
    expect(await crm()).toEqual(before);
  });
});
