import type { Keys, RedisClient } from '@wrapup/queue';
import type { Window } from './bring-in.ts';
import type { Tally } from './tally.ts';

/** How far one backfill has come with one agent. */
export interface Mark extends Window {
  /** Epoch ms: everything from `from` to here has been looked at. */
  until: number;
  tally: Tally;
}

/** Seconds after which an interrupted backfill begins anew. */
const KEPT = 7 * 24 * 3600;

/** How far backfills of a source have come, per agent; one hash for each kind of backfill. */
export class Marks {
  readonly #redis: RedisClient;
  readonly #key: string;

  constructor({ redis, keys }: { redis: RedisClient; keys: Keys }, source: string, kind: 'calls' | 'logs') {
    this.#redis = redis;
    this.#key = keys.backfilled(source, kind);
  }

  /**
   * Where a backfill of this span can go on. A span said as "the last 30 days" begins a little later each time it is
   * said: that is still the same one.
   */
  async read(name: string, { from, to }: Window): Promise<Mark | undefined> {
    const text = await this.#redis.hget(this.#key, name);
    if (text === null) return undefined;
    const mark = JSON.parse(text) as Mark;
    return mark.from <= from && from < mark.until && mark.until <= to ? mark : undefined;
  }

  async write(name: string, mark: Mark): Promise<void> {
    await this.#redis.hset(this.#key, name, JSON.stringify(mark));
    await this.#redis.expire(this.#key, KEPT);
  }

  async forget(names: string[]): Promise<void> {
    if (names.length > 0) await this.#redis.hdel(this.#key, ...names);
  }
}
