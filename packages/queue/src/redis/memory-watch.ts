/**
 * Refuses new calls before Redis is full. With `noeviction` a full Redis refuses every write, also those of workers that
 * would make room; so the last tenth is left to the calls that were taken already.
 */

import { FULL_RATIO, readInfo } from './check.ts';
import type { RedisClient } from './client.ts';
import type { Keys } from './keys.ts';

/** Greatest age of what is known of Redis' memory. */
const LOOK_EVERY_MS = 250;
/** What a call takes beside its body: ledger entry, job, events. */
const OVERHEAD_BYTES = 4_000;

/** Redis has no room for the call: nothing was kept, and the sender may try again later. */
export class RedisFullError extends Error {
  override name = 'RedisFullError';
}

export class MemoryWatch {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  #looked = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #max = 0;
  #used = 0;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Part of `maxmemory` in use, from 0 to 1; 0 when there is no limit or nothing is known of it. */
  get ratio(): number {
    return this.#max > 0 ? this.#used / this.#max : 0;
  }

  /**
   * Counts the bytes of one call that is about to be kept.
   * @throws RedisFullError when there is no room for it
   */
  async claim(bytes: number): Promise<void> {
    if (performance.now() - this.#looked > LOOK_EVERY_MS) {
      this.#looking ??= this.#look()
        // A Redis that does not answer is reported when the call is to be kept.
        .catch(() => {})
        .finally(() => {
          this.#looking = undefined;
        });
      // Only the first call waits for it: calls since the last look have been counted.
      if (this.#looked === Number.NEGATIVE_INFINITY) await this.#looking;
    }
    if (this.#max > 0 && this.#used + bytes + OVERHEAD_BYTES > FULL_RATIO * this.#max) {
      // There may be room again by now.
      await this.#looking;
      if (this.#used + bytes + OVERHEAD_BYTES > FULL_RATIO * this.#max) {
        throw new RedisFullError(`Redis is over ${FULL_RATIO * 100} % of its maxmemory`);
      }
    }
    this.#used += bytes + OVERHEAD_BYTES;
  }

  async #look(): Promise<void> {
    const info = await readInfo(this.#redis, this.#keys, 'memory');
    this.#max = Number(info.maxmemory ?? 0);
    this.#used = Number(info.used_memory ?? 0);
    this.#looked = performance.now();
  }
}
