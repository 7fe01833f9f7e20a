import type { Keys, RedisClient } from '@wrapup/queue';
import { type CallCounts, parseStored } from './counts.ts';
import type { TimeWindow } from './enqueue-missing.ts';

/** How far one backfill has come with one agent. */
export interface Checkpoint extends TimeWindow {
  /** Epoch ms: everything from `from` to here has been compared. */
  until: number;
  counts: CallCounts;
}

/** Seconds after which an interrupted backfill starts afresh. */
const CHECKPOINT_TTL_S = 7 * 24 * 3600;

/** How far backfills of a source have come, per agent; one hash for each kind of backfill. */
export class Checkpoints {
  readonly #redis: RedisClient;
  readonly #key: string;

  constructor({ redis, keys }: { redis: RedisClient; keys: Keys }, source: string, kind: 'calls' | 'logs') {
    this.#redis = redis;
    this.#key = keys.backfilled(source, kind);
  }

  /**
   * Returns where a backfill of this span resumes. A span given as "the last 30 days" begins a little later each time,
   * and still counts as the same one.
   */
  async read(name: string, { from, to }: TimeWindow): Promise<Checkpoint | undefined> {
    const text = await this.#redis.hget(this.#key, name);
    if (text === null) return undefined;
    const checkpoint = parseStored<Checkpoint>(text);
    return checkpoint.from <= from && from < checkpoint.until && checkpoint.until <= to ? checkpoint : undefined;
  }

  async write(name: string, checkpoint: Checkpoint): Promise<void> {
    await this.#redis.hset(this.#key, name, JSON.stringify(checkpoint));
    await this.#redis.expire(this.#key, CHECKPOINT_TTL_S);
  }

  async forget(names: string[]): Promise<void> {
    if (names.length > 0) await this.#redis.hdel(this.#key, ...names);
  }
}
