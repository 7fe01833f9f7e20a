/**
 * Leases in Redis. Taken all at once or not at all, renewed while held, free again a `ttl` after their holder died. They
 * save requests and keep two workers off one record; that an effect happens once is the unique key's doing.
 *
 * A holder that only waits yields: another may take the lease before it has ended, and the holder looks again before it acts.
 */
import { randomUUID } from 'node:crypto';
import type { Held, Lease } from '@wrapup/destination';
import { defineScript, type RedisClient } from './client.ts';
import type { Keys } from './keys.ts';

/** Comes after the owner in a lease that yields. */
const YIELDS = ':yields';

/** Lua: whether the value of a lease is this owner's, and whether another may take it. */
export const LEASE_LUA = `
local function holds(value, owner) return value == owner or value == owner .. '${YIELDS}' end
local function isFree(value) return not value or string.sub(value, -${YIELDS.length}) == '${YIELDS}' end
`;

/** KEYS leases. ARGV owner, ttl ms. Answers 1 or 0. */
const takeAll = defineScript<number>(
  'wrapupLease',
  `${LEASE_LUA}
for _, key in ipairs(KEYS) do
  if not isFree(redis.call('GET', key)) then return 0 end
end
for _, key in ipairs(KEYS) do redis.call('SET', key, ARGV[1], 'PX', ARGV[2]) end
return 1
`,
);

/** KEYS leases. ARGV owner, ttl ms, '1' to yield; ttl 0 releases. Touches only what the owner still holds. */
const renewOrRelease = defineScript<number>(
  'wrapupLeaseKeep',
  `${LEASE_LUA}
local value = ARGV[3] == '1' and ARGV[1] .. '${YIELDS}' or ARGV[1]
local held = 0
for _, key in ipairs(KEYS) do
  if holds(redis.call('GET', key), ARGV[1]) then
    held = held + 1
    if ARGV[2] == '0' then redis.call('DEL', key) else redis.call('SET', key, value, 'PX', ARGV[2]) end
  end
end
return held
`,
);

const FRESH_MS = 1_000;

/** A lease that is held: renewed until it is given back. */
export class HeldLease implements Held {
  readonly owner: string;
  readonly #redis: RedisClient;
  readonly #keys: readonly string[];
  readonly #renewal: NodeJS.Timeout;
  readonly #since = performance.now();
  #isRenewed = false;
  #isYielding = false;
  #isEnded = false;

  /** @param keys taken for this owner a moment ago @param ttl ms that each renewal holds */
  constructor(redis: RedisClient, keys: readonly string[], owner: string, ttl: number) {
    this.#redis = redis;
    this.#keys = keys;
    this.owner = owner;
    this.#renewal = setInterval(() => {
      this.#isRenewed = true;
      // A lease that could not be renewed expires; the unique keys keep the effect single.
      renewOrRelease(redis, [...keys], [owner, ttl, this.#isYielding ? '1' : '']).catch(() => {});
    }, ttl / 3);
    this.#renewal.unref();
  }

  /** Taken a moment ago: it has neither expired nor been taken away. */
  get isFresh(): boolean {
    return !this.#isRenewed && performance.now() - this.#since < FRESH_MS;
  }

  /** From the next renewal on another may take it. Its owner has to look whether it has it still before it acts. */
  yield(): void {
    this.#isYielding = true;
  }

  /** No renewal lets it be taken any more. */
  keep(): void {
    this.#isYielding = false;
  }

  /** It was given back by a step that did more. */
  ended(): void {
    this.#isEnded = true;
    clearInterval(this.#renewal);
  }

  /** Does nothing where it has ended. */
  async release(): Promise<void> {
    if (this.#isEnded) return;
    this.ended();
    await renewOrRelease(this.#redis, [...this.#keys], [this.owner, 0, '']);
  }
}

/** The lease of the process that works on a delivery. */
export function deliveryLease(source: string, callId: string, route: string): string {
  return `delivery:${source}:${callId}:${route}`;
}

export class RedisLease implements Lease {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async take(names: string[], ttl: number): Promise<Held | undefined> {
    const keys = [...new Set(names)].map((name) => this.#keys.lease(name));
    if (keys.length === 0) return { release: async () => {} };
    const owner = randomUUID();
    if ((await takeAll(this.#redis, keys, [owner, ttl])) === 0) return undefined;
    return new HeldLease(this.#redis, keys, owner, ttl);
  }
}
