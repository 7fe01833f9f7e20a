import { setTimeout as sleep } from 'node:timers/promises';
import { withDeadline } from '@wrapup/destination';
import type { Store } from '@wrapup/queue';

/** How long one command waits at the bell, in seconds. */
const WAIT_S = 10;
/** A command that has not come back so long after its time hangs, and so does its connection. */
const GRACE_MS = 5_000;
/** Between two tries while Redis is away. */
const RETRY_MS = 1_000;

/**
 * Listens to the bell of the installation: which queue has just been given a job (`queues/busy-queues.ts` in packages/queue).
 * One connection that blocks, whatever the number of queues. A name that is lost here is found by the next look at all of them.
 */
export class Bell {
  readonly #redis: Store['redis'];
  readonly #key: string;
  readonly #stopping = new AbortController();

  constructor({ redis, keys }: Pick<Store, 'redis' | 'keys'>) {
    this.#redis = 'nodes' in redis ? redis.duplicate() : redis.duplicate({});
    this.#key = keys.bell;
  }

  /** @param rung called with the name of each queue; the next name is taken when it has come back */
  async listen(rung: (queue: string) => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const queue = await this.#next();
        if (queue !== undefined) await rung(queue);
      } catch {
        // The connection's own listener reports that Redis is away.
        await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
      }
    }
  }

  stop(): void {
    this.#stopping.abort();
    this.#redis.disconnect();
  }

  /** @throws {Error} when the bell is stopped, or its connection is away or hangs */
  async #next(): Promise<string | undefined> {
    const waiting = this.#redis.bzpopmin(this.#key, WAIT_S);
    waiting.catch(() => {});
    const late = () => {
      this.#redis.disconnect(true);
      return new Error('the connection of the bell hangs');
    };
    return (await withDeadline(waiting, WAIT_S * 1000 + GRACE_MS, late, this.#stopping.signal))?.[1];
  }
}
