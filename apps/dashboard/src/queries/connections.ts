import type { Config } from '@wrapup/config';
import { callsQueues, deliveriesQueue, isCallsQueue, type Store } from '@wrapup/queue';

/** Finding queues reads the jobs of each from Redis, so it is done at intervals. */
const FIND_EVERY_MS = 30_000;

/**
 * Connections with a queue: those of the current configuration, and those that Redis still holds a queue of. Only the
 * first caller waits for Redis; later ones get the last result while the next one is read.
 * @param every milliseconds between two reads
 */
export function makeConnections(store: Store, config: () => Config, every = FIND_EVERY_MS): () => Promise<string[]> {
  let found: string[] | undefined;
  let due = 0;
  let looking: Promise<void> | undefined;

  const look = async () => {
    try {
      found = await store.queues.connections();
      due = Date.now() + every;
    } finally {
      looking = undefined;
    }
  };
  return async () => {
    if (Date.now() >= due) looking ??= look();
    if (!found) await looking;
    // Not awaited: a page that needs Redis for more than this reports what is wrong.
    else looking?.catch(() => {});
    return [...new Set([...Object.keys(config().connections), ...(found ?? [])])].sort();
  };
}

/** Names of the queues of calls and deliveries, those that are configured and those that still hold jobs. */
export function makeQueueNames(
  store: Store,
  config: () => Config,
  connections: () => Promise<string[]>,
): () => Promise<string[]> {
  return async () => {
    const [names, busy] = await Promise.all([connections(), store.queues.read()]);
    const calls = [...callsQueues(Object.keys(config().sources)), ...busy.map(({ name }) => name).filter(isCallsQueue)];
    return [...new Set([...calls, ...names.map(deliveriesQueue)])];
  };
}
