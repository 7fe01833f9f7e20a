import { expect, it, onTestFinished } from 'vitest';
import { openTestStore } from '../../../test/support/store.ts';
import { removeClient } from '../src/index.ts';

it('leaves no key that names the client, and all of the others', async () => {
  const store = await openTestStore();
  onTestFinished(() => store.close());
  const { redis, keys, queues } = store;
  const names = async () => (await redis.keys(`${keys.prefix}*`)).sort();
  const fill = async (client: string) => {
    const connection = `${client}.sales`;
    const job = { source: `${client}.main`, call_id: '1', revision: 'r' };
    await queues.add(queues.calls(job.source), { name: 'call', data: job, opts: { jobId: 'c-1' } });
    await queues.deliveries(connection).add('delivery', { ...job, route: `${client}.calls`, replays: 0 });
    await queues.deliveries(connection).pause();
    for (const name of [
      ...[keys.connection(connection), keys.daily(connection), keys.dailySamples(connection)],
      ...[keys.budget(connection, 'default'), keys.budgetLog(connection, 'default'), keys.budgetShare(connection)],
      ...[keys.memory(connection, 'x'), keys.oldMemory(connection, 'x'), keys.secret(connection, 'x')],
      ...[keys.schemaCheck(connection), keys.reconciled(job.source), keys.backfilled(job.source, 'x')],
      ...[keys.clientFiles(client), keys.clientState(client)],
    ])
      await redis.set(name, '1');
    await redis.hset(keys.clientHashes, client, '1');
    await redis.sadd(keys.connections, connection);
  };
  await fill('coral-reef');
  await fill('acme');
  // A call of another client may have any id.
  await redis.set(keys.payload('acme.main', 'coral.sales', 'r'), '1');
  const lists = async () => [
    ...[await redis.smembers(keys.connections), await redis.smembers(keys.busy)],
    ...[await redis.zrange(keys.bell, '0', '-1'), await redis.hkeys(keys.clientHashes)],
  ];
  const [before, listed] = [await names(), await lists()];
  await fill('coral');
  expect((await names()).length).toBeGreaterThan(before.length + 15);
  expect(await removeClient(store, 'coral')).toBeGreaterThan(15);
  expect(await names()).toEqual(before);
  expect((await lists()).map((list) => list.sort())).toEqual(listed.map((list) => list.sort()));
  expect(await removeClient(store, 'coral')).toBe(0);
});
