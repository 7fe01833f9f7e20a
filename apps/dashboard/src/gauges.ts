import type { Config } from '@wrapup/config';
import {
  type ConnectionReport,
  connectionOf,
  MAINTENANCE_QUEUE,
  RECONCILE_QUEUE,
  readInfo,
  type Store,
} from '@wrapup/queue';
import type { Gauge, Metrics } from '@wrapup/telemetry';
import type { Queue } from 'bullmq';
import { ask } from './queries/ask-redis.ts';
import { type ReconcileSchedule, readSchedules } from './queries/reconciliations.ts';

/** Jobs that can be taken: live ones, then all that have a priority. */
const READY = ['waiting', 'prioritized'] as const;
type ReadyState = (typeof READY)[number];
const NONE_READY: QueueReading['oldest'] = { waiting: 0, prioritized: 0 };

const STATES = ['waiting', 'active', 'delayed', 'prioritized', 'failed', 'completed'] as const;

interface QueueReading {
  name: string;
  /** Empty for a queue of no connection. */
  connection: string;
  counts: Record<string, number>;
  /** Seconds. */
  oldest: Record<ReadyState, number>;
}

interface GaugeParts {
  config: () => Config;
  queues: () => Promise<string[]>;
  connections: () => Promise<string[]>;
}

/**
 * What waits where, read from Redis at each scrape. While Redis is down `wrapup_redis_up` is 0 and the others are
 * absent, which a rule can tell from 0.
 */
export function addGauges(metrics: Metrics, store: Store, { config, queues, connections }: GaugeParts): void {
  const read = shareReading(() => ask(store, async () => readQueues(store, await queues())));
  const fill = async (gauge: { reset(): void }, set: (readings: QueueReading[]) => void) => {
    gauge.reset();
    const readings = await read();
    if (readings) set(readings);
  };

  metrics.gauge('redis_up', async (gauge) => gauge.set((await read()) ? 1 : 0));
  metrics.gauge('queue_jobs', (gauge) =>
    fill(gauge, (readings) => {
      for (const { name, connection, counts } of readings) {
        for (const state of STATES) gauge.set({ queue: name, connection, state }, counts[state] ?? 0);
      }
    }),
  );
  metrics.gauge('queue_oldest_waiting_seconds', (gauge) =>
    fill(gauge, (readings) => {
      for (const { name, connection, oldest } of readings)
        for (const state of READY) gauge.set({ queue: name, connection, state }, oldest[state]);
    }),
  );
  addRedisGauges(metrics, store);
  addConnectionGauges(
    metrics,
    shareReading(() =>
      ask(store, async () => Promise.all((await connections()).map((name) => store.connections.report(name)))),
    ),
  );
  addReconcileGauges(
    metrics,
    shareReading(() => ask(store, () => readSchedules(store, config()))),
  );
  for (const state of ['parked', 'dead'] as const) {
    metrics.gauge(state, async (gauge) => {
      gauge.reset();
      const read = () => Promise.all([store.unresolved.partitions(state), connections()]);
      const found = await ask(store, read).catch(() => undefined);
      if (!found) return;
      const [partitions, names] = found;
      // So that nothing differs from not known, over a day as well.
      for (const connection of ['', ...names]) gauge.set({ source: '', connection, code: '' }, 0);
      // Routes are added up.
      for (const { source, connection, code, count } of partitions) gauge.inc({ source, connection, code }, count);
    });
  }
}

function addRedisGauges(metrics: Metrics, store: Store): void {
  const read = shareReading(() => ask(store, () => readInfo(store.redis, store.keys, 'all')));
  const fill = async (gauge: Gauge<never>, measure: (info: Record<string, string>) => number | undefined) => {
    gauge.remove();
    const info = await read();
    const value = info && measure(info);
    if (value !== undefined) gauge.set(value);
  };
  metrics.gauge('redis_memory_used_bytes', (gauge) => fill(gauge, (info) => Number(info.used_memory)));
  metrics.gauge('redis_memory_max_bytes', (gauge) => fill(gauge, (info) => Number(info.maxmemory) || undefined));
  metrics.gauge('redis_durable', (gauge) =>
    fill(gauge, (info) => (info.aof_enabled === '1' && info.aof_last_write_status === 'ok' ? 1 : 0)),
  );
}

function addConnectionGauges(metrics: Metrics, read: () => Promise<ConnectionReport[] | undefined>): void {
  const fill = async (gauge: { reset(): void }, set: (report: ConnectionReport) => void) => {
    gauge.reset();
    for (const report of (await read()) ?? []) set(report);
  };
  metrics.gauge('connection_paused', (gauge) =>
    fill(gauge, ({ connection, circuit, pause, operator }) => {
      if (operator) gauge.set({ connection, owner: 'operator', cause: '' }, 1);
      if (circuit === 'open' && pause) gauge.set({ connection, owner: 'circuit', cause: pause.cause }, 1);
      if (!operator && circuit !== 'open') gauge.set({ connection, owner: '', cause: '' }, 0);
    }),
  );
  metrics.gauge('quota_daily_limit', (gauge) =>
    fill(gauge, ({ connection, daily }) => {
      if (daily) gauge.set({ connection }, daily.limit);
    }),
  );
  metrics.gauge('quota_daily_remaining', (gauge) =>
    fill(gauge, ({ connection, daily }) => {
      if (daily) gauge.set({ connection }, daily.remaining);
    }),
  );
  metrics.gauge('quota_daily_used_up_timestamp_seconds', (gauge) =>
    fill(gauge, ({ connection, daily }) => {
      if (daily?.used_up_at !== undefined) gauge.set({ connection }, daily.used_up_at / 1000);
    }),
  );
}

function addReconcileGauges(metrics: Metrics, read: () => Promise<ReconcileSchedule[] | undefined>): void {
  metrics.gauge('reconcile_interval_seconds', async (gauge) => {
    gauge.reset();
    for (const { source, every } of (await read()) ?? []) gauge.set({ source }, every / 1000);
  });
  metrics.gauge('reconcile_last_complete_timestamp_seconds', async (gauge) => {
    gauge.reset();
    for (const { source, complete_since } of (await read()) ?? [])
      if (complete_since !== undefined) gauge.set({ source }, complete_since / 1000);
  });
}

async function readQueues(store: Store, queues: string[]): Promise<QueueReading[]> {
  const isOnDemand = new Set(queues);
  const names = [...queues, MAINTENANCE_QUEUE, RECONCILE_QUEUE];
  const busy = new Set((await store.queues.read(queues)).filter(({ waiting }) => waiting > 0).map(({ name }) => name));
  return Promise.all(
    names.map(async (name) => {
      const queue = store.queues.get(name);
      const oldest = !busy.has(name) && isOnDemand.has(name) ? NONE_READY : await readOldest(queue);
      const connection = connectionOf(name) ?? '';
      return { name, connection, counts: await queue.getJobCounts(...STATES), oldest };
    }),
  );
}

/** How long the job that is next has been ready, in seconds; 0 when none is. */
async function readOldest(queue: Queue): Promise<QueueReading['oldest']> {
  const ages = await Promise.all(
    READY.map(async (state) => {
      const [job] = await queue.getJobs([state], 0, 0, true);
      // One that comes again was not ready all the time since it came.
      const since = Math.max(job?.timestamp ?? 0, job?.processedOn ?? 0);
      return [state, job ? Math.max(0, (Date.now() - since) / 1000) : 0] as const;
    }),
  );
  return { ...NONE_READY, ...Object.fromEntries(ages) };
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
