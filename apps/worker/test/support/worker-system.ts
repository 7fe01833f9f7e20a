/**
 * Workers in this process over a real Redis and the sandbox on a real socket: as many as a test wants, each with its own
 * connection to Redis, as if it were a process of its own.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, loadConfig } from '@wrapup/config';
import { openStore, type Received, revisionOf } from '@wrapup/queue';
import { startSandbox } from '@wrapup/sandbox';
import { type SampleOverrides, samplePayload } from '@wrapup/synthflow';
import { createMetrics, type Metrics } from '@wrapup/telemetry';
import { PATIENCE } from '../../../../test/support/patience.ts';
import { freshPrefix, redisUrl } from '../../../../test/support/redis.ts';
import { type RunningWorker, startWorker } from '../../src/worker.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

const SOURCES = `
sources:
  main: { webhook_secrets: [a-secret-for-tests], default_country: US }
`;
const ROUTES = `
connections:
  sales: { kind: hubspot, access_token: pat-na1-test, base_url: "\${HUBSPOT_BASE_URL}" }
routes:
  - { name: sales-calls, to: sales, mapping: mapping.yaml }
`;

export interface WorkerSystemOptions {
  /** Replaces connections and routes. */
  routes?: string;
  /** Comes after them. */
  more?: string;
  mapping?: string;
  redis?: string;
  /** Default: a fresh one. */
  prefix?: string;
}

export interface StartedWorker extends RunningWorker {
  metrics: Metrics;
}

export type WorkerSystem = Awaited<ReturnType<typeof openWorkerSystem>>;

export async function openWorkerSystem(options: WorkerSystemOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-system-'));
  const sandbox = await startSandbox({ port: 0, provisioned: true });
  const url = options.redis ?? redisUrl();
  const prefix = options.prefix ?? freshPrefix();
  const open = (encryption_keys?: string) =>
    openStore({ url, prefix, role: 'worker', onError() {}, ...(encryption_keys ? { encryption_keys } : {}) });
  const store = open();
  await store.connected(PATIENCE);
  const started: { worker: RunningWorker; close(): Promise<void> }[] = [];
  let config: Config;

  const system = {
    sandbox,
    store,
    folder,
    prefix,
    get config() {
      return config;
    },
    /** Writes and loads another configuration; the workers take it over. */
    async configure(
      routes = options.routes ?? ROUTES,
      mapping = options.mapping ?? 'extends: hubspot/call-log\n',
      files: Record<string, string> = {},
    ) {
      const file = join(folder, 'wrapup.yaml');
      writeFileSync(file, `${SOURCES}${routes}${options.more ?? ''}`);
      writeFileSync(join(folder, 'mapping.yaml'), mapping);
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
      const loaded = await loadConfig({ file, env: { HUBSPOT_BASE_URL: sandbox.hubspotUrl } });
      if (!loaded.config) throw new Error(JSON.stringify(loaded.findings));
      config = loaded.config;
      for (const { worker } of started) await worker.reconfigure();
    },
    /** @param encryption_keys `WRAPUP_ENCRYPTION_KEY` of that worker */
    async startWorker(encryption_keys?: string): Promise<StartedWorker> {
      const own = open(encryption_keys);
      const metrics = createMetrics();
      const worker = await startWorker({ store: own, config: () => config, log: silent, metrics, onError() {} });
      let closed: Promise<void> | undefined;
      const close = () => {
        closed ??= worker.close(5_000).then(() => own.close());
        return closed;
      };
      started.push({ worker, close });
      return { ...worker, close, metrics };
    },
    /** A call as ingress keeps it. */
    async arrive(overrides: SampleOverrides = {}, received: Received = 'webhook') {
      const call_id = overrides.call_id ?? randomUUID();
      const body = Buffer.from(JSON.stringify(samplePayload('connected', { ...overrides, call_id })));
      const arrival = { source: 'main', call_id, body, received, verified: 'signature' as const };
      await store.accept({ ...arrival, received_at: Date.now() }, 90);
      return { source: 'main', call_id, revision: revisionOf(body) };
    },
    async delivery(call_id: string) {
      return (await store.ledger.read('main', call_id))?.deliveries[0];
    },
    async close() {
      await Promise.all(started.map((one) => one.close()));
      await store.close();
      await sandbox.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await system.configure();
  return system;
}

/** Waits for something to become true. A busy machine is waited for. */
export async function until(what: () => Promise<boolean> | boolean, within = PATIENCE): Promise<void> {
  const end = Date.now() + within;
  while (!(await what())) {
    if (Date.now() > end) throw new Error(`it did not come to pass: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
