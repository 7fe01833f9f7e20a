/**
 * The state of reconciliation, per source, in one hash:
 *
 *   agent:<id>  checkpoint: up to when the agent's calls have been compared, and what the last comparison found
 *   running     a run that has begun; it stays after a kill, and the next run resumes it
 *   last        the last run that ended
 *   complete    when a run last compared every agent: epoch ms
 *   first       when the first run began: epoch ms
 */
import type { Keys, RedisClient } from '@wrapup/queue';
import { type CallCounts, parseStored } from './counts.ts';
import type { TimeWindow } from './find-missing.ts';

/** `complete`: every agent was compared · `partial`: some could not be · `failed`: Synthflow's API did not answer. */
export type RunResult = 'complete' | 'partial' | 'failed';

export interface RunProblem {
  /** Absent when it is about the source as a whole. */
  agent?: string;
  call_id?: string;
  code: string;
  message: string;
  hint?: string;
}

export interface ReconcileRun {
  source: string;
  /** What started it. */
  by: 'schedule' | 'command';
  /** Epoch ms. */
  began: number;
  ended: number;
  result: RunResult;
  agents: number;
  counts: CallCounts;
  /** At most ten. */
  troubles: RunProblem[];
  /** It resumed a run that had been killed. */
  resumed: boolean;
}

/** A run under way. */
export interface RunInProgress {
  began: number;
  by: ReconcileRun['by'];
}

export interface AgentCheckpoint {
  /** Epoch ms: calls that ended before have been compared. */
  until: number;
  /** Epoch ms at which that was done. */
  at: number;
  counts: CallCounts;
}

/** Seconds without a run after which the state expires. */
const STATE_TTL_S = 90 * 24 * 3600;

export class RunStore {
  readonly #redis: RedisClient;
  readonly #key: string;

  constructor({ redis, keys }: { redis: RedisClient; keys: Keys }, source: string) {
    this.#redis = redis;
    this.#key = keys.reconciled(source);
  }

  async checkpoint(agent: string): Promise<AgentCheckpoint | undefined> {
    return this.#read(`agent:${agent}`);
  }

  async setCheckpoint(agent: string, checkpoint: AgentCheckpoint): Promise<void> {
    await this.#redis.hset(this.#key, `agent:${agent}`, JSON.stringify(checkpoint));
  }

  async running(): Promise<RunInProgress | undefined> {
    return this.#read('running');
  }

  async begin(running: RunInProgress): Promise<void> {
    await this.#redis.hset(this.#key, 'running', JSON.stringify(running));
    await this.#redis.hsetnx(this.#key, 'first', running.began);
    await this.#redis.expire(this.#key, STATE_TTL_S);
  }

  async end(run: ReconcileRun): Promise<void> {
    await this.#redis.hset(this.#key, {
      last: JSON.stringify(run),
      ...(run.result === 'complete' && { complete: run.ended }),
    });
    await this.#redis.hdel(this.#key, 'running');
  }

  async last(): Promise<ReconcileRun | undefined> {
    return this.#read('last');
  }

  /** Epoch ms at which a run last compared every agent; until one has, at which the first began; undefined before that. */
  async completeSince(): Promise<number | undefined> {
    const [text, complete, first] = await this.#redis.hmget(this.#key, 'last', 'complete', 'first');
    const last = text ? parseStored<ReconcileRun>(text) : undefined;
    // A process of an earlier version notes no more than the last run.
    if (last?.result === 'complete') return last.ended;
    const known = complete ?? first ?? last?.began;
    return known == null ? undefined : Number(known);
  }

  async #read<Value>(field: string): Promise<Value | undefined> {
    const text = await this.#redis.hget(this.#key, field);
    return text === null ? undefined : parseStored<Value>(text);
  }
}

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
