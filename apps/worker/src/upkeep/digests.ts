/**
 * Sends the digests of wrapup.yaml when they are due. Each is a job whose id is made of the digest and its period, so that many
 * workers queue one; the job's lock is the lease under which one of them sends it. What became of it is noted before the job
 * ends: a worker that dies in between leaves it to another, which sends the very same again under the same `webhook-id`.
 */
import { clientOf, localName } from '@wrapup/call';
import { agentName, type Config, type DigestSettings } from '@wrapup/config';
import { type CallDigest, Failure, type Log, planDigest, withoutQuotes } from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';
import {
  DIGEST_LATE_MS,
  DIGESTS_QUEUE,
  type DigestState,
  jobId,
  lastPeriod,
  readDigest,
  readPeriod,
  type Store,
} from '@wrapup/queue';
import type { Job } from 'bullmq';
import { attemptError, finalError, isLastAttempt } from '../bullmq/finish-job.ts';
import type { InstallationWorkers } from '../bullmq/installation-workers.ts';

/** With the waits of `backoff.ts` some forty minutes, and eighty at most. */
const MAX_ATTEMPTS = 16;
/** Digests that a process sends at once. */
const AT_ONCE = 4;
/** For longer than any period is sent late. */
const REMEMBERED_S = 30 * 24 * 3600;

interface DigestJob {
  /** Full name. */
  digest: string;
  period: string;
  /** What its `webhook-id` is made of. */
  id: string;
  /** What it says, since its first attempt: a repeat says the same. */
  says?: CallDigest;
}

interface DigestParts {
  store: Store;
  config: () => Config;
  log: Log;
  /** Where browsers reach the dashboard. */
  dashboard?: string | undefined;
  count(digest: string, result: 'sent' | 'failed'): void;
  /** Rejects when it was not taken. */
  send(connection: string, plan: Plan): Promise<void>;
}

/** Queues those that are due and were not sent. Of one that is seen for the first time nothing is due yet. */
export async function queueDigests(store: Store, config: Config, now: number): Promise<void> {
  for (const settings of config.digests) {
    const { name, every } = settings;
    const since = await store.digests.knownSince(name, now);
    const period = lastPeriod(settings, now);
    if (period.due < since || now - period.due > DIGEST_LATE_MS[every]) continue;
    if (isOver(await store.digests.read(name), period.name)) continue;
    const job: DigestJob = { digest: name, period: period.name, id: `${period.name}:${since}` };
    await store.queues.get<DigestJob>(DIGESTS_QUEUE).add(every, job, {
      ...{ jobId: jobId('g', name, period.name), attempts: MAX_ATTEMPTS },
      ...{ removeOnComplete: { age: REMEMBERED_S }, removeOnFail: { age: REMEMBERED_S } },
    });
  }
}

function isOver(state: DigestState | undefined, period: string): boolean {
  return state?.period === period && state.state !== 'retrying';
}

/** Sends the queued digests from now on. */
export function startDigests(workers: InstallationWorkers, parts: DigestParts): void {
  workers.start<DigestJob>(DIGESTS_QUEUE, AT_ONCE, (job) => sendDigest(job, parts));
}

async function sendDigest(
  job: Job<DigestJob>,
  { store, config, log, dashboard, count, send }: DigestParts,
): Promise<void> {
  const { digest: name, period, id } = job.data;
  const settings = config().digests.find((one) => one.name === name);
  // Since it was queued, it was removed; or a worker died after it had noted that it was sent.
  if (!settings || isOver(await store.digests.read(name), period)) return;
  const attempts = job.attemptsMade + 1;
  try {
    const says = job.data.says ?? (await compose(store, config(), settings, { period, dashboard }));
    // `every` has changed since: the period is none of it any more.
    if (!says) return;
    if (!job.data.says) await job.updateData({ ...job.data, says });
    await send(settings.to, planDigest(settings.mapping, name, id, says));
    await store.digests.note(name, { period, state: 'sent', at: Date.now(), attempts });
    count(name, 'sent');
    log.info({ digest: name, connection: settings.to, period, attempts }, 'digest sent');
  } catch (error) {
    const failure = Failure.of(error);
    // An endpoint that is paused or asks to wait is tried again as one that is down: within the same bounds.
    const isFinal = failure.next === 'park' || failure.next === 'die' || isLastAttempt(job);
    const { code } = failure;
    const reason = withoutQuotes(failure.message);
    count(name, 'failed');
    log[isFinal ? 'error' : 'warn'](
      { digest: name, connection: settings.to, period, attempts, code, reason },
      isFinal ? 'a digest was not taken, and is not sent any more' : 'a digest was not taken',
    );
    await store.digests.note(name, {
      ...{ period, state: isFinal ? 'failed' : 'retrying', at: Date.now(), attempts, code, reason },
    });
    throw isFinal ? finalError(failure) : attemptError(failure);
  }
}

async function compose(
  store: Store,
  config: Config,
  settings: DigestSettings,
  { period, dashboard }: { period: string; dashboard: string | undefined },
): Promise<CallDigest | undefined> {
  const now = Date.now();
  const found = readPeriod(period, settings, now);
  const { name, client } = settings;
  const connections = Object.keys(config.connections).filter((one) => client === undefined || clientOf(one) === client);
  return (
    found &&
    readDigest(store, {
      ...{ name: localName(name), period: found, client, connections, dashboard, now },
      agentName: (source, id) => agentName(config, source, id),
    })
  );
}
