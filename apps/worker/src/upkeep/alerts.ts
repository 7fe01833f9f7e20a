/**
 * Alerts operators when a connection is paused and when it is resumed, when revisions of a call are ignored, when the file
 * of a client has errors, when calls wait for a person (`unresolved-alerts.ts`), and when many lose a field
 * (`omission-alerts.ts`), over the connection that `alerts.to` of the client names and that of the installation. Each alert is
 * a job, so that neither an endpoint that is down for a moment nor a worker that dies loses one. Its id is made of its
 * subject, so that many workers that see one pause send one alert.
 */
import { createHash } from 'node:crypto';
import { alertTargets, type Client, type Config } from '@wrapup/config';
import { Failure, type Log, type Notice, withoutQuotes } from '@wrapup/destination';
import { type Finding, formatFinding } from '@wrapup/findings';
import {
  ALERTS_QUEUE,
  type CircuitChange,
  describeCause,
  jobId,
  type LedgerEntry,
  MAX_REVISION_BYTES,
  MAX_REVISIONS,
  type Store,
} from '@wrapup/queue';
import { callable } from '@wrapup/telemetry';
import { attemptError, delayJob } from '../bullmq/finish-job.ts';
import type { InstallationWorkers } from '../bullmq/installation-workers.ts';

const MAX_ATTEMPTS = 8;
const HOUR_MS = 3600_000;
/** Alerts that were sent are kept for so long: a worker that starts sees old pauses, and must not alert again. */
const REMEMBERED_S = 30 * 24 * 3600;

interface AlertParts {
  config: () => Config;
  log: Log;
  count(result: 'sent' | 'failed'): void;
  /** Sends a notice over a connection. Rejects when it was not taken. */
  notify(connection: string, notice: Notice): Promise<void>;
}

/** Alerts that a process sends at once. */
const CONCURRENCY = 20;
/** An alert waits for so long while another one goes to its connection, or for as long as that one has been under way. */
const BUSY_WAIT_MS = 250;

/**
 * Sends the queued alerts from now on: one at a time to a connection, so that an endpoint that hangs holds up its own only.
 */
export function startAlerts(workers: InstallationWorkers, { config, log, count, notify }: AlertParts): void {
  /** By connection: since when one is under way. */
  const underWay = new Map<string, number>();
  workers.start<AlertJob>(ALERTS_QUEUE, CONCURRENCY, async (job, token) => {
    const { to = config().alerts?.to, ...notice } = job.data;
    // Since it was queued, the connection or the client was removed.
    if (to === undefined || !config().connections[to]) return;
    const since = underWay.get(to);
    if (since !== undefined) await delayJob(job, token, Math.max(BUSY_WAIT_MS, performance.now() - since));
    underWay.set(to, performance.now());
    try {
      await notify(to, nameCommands(notice));
      count('sent');
    } catch (error) {
      const failure = Failure.of(error);
      count('failed');
      log.warn(
        { connection: to, code: failure.code, reason: withoutQuotes(failure.message) },
        'an alert was not taken',
      );
      throw attemptError(failure);
    } finally {
      underWay.delete(to);
    }
  });
}

/** Commands as they are called here: an alert is read by people. */
function nameCommands(notice: Notice): Notice {
  const { hint } = notice.data;
  return {
    ...notice,
    text: callable(notice.text),
    data: { ...notice.data, ...(typeof hint === 'string' && { hint: callable(hint) }) },
  };
}

/** The connection that takes it; jobs of earlier versions name none. */
type AlertJob = Notice & { to?: string };

/**
 * Adds one alert for each connection that takes alerts about the subject.
 * @param facts make its id, beside the type
 * @param forClient what a client gets in place of the installation's words, where these name more than what is its own
 */
export async function addAlert(
  store: Store,
  config: Config,
  subject: string,
  { type, ...notice }: Omit<Notice, 'id'>,
  facts: (string | number)[],
  forClient: Partial<Pick<Notice, 'text' | 'data'>> = {},
): Promise<void> {
  const id = noticeId(store, subject, type, ...facts);
  for (const to of alertTargets(config, subject)) {
    const isWhole = to === config.alerts?.to;
    const job: AlertJob = { id, type, ...notice, ...(!isWhole && forClient), to };
    // The one of the installation has the id that earlier versions gave it, so that none is sent again after an upgrade.
    const own = isWhole ? [] : [to];
    await store.queues
      .get<AlertJob>(ALERTS_QUEUE)
      .add(type, job, { jobId: jobId('a', subject, type, ...facts, ...own), ...JOB_OPTIONS });
  }
}

function noticeId({ keys }: Store, ...facts: (string | number)[]): string {
  return createHash('sha256')
    .update(JSON.stringify([keys.prefix, ...facts]))
    .digest('hex')
    .slice(0, 32);
}

/** Adds an alert for one connection, about everything that concerns it. @param facts make its id, beside the type */
export async function addAlertTo(
  store: Store,
  to: string,
  notice: Omit<Notice, 'id'>,
  facts: (string | number)[],
): Promise<void> {
  const job: AlertJob = { id: noticeId(store, to, notice.type, ...facts), ...notice, to };
  await store.queues
    .get<AlertJob>(ALERTS_QUEUE)
    .add(notice.type, job, { jobId: jobId('a', to, notice.type, ...facts), ...JOB_OPTIONS });
}

/** Queues the alert about a change; does nothing where no connection is named for it. */
export async function queueAlert(
  store: Store,
  config: Config,
  connection: string,
  { became, pause }: CircuitChange,
): Promise<void> {
  // A relapse is the same pause, which has had its alert.
  if (became === 'reopened' || alertTargets(config, connection).length === 0) return;
  const ended = became === 'closed';
  const { cause, code, reason, hint, since, next_probe } = pause;
  const {
    waiting = 0,
    prioritized = 0,
    delayed = 0,
  } = await store.queues.deliveries(connection).getJobCounts('waiting', 'prioritized', 'delayed');
  const calls = waiting + prioritized + delayed;
  const type = ended ? 'connection.resumed' : 'connection.paused';
  const notice: Omit<Notice, 'id'> = {
    type,
    at: ended ? Date.now() : since,
    text: ended
      ? `Connection ${connection} works again after ${describeTime(Date.now() - since)}. ${count(calls)} on the way.`
      : `Connection ${connection} is paused: ${describeCause(pause)}${hint ? ` ${hint}` : ''} ${count(calls)} kept; it is probed and goes on by itself.`,
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
  await addAlert(store, config, connection, notice, [since]);
}

/** Revisions that are ignored are alerted about once in so long for each source, in ms: the ledger names every call. */
const IGNORED_EVERY_MS = HOUR_MS;

/** Queues the alert about a call of which more revisions came than are kept; does nothing where no connection is named. */
export async function alertRevisionLimit(
  store: Store,
  config: Config,
  { source, call_id, ignored }: Pick<LedgerEntry, 'source' | 'call_id' | 'ignored'>,
): Promise<void> {
  if (!ignored) return;
  const type = 'source.revisions_ignored';
  const hour = Math.floor(ignored.since / IGNORED_EVERY_MS);
  const notice: Omit<Notice, 'id'> = {
    type,
    at: ignored.since,
    text: `Source ${source}: a call came again more often than is kept (${MAX_REVISIONS} revisions, ${MAX_REVISION_BYTES / 1024 / 1024} MB), and what came beyond was ignored. A captured signature looks like this.`,
    data: { source, call_id, ignored: ignored.count },
  };
  await addAlert(store, config, source, notice, [hour]);
}

/**
 * Queues the alert about a client whose file has errors, once for what is wrong with it. Hints go to the installation only:
 * they say what else there is.
 */
export async function alertBrokenClient(store: Store, config: Config, { name, state, errors }: Client): Promise<void> {
  const [first] = errors;
  if (!first) return;
  const consequence =
    state === 'last_good' ? 'What it said before stays in force.' : 'Its webhooks are answered 503 until it is right.';
  const wrong = errors.map(({ code, message, at }) => [code, message, at?.line ?? 0]);
  const says = ({ hint, ...rest }: Finding) => ({
    text: `The file of client ${name} has ${errors.length === 1 ? 'an error' : `${errors.length} errors`}: ${formatFinding({ ...rest, ...(hint && { hint }) })} ${consequence}`,
    data: {
      client: name,
      state,
      errors: errors.length,
      code: first.code,
      reason: first.message,
      hint: hint ?? null,
    },
  });
  const notice: Omit<Notice, 'id'> = { type: 'client.configuration_broken', at: Date.now(), ...says(first) };
  const facts = [createHash('sha256').update(JSON.stringify(wrong)).digest('hex')];
  const { hint: _, ...unhinted } = first;
  await addAlert(store, config, `${name}.`, notice, facts, says(unhinted));
}

const JOB_OPTIONS = {
  attempts: MAX_ATTEMPTS,
  removeOnComplete: { age: REMEMBERED_S, count: 1_000 },
  removeOnFail: { age: REMEMBERED_S, count: 1_000 },
};

function count(calls: number): string {
  return calls === 1 ? '1 delivery is' : `${calls} deliveries are`;
}

export function describeTime(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return 'less than a minute';
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
