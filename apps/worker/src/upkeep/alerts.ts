/**
 * Alerts operators when a connection is paused and when it is resumed, and when revisions of a call are ignored, over the
 * connection that `alerts.to` names. Each alert is a job, so that neither an endpoint that is down for a moment nor a worker
 * that dies loses one. Its id is made of its subject, so that many workers that see one pause send one alert.
 */
import { createHash } from 'node:crypto';
import type { Config } from '@wrapup/config';
import { Failure, type Log, type Notice } from '@wrapup/destination';
import {
  ALERTS_QUEUE,
  CAUSE_TABLE,
  type CircuitChange,
  jobId,
  type LedgerEntry,
  MAX_REVISION_BYTES,
  MAX_REVISIONS,
  type Store,
} from '@wrapup/queue';
import { attemptError } from '../bullmq/finish-job.ts';
import type { QueueWorkers } from '../bullmq/queue-workers.ts';

const MAX_ATTEMPTS = 8;
/** Alerts that were sent are kept for so long: a worker that starts sees old pauses, and must not alert again. */
const REMEMBERED_S = 30 * 24 * 3600;

interface AlertParts {
  config: () => Config;
  log: Log;
  count(result: 'sent' | 'failed'): void;
  /** Sends a notice over a connection. Rejects when it was not taken. */
  notify(connection: string, notice: Notice): Promise<void>;
}

/** Sends the queued alerts from now on. */
export function startAlerts(workers: QueueWorkers, { config, log, count, notify }: AlertParts): void {
  workers.start<Notice>(ALERTS_QUEUE, 1, async ({ data }) => {
    const { alerts } = config();
    if (!alerts) return;
    try {
      await notify(alerts.to, data);
      count('sent');
    } catch (error) {
      const failure = Failure.of(error);
      count('failed');
      log.warn({ connection: alerts.to, code: failure.code, reason: failure.message }, 'an alert was not taken');
      throw attemptError(failure);
    }
  });
}

/** Queues the alert about a change; does nothing where no connection is named for it. */
export async function queueAlert(
  store: Store,
  config: Config,
  connection: string,
  { became, pause }: CircuitChange,
): Promise<void> {
  // A relapse is the same pause, which has had its alert.
  if (!config.alerts || became === 'reopened') return;
  const ended = became === 'closed';
  const { cause, code, reason, hint, since, next_probe } = pause;
  const {
    waiting = 0,
    prioritized = 0,
    delayed = 0,
  } = await store.queues.deliveries(connection).getJobCounts('waiting', 'prioritized', 'delayed');
  const calls = waiting + prioritized + delayed;
  const type = ended ? 'connection.resumed' : 'connection.paused';
  const notice: Notice = {
    id: createHash('sha256')
      .update(JSON.stringify([store.keys.prefix, connection, type, since]))
      .digest('hex')
      .slice(0, 32),
    type,
    at: ended ? Date.now() : since,
    text: ended
      ? `Connection ${connection} works again after ${describeTime(Date.now() - since)}. ${count(calls)} on the way.`
      : `Connection ${connection} is paused: ${CAUSE_TABLE[cause].says}. ${hint ? `${reason} ${hint}` : reason} ${count(calls)} kept; it is probed and goes on by itself.`,
    data: {
      connection,
      cause,
      code,
      reason,
      hint: hint ?? null,
      since: new Date(since).toISOString(),
      next_probe: ended ? null : new Date(next_probe).toISOString(),
      waiting: calls,
    },
  };
  await store.queues.get<Notice>(ALERTS_QUEUE).add(type, notice, {
    jobId: jobId('a', connection, type, since),
    ...JOB_OPTIONS,
  });
}

/** Revisions that are ignored are alerted about once in so long for each source, in ms: the ledger names every call. */
const IGNORED_EVERY_MS = 3600_000;

/** Queues the alert about a call of which more revisions came than are kept; does nothing where no connection is named. */
export async function alertRevisionLimit(
  store: Store,
  config: Config,
  { source, call_id, ignored }: Pick<LedgerEntry, 'source' | 'call_id' | 'ignored'>,
): Promise<void> {
  if (!config.alerts || !ignored) return;
  const type = 'source.revisions_ignored';
  const hour = Math.floor(ignored.since / IGNORED_EVERY_MS);
  const notice: Notice = {
    id: createHash('sha256')
      .update(JSON.stringify([store.keys.prefix, source, type, hour]))
      .digest('hex')
      .slice(0, 32),
    type,
    at: ignored.since,
    text: `Source ${source}: a call came again more often than is kept (${MAX_REVISIONS} revisions, ${MAX_REVISION_BYTES / 1024 / 1024} MB), and what came beyond was ignored. A captured signature looks like this.`,
    data: { source, call_id, ignored: ignored.count },
  };
  await store.queues.get<Notice>(ALERTS_QUEUE).add(type, notice, {
    jobId: jobId('a', source, type, hour),
    ...JOB_OPTIONS,
  });
}

const JOB_OPTIONS = {
  attempts: MAX_ATTEMPTS,
  removeOnComplete: { age: REMEMBERED_S, count: 1_000 },
  removeOnFail: { age: REMEMBERED_S, count: 1_000 },
};

function count(calls: number): string {
  return calls === 1 ? '1 delivery is' : `${calls} deliveries are`;
}

function describeTime(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return 'less than a minute';
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
