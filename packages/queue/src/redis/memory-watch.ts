/**
 * Keeps new calls out before Redis is full. With `noeviction` a full Redis refuses every write, also those of workers
 * that would make room; so what comes in is refused first, and the last tenth is left to the calls already taken.
 */

import { FULL_RATIO, readInfo } from './check.ts';
import type { RedisClient } from './client.ts';
import type { Keys } from './keys.ts';

/** How old what is known of Redis' memory may be, in ms. */
const LOOK_EVERY = 250;
/** What a call of so many bytes costs beside them, in bytes: ledger entry, job, events. */
const BESIDES = 4_000;

/** Refused because Redis has no room for it: nothing was kept, and the sender shall come again. */
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
   * @throws RedisFullError when it would take room that is not its own
   */
  async claim(bytes: number): Promise<void> {
    if (performance.now() - this.#looked > LOOK_EVERY) {
      this.#looking ??= this.#look()
        // Whoever keeps the call will find out that Redis does not answer, and say so.
        .catch(() => {})
        .finally(() => {
          this.#looking = undefined;
        });
      // Nobody waits for it but the first: what came since the last look has been counted.
      if (this.#looked === Number.NEGATIVE_INFINITY) await this.#looking;
    }
    if (this.#max > 0 && this.#used + bytes + BESIDES > FULL_RATIO * this.#max) {
      // It may have room again by now.
      await this.#looking;
      if (this.#used + bytes + BESIDES > FULL_RATIO * this.#max) {
        throw new RedisFullError(`Redis is over ${FULL_RATIO * 100} % of its maxmemory`);
      }
    }
    this.#used += bytes + BESIDES;
  }

  async #look(): Promise<void> {
    const info = await readInfo(this.#redis, this.#keys, 'memory');
    this.#max = Number(info.maxmemory ?? 0);
    this.#used = Number(info.used_memory ?? 0);
    this.#looked = performance.now();
  }
}
