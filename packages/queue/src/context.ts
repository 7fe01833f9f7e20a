import type { Context, Lane, Log, Memory } from '@wrapup/destination';
import { type BudgetOptions, RedisBudget } from './budget.ts';
import type { Encryptor } from './encryption.ts';
import type { Keys } from './keys.ts';
import { RedisLease } from './lease.ts';
import type { RedisClient } from './redis.ts';
import { makeSecrets } from './secrets.ts';

export interface ContextOptions {
  connection: string;
  pools?: BudgetOptions['pools'];
  /** Part of every quota that is left to other programs. */
  reserve?: number;
  lane: Lane;
  /** Takes from the budget without waiting for it: what a probe finds out is whether the CRM answers again. */
  probing?: boolean;
  /** Milliseconds from now until the whole call must have answered. */
  within: number;
  signal: AbortSignal;
  log: Log;
}

/** What a context is made on: a `Store`. */
export interface ContextBase {
  redis: RedisClient;
  keys: Keys;
  encryptor: Encryptor;
}

/** Makes what an adapter may ask for, on Redis, for one call of it. */
export function makeContext({ redis, keys, encryptor }: ContextBase, options: ContextOptions): Context {
  const { connection, pools = {}, reserve = 0, lane, within, log, probing = false } = options;
  const deadline = Date.now() + within;
  const lease = new RedisLease(redis, keys);
  return {
    signal: options.signal,
    deadline,
    lane,
    budget: new RedisBudget(redis, keys, {
      connection,
      pools,
      reserve,
      lane,
      deadline,
      probing,
      signal: options.signal,
    }),
    memory: new RedisMemory({ redis, keys, encryptor }, connection),
    // One person's lease counts per connection: the same number may be written to two CRMs at once.
    lease: {
      take: (names, ttl) =>
        lease.take(
          names.map((name) => `${connection}:${name}`),
          ttl,
        ),
    },
    secrets: makeSecrets({ redis, keys, encryptor }, connection),
    log,
  };
}

/** Encrypted like payloads: what is told of callers while the phone rings stands here too. */
class RedisMemory implements Memory {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #encryptor: Encryptor;
  readonly #connection: string;

  constructor({ redis, keys, encryptor }: ContextBase, connection: string) {
    this.#redis = redis;
    this.#keys = keys;
    this.#encryptor = encryptor;
    this.#connection = connection;
  }

  async get(key: string): Promise<string | undefined> {
    const kept = await this.#redis.getBuffer(this.#keys.memory(this.#connection, key));
    if (!kept) return undefined;
    try {
      return this.#encryptor.decrypt(kept, this.#placeOf(key)).toString();
    } catch {
      // Of another key than ours: as good as forgotten, since memory is never the truth.
      return undefined;
    }
  }

  async set(key: string, value: string, ttl: number): Promise<void> {
    const kept = this.#encryptor.encrypt(Buffer.from(value), this.#placeOf(key));
    await this.#redis.set(this.#keys.memory(this.#connection, key), kept, 'PX', ttl);
  }

  #placeOf(key: string): string {
    return `memory:${this.#connection}:${key}`;
  }

  async delete(key: string): Promise<void> {
    await this.#redis.del(this.#keys.memory(this.#connection, key));
  }
}
