import type { Failure, WriteOutcome } from '@wrapup/destination';
import { type AuditedOperator, writeAudit } from '../audit/audit-entry.ts';
import { type DailyQuota, readDailyQuota } from '../context/daily-quota.ts';
import type { Queues } from '../queues/queues.ts';
import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import {
  CAUSE_TABLE,
  type CircuitPause,
  type ConnectionState,
  causeOf,
  isPaused,
  judgeOutcomes,
  MAX_OUTAGES,
  type PauseCause,
} from './connection-circuit.ts';
import * as scripts from './scripts.ts';

/** A connection as operators see it. */
export interface ConnectionReport extends ConnectionState {
  /** Deliveries: ready, in hand, delayed, failed and not yet in `dead`. */
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
  /** Absent where the CRM says nothing of one. */
  daily?: DailyQuota;
}

/** A pause that began, continued after a trial, or ended. */
export interface CircuitChange {
  became: 'opened' | 'reopened' | 'closed';
  pause: CircuitPause;
}

/** For one probe, before another process may try. */
const PROBE_MS = 40_000;

/**
 * Pauses of connections (`state.ts`). The state leads; whether BullMQ's queue is paused follows from it, and any process
 * that finds a difference corrects the queue.
 */
export class Connections {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #queues: Queues;

  constructor(redis: RedisClient, keys: Keys, queues: Queues) {
    this.#redis = redis;
    this.#keys = keys;
    this.#queues = queues;
  }

  async read(connection: string): Promise<ConnectionState> {
    return parseState(connection, await this.#redis.hgetall(this.#keys.connection(connection)));
  }

  async readAll(connections: Iterable<string>): Promise<ConnectionState[]> {
    return Promise.all([...connections].map((connection) => this.read(connection)));
  }

  /**
   * Which states have changed.
   * @param version as an earlier call gave it; 0 for all that ever changed
   */
  async readChanges(version: number): Promise<{ version: number; connections: string[] }> {
    const [now, connections] = await scripts.readChanges(this.#redis, [this.#keys.connectionChanges], [version]);
    return { version: now, connections };
  }

  /** With what waits for it, and how far its daily quota reaches. */
  async report(connection: string): Promise<ConnectionReport> {
    const [state, counts, daily] = await Promise.all([
      this.read(connection),
      this.#queues.deliveries(connection).getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed'),
      readDailyQuota(this.#redis, this.#keys, connection),
    ]);
    const { waiting = 0, prioritized = 0, active = 0, delayed = 0, failed = 0 } = counts;
    return { ...state, waiting: waiting + prioritized, active, delayed, failed, ...(daily ? { daily } : {}) };
  }

  /** Notes what a batch said of its connection, and stops the queue where that opens the circuit. */
  async note(connection: string, outcomes: readonly WriteOutcome[]): Promise<CircuitChange | undefined> {
    const verdict = judgeOutcomes(outcomes);
    if (verdict.says === 'nothing') return undefined;
    const failed = verdict.says === 'answered' ? undefined : verdict;
    const cause: PauseCause = failed?.says === 'broken' ? failed.cause : 'outage';
    const { first, longest } = CAUSE_TABLE[cause];
    const [became, pause] = await scripts.noteAnswer(this.#redis, this.#keysOf(connection), [
      Date.now(),
      verdict.says,
      failed ? describe(cause, failed.failure) : '',
      first,
      longest,
      MAX_OUTAGES,
      connection,
    ]);
    if (became === undefined) return undefined;
    await this.syncQueuePause(connection);
    return { became, pause: JSON.parse(pause as string) as CircuitPause };
  }

  /** Takes the right to probe, which one process has at a time. Undefined when no probe is due. */
  async claimProbe(connection: string): Promise<CircuitPause | undefined> {
    const text = await scripts.claimProbe(this.#redis, [this.#keys.connection(connection)], [Date.now(), PROBE_MS]);
    return text ? (JSON.parse(text) as CircuitPause) : undefined;
  }

  /**
   * Notes how a probe ended: answered, the queue goes on; failed, the next one comes later.
   * @param failure what it failed with, when it did
   */
  async endProbe(connection: string, pause: CircuitPause, failure?: Failure): Promise<void> {
    const cause = failure ? (causeOf(failure) ?? pause.cause) : pause.cause;
    const { first, longest } = CAUSE_TABLE[cause];
    await scripts.endProbe(this.#redis, this.#keysOf(connection), [
      Date.now(),
      failure ? describe(cause, failure) : '',
      first,
      longest,
      connection,
    ]);
    await this.syncQueuePause(connection);
  }

  /** Ends a trial that began before (epoch ms) and in which nothing failed. */
  async endTrial(connection: string, before: number): Promise<CircuitChange | undefined> {
    const text = await scripts.endTrial(this.#redis, this.#keysOf(connection), [before, connection]);
    return text ? { became: 'closed', pause: JSON.parse(text) as CircuitPause } : undefined;
  }

  /** Makes a probe due now, for when the cause of a pause may be gone. False when its circuit is not open. */
  async probeNow(connection: string): Promise<boolean> {
    return (await scripts.probeNow(this.#redis, this.#keysOf(connection), [Date.now(), connection])) === 1;
  }

  /**
   * Pauses it for an operator; a batch on its way to the CRM is still written, and what waits for its batch goes back. An
   * earlier pause keeps its beginning, reason and operator.
   * @param by who does it
   */
  async pause(connection: string, reason?: string, by?: AuditedOperator): Promise<ConnectionState> {
    const text = JSON.stringify({ since: Date.now(), ...(reason && { reason }), ...(by && { by: by.name }) });
    const audit = writeAudit(by, { action: 'pause', connection, ...(reason && { reason }) });
    await scripts.setOperatorPause(this.#redis, this.#pauseKeys(connection), [text, '', audit, connection]);
    return this.syncQueuePause(connection);
  }

  /** Ends an operator's pause. A pause of the circuit stays, and is probed at once. @param by as for `pause` */
  async resume(connection: string, by?: AuditedOperator): Promise<ConnectionState> {
    const note = by === undefined ? '' : JSON.stringify({ at: Date.now(), by: by.name });
    const audit = writeAudit(by, { action: 'resume', connection });
    await scripts.setOperatorPause(this.#redis, this.#pauseKeys(connection), ['', note, audit, connection]);
    await this.probeNow(connection);
    return this.syncQueuePause(connection);
  }

  #pauseKeys(connection: string): string[] {
    return [...this.#keysOf(connection), this.#keys.audit];
  }

  #keysOf(connection: string): string[] {
    return [this.#keys.connection(connection), this.#keys.connectionChanges];
  }

  /** Pauses or resumes BullMQ's queue as the state says, also when the state changes meanwhile. */
  async syncQueuePause(connection: string): Promise<ConnectionState> {
    const queue = this.#queues.deliveries(connection);
    let state = await this.read(connection);
    // Each round follows a change that another process made during the one before.
    for (let round = 0; round < 5; round += 1) {
      const wanted = isPaused(state);
      if ((await queue.isPaused()) !== wanted) await (wanted ? queue.pause() : queue.resume());
      state = await this.read(connection);
      if (isPaused(state) === wanted) break;
    }
    return state;
  }
}

function describe(cause: PauseCause, { code, message, hint }: Failure): string {
  return JSON.stringify({ cause, code, reason: message, ...(hint ? { hint } : {}) });
}

function parseState(connection: string, hash: Record<string, string>): ConnectionState {
  const pause = hash.circuit ?? hash.trial;
  return {
    connection,
    circuit: hash.circuit ? 'open' : hash.trial ? 'trial' : 'closed',
    ...(pause ? { pause: JSON.parse(pause) as CircuitPause } : {}),
    ...(hash.operator ? { operator: JSON.parse(hash.operator) } : {}),
    ...(hash.resumed ? { resumed: JSON.parse(hash.resumed) } : {}),
  };
}
