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
  readonly #stopping = Promise.withResolvers<undefined>();
  #isStopped = false;

  constructor({ redis, keys }: Pick<Store, 'redis' | 'keys'>) {
    this.#redis = 'nodes' in redis ? redis.duplicate() : redis.duplicate({});
    this.#key = keys.bell;
  }

  /** @param rung called with the name of each queue; the next name is taken when it has come back */
  async listen(rung: (queue: string) => Promise<void>): Promise<void> {
    while (!this.#isStopped) {
      try {
        const queue = await this.#next();
        if (queue !== undefined) await rung(queue);
      } catch {
        // The connection's own listener reports that Redis is away.
        await this.#pause(RETRY_MS);
      }
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopping.resolve(undefined);
    this.#redis.disconnect();
  }

  async #next(): Promise<string | undefined> {
    const waiting = this.#redis.bzpopmin(this.#key, WAIT_S);
    waiting.catch(() => {});
    const late = Symbol('late');
    const { promise: deadline, resolve } = Promise.withResolvers<typeof late>();
    const timer = setTimeout(() => resolve(late), WAIT_S * 1000 + GRACE_MS);
    try {
      const answer = await Promise.race([waiting, deadline, this.#stopping.promise]);
      if (answer === late) this.#redis.disconnect(true);
      return Array.isArray(answer) ? answer[1] : undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => resolve(undefined), ms);
    await Promise.race([promise, this.#stopping.promise]);
    clearTimeout(timer);
  }
}
