import {
  type Context,
  Failure,
  type Lane,
  type Log,
  type Memory,
  type Secret,
  type Secrets,
} from '@wrapup/destination';
import { type BudgetOptions, RedisBudget } from './budget.ts';
import type { Keys } from './keys.ts';
import { RedisLease } from './lease.ts';
import type { RedisClient } from './redis.ts';

export interface ContextOptions {
  connection: string;
  pools?: BudgetOptions['pools'];
  lane: Lane;
  /** Milliseconds from now until the whole call must have answered. */
  within: number;
  signal: AbortSignal;
  log: Log;
}

/** Makes what an adapter may ask for, on Redis, for one call of it. */
export function makeContext(redis: RedisClient, keys: Keys, options: ContextOptions): Context {
  const { connection, pools = {}, lane, within, log } = options;
  const deadline = Date.now() + within;
  const lease = new RedisLease(redis, keys);
  return {
    signal: options.signal,
    deadline,
    lane,
    budget: new RedisBudget(redis, keys, { connection, pools, lane, deadline, signal: options.signal }),
    memory: new RedisMemory(redis, keys, connection),
    // One person's lease counts per connection: the same number may be written to two CRMs at once.
    lease: {
      take: (names, ttl) =>
        lease.take(
          names.map((name) => `${connection}:${name}`),
          ttl,
        ),
    },
    secrets: new RedisSecrets(redis, keys, connection),
    log,
  };
}

class RedisMemory implements Memory {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #connection: string;

  constructor(redis: RedisClient, keys: Keys, connection: string) {
    this.#redis = redis;
    this.#keys = keys;
    this.#connection = connection;
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#redis.get(this.#keys.memory(this.#connection, key))) ?? undefined;
  }

  async set(key: string, value: string, ttl: number): Promise<void> {
    await this.#redis.set(this.#keys.memory(this.#connection, key), value, 'PX', ttl);
  }

  async delete(key: string): Promise<void> {
    await this.#redis.del(this.#keys.memory(this.#connection, key));
  }
}

/** A secret is renewed this long before its end. */
const EARLY = 60_000;
/** How long one process may take to refresh while the others wait. */
const REFRESH = 20_000;

class RedisSecrets implements Secrets {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #connection: string;
  readonly #lease: RedisLease;

  constructor(redis: RedisClient, keys: Keys, connection: string) {
    this.#redis = redis;
    this.#keys = keys;
    this.#connection = connection;
    this.#lease = new RedisLease(redis, keys);
  }

  async get(name: string, refresh: () => Promise<Secret>): Promise<string> {
    const until = Date.now() + REFRESH;
    while (Date.now() < until) {
      const known = await this.#read(name);
      if (known && known.expires_at - EARLY > Date.now()) return known.value;
      const held = await this.#lease.take([`secret:${this.#connection}:${name}`], REFRESH);
      if (held) {
        try {
          const fresh = await refresh();
          const ttl = Math.max(1, fresh.expires_at - Date.now());
          await this.#redis.set(this.#keys.secret(this.#connection, name), JSON.stringify(fresh), 'PX', ttl);
          return fresh.value;
        } finally {
          await held.release();
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Failure('timeout', `Nobody could refresh the secret ${name} of connection ${this.#connection} in time.`);
  }

  async drop(name: string): Promise<void> {
    await this.#redis.del(this.#keys.secret(this.#connection, name));
  }

  async #read(name: string): Promise<Secret | undefined> {
    const text = await this.#redis.get(this.#keys.secret(this.#connection, name));
    return text ? (JSON.parse(text) as Secret) : undefined;
  }
}
