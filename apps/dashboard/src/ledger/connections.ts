import type { Config } from '@wrapup/config';
import type { Store } from '@wrapup/queue';

/** Looking for queues asks Redis for the jobs of each, so it is done now and then only. */
const LOOK_EVERY = 30_000;

/**
 * Connections with a queue: those of the configuration as it is now, and those that Redis still holds a queue of. Only
 * the first asker waits for the look into Redis; later ones go by the last look while the next is under way.
 * @param every milliseconds between two looks into Redis
 */
export function makeConnections(store: Store, config: () => Config, every = LOOK_EVERY): () => Promise<string[]> {
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
    // Nobody waits for it: whoever needs Redis for more than this will say what is wrong.
    else looking?.catch(() => {});
    return [...new Set([...Object.keys(config().connections), ...(found ?? [])])].sort();
  };
}
