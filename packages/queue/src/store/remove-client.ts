/**
 * Removes what Redis keeps of a client beside its calls: its queues, and what belongs to its connections and sources. For a
 * client whose file is out of force and whose calls are removed; may be repeated.
 */
import { subjectOf } from '../digests/digest-states.ts';
import { scanKeys } from '../redis/client.ts';
import { callsQueue, clientOfQueue, deliveriesQueue } from '../redis/keys.ts';
import type { Store } from './store.ts';

/** Names that are removed by one command. */
const BATCH = 500;

/** @returns how many keys were removed */
export async function removeClient(store: Store, client: string): Promise<number> {
  const { redis, keys } = store;
  // A name of its own: what is scanned is looked at again, as a call id of another client may read the same.
  const own = `${client}.own`;
  const beginnings = [
    `${keys.prefix}:${callsQueue(own)}:`,
    ...[
      `${keys.prefix}:${deliveriesQueue(own)}`,
      ...[keys.connection(own), keys.daily(own), keys.dailySamples(own), keys.budgetShare(own)],
      `${keys.omissions}${own}`,
      ...[keys.schemaCheck(own), keys.reconciled(own), keys.backfilled(own, ''), keys.secret(own, '')],
      keys.dictionary(own, ''),
      ...[
        keys.choices(own),
        keys.memory(own, ''),
        keys.oldMemory(own, ''),
        keys.budget(own, ''),
        keys.budgetLog(own, ''),
      ],
    ].map((name) => name.slice(0, name.lastIndexOf(own) + client.length + 1)),
    `${keys.counts}${client}:`,
    `${keys.timings}${client}:`,
  ];
  let removed = 0;
  let found: string[] = [];
  const removeFound = async () => {
    if (found.length > 0) removed += await redis.unlink(...found);
    found = [];
  };
  for await (const name of scanKeys(redis, `${keys.prefix}:*${client}[.:]*`)) {
    if (beginnings.some((beginning) => name.startsWith(beginning))) found.push(name);
    if (found.length >= BATCH) await removeFound();
  }
  await removeFound();
  const connections = await redis.smembers(keys.connections);
  const busy = await redis.smembers(keys.busy);
  const alerted = await redis.hkeys(keys.alerted);
  const digests = await redis.hkeys(keys.digests);
  const sources = await redis.zrange(keys.webhooks, '0', '-1');
  const rung = await redis.zrange(keys.bell, '0', '-1');
  const dictionaries = await redis.hkeys(keys.dictionaries);
  const ofClient = (queue: string) => clientOfQueue(queue) === client;
  const lists = redis.multi();
  for (const name of connections) if (name.startsWith(`${client}.`)) lists.srem(keys.connections, name);
  for (const name of busy) if (ofClient(name)) lists.srem(keys.busy, name);
  for (const name of rung) if (ofClient(name)) lists.zrem(keys.bell, name);
  for (const name of dictionaries) if (name.startsWith(`${client}.`)) lists.hdel(keys.dictionaries, name);
  for (const name of sources) if (name.startsWith(`${client}.`)) lists.zrem(keys.webhooks, name);
  for (const name of alerted) if (name.startsWith(`${client}.`)) lists.hdel(keys.alerted, name);
  for (const name of digests) if (subjectOf(name).startsWith(`${client}.`)) lists.hdel(keys.digests, name);
  lists
    .del(keys.clientFiles(client), keys.clientState(client))
    .hdel(keys.clientHashes, client)
    .hdel(keys.clientSettled, client);
  await lists.exec();
  return removed;
}
