/**
 * What is remembered of reconciliation, per source, in one hash:
 *
 *   agent:<id>  up to when the agent's calls have been compared, and what the last look came to
 *   running     a run that has begun; still there after it was killed, and the next one goes on with it
 *   last        the last run that ended
 */
import type { Keys, RedisClient } from '@wrapup/queue';
import type { Tally } from './tally.ts';

/** `complete`: every agent was looked at · `partial`: some could not be · `failed`: Synthflow could not be asked. */
export type RunResult = 'complete' | 'partial' | 'failed';

export interface Trouble {
  /** Absent when it is about the source as a whole. */
  agent?: string;
  call_id?: string;
  code: string;
  message: string;
  hint?: string;
}

export interface Run {
  source: string;
  /** Who asked for it. */
  by: 'schedule' | 'command';
  /** Epoch ms. */
  began: number;
  ended: number;
  result: RunResult;
  agents: number;
  tally: Tally;
  /** At most ten. */
  troubles: Trouble[];
  /** It went on with a run that had been killed. */
  resumed: boolean;
}

/** A run under way. */
export interface Running {
  began: number;
  by: Run['by'];
}

export interface AgentMark {
  /** Epoch ms: calls that ended before have been compared. */
  until: number;
  /** Epoch ms at which that was done. */
  at: number;
  tally: Tally;
}

/** Seconds without any run after which all of this is forgotten. */
const KEPT = 90 * 24 * 3600;

export class Runs {
  readonly #redis: RedisClient;
  readonly #key: string;

  constructor({ redis, keys }: { redis: RedisClient; keys: Keys }, source: string) {
    this.#redis = redis;
    this.#key = keys.reconciled(source);
  }

  async mark(agent: string): Promise<AgentMark | undefined> {
    return this.#read(`agent:${agent}`);
  }

  async setMark(agent: string, mark: AgentMark): Promise<void> {
    await this.#redis.hset(this.#key, `agent:${agent}`, JSON.stringify(mark));
  }

  async running(): Promise<Running | undefined> {
    return this.#read('running');
  }

  async begin(running: Running): Promise<void> {
    await this.#redis.hset(this.#key, 'running', JSON.stringify(running));
    await this.#redis.expire(this.#key, KEPT);
  }

  async end(run: Run): Promise<void> {
    await this.#redis.hset(this.#key, 'last', JSON.stringify(run));
    await this.#redis.hdel(this.#key, 'running');
  }

  async last(): Promise<Run | undefined> {
    return this.#read('last');
  }

  async #read<Value>(field: string): Promise<Value | undefined> {
    const text = await this.#redis.hget(this.#key, field);
    return text === null ? undefined : (JSON.parse(text) as Value);
  }
}
