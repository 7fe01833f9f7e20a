/** A ledger that is filled with a great many calls and read by a dashboard, where no other process is at work. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store } from '../../packages/queue/src/index.ts';
import { startRedisServer } from '../../scripts/local-redis.mjs';
import { makeConfig } from '../../test/support/config.ts';
import { type Process, startProcess } from '../../test/support/process.ts';
import { median } from './statistics.ts';

interface BenchLedger {
  store: Store;
  /** Of its Redis. */
  url: string;
  startDashboard(): Promise<Process>;
  close(): Promise<void>;
}

export async function openLedger({ appendonly }: { appendonly: boolean }): Promise<BenchLedger> {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-bench-'));
  writeFileSync(join(folder, 'wrapup.yaml'), makeConfig());
  writeFileSync(join(folder, 'mapping.yaml'), 'extends: hubspot/call-log\n');
  const redis = await startRedisServer({ dir: join(folder, 'redis'), appendonly });
  const { url } = redis;
  const store = openStore({ url, role: 'worker', onError() {} });
  const close = async () => {
    await store.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await store.connected(20_000);
    // As a worker's first sweep does.
    await store.queues.connections();
  } catch (error) {
    await close();
    throw error;
  }
  const env = {
    ...{ REDIS_URL: url, WRAPUP_CONFIG: join(folder, 'wrapup.yaml'), LOG_LEVEL: 'info' },
    ...{ HUBSPOT_ACCESS_TOKEN: 'pat-na1-bench', HUBSPOT_BASE_URL: 'http://127.0.0.1:9' },
    SYNTHFLOW_WEBHOOK_SECRET: randomBytes(16).toString('hex'),
  };
  return { store, url, startDashboard: () => startProcess('dashboard', env), close };
}

/** As many call ids as one likes, each the size of a UUID. */
export function callIdOf(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

/** Under way to Redis at once. */
const AT_ONCE = 200;

/** Does a thing with each number, many at once. */
export async function eachNumber(from: number, until: number, act: (n: number) => Promise<void>): Promise<void> {
  let next = from;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let n = next++; n < until; n = next++) await act(n);
    }),
  );
}

const TRIES = 20;

/** ms of an answer: of the first one, in the middle and at most of twenty, one after the other. */
export interface AnswerTimes {
  first: number;
  median: number;
  worst: number;
}

export async function timesOf(ask: () => Promise<unknown>): Promise<AnswerTimes> {
  const all: number[] = [];
  for (let n = 0; n < TRIES; n += 1) {
    const began = performance.now();
    await ask();
    all.push(performance.now() - began);
  }
  return { first: all[0] as number, median: median(all), worst: Math.max(...all) };
}
