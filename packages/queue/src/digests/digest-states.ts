/**
 * What became of digests, in the hash `{wrapup}:digests`: under `since:<name>` when one was first seen, so that nothing is sent
 * of before it was configured, and under its full name what became of the last one.
 */
import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { type DigestTimes, nextDue } from './digest-period.ts';

/** The digest of one period, on its way or at its end. */
export interface DigestState {
  /** `2026-W48`. */
  period: string;
  /** `retrying`: it was not taken, and is sent again; `failed`: not any more. */
  state: 'sent' | 'retrying' | 'failed';
  /** Epoch ms of the last attempt. */
  at: number;
  attempts: number;
  /** Why the last attempt failed. */
  code?: string;
  reason?: string;
}

/** When a digest goes out next, epoch ms, and what became of the last one; absent where none was due yet. */
export interface DigestReport {
  next: number;
  last?: DigestState;
}

const SINCE = 'since:';

/** Full name of the digest that a field of the hash is about. */
export function subjectOf(field: string): string {
  return field.replace(SINCE, '');
}

export class DigestStates {
  readonly #redis: RedisClient;
  readonly #key: string;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#key = keys.digests;
  }

  /** Undefined where none was due yet. @param digest full name */
  async read(digest: string): Promise<DigestState | undefined> {
    const json = await this.#redis.hget(this.#key, digest);
    return json ? (JSON.parse(json) as DigestState) : undefined;
  }

  async report({ name, ...times }: DigestTimes & { name: string }, now = Date.now()): Promise<DigestReport> {
    const last = await this.read(name);
    return { next: nextDue(times, now), ...(last ? { last } : {}) };
  }

  async note(digest: string, state: DigestState): Promise<void> {
    await this.#redis.hset(this.#key, digest, JSON.stringify(state));
  }

  /** When it was first seen, epoch ms: now, where it never was. */
  async knownSince(digest: string, now: number): Promise<number> {
    const key = `${SINCE}${digest}`;
    if (await this.#redis.hsetnx(this.#key, key, now)) return now;
    return Number(await this.#redis.hget(this.#key, key));
  }
}
