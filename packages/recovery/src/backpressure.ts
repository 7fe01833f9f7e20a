import { setTimeout as sleep } from 'node:timers/promises';
import { callsQueue, deliveriesQueue, type Store } from '@wrapup/queue';

/** Jobs that may wait in the queues before a backfill pauses, so that history does not fill Redis. */
const MAX_WAITING = 2_000;
const CHECK_EVERY_MS = 1_000;

export interface BackpressureOptions {
  store: Pick<Store, 'queues'>;
  /** The source whose calls come. */
  source: string;
  /** Names of the connections that they may be delivered to. */
  connections: string[];
  signal: AbortSignal;
  most?: number;
  /** Called with the number of waiting jobs at each check that finds too many. */
  onWait?(waiting: number): void;
}

/** Returns a function that resolves once the workers have caught up. It throws the reason of the signal. */
export function makeBackpressure({
  store,
  source,
  connections,
  signal,
  most = MAX_WAITING,
  onWait,
}: BackpressureOptions) {
  const queues = [callsQueue(source), ...connections.map(deliveriesQueue)];
  const waiting = async () => (await store.queues.read(queues)).reduce((sum, { waiting }) => sum + waiting, 0);
  return async (): Promise<void> => {
    for (let jobs = await waiting(); jobs >= most; jobs = await waiting()) {
      signal.throwIfAborted();
      onWait?.(jobs);
      await sleep(CHECK_EVERY_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  };
}
