/**
 * A whole Wrapup to break: a Redis of its own, synced on every write, ingress and workers as processes, and the sandbox in
 * this one, so that what took effect in the CRM is known whatever happens to the rest. Processes reach Redis and CRM through
 * proxies, and have clocks of their own.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type RunningSandbox, startSandbox } from '@wrapup/sandbox';
import { openStore, type Store } from '../../packages/queue/src/index.ts';
import { freePort } from '../../scripts/ports.mjs';
import { postSigned } from '../support/config.ts';
import { COMPILE_CACHE, type Process, startProcess } from '../support/process.ts';
import { makeCertificate } from './rigging/certificates.ts';
import { type Certificate, TcpProxy } from './rigging/proxy.ts';
import { RedisHost } from './rigging/redis-host.ts';
import { configOf, MAPPINGS, PATH_TOKEN, SECRET, type Setup } from './setup.ts';

/** Longer than a process takes to start on a machine that many share. */
const STARTS = 60_000;
/** Ms after which a sender gives up. */
const ANSWERED_MS = 10_000;
const OWN_WORLD = resolve(import.meta.dirname, 'rigging/own-world.mjs');
/** Exit code of a command that is called wrongly. */
const USAGE = 2;
const CLI = resolve(import.meta.dirname, '../../apps/cli/src/main.ts');

interface Parts {
  setup: Setup;
  folder: string;
  sandbox: RunningSandbox;
  redis: RedisHost;
  crm: TcpProxy;
  certificate: Certificate | undefined;
  ingressPort: number;
}

export class FaultSystem {
  readonly setup: Setup;
  readonly folder: string;
  readonly sandbox: RunningSandbox;
  readonly redis: RedisHost;
  /** The way of the workers to HubSpot. */
  readonly crm: TcpProxy;
  readonly store: Store;
  readonly #certificate: Certificate | undefined;
  readonly #env: Record<string, string>;
  readonly #ingressPort: number;
  #ingress: Promise<Process> | undefined;
  #workers: Process[] = [];
  /** Processes that no fault ends or freezes, by what they are. */
  readonly #spared: { app: string; process: Process }[] = [];
  #posted = 0;

  private constructor(parts: Parts) {
    this.setup = parts.setup;
    this.folder = parts.folder;
    this.sandbox = parts.sandbox;
    this.redis = parts.redis;
    this.crm = parts.crm;
    this.#certificate = parts.certificate;
    this.#ingressPort = parts.ingressPort;
    this.#env = {
      WRAPUP_CONFIG: join(parts.folder, 'wrapup.yaml'),
      SYNTHFLOW_WEBHOOK_SECRET: SECRET,
      SYNTHFLOW_BASE_URL: parts.sandbox.synthflowUrl,
      HUBSPOT_ACCESS_TOKEN: 'pat-na1-break',
      HUBSPOT_BASE_URL: `http${parts.certificate ? 's' : ''}://localhost:${parts.crm.port}/hubspot`,
      SALESFORCE_CLIENT_SECRET: 'sandbox-consumer-secret',
      SALESFORCE_BASE_URL: parts.sandbox.salesforceUrl,
      WRAPUP_FAULTS_WORLD: join(parts.folder, 'world.json'),
      NODE_OPTIONS: [OWN_WORLD, ...(parts.setup.soak?.preloads ?? [])].map((file) => `--import=${file}`).join(' '),
      // Replaced refresh tokens are kept, and so encrypted.
      WRAPUP_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
      ...(parts.certificate && { NODE_EXTRA_CA_CERTS: parts.certificate.cert }),
    };
    const url = parts.redis.urlFor('run');
    const { WRAPUP_ENCRYPTION_KEY } = this.#env;
    this.store = openStore({ url, encryption_keys: WRAPUP_ENCRYPTION_KEY as string, role: 'worker', onError() {} });
  }

  static async open(setup: Setup): Promise<FaultSystem> {
    const folder = mkdtempSync(join(tmpdir(), 'wrapup-faults-'));
    writeFileSync(join(folder, 'wrapup.yaml'), configOf(setup));
    for (const [name, text] of Object.entries(MAPPINGS.others)) writeFileSync(join(folder, name), text);
    const redis = await RedisHost.open(folder, setup.soak === undefined);
    const settings = { hubspot: { latency: 10 }, salesforce: { latency: 10 } };
    const sandbox = await startSandbox({ port: 0, provisioned: true, settings });
    const certificate = setup.tls ? makeCertificate(folder, 'trusted') : undefined;
    const crm = await TcpProxy.open(sandbox.port, certificate);
    const parts = { setup, folder, sandbox, redis, crm, certificate, ingressPort: await freePort() };
    const system = new FaultSystem(parts);
    system.map('usual');
    system.turnClocks(0);
    await system.store.connected(STARTS);
    await Promise.all([system.startIngress(), ...Array.from({ length: setup.workers }, () => system.startWorker())]);
    return system;
  }

  get workers(): readonly Process[] {
    return this.#workers;
  }

  /** Writes the mapping that processes read from now on; those that run reload it by themselves. */
  map(mapping: 'usual' | 'other'): void {
    writeFileSync(join(this.folder, 'mapping.yaml'), MAPPINGS[mapping]);
  }

  /** From now on clocks of all processes are ahead by so many ms; names of hosts are not known where `no_names` is true. */
  turnClocks(clock: number, no_names = false): void {
    const file = join(this.folder, 'world.json');
    // `Date.now()` has no fractions.
    writeFileSync(`${file}.new`, JSON.stringify({ clock: Math.round(clock), no_names }));
    renameSync(`${file}.new`, file);
  }

  /** HubSpot shows a certificate that no process trusts, or the right one again. */
  showCertificate(which: 'trusted' | 'foreign'): void {
    if (this.#certificate)
      this.crm.show(which === 'trusted' ? this.#certificate : makeCertificate(this.folder, 'foreign'));
  }

  /** @param release its folder; by default this one */
  async startIngress(release?: string): Promise<void> {
    const { redis } = this;
    const env = { ...this.#env, REDIS_URL: redis.urlFor('ingress'), INGRESS_PORT: String(this.#ingressPort) };
    // Two that break things at once start one.
    this.#ingress ??= startProcess('ingress', env, release);
    await this.#ingress;
  }

  async killIngress(): Promise<void> {
    const ingress = this.#ingress;
    await (await ingress)?.kill();
    if (this.#ingress === ingress) this.#ingress = undefined;
  }

  async freezeIngress(ms: number): Promise<void> {
    const ingress = await this.#ingress;
    if (!ingress) return;
    freeze(ingress, true);
    await pause(ms);
    freeze(ingress, false);
  }

  /** @param release its folder; by default this one */
  async startWorker(release?: string): Promise<Process> {
    const worker = await startProcess('worker', { ...this.#env, REDIS_URL: this.redis.urlFor('worker') }, release);
    this.#workers.push(worker);
    return worker;
  }

  /** Starts a process that lives until the end, whatever happens around it. Calls come to such an ingress by turns. */
  async spare(app: 'ingress' | 'worker' | 'dashboard', env: Record<string, string> = {}): Promise<Process> {
    const side = app === 'dashboard' ? 'run' : app;
    const started = await startProcess(app, { ...this.#env, ...env, REDIS_URL: this.redis.urlFor(side) });
    this.#spared.push({ app, process: started });
    return started;
  }

  async endWorker(worker: Process, how: 'kill' | 'stop'): Promise<void> {
    this.#workers = this.#workers.filter((one) => one !== worker);
    await worker[how]();
  }

  /**
   * Runs a command as an operator does. A command that there is none of throws.
   * @returns whether it did what it is for: Redis may be away
   */
  async wrapup(...args: string[]): Promise<boolean> {
    const env = { PATH: process.env.PATH ?? '', ...COMPILE_CACHE, ...this.#env, REDIS_URL: this.redis.urlFor('run') };
    const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((done) => {
      execFile(process.execPath, [CLI, ...args], { env, timeout: 120_000 }, (error, _, said) =>
        done({ code: error ? (error.code ?? error.signal) : 0, stderr: said }),
      );
    });
    if (code === USAGE) throw new Error(`wrapup ${args.join(' ')}: ${stderr}`);
    return code === 0;
  }

  /** @returns the status, or 0 when there was no answer */
  async post(payload: { call: { call_id: string } }): Promise<number> {
    try {
      const source = this.setup.soak ? `main/${PATH_TOKEN}` : 'main';
      const answer = await postSigned(this.#nextIngress(), payload, SECRET, { source, within: ANSWERED_MS });
      await answer.body?.cancel();
      return answer.status;
    } catch {
      return 0;
    }
  }

  /** Asks who is calling, as the voice platform does while the phone rings. @returns as `post` */
  async askCaller(from_number: string): Promise<number> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.#nextIngress()}/webhooks/main/${PATH_TOKEN}/inbound-call`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          event: 'call_inbound',
          call_inbound: { model_id: 'a1', from_number, to_number: '+14155550101' },
        }),
        signal: AbortSignal.timeout(ANSWERED_MS),
      });
      await answer.body?.cancel();
      return answer.status;
    } catch {
      return 0;
    }
  }

  #nextIngress(): number {
    const spared = this.#spared.filter(({ app }) => app === 'ingress').map(({ process }) => process.port);
    const ports = [this.#ingressPort, ...spared];
    this.#posted += 1;
    return ports[this.#posted % ports.length] as number;
  }

  /** Everything runs again, and the CRM is well. */
  async heal(): Promise<void> {
    this.sandbox.control.clearFaults();
    this.map('usual');
    this.turnClocks(0);
    this.showCertificate('trusted');
    this.crm.release('late');
    await this.redis.heal();
    await this.startIngress();
    for (const worker of this.#workers) freeze(worker, false);
    while (this.#workers.length < this.setup.workers) await this.startWorker();
  }

  async close(): Promise<void> {
    for (const worker of this.#workers) freeze(worker, false);
    const others = [...this.#workers, ...this.#spared.map((one) => one.process)];
    await Promise.all([this.killIngress(), ...others.map((one) => one.kill())]);
    await this.store.close();
    await Promise.all([this.redis.close(), this.crm.close()]);
    await this.sandbox.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Freezes a process, or lets it go on: it knows nothing of the time between. One that is gone stays so. */
export function freeze({ pid }: Process, frozen: boolean): void {
  try {
    process.kill(pid, frozen ? 'SIGSTOP' : 'SIGCONT');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
