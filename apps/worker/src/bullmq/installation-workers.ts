/**
 * The BullMQ workers of one process for the queues of the installation: one each, for as long as the process runs. Queues of
 * calls and deliveries are served on demand (`queue-lines.ts`).
 *
 * Settings that matter: a crashed process's jobs are taken over after about 11 s (lock 10 s, checked every 5 s); one that is
 * in the hands of a second process that crashes fails, and is tried again like any other that fails (`upkeep/failed-jobs.ts`);
 * a wait (throttled, busy) moves the job to delayed and is no attempt.
 */
import type { Config } from '@wrapup/config';
import type { Store } from '@wrapup/queue';
import { type ConnectionOptions, type Job, Worker, type WorkerOptions } from 'bullmq';
import { backoff, retriesOf } from './backoff.ts';

/** Wait for workers that are forced to close. */
const FORCED_CLOSE_MS = 2_000;
/** Times that a job of the installation itself may be in the hands of a process that dies: nothing brings back one that failed. */
const OWN_STALLED = 3;

export class InstallationWorkers {
  readonly #store: Store;
  readonly #config: () => Config;
  readonly #onError: (error: Error) => void;
  readonly #workers = new Map<string, Worker>();
  /** Epoch ms when a queue last finished a job, or its worker began. */
  readonly #progress = new Map<string, number>();

  constructor(store: Store, config: () => Config, onError: (error: Error) => void) {
    this.#store = store;
    this.#config = config;
    this.#onError = onError;
  }

  /**
   * @param concurrency jobs in hand at once
   * @param isQuick false where a job may take minutes: such a queue is never stuck
   */
  start<Data>(
    queue: string,
    concurrency: number,
    run: (job: Job<Data>, token: string) => Promise<void>,
    isQuick = true,
  ): Worker<Data, void> {
    if (isQuick) this.#progress.set(queue, Date.now());
    const worker = new Worker<Data, void>(
      queue,
      async (job, token = '') => {
        try {
          await run(job, token);
        } finally {
          if (isQuick) this.#progress.set(queue, Date.now());
        }
      },
      { ...workerOptions(this.#store, this.#config), concurrency, maxStalledCount: OWN_STALLED },
    );
    worker.on('error', this.#onError);
    this.#workers.set(queue, worker);
    return worker;
  }

  has(queue: string): boolean {
    return this.#workers.has(queue);
  }

  /** Names of queues with waiting jobs of which none has been finished for `ms`. */
  async stuck(ms: number): Promise<string[]> {
    const names: string[] = [];
    for (const [name, at] of this.#progress) {
      const queue = this.#store.queues.get(name);
      if (Date.now() - at < ms || (await queue.isPaused())) continue;
      const { waiting = 0, prioritized = 0 } = await queue.getJobCounts('waiting', 'prioritized');
      if (waiting + prioritized > 0) names.push(name);
    }
    return names;
  }

  /** Takes no new job and finishes those in hand. */
  async close(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.close()));
  }

  /** Drops the jobs in hand, which are redelivered. Waits a little for workers that end by themselves. */
  async drop(): Promise<void> {
    await dropAll(this.#workers.values());
  }
}

/** Forces workers to close, and waits a little for those that end by themselves. */
export async function dropAll(workers: Iterable<Worker>): Promise<void> {
  // A worker that is closing already has but one end, which may be a connection to a Redis that is gone.
  const forced = Promise.all([...workers].map((worker) => worker.close(true)));
  await Promise.race([forced, new Promise((resolve) => setTimeout(resolve, FORCED_CLOSE_MS))]);
}

/** Options of the workers of calls and deliveries, and of all others but for what those say. */
export function workerOptions({ redis, keys }: Store, config: () => Config): WorkerOptions {
  return {
    connection: redis as ConnectionOptions,
    prefix: keys.prefix,
    lockDuration: 10_000,
    stalledInterval: 5_000,
    maxStalledCount: 1,
    skipVersionCheck: true,
    settings: {
      backoffStrategy: (attempt: number, _type?: string, _error?: Error, job?: { data: unknown }) =>
        backoff(attempt, retriesOf(config(), job?.data)),
    },
  };
}
