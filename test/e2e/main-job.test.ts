import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SampleKind } from '../../packages/synthflow/src/index.ts';
import type { Process } from '../support/process.ts';
import { sampleOf } from '../support/sample-caller.ts';
import { openSystem, type TestSystem } from '../support/system.ts';

let system: TestSystem;
let processes: Process[];
beforeAll(async () => {
  system = await openSystem({ env: { LOG_LEVEL: 'debug' } });
  processes = await Promise.all([system.startIngress(), system.startWorker()]);
});
afterAll(() => system.close());

let number = 100;
/** A sample with an id and a number of its own. */
function payload(kind: SampleKind) {
  number += 1;
  const phone = `+14155550${number}`;
  const made = sampleOf(kind, phone);
  return { made, phone };
}

async function recordsOf(callId: string, phone: string) {
  const [contacts, calls, tasks] = await Promise.all([
    system.crm('contacts'),
    system.crm('calls'),
    system.crm('tasks'),
  ]);
  return {
    contacts: contacts.filter(({ properties }) => properties.phone === phone),
    calls: calls.filter(({ properties }) => properties.wrapup_call_id === `main:${callId}`),
    tasks: tasks.filter(({ properties }) => properties.wrapup_key?.startsWith(`main:${callId}:`)),
  };
}

describe('a finished call', () => {
  it('that a person answered becomes a contact and a call log on it', async () => {
    const { made, phone } = payload('connected');
    expect(await system.post(made)).toMatchObject({
      status: 202,
      body: { status: 'accepted', call_id: made.call.call_id },
    });
    const entry = await system.settled(made.call.call_id);
    expect(entry).toMatchObject({
      verified: 'signature',
      outcome: 'connected',
      deliveries: [{ state: 'written', attempts: 1 }],
    });
    const { contacts, calls } = await recordsOf(made.call.call_id, phone);
    expect(contacts).toHaveLength(1);
    expect(calls).toHaveLength(1);
    expect(calls[0]?.properties).toMatchObject({
      hs_call_status: 'COMPLETED',
      hs_call_disposition: 'f240bbac-87c9-4f6e-bf70-924b57d47db7',
    });
    expect(JSON.stringify(calls[0]?.associations)).toContain(contacts[0]?.id);
    expect(entry.deliveries[0]?.records.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['person', 'call_log']),
    );
  });

  it('that a known contact did not pick up becomes a call log and a call-back task', async () => {
    const first = payload('connected');
    await system.post(first.made);
    await system.settled(first.made.call.call_id);
    const missed = sampleOf('voicemail', first.phone);
    await system.post(missed);
    await system.settled(missed.call.call_id);
    const { contacts, calls, tasks } = await recordsOf(missed.call.call_id, first.phone);
    expect([contacts.length, calls.length, tasks.length]).toEqual([1, 1, 1]);
    expect(JSON.stringify(tasks[0]?.associations)).toContain(contacts[0]?.id);
  });

  it('delivered fifty times at once is one contact, one call log and one task', async () => {
    const first = payload('connected');
    const made = sampleOf('connected', first.phone, { wants_callback: true });
    // Who is refused because the machine is busy comes again, as senders do.
    const insist = async () => {
      for (;;) {
        const answer = await system.post(made);
        if (answer.status !== 503) return answer;
      }
    };
    const answers = await Promise.all(Array.from({ length: 50 }, insist));
    const accepted = answers.filter(({ status }) => status === 202);
    expect(accepted.length).toBeLessThanOrEqual(1);
    const duplicates = answers.filter(({ status, body }) => status === 200 && body.status === 'duplicate');
    expect(accepted.length + duplicates.length).toBe(50);
    await system.settled(made.call.call_id);
    const { contacts, calls, tasks } = await recordsOf(made.call.call_id, first.phone);
    expect([contacts.length, calls.length, tasks.length]).toEqual([1, 1, 1]);
    expect((await system.post(made)).body).toMatchObject({ status: 'duplicate' });
  });

  it('of one unknown number in two calls at once makes one contact', async () => {
    const first = payload('connected');
    const twin = sampleOf('connected', first.phone);
    await Promise.all([system.post(first.made), system.post(twin)]);
    await Promise.all([system.settled(first.made.call.call_id), system.settled(twin.call.call_id)]);
    const { contacts } = await recordsOf(first.made.call.call_id, first.phone);
    expect(contacts).toHaveLength(1);
  });
});

describe('what was logged of a call', () => {
  it('names the call and nothing of the person, whether it was written, refused by the CRM or parked', async () => {
    const { made, phone } = payload('connected');
    system.sandbox.control.seed({
      records: { contacts: [{ properties: { phone, firstname: 'Twin' } }, { properties: { mobilephone: phone } }] },
    });
    system.sandbox.control.fault({
      ...{ kind: 'status', status: 400, times: 1, path: '/contacts/' },
      body: { category: 'VALIDATION_ERROR', message: `Property values were not valid: ${phone}, Dana Example` },
    });
    const other = payload('connected');
    for (const one of [made, other.made]) await system.post(one);
    for (const one of [made, other.made]) await system.settled(one.call.call_id);
    const logged = JSON.stringify(processes.flatMap(({ lines }) => lines));
    for (const one of [made, other.made]) expect(logged).toContain(one.call.call_id);
    for (const personal of ['4155550', '415-555', 'example.com', 'Dana', 'about your plan'])
      expect(logged).not.toContain(personal);
  });
});
