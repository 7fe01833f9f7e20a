/** One installation on a Redis cluster: everything under one hash tag, and the loss of its master survived. */
import { randomUUID } from 'node:crypto';
import { openIntake } from '@wrapup/queue';
import { samplePayload } from '@wrapup/synthflow';
import { type ConnectionOptions, Worker } from 'bullmq';
import { afterAll, expect, it } from 'vitest';
import { freshPrefix } from '../../../../test/support/redis.ts';
import { startCluster } from '../../../../test/support/redis-cluster.ts';
import { openWorkerSystem, until } from '../support/worker-system.ts';

const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

it('works on a cluster, and loses no call with the master that holds it', async () => {
  const prefix = freshPrefix();
  const cluster = await startCluster(`{${prefix}}`);
  closers.push(() => cluster.stop());
  const system = await openWorkerSystem({ redis: cluster.url, prefix });
  closers.push(() => system.close());
  const intake = openIntake({ url: cluster.url, prefix, onError() {} });
  closers.push(() => intake.close());
  await until(async () => (await intake.ready()).ok);
  const [worker] = await Promise.all([system.startWorker(), system.startWorker()]);

  const accept = async (call_id: string) => {
    const body = Buffer.from(JSON.stringify(samplePayload('connected', { call_id })));
    const arrival = { source: 'main', call_id, body, received: 'webhook', verified: 'signature' } as const;
    return intake.accept({ ...arrival, received_at: Date.now() });
  };
  const calls = Array.from({ length: 40 }, () => randomUUID());
  for (const id of calls.slice(0, 20)) expect(await accept(id)).toBe('accepted');
  await until(async () => (await system.delivery(calls[0] as string))?.state === 'written');
  expect(await system.store.queues.connections()).toEqual(expect.any(Array));
  // What is parked is kept, listed and counted by scripts that reach many keys.
  const { ledger, operations, unresolved } = system.store;
  const [first] = calls as [string];
  await ledger.stop('main', first, { code: 'unverified', reason: 'r', state: 'parked' });
  expect((await unresolved.page('parked')).items).toMatchObject([{ call_id: first, code: 'unverified' }]);
  expect(await operations.dropCall('main', first, { reason: 'a test' })).toBe(true);
  expect(await unresolved.count('parked')).toBe(0);

  // Several, since each is in another state when the master goes.
  const leaving = Array.from({ length: 4 }, (_, n) => {
    const connection = system.store.redis as ConnectionOptions;
    return new Worker(`leaving-${n}`, async () => {}, { connection, prefix: system.store.keys.prefix }).on(
      'error',
      () => {},
    );
  });
  await Promise.all(leaving.map((one) => one.waitUntilReady()));

  await cluster.loseMaster();
  // BullMQ waits for the end of a connection, however long.
  await Promise.all(leaving.map((one) => one.close()));
  // Senders are refused while there is no master, and come again.
  for (const id of calls.slice(20))
    await until(() =>
      accept(id).then(
        () => true,
        () => false,
      ),
    );
  for (const id of calls)
    await until(async () => (await system.delivery(id).catch(() => undefined))?.state === 'written');
  expect(system.sandbox.records('calls')).toHaveLength(calls.length);
  await until(async () => (await intake.ready()).ok);
  expect(await worker.stuck(60_000)).toEqual([]);
});
