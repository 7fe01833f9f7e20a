import { type Accepted, type Arrival, acceptArrivals } from './accept.ts';
import { checkRedis } from './check-redis.ts';
import { makeEncryptor } from './encryption.ts';
import { Gather } from './gather.ts';
import { CALLS_QUEUE, makeKeys } from './keys.ts';
import { MemoryWatch } from './memory-watch.ts';
import { type CallJob, openQueue } from './queues.ts';
import { openRedis } from './redis.ts';

/**
 * The producer's side of Redis, as ingress uses it. It fails fast: every promise settles within a second, also while
 * Redis is down, hung or restarting, and works again by itself when Redis is back.
 */
export interface Intake {
  /**
   * Keeps the bytes, then adds the job, and resolves only when Redis has both.
   * `duplicate`: the same id with the same bytes was accepted before. Rejects when Redis cannot take it.
   */
  accept(arrival: Arrival): Promise<Accepted>;
  /** Part of Redis' memory in use as far as known, from 0 to 1. */
  readonly memory: number;
  /** Whether Redis can take a call now, and what is wrong with its settings (eviction policy, AOF, memory). */
  ready(): Promise<{ ok: boolean; problems: string[] }>;
  close(): Promise<void>;
}

export interface IntakeOptions {
  url: string;
  /** `REDIS_CA`. */
  ca?: string;
  /** `WRAPUP_PREFIX`. */
  prefix?: string;
  /** `WRAPUP_ENCRYPTION_KEY`. */
  encryption_keys?: string;
  ledger_days?: number;
  onError(error: Error): void;
}

/** Calls that are kept by one command: few enough that Redis is back within some milliseconds. */
const TOGETHER = { most: 64, bytes: 1024 * 1024, longest: 20 };

export function openIntake({ prefix, encryption_keys, ledger_days = 90, onError, ...address }: IntakeOptions): Intake {
  const encryptor = makeEncryptor(encryption_keys);
  const redis = openRedis(address, 'producer', onError);
  const keys = makeKeys(prefix);
  const memory = new MemoryWatch(redis, keys);
  const queue = openQueue<CallJob>(CALLS_QUEUE, redis, keys);
  queue.on('error', onError);
  const gather = new Gather<Arrival, Accepted>({
    ...TOGETHER,
    sizeOf: ({ body }) => body.length,
    run: (arrivals) => acceptArrivals({ redis, keys, queue, encryptor }, arrivals, ledger_days),
  });
  return {
    async accept(arrival) {
      await memory.claim(arrival.body.length);
      return gather.add(arrival);
    },
    get memory() {
      return memory.ratio;
    },
    ready: () => checkRedis(redis, keys),
    async close() {
      await queue.close();
      redis.disconnect();
    },
  };
}
