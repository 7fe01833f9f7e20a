import { setTimeout as sleep } from 'node:timers/promises';
import { CALLS_QUEUE, deliveriesQueue, type Store } from '@wrapup/queue';

/** Jobs that may wait in the queues before a backfill pauses, so that history does not fill Redis. */
const MAX_WAITING = 2_000;
const CHECK_EVERY_MS = 1_000;

export interface BackpressureOptions {
  store: Pick<Store, 'queues'>;
  /** Names of the connections that calls may be delivered to. */
  connections: string[];
  signal: AbortSignal;
  most?: number;
  /** Called with the number of waiting jobs at each check that finds too many. */
  onWait?(waiting: number): void;
}

/** Returns a function that resolves once the workers have caught up. It throws the reason of the signal. */
export function makeBackpressure({ store, connections, signal, most = MAX_WAITING, onWait }: BackpressureOptions) {
  const queues = [CALLS_QUEUE, ...connections.map(deliveriesQueue)].map((name) => store.queues.get(name));
  const waiting = async () => {
    const counts = await Promise.all(queues.map((queue) => queue.getJobCountByTypes('waiting', 'prioritized')));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  return async (): Promise<void> => {
    for (let jobs = await waiting(); jobs >= most; jobs = await waiting()) {
      signal.throwIfAborted();
      onWait?.(jobs);
      await sleep(CHECK_EVERY_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  };
}
