import {
  type ConnectionReport,
  DEAD_QUEUE,
  MAINTENANCE_QUEUE,
  PARKED_QUEUE,
  RECONCILE_QUEUE,
  type Store,
} from '@wrapup/queue';
import type { Gauge, Metrics } from '@wrapup/telemetry';
import type { Queue } from 'bullmq';
import { ask } from './queries/ask-redis.ts';

const STATES = ['waiting', 'active', 'delayed', 'prioritized', 'failed', 'completed'] as const;

interface QueueReading {
  name: string;
  counts: Record<string, number>;
  /** Seconds. */
  oldest: number;
}

/**
 * What waits where, read from Redis at each scrape. While Redis is down `wrapup_redis_up` is 0 and the others are
 * absent, which a rule can tell from 0.
 */
export function addGauges(
  metrics: Metrics,
  store: Store,
  { queues, connections }: { queues: () => Promise<string[]>; connections: () => Promise<string[]> },
): void {
  const read = shareReading(() => ask(store, async () => readQueues(store, await queues())));
  const fill = async (gauge: { reset(): void }, set: (readings: QueueReading[]) => void) => {
    gauge.reset();
    const readings = await read();
    if (readings) set(readings);
  };

  metrics.gauge('redis_up', 'Whether Redis answers.', [], async (gauge) => gauge.set((await read()) ? 1 : 0));
  metrics.gauge('queue_jobs', 'Jobs by queue and state.', ['queue', 'state'], (gauge) =>
    fill(gauge, (readings) => {
      for (const { name, counts } of readings) {
        for (const state of STATES) gauge.set({ queue: name, state }, counts[state] ?? 0);
      }
    }),
  );
  metrics.gauge(
    'queue_oldest_waiting_seconds',
    'Age of the oldest job that is ready; 0 when none is.',
    ['queue'],
    (gauge) =>
      fill(gauge, (readings) => {
        for (const { name, oldest } of readings) gauge.set({ queue: name }, oldest);
      }),
  );
  const connectionsNow = shareReading(() =>
    ask(store, async () => Promise.all((await connections()).map((name) => store.connections.report(name)))),
  );
  const perConnection = (
    name: string,
    help: string,
    labels: readonly string[],
    set: (gauge: Gauge<string>, report: ConnectionReport) => void,
  ) =>
    metrics.gauge(name, help, labels, async (gauge) => {
      gauge.reset();
      for (const report of (await connectionsNow()) ?? []) set(gauge, report);
    });
  perConnection(
    'connection_paused',
    'Whether a connection stands still, by who stopped it and why; 0 for none of the two.',
    ['connection', 'owner', 'cause'],
    (gauge, { connection, circuit, pause, operator }) => {
      if (operator) gauge.set({ connection, owner: 'operator', cause: '' }, 1);
      if (circuit === 'open' && pause) gauge.set({ connection, owner: 'circuit', cause: pause.cause }, 1);
      if (!operator && circuit !== 'open') gauge.set({ connection, owner: '', cause: '' }, 0);
    },
  );
  perConnection(
    'quota_daily_limit',
    'Requests a day that the account allows.',
    ['connection'],
    (gauge, { connection, daily }) => {
      if (daily) gauge.set({ connection }, daily.limit);
    },
  );
  perConnection(
    'quota_daily_remaining',
    'Requests of the day that are left, for all programs.',
    ['connection'],
    (gauge, { connection, daily }) => {
      if (daily) gauge.set({ connection }, daily.remaining);
    },
  );
  perConnection(
    'quota_daily_used_up_timestamp_seconds',
    'When the daily quota is used up at the rate of the last hour; absent when that is more than a day away.',
    ['connection'],
    (gauge, { connection, daily }) => {
      if (daily?.used_up_at !== undefined) gauge.set({ connection }, daily.used_up_at / 1000);
    },
  );
  for (const [name, help] of [
    ['parked', 'Deliveries and calls that wait for a person.'],
    ['dead', 'Deliveries and calls that the system gave up.'],
  ] as const) {
    metrics.gauge(name, help, [], async (gauge) => {
      gauge.reset();
      const count = await ask(store, () => store.unresolved.count(name)).catch(() => undefined);
      if (count !== undefined) gauge.set(count);
    });
  }
}

async function readQueues(store: Store, queues: string[]): Promise<QueueReading[]> {
  const isOnDemand = new Set(queues);
  const names = [...queues, PARKED_QUEUE, DEAD_QUEUE, MAINTENANCE_QUEUE, RECONCILE_QUEUE];
  const busy = new Set((await store.queues.read(queues)).filter(({ waiting }) => waiting > 0).map(({ name }) => name));
  return Promise.all(
    names.map(async (name) => {
      const queue = store.queues.get(name);
      const oldest = !busy.has(name) && isOnDemand.has(name) ? 0 : await readOldest(queue);
      return { name, counts: await queue.getJobCounts(...STATES), oldest };
    }),
  );
}

/** Age of the oldest job that is ready, in seconds; 0 when none is. */
async function readOldest(queue: Queue): Promise<number> {
  const ready = await Promise.all([queue.getJobs(['waiting'], 0, 0, true), queue.getJobs(['prioritized'], 0, 0, true)]);
  const since = Math.min(...ready.flat().map((job) => job?.timestamp ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(since) ? Math.max(0, (Date.now() - since) / 1000) : 0;
}

/** One reading serves all gauges of a scrape, which ask at the same time. A failed one gives undefined. */
function shareReading<T>(read: () => Promise<T>): () => Promise<T | undefined> {
  let reading: Promise<T | undefined> | undefined;
  return () => {
    reading ??= read()
      .catch(() => undefined)
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
}
