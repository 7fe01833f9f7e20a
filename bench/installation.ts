/** A whole Wrapup for measuring: Redis, ingress and worker as processes of their own, the sandbox in this one. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Partially, type RunningSandbox, type Settings, startSandbox } from '@wrapup/sandbox';
import { openStore, type Store } from '../packages/queue/src/index.ts';
import { type RedisServer, startRedisServer } from '../scripts/local-redis.mjs';
import { becomesReady, makeConfig, postSigned } from '../test/support/config.ts';
import { type Process, startProcess } from '../test/support/process.ts';
import type { Payload } from './support/calls.ts';
import { startDistance } from './support/distance.ts';

export const SECRET = 'a-webhook-secret-for-measuring';

/** Every call leaves a task. */
export const MAPPING = `
extends: hubspot/call-log
tasks:
  - name: call-back
    when: { path: call.outcome, exists: true }
`;

export type { Payload } from './support/calls.ts';

export interface Installation {
  sandbox: RunningSandbox;
  store: Store;
  redis: RedisServer;
  /** Where the processes find it. */
  redisUrl: string;
  ingress: Process;
  /** Variables with which a command finds this installation. */
  env: Record<string, string>;
  /** Where none was started with the rest. */
  startWorker(): Promise<Process>;
  /** Default: to the source of wrapup.yaml. */
  post(payload: Payload, to?: { source: string; secret: string }): Promise<void>;
  /** Resolves when every one of these calls is written. @throws when one stops, or after `within` ms */
  written(callIds: string[], within?: number): Promise<void>;
  /** Resident memory of the worker now, in MiB. */
  memory(): Promise<number>;
  close(): Promise<void>;
}

export interface InstallationOptions {
  /** wrapup.yaml instead of the one that delivers to HubSpot. */
  config?: string;
  /** Instead of the one in which every call leaves a task. */
  mapping?: string;
  /** Further files beside wrapup.yaml, by path from its folder. */
  files?: Record<string, string>;
  /** Of the sandbox, beside 40 ms for each answer of HubSpot and the limits of a Professional account. */
  settings?: Partially<Settings>;
  env?: Record<string, string>;
  /** Of the worker alone. */
  workerEnv?: Record<string, string>;
  /** Default true; otherwise with `startWorker`. */
  worker?: boolean;
  /** Whole ms by which each way between the processes and Redis is longer. Default 0. */
  redisAway?: number;
  /** Folder of another checkout of Wrapup, whose processes are measured. Default: this one. */
  checkout?: string;
}

export async function openInstallation(options: InstallationOptions = {}): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-bench-'));
  writeFileSync(join(folder, 'wrapup.yaml'), options.config ?? makeConfig());
  writeFileSync(join(folder, 'mapping.yaml'), options.mapping ?? MAPPING);
  for (const [name, text] of Object.entries(options.files ?? {})) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const redis = await startRedisServer({ dir: join(folder, 'redis'), appendonly: true });
  const distance = options.redisAway ? await startDistance({ to: redis.port, ms: options.redisAway }) : undefined;
  const redisUrl = distance ? `redis://127.0.0.1:${distance.port}` : redis.url;
  // A Professional account as seen from afar: 190 requests in 10 s, 5 searches in 1 s, 40 ms each.
  const sandbox = await startSandbox({
    port: 0,
    provisioned: true,
    settings: options.settings ?? { hubspot: { latency: 40 } },
  });
  const env = {
    REDIS_URL: redisUrl,
    WRAPUP_CONFIG: join(folder, 'wrapup.yaml'),
    SYNTHFLOW_WEBHOOK_SECRET: SECRET,
    HUBSPOT_ACCESS_TOKEN: 'pat-na1-bench',
    HUBSPOT_BASE_URL: sandbox.hubspotUrl,
    SYNTHFLOW_BASE_URL: sandbox.synthflowUrl,
    SALESFORCE_LOGIN_URL: sandbox.salesforceUrl,
    LOG_LEVEL: 'info',
    ...options.env,
  };
  const store = openStore({ url: redis.url, role: 'worker', onError() {} });
  await store.connected(20_000);
  const ingress = await startProcess('ingress', env, options.checkout);
  await becomesReady(ingress.port);
  let worker: Process | undefined;
  const startWorker = async () => {
    worker = await startProcess('worker', { ...env, ...options.workerEnv }, options.checkout);
    await becomesReady(worker.port);
    return worker;
  };
  if (options.worker !== false) await startWorker();

  return {
    sandbox,
    store,
    startWorker,
    redis,
    redisUrl,
    ingress,
    env,
    async post(payload, { source, secret } = { source: 'main', secret: SECRET }) {
      const answer = await postSigned(ingress.port, payload, secret, { source, within: 120_000 });
      if (answer.status !== 202) throw new Error(`ingress answered ${answer.status}: ${await answer.text()}`);
      await answer.body?.cancel();
    },
    async written(callIds, within = 600_000) {
      const until = Date.now() + within;
      for (const id of callIds) {
        for (;;) {
          const entry = await store.ledger.read('main', id);
          const states = entry?.deliveries.map(({ state }) => state) ?? [];
          if (states.length > 0 && states.every((state) => state === 'written')) break;
          if (states.some((state) => state === 'parked' || state === 'dead') || Date.now() > until)
            throw new Error(`call ${id} was not written: ${JSON.stringify(entry?.deliveries)}`);
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }
    },
    async memory() {
      const answer = await fetch(`http://127.0.0.1:${worker?.port}/metrics`);
      const bytes = /^process_resident_memory_bytes ([\d.e+]+)$/m.exec(await answer.text())?.[1];
      return Number(bytes) / 1024 ** 2;
    },
    async close() {
      await Promise.all([ingress.stop(), worker?.stop()]);
      await store.close();
      await sandbox.close();
      await distance?.close();
      await redis.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
