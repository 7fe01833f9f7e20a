/**
 * Reconciliation on a schedule: one job a source, made by BullMQ's scheduler, taken by any worker. A worker that stops
 * gives its run back at once; one that is killed loses it to another some seconds later, which goes on where it was.
 */
import { type Config, retentionOf } from '@wrapup/config';
import type { Log } from '@wrapup/destination';
import { RECONCILE_QUEUE, type Store } from '@wrapup/queue';
import { AlreadyRunning, openApi, type ReconcileRun, reconcile } from '@wrapup/recovery';
import type { Job } from 'bullmq';
import { delayJob } from '../bullmq/finish-job.ts';
import type { InstallationWorkers } from '../bullmq/installation-workers.ts';

interface ReconcileJob {
  source: string;
}

interface ReconcilerParts {
  store: Store;
  config: () => Config;
  log: Log;
  workers: InstallationWorkers;
  count: { reconciled(run: ReconcileRun): void };
}

/** Sources that one process reconciles at once. */
const AT_ONCE = 2;
/** Milliseconds until another worker takes up what a stopping one gave back. */
const GIVEN_BACK_WAIT_MS = 1_000;

export class Reconciler {
  readonly #parts: ReconcilerParts;
  readonly #stopping = new AbortController();

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
  }

  /** Makes the schedules those of the configuration as it is now. */
  async schedule(): Promise<void> {
    const { store, config, workers } = this.#parts;
    const queue = store.queues.get<ReconcileJob>(RECONCILE_QUEUE);
    const wanted = Object.values(config().sources).filter(({ reconcile }) => reconcile);
    // A queue without jobs needs no worker.
    if (wanted.length > 0 && !workers.has(RECONCILE_QUEUE)) {
      workers.start<ReconcileJob>(RECONCILE_QUEUE, AT_ONCE, (job, token) => this.#process(job, token), false);
    }
    const scheduled = new Map((await queue.getJobSchedulers()).map((scheduler) => [scheduler.key, scheduler]));
    // Those that are as they should be are left alone: a reload with a thousand sources costs few commands.
    const changed = wanted.filter(({ name, reconcile }) => {
      const { every, next = 0 } = scheduled.get(name) ?? {};
      return every !== reconcile?.every || next < Date.now() - Number(every);
    });
    await Promise.all(
      changed.map(({ name, reconcile }) =>
        queue.upsertJobScheduler(
          name,
          { every: reconcile?.every as number },
          {
            name: 'reconcile',
            data: { source: name },
            opts: { removeOnComplete: { count: 10 }, removeOnFail: { count: 10 } },
          },
        ),
      ),
    );
    const names = new Set(wanted.map(({ name }) => name));
    for (const key of scheduled.keys()) if (!names.has(key)) await queue.removeJobScheduler(key);
  }

  /** Gives the runs in hand back. */
  stop(): void {
    this.#stopping.abort(new Error('The worker is stopping.'));
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
        ledger_days: retentionOf(config(), source.name).ledger_days,
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
