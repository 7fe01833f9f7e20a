/** Several workers on one queue, replaced while calls come in, over a CRM that takes its time. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { openWorkerSystem, until, type WorkerSystem } from '../support/worker-system.ts';

const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

async function open(options: Parameters<typeof openWorkerSystem>[0] = {}): Promise<WorkerSystem> {
  const system = await openWorkerSystem(options);
  closers.push(() => system.close());
  // What is looked at here is who writes what; quotas have tests of their own.
  system.sandbox.control.settings({
    hubspot: { limits: { ten_secondly: null, daily: null, search_per_second: null } },
  });
  return system;
}

const written = async (system: WorkerSystem, id: string) => (await system.delivery(id))?.state === 'written';
const callsInCrm = (system: WorkerSystem) =>
  system.sandbox
    .records('calls')
    .map(({ properties }) => properties.wrapup_call_id)
    .sort();

describe.concurrent('workers on one queue', () => {
  it('four of them write every call once, and one contact for each unknown number, whichever of them gets its calls', async () => {
    const system = await open();
    const workers = await Promise.all(Array.from({ length: 4 }, () => system.startWorker()));
    const people = Array.from({ length: 15 }, (_, index) => `+141555502${10 + index}`);
    const calls = await Promise.all(
      people.flatMap((phone) =>
        Array.from({ length: 4 }, () =>
          system.arrive({ phone, collected: { email: `p${phone.slice(1)}@example.com` } }),
        ),
      ),
    );
    for (const { call_id } of calls) await until(() => written(system, call_id));
    expect(callsInCrm(system)).toEqual(calls.map(({ call_id }) => `main:${call_id}`).sort());
    expect(system.sandbox.records('contacts')).toHaveLength(people.length);
    // A worker counts a moment after the ledger says it.
    const counted = async () => {
      const texts = await Promise.all(workers.map(({ metrics }) => metrics.text()));
      return texts.reduce((sum, text) => sum + Number(/result="written",code=""\} (\d+)/.exec(text)?.[1] ?? 0), 0);
    };
    await until(async () => (await counted()) >= calls.length);
    expect(await counted()).toBe(calls.length);
  });

  it('one after the other replaced while calls come in, none is lost and none written twice', async () => {
    const system = await open();
    let current = await system.startWorker();
    let coming = true;
    const calls: string[] = [];
    const arriving = (async () => {
      while (coming) {
        calls.push((await system.arrive({ phone: `+1415555${String(1000 + calls.length)}` })).call_id);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    for (let round = 1; round <= 3; round += 1) {
      const before = calls.length;
      await until(async () => calls.length > before + 15 && (await written(system, calls[before] as string)));
      const next = await system.startWorker();
      await current.close();
      current = next;
    }
    coming = false;
    await arriving;
    for (const id of calls) await until(() => written(system, id));
    expect(callsInCrm(system)).toEqual(calls.map((id) => `main:${id}`).sort());
    for (const id of calls) expect((await system.store.ledger.read('main', id))?.deliveries[0]?.state).toBe('written');
  });

  it('keep a batch to themselves for as long as it takes, beyond the time after which a dead worker’s is taken over', async () => {
    const system = await open();
    const [one, two] = await Promise.all([system.startWorker(), system.startWorker()]);
    system.sandbox.control.fault(
      { kind: 'slow', ms: 6_000, times: 1, path: '/contacts/' },
      { kind: 'slow', ms: 6_000, times: 1, path: '/calls/' },
    );
    const { call_id } = await system.arrive();
    await until(() => written(system, call_id));
    // Twelve seconds, while a lock lasts ten: no other worker took it, or there would be a second attempt.
    expect(system.sandbox.control.faults()).toEqual([]);
    expect(await system.delivery(call_id)).toMatchObject({ attempts: 1 });
    expect(callsInCrm(system)).toEqual([`main:${call_id}`]);
    expect(one && two).toBeTruthy();
  });

  it('send again what was written when a replay asks for it: that is no repeat, and makes nothing twice', async () => {
    const system = await open();
    await system.startWorker();
    const { call_id } = await system.arrive();
    await until(() => written(system, call_id));
    const before = await system.delivery(call_id);
    // BullMQ still has the job that was done, and takes no other of its name.
    const queue = system.store.queues.deliveries('sales');
    await until(async () => (await queue.getCompletedCount()) === 1);
    await system.store.operations.replay('main', call_id, 'sales-calls', { attempts: 3, from: ['written'] });
    await until(() => written(system, call_id));
    const after = await system.delivery(call_id);
    expect(after).toMatchObject({ replays: 1, attempts: 1 });
    expect(after?.records.map(({ id }) => id)).toEqual(before?.records.map(({ id }) => id));
    expect(after?.requests).toBeGreaterThan(before?.requests ?? 0);
    expect(callsInCrm(system)).toEqual([`main:${call_id}`]);
  });

  it('are well when work moves or rests, and not when a queue stands still', async () => {
    const hanging = createServer(() => {});
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
    closers.push(() => new Promise((resolve) => hanging.close(resolve).closeAllConnections()));
    const system = await open({
      mapping: 'extends: http/event\n',
      routes: `
connections:
  hook: { kind: http, url: "http://127.0.0.1:${(hanging.address() as AddressInfo).port}/", allow_private: true, at_once: 1 }
routes:
  - { name: all, to: hook, mapping: mapping.yaml }
`,
    });
    const worker = await system.startWorker();
    expect(await worker.stuck(0)).toEqual([]);
    for (let i = 0; i < 8; i += 1) await system.arrive({ call_id: randomUUID() });
    await until(async () => (await worker.stuck(200)).includes('deliveries.hook'));
    expect(await worker.stuck(600_000)).toEqual([]);
    // A paused one is not stuck: it was stopped on purpose.
    await system.store.connections.pause('hook');
    expect(await worker.stuck(0)).not.toContain('deliveries.hook');
  });
});
