/**
 * BullMQ's queues and workers over one connection that exists already. By itself each would wrap the connection anew, with
 * listeners of its own, and each worker would open a second one to block on.
 */
import { type QueueBaseOptions, QueueKeys, RedisConnection, RedisQueueBackend } from 'bullmq';
import type { RedisClient } from '../redis/client.ts';

const wrapped = new WeakMap<RedisClient, RedisConnection>();

/** Nothing waits for Redis here: each command fails or waits as its connection is set up. */
function wrap(redis: RedisClient): RedisConnection {
  let connection = wrapped.get(redis);
  if (!connection) {
    connection = new RedisConnection(redis as never, {
      ...{ shared: true, blocking: false },
      ...{ skipVersionCheck: true, skipWaitingForReady: true },
    });
    // The connection's owner has a listener of its own.
    connection.on('error', () => {});
    wrapped.set(redis, connection);
  }
  return connection;
}

type BackendParts = ConstructorParameters<typeof RedisQueueBackend>;

function partsOf(name: string, opts: QueueBaseOptions): BackendParts {
  const { prefix } = opts as { prefix?: string };
  const keys = new QueueKeys(prefix);
  const connection = wrap(opts.connection as RedisClient);
  return [connection, name, keys.getKeys(name), (type) => keys.toKey(name, type), opts, undefined, false];
}

/** A `backendFactory` of BullMQ for queues; `connection` of the options is a client. */
export function sharedBackend(name: string, opts: QueueBaseOptions): RedisQueueBackend {
  return new RedisQueueBackend(...partsOf(name, opts));
}

/**
 * What a BullMQ worker waits on for its next job: instead of a connection that blocks, a call of `ring`, or the time that the
 * worker gives.
 */
export class RungBackend extends RedisQueueBackend {
  #end: ((score: number | undefined) => void) | undefined;
  #wasRung = false;

  constructor(name: string, opts: QueueBaseOptions) {
    super(...partsOf(name, opts));
  }

  /** Whether the worker waits, having found nothing to take. */
  get isWaiting(): boolean {
    return this.#end !== undefined;
  }

  /** Lets the worker look for a job: now, or as soon as it would wait. */
  ring(): void {
    if (this.#end) this.#end(0);
    else this.#wasRung = true;
  }

  /** @param timeout in seconds, as BullMQ gives it @returns as a marker of BullMQ: when to look for a job (epoch ms), 0 for now */
  override waitForJob(timeout: number): Promise<{ member: string; score: number } | null> {
    if (this.#wasRung) {
      this.#wasRung = false;
      return Promise.resolve({ member: '0', score: 0 });
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#end?.(undefined), timeout * 1000);
      this.#end = (score) => {
        this.#end = undefined;
        clearTimeout(timer);
        resolve(score === undefined ? null : { member: '0', score });
      };
    });
  }

  /** Called when the worker closes: it must not take another job. */
  override async disconnectBlocking(): Promise<void> {
    this.#end?.(Number.POSITIVE_INFINITY);
  }

  override async reconnectBlocking(): Promise<void> {}
}
