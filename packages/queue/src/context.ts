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
import { type Sealer, sealedWith } from './seal.ts';

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
  sealer: Sealer;
}

/** Makes what an adapter may ask for, on Redis, for one call of it. */
export function makeContext({ redis, keys, sealer }: ContextBase, options: ContextOptions): Context {
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
    memory: new RedisMemory({ redis, keys, sealer }, connection),
    // One person's lease counts per connection: the same number may be written to two CRMs at once.
    lease: {
      take: (names, ttl) =>
        lease.take(
          names.map((name) => `${connection}:${name}`),
          ttl,
        ),
    },
    secrets: new RedisSecrets({ redis, keys, sealer }, connection),
    log,
  };
}

/** Encrypted like payloads: what is told of callers while the phone rings stands here too. */
class RedisMemory implements Memory {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #sealer: Sealer;
  readonly #connection: string;

  constructor({ redis, keys, sealer }: ContextBase, connection: string) {
    this.#redis = redis;
    this.#keys = keys;
    this.#sealer = sealer;
    this.#connection = connection;
  }

  async get(key: string): Promise<string | undefined> {
    const kept = await this.#redis.getBuffer(this.#keys.memory(this.#connection, key));
    if (!kept) return undefined;
    try {
      return this.#sealer.open(kept, this.#placeOf(key)).toString();
    } catch {
      // Of another key than ours: as good as forgotten, since memory is never the truth.
      return undefined;
    }
  }

  async set(key: string, value: string, ttl: number): Promise<void> {
    const kept = this.#sealer.seal(Buffer.from(value), this.#placeOf(key));
    await this.#redis.set(this.#keys.memory(this.#connection, key), kept, 'PX', ttl);
  }

  #placeOf(key: string): string {
    return `memory:${this.#connection}:${key}`;
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
  readonly #sealer: Sealer;

  constructor({ redis, keys, sealer }: ContextBase, connection: string) {
    this.#redis = redis;
    this.#keys = keys;
    this.#sealer = sealer;
    this.#connection = connection;
    this.#lease = new RedisLease(redis, keys);
  }

  get encrypted(): boolean {
    return this.#sealer.on;
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
          await this.keep(name, fresh);
          return fresh.value;
        } finally {
          await held.release();
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Failure('timeout', `Nobody could refresh the secret ${name} of connection ${this.#connection} in time.`);
  }

  async read(name: string): Promise<string | undefined> {
    return (await this.#read(name))?.value;
  }

  async keep(name: string, secret: Secret): Promise<void> {
    const ttl = Math.max(1, Math.round(secret.expires_at - Date.now()));
    const kept = this.#sealer.seal(Buffer.from(JSON.stringify(secret)), this.#placeOf(name));
    await this.#redis.set(this.#keys.secret(this.#connection, name), kept, 'PX', ttl);
  }

  async drop(name: string): Promise<void> {
    await this.#redis.del(this.#keys.secret(this.#connection, name));
  }

  async #read(name: string): Promise<Secret | undefined> {
    const kept = await this.#redis.getBuffer(this.#keys.secret(this.#connection, name));
    if (!kept) return undefined;
    const secret = JSON.parse(this.#sealer.open(kept, this.#placeOf(name)).toString()) as Secret;
    // So that a key which is rotated out seals nothing any more, however long the secret lives.
    if (sealedWith(kept) !== this.#sealer.key) await this.keep(name, secret);
    return secret;
  }

  #placeOf(name: string): string {
    return `secret:${this.#connection}:${name}`;
  }
}
