/** Deliveries that gather, and what happens in the middle of it. */
import { join } from 'node:path';
import { deliveryLease, forgetCall } from '@wrapup/queue';
import { afterEach, describe, expect, it } from 'vitest';
import { startProcess } from '../../../test/support/process.ts';
import { redisUrl } from '../../../test/support/redis.ts';
import { openWorkerSystem, type StartedWorker, until, type WorkerSystem } from './support/worker-system.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const routesWith = (settings: string) => `
connections:
  sales: { kind: hubspot, access_token: pat-na1-test, base_url: "\${HUBSPOT_BASE_URL}"${settings} }
routes:
  - { name: sales-calls, to: sales, mapping: mapping.yaml }
`;
const GATHERS = routesWith(', gather: 60s');
/** Each of a person of its own. */
const callOf = (n: number) => ({ phone: `+1415555${2_000 + n}`, collected: { email: null } });

/** A worker that has so many calls in hand, which gather for a minute. */
async function gathering(calls: number) {
  const system = await openWorkerSystem({ routes: GATHERS });
  closers.push(() => system.close());
  const worker = await system.startWorker();
  const arrived = await Promise.all(Array.from({ length: calls }, (_, n) => system.arrive(callOf(n))));
  const ids = arrived.map(({ call_id }) => call_id);
  await until(async () => (await deliveries(system, ids)).every((one) => one?.attempts === 1));
  expect(system.sandbox.control.requests().total).toBe(0);
  return { system, worker, ids };
}

const deliveries = (system: WorkerSystem, ids: readonly string[]) => Promise.all(ids.map((id) => system.delivery(id)));
const areWritten = async (system: WorkerSystem, ids: readonly string[]) =>
  (await deliveries(system, ids)).every((one) => one?.state === 'written');

/** Each call once, and all of them by one batch. */
async function expectOneBatch({ sandbox }: WorkerSystem, { metrics }: StartedWorker, calls: number): Promise<void> {
  expect(sandbox.records('calls')).toHaveLength(calls);
  const [, batches] = /batch_size_count\{connection="sales"\} (\d+)/.exec(await metrics.text()) ?? [];
  expect(batches).toBe('1');
}

describe('deliveries that gather', () => {
  it('are written at once when the worker stops', async () => {
    const { system, worker, ids } = await gathering(6);
    await worker.close();
    expect(await areWritten(system, ids)).toBe(true);
    await expectOneBatch(system, worker, 6);
  });

  it('are written when the configuration no longer lets them gather, or names other settings', async () => {
    const { system, worker, ids } = await gathering(5);
    await system.configure(routesWith(''));
    await until(() => areWritten(system, ids));
    await expectOneBatch(system, worker, 5);

    await system.configure(GATHERS);
    const { call_id } = await system.arrive(callOf(50));
    await until(async () => (await system.delivery(call_id))?.attempts === 1);
    await system.configure(routesWith(', gather: 60s, timeout: 9000'));
    await until(() => areWritten(system, [call_id]));
  });

  it('are not sent once they were dropped or forgotten, and sent once where they were replayed', async () => {
    const { system, worker, ids } = await gathering(4);
    const { store, sandbox } = system;
    const [dropped, forgotten, replayed, kept] = ids as [string, string, string, string];
    const drop = (call_id: string) => store.operations.drop('main', call_id, 'sales-calls', { reason: 'not wanted' });
    await drop(dropped);
    // Not waited for as one that is being written.
    expect(await forgetCall(store, { source: 'main', call_id: forgotten })).toMatchObject({ dropped: 1, writing: [] });
    await drop(replayed);
    await store.operations.replay('main', replayed, 'sales-calls', { attempts: 3, from: ['dropped'] });
    // By itself: a replay does not gather, and takes the lease of what does.
    await until(() => areWritten(system, [replayed]));
    expect(sandbox.records('calls')).toHaveLength(1);
    // As if the minute were over.
    await system.configure(routesWith(''));
    await until(() => areWritten(system, [kept]));
    await worker.close();
    expect(sandbox.records('calls')).toHaveLength(2);
    expect(await deliveries(system, ids)).toMatchObject(
      ['dropped', 'dropped', 'written', 'written'].map((state) => ({ state })),
    );
  });

  it('are not held with a large one, whose room others wait for', async () => {
    const { system, worker, ids } = await gathering(2);
    const { call_id } = await system.arrive({ ...callOf(9), transcript: 'bot: hello\n'.repeat(30_000) });
    // Long before the minute is over.
    await until(() => areWritten(system, [...ids, call_id]));
    await expectOneBatch(system, worker, 3);
  });

  it('are left to the process that has their lease now', async () => {
    const { system, ids } = await gathering(2);
    const { store, sandbox } = system;
    const [lost, kept] = ids as [string, string];
    // As if Redis had been away, and another process had taken it over meanwhile.
    const lease = store.keys.lease(deliveryLease('main', lost, 'sales-calls'));
    await store.redis.set(lease, 'another');
    await system.configure(routesWith(''));
    await until(() => areWritten(system, [kept]));
    expect(sandbox.records('calls')).toHaveLength(1);
    expect(await system.delivery(lost)).toMatchObject({ state: 'queued' });
    // That process dies.
    await store.redis.del(lease);
    await until(() => areWritten(system, [lost]));
    expect(sandbox.records('calls')).toHaveLength(2);
  });

  it('go back when the connection is paused, uncounted, and on when it is resumed', async () => {
    const { system, ids } = await gathering(4);
    const { connections } = system.store;
    await connections.pause('sales', 'the org is being moved', { name: 'dana' });
    // A worker that meets a connection reads the states of all: now it knows.
    await system.configure(
      GATHERS.replace(
        'routes:',
        '  other: { kind: hubspot, access_token: pat-na1-test, base_url: "${HUBSPOT_BASE_URL}" }\nroutes:',
      ),
    );
    // As if the minute were over.
    await system.configure(routesWith(''));
    await until(async () => (await deliveries(system, ids)).every((one) => one?.attempts === 0));
    expect(system.sandbox.records('calls')).toHaveLength(0);
    expect(await deliveries(system, ids)).toMatchObject(ids.map(() => ({ state: 'queued', code: 'busy' })));
    await connections.resume('sales');
    await until(() => areWritten(system, ids));
    expect(system.sandbox.records('calls')).toHaveLength(4);
  });

  it('are written by another worker, once, when theirs is killed', async () => {
    const system = await openWorkerSystem({ routes: GATHERS });
    closers.push(() => system.close());
    const killed = await startProcess('worker', {
      ...{ REDIS_URL: redisUrl(), WRAPUP_PREFIX: system.prefix, WRAPUP_CONFIG: join(system.folder, 'wrapup.yaml') },
      HUBSPOT_BASE_URL: system.sandbox.hubspotUrl,
    });
    closers.push(() => killed.kill());
    const ids = (await Promise.all([0, 1, 2].map((n) => system.arrive(callOf(n))))).map(({ call_id }) => call_id);
    await until(async () => (await deliveries(system, ids)).every((one) => one?.attempts === 1));
    await killed.kill();
    await system.configure(routesWith(''));
    await system.startWorker();
    await until(() => areWritten(system, ids));
    expect(system.sandbox.records('calls')).toHaveLength(3);
    expect(await deliveries(system, ids)).toMatchObject(ids.map(() => ({ attempts: 2 })));
  });
});
