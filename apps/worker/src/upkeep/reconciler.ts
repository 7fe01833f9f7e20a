/**
 * Reconciliation on a schedule: one job a source, made by BullMQ's scheduler, taken by any worker. A worker that stops
 * gives its run back at once; one that is killed loses it to another some seconds later, which goes on where it was.
 */
import type { Config } from '@wrapup/config';
import type { Log } from '@wrapup/destination';
import { RECONCILE_QUEUE, type Store } from '@wrapup/queue';
import { AlreadyRunning, openApi, type ReconcileRun, reconcile } from '@wrapup/recovery';
import { type Job, Worker, type WorkerOptions } from 'bullmq';
import { delayJob } from '../bullmq/finish-job.ts';

interface ReconcileJob {
  source: string;
}

interface ReconcilerParts {
  store: Store;
  config: () => Config;
  log: Log;
  options: WorkerOptions;
  onError(error: Error): void;
  count: { reconciled(run: ReconcileRun): void };
}

/** Milliseconds until another worker takes up what a stopping one gave back. */
const GIVEN_BACK_WAIT_MS = 1_000;

export class Reconciler {
  readonly #parts: ReconcilerParts;
  readonly #stopping = new AbortController();
  /** There once a source reconciles: a queue without jobs needs no worker. */
  #worker: Worker<ReconcileJob> | undefined;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
  }

  /** Makes the schedules those of the configuration as it is now. */
  async schedule(): Promise<void> {
    const { store, config } = this.#parts;
    const queue = store.queues.get<ReconcileJob>(RECONCILE_QUEUE);
    const wanted = Object.values(config().sources).filter(({ reconcile }) => reconcile);
    for (const { name, reconcile } of wanted) {
      const template = {
        name: 'reconcile',
        data: { source: name },
        opts: { removeOnComplete: { count: 10 }, removeOnFail: { count: 10 } },
      };
      this.#worker ??= this.#watch();
      await queue.upsertJobScheduler(name, { every: reconcile?.every as number }, template);
    }
    for (const { key } of await queue.getJobSchedulers()) {
      if (!wanted.some(({ name }) => name === key)) await queue.removeJobScheduler(key);
    }
  }

  async close(): Promise<void> {
    this.#stopping.abort(new Error('The worker is stopping.'));
    await this.#worker?.close();
  }

  #watch(): Worker<ReconcileJob> {
    const { options, onError } = this.#parts;
    const process = (job: Job<ReconcileJob>, token = '') => this.#process(job, token);
    const worker = new Worker<ReconcileJob>(RECONCILE_QUEUE, process, options);
    worker.on('error', onError);
    return worker;
  }

  async #process(job: Job<ReconcileJob>, token: string): Promise<void> {
    const { store, config, log, count } = this.#parts;
    const source = config().sources[job.data.source];
    // Its schedule was made before the configuration changed.
    if (!source?.reconcile) return;
    const api = openApi(source);
    try {
      const run = await reconcile({
        ...{ store, api, source, settings: source.reconcile, signal: this.#stopping.signal },
        ledger_days: config().retention.ledger_days,
        by: 'schedule',
      });
      count.reconciled(run);
      report(log, run);
    } catch (error) {
      if (error instanceof AlreadyRunning) return log.info({ source: source.name }, 'reconciliation is under way');
      if (!this.#stopping.signal.aborted) throw error;
      return delayJob(job, token, GIVEN_BACK_WAIT_MS);
    } finally {
      api.close();
    }
  }
}

function report(log: Log, { source, result, counts, agents, troubles, ended, began, resumed }: ReconcileRun): void {
  const [trouble] = troubles;
  const fields = { source, result, agents, ...counts, ms: ended - began, ...(resumed && { resumed }) };
  if (trouble) log.warn({ ...fields, ...trouble }, 'reconciled, but not all of it');
  else log.info(fields, counts.missing > 0 ? 'reconciled: webhooks were missing' : 'reconciled');
}
