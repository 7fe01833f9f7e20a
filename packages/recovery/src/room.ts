import { setTimeout as sleep } from 'node:timers/promises';
import { CALLS_QUEUE, deliveriesQueue, type Store } from '@wrapup/queue';

/** Jobs that may wait behind live calls before history waits for them, so that it does not fill Redis. */
const MOST_WAITING = 2_000;
const LOOK_AGAIN = 1_000;

export interface RoomOptions {
  store: Pick<Store, 'queues'>;
  /** Names of the connections that calls may be delivered to. */
  connections: string[];
  signal: AbortSignal;
  most?: number;
  /** Hears how many jobs are waited for. */
  onWait?(waiting: number): void;
}

/** A function that waits until the workers have caught up. */
export function makeRoom({ store, connections, signal, most = MOST_WAITING, onWait }: RoomOptions) {
  const queues = [CALLS_QUEUE, ...connections.map(deliveriesQueue)].map((name) => store.queues.get(name));
  const waiting = async () => {
    const counts = await Promise.all(queues.map((queue) => queue.getJobCountByTypes('waiting', 'prioritized')));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  return async (): Promise<void> => {
    for (let jobs = await waiting(); jobs >= most; jobs = await waiting()) {
      signal.throwIfAborted();
      onWait?.(jobs);
      await sleep(LOOK_AGAIN, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  };
}
