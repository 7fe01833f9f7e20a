/**
 * A whole Wrapup to break: a Redis of its own, synced on every write, ingress and workers as processes, and the sandbox in
 * this one, so that what took effect in the CRM is known whatever happens to the rest.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningSandbox, startSandbox } from '@wrapup/sandbox';
import { Redis } from 'ioredis';
import { openStore, type Store } from '../../packages/queue/src/index.ts';
import { type RedisServer, startRedisServer } from '../../scripts/local-redis.mjs';
import { freePort } from '../../scripts/ports.mjs';
import { makeConfig, postSigned } from '../support/config.ts';
import { type Process, startProcess } from '../support/process.ts';

const SECRET = 'a-webhook-secret-for-breaking';

/** Retries come soon, so that a run is over soon; in number they are as shipped. */
const CONFIG = makeConfig({
  routes: ['- { name: sales-calls, to: sales, mapping: mapping.yaml, retries: { base: 500ms, cap: 5s } }'],
});

export const MAPPINGS = {
  usual: `
extends: hubspot/call-log
`,
  /** Means the same people and the same log, and says it otherwise. */
  other: `
extends: hubspot/call-log
call_log:
  title: "Other: {{ call.outcome }}"
`,
} as const;

/** Longer than a process takes to start on a machine that many share. */
const REDIS_STARTS = 60_000;

export class FaultSystem {
  readonly folder: string;
  readonly sandbox: RunningSandbox;
  readonly store: Store;
  readonly #env: Record<string, string>;
  #redis: RedisServer;
  #ingress: Process | undefined;
  #ingressPort: number;
  #workers: Process[] = [];

  private constructor(parts: { folder: string; sandbox: RunningSandbox; redis: RedisServer; ingressPort: number }) {
    this.folder = parts.folder;
    this.sandbox = parts.sandbox;
    this.#redis = parts.redis;
    this.#ingressPort = parts.ingressPort;
    this.#env = {
      REDIS_URL: parts.redis.url,
      WRAPUP_CONFIG: join(parts.folder, 'wrapup.yaml'),
      SYNTHFLOW_WEBHOOK_SECRET: SECRET,
      HUBSPOT_ACCESS_TOKEN: 'pat-na1-break',
      HUBSPOT_BASE_URL: parts.sandbox.hubspotUrl,
    };
    this.store = openStore({ url: parts.redis.url, role: 'worker', onError() {} });
  }

  static async open(workers: number): Promise<FaultSystem> {
    const folder = mkdtempSync(join(tmpdir(), 'wrapup-faults-'));
    writeFileSync(join(folder, 'wrapup.yaml'), CONFIG);
    const redis = await startRedisServer({ dir: join(folder, 'redis'), appendonly: true, timeout: REDIS_STARTS });
    const sandbox = await startSandbox({ port: 0, provisioned: true, settings: { hubspot: { latency: 10 } } });
    const system = new FaultSystem({ folder, sandbox, redis, ingressPort: await freePort() });
    system.map('usual');
    await system.store.connected(REDIS_STARTS);
    await Promise.all([system.startIngress(), ...Array.from({ length: workers }, () => system.startWorker())]);
    return system;
  }

  get workers(): readonly Process[] {
    return this.#workers;
  }

  /** Writes the mapping that processes read from now on; those that run reload it by themselves. */
  map(mapping: keyof typeof MAPPINGS): void {
    writeFileSync(join(this.folder, 'mapping.yaml'), MAPPINGS[mapping]);
  }

  async startIngress(): Promise<void> {
    this.#ingress = await startProcess('ingress', { ...this.#env, INGRESS_PORT: String(this.#ingressPort) });
  }

  async killIngress(): Promise<void> {
    await this.#ingress?.kill();
    this.#ingress = undefined;
  }

  async startWorker(): Promise<Process> {
    const worker = await startProcess('worker', this.#env);
    this.#workers.push(worker);
    return worker;
  }

  async endWorker(worker: Process, how: 'kill' | 'stop'): Promise<void> {
    this.#workers = this.#workers.filter((one) => one !== worker);
    await worker[how]();
  }

  /** Freezes a worker, or lets it go on: it knows nothing of the time between. */
  freeze(worker: Process, frozen: boolean): void {
    process.kill(worker.pid, frozen ? 'SIGSTOP' : 'SIGCONT');
  }

  pauseRedis(paused: boolean): void {
    process.kill(this.#redis.pid, paused ? 'SIGSTOP' : 'SIGCONT');
  }

  async restartRedis(signal: 'SIGKILL' | 'SIGTERM', downFor: number): Promise<void> {
    process.kill(this.#redis.pid, signal);
    await this.#redis.exited;
    await pause(downFor);
    const { port } = this.#redis;
    this.#redis = await startRedisServer({
      dir: join(this.folder, 'redis'),
      port,
      appendonly: true,
      timeout: REDIS_STARTS,
    });
  }

  /** Asks Redis something on a connection of its own. */
  async command(...words: [string, ...string[]]): Promise<unknown> {
    const client = new Redis(this.#redis.url, { retryStrategy: null });
    client.on('error', () => {});
    try {
      return await client.call(...words);
    } finally {
      client.disconnect();
    }
  }

  /** Bytes that Redis uses now. */
  async usedMemory(): Promise<number> {
    return Number(/used_memory:(\d+)/.exec(String(await this.command('INFO', 'memory')))?.[1]);
  }

  /** @returns the status, or 0 when there was no answer */
  async post(payload: { call: { call_id: string } }): Promise<number> {
    try {
      const answer = await postSigned(this.#ingressPort, payload, SECRET);
      await answer.body?.cancel();
      return answer.status;
    } catch {
      return 0;
    }
  }

  /** Everything runs again, and the CRM is well. */
  async heal(workers: number): Promise<void> {
    this.sandbox.control.clearFaults();
    this.map('usual');
    if (!this.#ingress) await this.startIngress();
    while (this.#workers.length < workers) await this.startWorker();
  }

  async close(): Promise<void> {
    for (const worker of this.#workers) this.freeze(worker, false);
    this.pauseRedis(false);
    await Promise.all([this.killIngress(), ...this.#workers.map((worker) => worker.kill())]);
    await this.store.close();
    await this.sandbox.close();
    await this.#redis.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
