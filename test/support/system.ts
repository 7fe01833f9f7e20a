/** A whole Wrapup for one test: sandbox, ingress and worker as processes of their own, Redis under a prefix of its own. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startSandbox } from '@wrapup/sandbox';
import { openStore, type Store } from '../../packages/queue/src/index.ts';
import { becomesReady, makeConfig, postSigned } from './config.ts';
import { PATIENCE } from './patience.ts';
import { type Process, startProcess } from './process.ts';
import { freshPrefix, redisUrl } from './redis.ts';

export const SECRET = 'a-webhook-secret-for-tests';

export interface TestSystemOptions {
  redis?: string;
  /** `WRAPUP_PREFIX`; default: one that no other system has. */
  prefix?: string;
  /** Address of Redis for one process, where it is not that of all. */
  redisFor?(app: 'ingress' | 'worker' | 'dashboard'): string;
  /** Replaces the default wrapup.yaml; `mapping.yaml` beside it is the default mapping. */
  config?: string;
  mapping?: string;
  /** Further files by their path from the folder of wrapup.yaml. */
  files?: Record<string, string>;
  env?: Record<string, string>;
}

const MAPPING = `
extends: hubspot/call-log
`;

export type TestSystem = Awaited<ReturnType<typeof openSystem>>;

export async function openSystem(options: TestSystemOptions = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'wrapup-system-'));
  writeFileSync(join(folder, 'wrapup.yaml'), options.config ?? makeConfig());
  writeFileSync(join(folder, 'mapping.yaml'), options.mapping ?? MAPPING);
  for (const [name, text] of Object.entries(options.files ?? {})) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const sandbox = await startSandbox({ port: 0, provisioned: true });
  const prefix = options.prefix ?? freshPrefix();
  const env = {
    REDIS_URL: options.redis ?? redisUrl(),
    WRAPUP_PREFIX: prefix,
    WRAPUP_CONFIG: join(folder, 'wrapup.yaml'),
    SYNTHFLOW_WEBHOOK_SECRET: SECRET,
    HUBSPOT_ACCESS_TOKEN: 'pat-na1-test',
    HUBSPOT_BASE_URL: sandbox.hubspotUrl,
    SALESFORCE_CLIENT_ID: 'sandbox-consumer-key',
    SALESFORCE_CLIENT_SECRET: 'sandbox-consumer-secret',
    SALESFORCE_BASE_URL: sandbox.salesforceUrl,
    SYNTHFLOW_BASE_URL: sandbox.synthflowUrl,
    ...options.env,
  };
  const store: Store = openStore({ url: env.REDIS_URL, prefix, role: 'worker', onError() {} });
  const processes: Process[] = [];
  const start = async (
    app: 'ingress' | 'worker' | 'dashboard',
    more: Record<string, string> = {},
    checkout?: string,
  ) => {
    const own = { ...env, REDIS_URL: options.redisFor?.(app) ?? env.REDIS_URL, ...more };
    const started = await startProcess(app, own, checkout);
    processes.push(started);
    return started;
  };

  const system = {
    env,
    folder,
    sandbox,
    store,
    ingress: undefined as Process | undefined,
    /** @param checkout of another release; the same for a worker */
    startIngress: async (more?: Record<string, string>, checkout?: string) => {
      const ingress = await start('ingress', more, checkout);
      await becomesReady(ingress.port);
      system.ingress = ingress;
      return ingress;
    },
    startWorker: (more?: Record<string, string>, checkout?: string) => start('worker', more, checkout),
    startDashboard: () => start('dashboard'),

    /** Posts a payload as Synthflow would. */
    async post(
      payload: { call: { call_id: string } },
      source = 'main',
    ): Promise<{ status: number; body: Record<string, unknown> }> {
      const answer = await postSigned(system.ingress?.port, payload, SECRET, { source });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    },

    /** Waits until nothing of a call is on its way, and gives its ledger entry. */
    async settled(callId: string, within = PATIENCE) {
      const until = Date.now() + within;
      for (;;) {
        const entry = await store.ledger.read('main', callId);
        const moving =
          !entry?.routed ||
          entry.revisions.some(({ effect }) => !effect) ||
          entry.deliveries.some(({ state }) => state === 'queued');
        if (entry && (entry.stopped || !moving)) return entry;
        if (Date.now() > until) throw new Error(`call ${callId} did not settle: ${JSON.stringify(entry)}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },

    /** What the CRM holds of one object. */
    async crm(object: string): Promise<CrmRecord[]> {
      const answer = await fetch(`${sandbox.url}/_sandbox/state?object=${object}`);
      return ((await answer.json()) as Record<string, CrmRecord[]>)[object] ?? [];
    },

    /** Ends the processes as an orchestrator would. */
    async stop() {
      await Promise.all(processes.map((one) => one.stop()));
    },

    /** Ends the processes as a power cut would. */
    async kill() {
      await Promise.all(processes.map((one) => one.kill()));
    },

    async close() {
      await system.kill();
      await store.close();
      await sandbox.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await store.connected(PATIENCE);
  return system;
}

export interface CrmRecord {
  id: string;
  properties: Record<string, string | null>;
  associations: Record<string, unknown>;
  archived: boolean;
}
