import type { Config } from '@wrapup/config';
import type { Store } from '@wrapup/queue';

/** Looking for queues reads through all keys of Redis, so it is done now and then only. */
const LOOK_EVERY = 30_000;

/**
 * Connections with a queue: those of the configuration as it is now, and those that Redis still holds a queue of.
 * @param every milliseconds between two looks into Redis
 */
export function makeConnections(store: Store, config: () => Config, every = LOOK_EVERY): () => Promise<string[]> {
  let found: string[] = [];
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
    if (Date.now() >= due) {
      looking ??= look();
      await looking;
    }
    return [...new Set([...Object.keys(config().connections), ...found])].sort();
  };
}
