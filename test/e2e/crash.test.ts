/** Kill -9 at the worst moments: the CRM has committed, and nothing has noted it. */
import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { samplePayload } from '../../packages/synthflow/src/index.ts';
import { openSystem, type TestSystem } from '../support/system.ts';

const systems: TestSystem[] = [];
afterAll(() => Promise.all(systems.map((system) => system.close())));

async function open(): Promise<TestSystem> {
  const system = await openSystem();
  systems.push(system);
  return system;
}

const STEPS = [
  { step: 'the contact', fault: { path: '/contacts/batch/(create|upsert)' } },
  { step: 'the call log', fault: { path: '/calls/batch/create' } },
  { step: 'the task', fault: { path: '/tasks/batch/create' } },
];

describe('a worker killed after the CRM committed', () => {
  it.concurrent.each(STEPS)(
    '$step, and before that was noted, writes nothing twice',
    async ({ fault }) => {
      const system = await open();
      const [, worker] = await Promise.all([system.startIngress(), system.startWorker()]);
      system.sandbox.control.fault({ kind: 'commit_then_hang', times: 1, ...fault });
      const made = samplePayload('connected', {
        call_id: randomUUID(),
        phone: '+14155550142',
        collected: { wants_callback: true },
      }) as { call: { call_id: string } };
      await system.post(made);
      await expect.poll(() => system.sandbox.control.faults()[0]?.hit ?? 1).toBe(1);
      await worker.kill();
      expect((await system.store.ledger.read('main', made.call.call_id))?.deliveries[0]).toMatchObject({
        state: 'queued',
        attempts: 1,
      });

      await system.startWorker();
      const entry = await system.settled(made.call.call_id, 120_000);
      expect(entry.deliveries[0]).toMatchObject({ state: 'written', attempts: 2 });
      const counts = await Promise.all(
        ['contacts', 'calls', 'tasks'].map(async (object) => (await system.crm(object))?.length),
      );
      expect(counts).toEqual([1, 1, 1]);
      const [call] = await system.crm('calls');
      const [contact] = await system.crm('contacts');
      expect(JSON.stringify(call?.associations)).toContain(contact?.id);
    },
    240_000,
  );
});

describe('stopping', () => {
  it('finishes the batch in hand and exits 0', async () => {
    const system = await open();
    const [ingress, worker] = await Promise.all([system.startIngress(), system.startWorker()]);
    system.sandbox.control.settings({ hubspot: { latency: 300 } });
    const made = samplePayload('connected', { call_id: randomUUID() }) as { call: { call_id: string } };
    await system.post(made);
    await expect
      .poll(async () => (await system.store.ledger.read('main', made.call.call_id))?.deliveries[0]?.attempts)
      .toBe(1);
    expect(await worker.stop()).toBe(0);
    expect((await system.store.ledger.read('main', made.call.call_id))?.deliveries[0]?.state).toBe('written');
    expect(await ingress.stop()).toBe(0);
  });
});
