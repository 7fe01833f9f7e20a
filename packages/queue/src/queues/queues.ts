import type { ConnectionOptions, JobsOptions } from 'bullmq';
import { Queue } from 'bullmq';
import { type RedisClient, scanKeys } from '../redis/client.ts';
import { callsQueue, connectionOf, DEAD_QUEUE, deliveriesQueue, type Keys, PARKED_QUEUE } from '../redis/keys.ts';
import { type AtomicStep, enqueueAtomically, JOB_ONLY, type NewJob } from './atomic-enqueue.ts';
import { type QueueState, readBusyQueues, readPausedQueues } from './busy-queues.ts';
import { sharedBackend } from './shared-connection.ts';

/** Job of a queue for calls: ids only. */
export interface CallJob {
  source: string;
  call_id: string;
  revision: string;
  /** Of a replay: hash of the configuration where it was asked for. */
  config?: string;
}

/** In place of a revision: marks the job for what came beyond the limits of one call. */
export const BEYOND_LIMIT = 'beyond-limit';

/** Job of a queue `deliveries.<connection>`: ids only. */
export interface DeliveryJob extends CallJob {
  route: string;
  replays: number;
}

/** Job of `parked` and `dead`: ids and why; no worker takes it, an operator does. */
export interface UnresolvedJob {
  source: string;
  call_id: string;
  /** Absent when the call was stopped before its routes. */
  route?: string;
  connection?: string;
  code: string;
  reason: string;
  hint?: string;
  attempts: number;
  /** Epoch ms. */
  since: number;
}

/** Attempts to read and route a call before it is dead. */
export const MAX_CALL_ATTEMPTS = 10;

/** Member of the set of connections that says that all are in it; no connection can have the name. */
const ALL_NOTED = '*';

/** `backoff: custom` hands the wait to the worker's strategy: capped, with full jitter. */
const JOB: JobsOptions = {
  backoff: { type: 'custom' },
  // Kept for a while so that Bull Board shows what was done; correctness never depends on it.
  removeOnComplete: { age: 3600, count: 100 },
  // The failed set is the durable source of dead deliveries: only the sweep takes from it.
  removeOnFail: false,
  stackTraceLimit: 3,
};

/** Opens a queue. Nothing waits for Redis here: each command fails or waits as its connection is set up. */
function openQueue(name: string, redis: RedisClient, keys: Keys): Queue {
  const options = {
    connection: redis as ConnectionOptions,
    prefix: keys.prefix,
    streams: { events: { maxLen: 1000 } },
    defaultJobOptions: JOB,
  };
  return new Queue(name, options, sharedBackend);
}

/** The queues of an installation, each opened once and on demand. */
export class Queues {
  readonly #open = new Map<string, Queue>();
  readonly #noted = new Set<string>();
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #onError: (error: Error) => void;
  #take: ((queue: string) => (() => void) | undefined) | undefined;

  constructor(redis: RedisClient, keys: Keys, onError: (error: Error) => void) {
    this.#redis = redis;
    this.#keys = keys;
    this.#onError = onError;
  }

  get<Job>(name: string): Queue<Job> {
    const connection = connectionOf(name);
    if (connection) this.#note(connection);
    let queue = this.#open.get(name);
    if (!queue) {
      queue = openQueue(name, this.#redis, this.#keys);
      queue.on('error', this.#onError);
      this.#open.set(name, queue);
    }
    return queue as Queue<Job>;
  }

  /** For the calls of a source. */
  calls(source: string): Queue<CallJob> {
    return this.get(callsQueue(source));
  }

  deliveries(connection: string): Queue<DeliveryJob> {
    return this.get(deliveriesQueue(connection));
  }

  /** Adds a job to a queue of calls or deliveries. Harmless when it is there already. */
  async add(queue: Queue, job: NewJob<CallJob>): Promise<void> {
    await this.addWith(JOB_ONLY, { keys: [], args: [] }, [{ queue, job }]);
  }

  /**
   * Runs a step, and adds in the same one the jobs that it wants. Harmless for those that are there already.
   * @param jobs one at least, of one priority, to queues of calls or deliveries
   * @returns what the step answered
   */
  async addWith(
    step: AtomicStep,
    call: { keys: string[]; args: (string | number | Buffer)[] },
    jobs: readonly { queue: Queue; job: NewJob<CallJob> }[],
  ): Promise<string> {
    const takes = jobs.map(({ queue }) => this.#take?.(queue.name));
    const parts = { redis: this.#redis, keys: this.#keys };
    const added = jobs.map((one, index) => ({ ...one, isQuiet: takes[index] !== undefined }));
    const [answer] = await enqueueAtomically(parts, step, [{ ...call, jobs: added }]);
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error('Redis gave no answer');
    for (const take of takes) take?.();
    return answer;
  }

  /**
   * Lets this process take what it adds itself, without waking others.
   * @param take of a queue whose jobs this process takes now: a function to call once the job is added
   */
  takeOwn(take: (queue: string) => (() => void) | undefined): void {
    this.#take = take;
  }

  /** Those with unfinished jobs, of all queues for calls and deliveries, or of the named ones. */
  read(names?: readonly string[]): Promise<QueueState[]> {
    return readBusyQueues(this.#redis, this.#keys, names);
  }

  get parked(): Queue<UnresolvedJob> {
    return this.get(PARKED_QUEUE);
  }

  get dead(): Queue<UnresolvedJob> {
    return this.get(DEAD_QUEUE);
  }

  /** Those of the connections whose queue is paused, by whatever. */
  async paused(connections: readonly string[]): Promise<Set<string>> {
    return new Set(
      (await readPausedQueues(this.#redis, this.#keys, connections.map(deliveriesQueue))).map(
        (name) => connectionOf(name) as string,
      ),
    );
  }

  /**
   * Connections that have jobs in Redis, configured or not: a removed connection's calls are kept and shown. Opening a
   * queue notes its connection, so those without any unfinished job are left out.
   * @param note for who may write: notes that all are noted, so that the next look need not search
   */
  async connections({ note = false }: { note?: boolean } = {}): Promise<string[]> {
    const noted = new Set(await this.#redis.smembers(this.#keys.connections));
    if (!noted.delete(ALL_NOTED)) {
      const found = await this.#searchConnections();
      if (note) await this.#redis.sadd(this.#keys.connections, ALL_NOTED, ...found);
      for (const name of found) noted.add(name);
    }
    const states = await this.read([...noted].map(deliveriesQueue));
    return states.map(({ name }) => connectionOf(name) as string).sort();
  }

  /** For installations of earlier versions, which did not note connections: reads BullMQ's `meta` keys. */
  async #searchConnections(): Promise<string[]> {
    const found: string[] = [];
    for await (const name of scanKeys(this.#redis, `${this.#keys.prefix}:${deliveriesQueue('*')}:meta`)) {
      const connection = connectionOf(name.slice(this.#keys.prefix.length + 1, -':meta'.length));
      if (connection) found.push(connection);
    }
    return found;
  }

  /** Where Redis is away, the queue is noted when it is opened again. */
  #note(connection: string): void {
    if (this.#noted.has(connection)) return;
    this.#noted.add(connection);
    // Before any job of the queue, as commands of one connection keep their order.
    this.#redis.sadd(this.#keys.connections, connection).catch(() => this.#noted.delete(connection));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((queue) => queue.close()));
  }
}
