/**
 * Completes what a crash left half done. Runs at start and every minute, in one worker at a time; every step
 * may be repeated.
 *
 * 1. Failed jobs are moved to `dead`, or back into their queue (`failed-jobs.ts`).
 * 2. Open calls that have not moved for a while get the jobs that their ledger entry says they should have.
 * 3. Alerts are queued about files of clients that ingress cannot use, about connections whose calls lose fields, and about
 *    what is parked or dead; so are the digests that are due.
 * 4. The indexes forget what the ledger's retention has forgotten, and what is parked or dead is compared with the ledger.
 * 5. Ledger entries of calls that have come to their end are packed, half a day after they came.
 * 6. The dictionary of a source that has none, or an old one, is made from its payloads.
 *
 * From 3 on a step that fails keeps none of the others from running; the sweep fails once all have run.
 */
import { attemptsOf, type Config } from '@wrapup/config';
import type { Log } from '@wrapup/destination';
import {
  asIngressSees,
  BEYOND_LIMIT,
  callsQueues,
  connectionOf,
  deliveriesQueue,
  MAINTENANCE_QUEUE,
  maintainIndex,
  msOfDays,
  packSettled,
  priorityOf,
  type Store,
  trainDictionaries,
} from '@wrapup/queue';
import type { InstallationWorkers } from '../bullmq/installation-workers.ts';
import { scheduleExpiry } from '../payloads/retention.ts';
import { alertBrokenClient } from './alerts.ts';
import { queueDigests } from './digests.ts';
import { moveFailedCalls, moveFailedDeliveries } from './failed-jobs.ts';
import { alertOmissions } from './omission-alerts.ts';
import { alertUnresolved } from './unresolved-alerts.ts';
import { finishUpgrade } from './upgrade.ts';

/** A call that has not moved for so long is looked at: longer than a crashed job takes to come back. */
const STILL_MS = 60_000;
const SWEEP_EVERY_MS = 60_000;

/** Sweeps now and every minute, one process at a time. */
export async function startSweep(
  workers: InstallationWorkers,
  { store, config, log }: { store: Store; config: () => Config; log: Log },
): Promise<void> {
  workers.start(MAINTENANCE_QUEUE, 1, async () => {
    const { dead, revived } = await sweep(store, config());
    if (dead + revived > 0) log.info({ dead, revived }, 'the sweep found work');
  });
  await store.queues
    .get(MAINTENANCE_QUEUE)
    .upsertJobScheduler(
      'sweep',
      { every: SWEEP_EVERY_MS },
      { name: 'sweep', opts: { removeOnComplete: { count: 10 }, removeOnFail: { count: 10 } } },
    );
}

interface Swept {
  dead: number;
  revived: number;
}

export async function sweep(store: Store, config: Config, now = Date.now()): Promise<Swept> {
  // Those of removed clients and connections are among the busy ones.
  await store.queues.read([
    ...callsQueues(Object.keys(config.sources)),
    ...[...Object.keys(config.connections), ...(await store.queues.connections({ note: true }))].map(deliveriesQueue),
  ]);
  let [dead, revived] = [0, 0];
  for (const { name, failed } of await store.queues.read()) {
    const connection = connectionOf(name);
    if (failed === 0) continue;
    const moved = await (connection === undefined
      ? moveFailedCalls(store, store.queues.get(name))
      : moveFailedDeliveries(store, config, connection));
    dead += moved.dead;
    revived += moved.again;
  }
  revived += await reviveOpenCalls(store, config, now);
  // Entries end by themselves, each at its client's time; the indexes keep what the longest keeps.
  const days = [config.retention, ...Object.values(config.clients).map(({ retention }) => retention)];
  const before = now - msOfDays(Math.max(...days.map(({ ledger_days }) => ledger_days)));
  const broken = await asIngressSees(store, Object.values(config.clients));
  // None waits for another, and what fails in one is no reason to leave the others: alerts come first.
  await runAll([
    ...broken.map((client) => () => alertBrokenClient(store, config, client)),
    () => alertUnresolved(store, config, now),
    () => queueDigests(store, config, now),
    ...Object.keys(config.connections).map((connection) => () => alertOmissions(store, config, connection, now)),
    () => store.ledger.trim(before),
    () => store.people.trim(before),
    () => store.unresolved.trim(before),
    () => store.audit.trim(before),
    () => maintainIndex(store, { before, now }),
    () => finishUpgrade(store, config, { now }),
    () => packSettled(store, { now }),
    () => trainDictionaries(store, Object.keys(config.sources), now),
  ]);
  return { dead, revived };
}

/** One after the other, each of them. @throws the first error, once all have run */
async function runAll(steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) await step().catch((error) => errors.push(error));
  if (errors.length > 0) throw errors[0];
}

async function reviveOpenCalls(store: Store, config: Config, now: number): Promise<number> {
  let revived = 0;
  const open = await store.ledger.openSince(now - STILL_MS);
  for (const { source, call_id } of open) {
    const entry = await store.ledger.read(source, call_id);
    // A body that cannot be read stops a call, but not what was on its way before.
    if (!entry || (entry.stopped && !entry.deliveries.some(({ state }) => state === 'queued'))) {
      if (entry?.stopped?.state === 'parked') await store.operations.addUnresolvedCall(entry, entry.stopped, 1);
      await store.ledger.close(source, call_id);
      continue;
    }
    // Jobs have ids made of what they stand for.
    for (const { hash, effect } of entry.revisions) {
      if (effect || entry.stopped) continue;
      revived += Number(await store.operations.reviveCall({ source, call_id, revision: hash }, priorityOf(entry)));
    }
    if (entry.ignored && !entry.ignored.handled && !entry.stopped) {
      revived += Number(
        await store.operations.reviveCall({ source, call_id, revision: BEYOND_LIMIT }, priorityOf(entry)),
      );
    }
    for (const delivery of entry.deliveries) {
      if (delivery.state === 'queued') {
        const attempts = attemptsOf(config, delivery.route);
        revived += Number(await store.operations.reviveDelivery(entry, delivery, attempts));
      } else if (delivery.state === 'parked' || delivery.state === 'dead') {
        await store.operations.addUnresolved(entry, delivery);
      }
    }
    await store.ledger.keepOpen(source, call_id, now);
    await scheduleExpiry(store, config, source, call_id);
  }
  return revived;
}
