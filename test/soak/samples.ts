/** What is measured of a soak, every some seconds: what processes take, what Redis holds, and how long calls took. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { percentile } from '../../bench/support/statistics.ts';
import { scanKeys } from '../../packages/queue/src/index.ts';
import type { FaultSystem } from '../faults/system.ts';

/** As `preload.mjs` notes them: bytes, ms, counts. */
export interface Vitals {
  asked: number;
  up: number;
  rss: number;
  heap: number;
  fds: number;
  resources: number;
  /** Processor time since the start. */
  cpu: number;
  lag_p50: number;
  lag_p99: number;
  lag_max: number;
}

export interface RedisSample {
  used: number;
  rss: number;
  clients: number;
  keys: number;
  /** Calls in the ledger. */
  calls: number;
  /** Bytes of keys, by what they are. */
  bytes: Record<string, number>;
}

export interface Latencies {
  /** Call logs that came into being since the sample before. */
  records: number;
  /** From the first webhook to the call log, ms. */
  p50: number;
  p95: number;
}

export interface Sample {
  /** Seconds since the calls began. */
  at: number;
  /** Calls sent until now. */
  calls: number;
  /** By name; absent where one did not answer in time. */
  processes: Record<string, Vitals | undefined>;
  /** Absent while Redis is away. */
  redis?: RedisSample | undefined;
  latencies?: Latencies | undefined;
}

/** Longer than a collection takes, on a machine that many share. */
const ANSWERS_MS = 5_000;
/** Keys of one round trip. */
const BATCH = 500;

/** Asks a process what it takes. */
export async function readVitals(folder: string, pid: number, after: number): Promise<Vitals | undefined> {
  process.kill(pid, 'SIGUSR2');
  const until = performance.now() + ANSWERS_MS;
  while (performance.now() < until) {
    await pause(25);
    try {
      const vitals = JSON.parse(readFileSync(join(folder, `${pid}.json`), 'utf8')) as Vitals;
      if (vitals.asked > after) return vitals;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return undefined;
}

export async function readRedis({ store: { redis, keys } }: FaultSystem): Promise<RedisSample> {
  const names: string[] = [];
  for await (const found of scanKeys(redis, `${keys.prefix}*`)) names.push(found);
  const bytes: Record<string, number> = {};
  let calls = 0;
  for (let from = 0; from < names.length; from += BATCH) {
    const some = names.slice(from, from + BATCH);
    const sizes = await Promise.all(some.map((name) => redis.memory('USAGE', name, 'SAMPLES', 0)));
    for (const [n, name] of some.entries()) {
      const family = familyOf(name.slice(keys.prefix.length + 1));
      bytes[family] = (bytes[family] ?? 0) + (sizes[n] ?? 0);
      if (name.startsWith(keys.ledgers)) calls += 1;
    }
  }
  const memory = await redis.info('memory', 'clients');
  const figure = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(memory)?.[1]);
  return {
    ...{ used: figure('used_memory'), rss: figure('used_memory_rss'), clients: figure('connected_clients') },
    ...{ keys: names.length, calls, bytes },
  };
}

/** The first part of a name says what it is; the rest names a call, a person or a queue. */
function familyOf(name: string): string {
  return name.split(':', 1)[0] ?? name;
}

/** Reads which call logs came into being since it was called last. */
export function latencyReader(
  { sandbox }: FaultSystem,
  sent: ReadonlyMap<string, number>,
): () => Latencies | undefined {
  let read = 0;
  return () => {
    const entries = sandbox.journal(read);
    read += entries.length;
    const times = entries.flatMap(({ effect, object, unique, at }) => {
      if (effect !== 'created' || object !== 'calls') return [];
      const from = sent.get(unique?.wrapup_call_id?.replace(/^main:/, '') ?? '');
      return from === undefined ? [] : [Date.parse(at) - from];
    });
    if (times.length === 0) return undefined;
    return { records: times.length, p50: percentile(times, 50), p95: percentile(times, 95) };
  };
}
