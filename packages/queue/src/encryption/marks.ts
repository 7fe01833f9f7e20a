import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';

/**
 * What has been done, once and for good, to the data of an installation that earlier versions wrote. A new installation
 * has all of it from the start (`index-key.ts`).
 *
 * `names_moved` no memory stands under a name with an unkeyed digest any more · `calls_indexed` every call in the ledger
 * is in the index of people · `encrypted` every value that is to be encrypted is, and others are refused.
 */
type Mark = 'names_moved' | 'calls_indexed' | 'encrypted';

export class Marks {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #known = new Map<Mark, number>();

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Epoch ms at which it was set; undefined before. A mark that was seen is never asked for again. */
  async at(mark: Mark): Promise<number | undefined> {
    const known = this.#known.get(mark);
    if (known !== undefined) return known;
    const found = await this.#redis.hget(this.#keys.installation, mark);
    if (found === null) return undefined;
    this.#known.set(mark, Number(found));
    return Number(found);
  }

  /** The first time stays. */
  async set(mark: Mark): Promise<void> {
    await this.#redis.hsetnx(this.#keys.installation, mark, Date.now());
  }
}
