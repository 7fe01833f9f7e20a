/**
 * A whole installation to look at: Redis, ingress, a worker, the dashboard and a sandbox for each source, each a process of its
 * own as an operator starts it. What they know of the time is turned from here, as in the runs of faults.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { openStore, type Store } from '@wrapup/queue';
import { COMPILE_CACHE, type Process, startIngress, startProcess } from '../../test/support/process.ts';
import { startRedisServer } from '../local-redis.mjs';
import { type DemoSource, FILES, prefixOf, SOURCES } from './settings.ts';

const OWN_WORLD = resolve(import.meta.dirname, '../../test/faults/rigging/own-world.mjs');
const CLI = resolve(import.meta.dirname, '../../apps/cli/src/main.ts');
/** Longer than it takes every process to look at its clock. */
const CLOCK_SEEN_MS = 130;
/** Each source has its own. */
const secretOf = (source: DemoSource) => `a-secret-of-${source}-for-the-demo-only`;
const [ENCRYPTION_KEY, INDEX_KEY] = [7, 8].map((byte) => Buffer.alloc(32, byte).toString('base64')) as [string, string];
const run = promisify(execFile);

export type DemoInstallation = Awaited<ReturnType<typeof openInstallation>>;

/** @param began epoch ms that all clocks show at first */
export async function openInstallation(began: number) {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-demo-'));
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const world = join(folder, 'world.json');
  const turn = (clock: number) => {
    writeFileSync(`${world}.new`, JSON.stringify({ clock }));
    renameSync(`${world}.new`, world);
  };
  turn(began - Date.now());
  const own = { WRAPUP_FAULTS_WORLD: world, NODE_OPTIONS: `--import=${OWN_WORLD}`, LOG_LEVEL: 'warn' };
  const ends: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const end of ends.reverse()) await end();
  };
  try {
    const redis = await startRedisServer({ dir: folder, appendonly: false });
    ends.push(() => redis.stop());
    const sandboxes = {} as Record<DemoSource, string>;
    const env: Record<string, string> = {
      ...own,
      REDIS_URL: redis.url,
      WRAPUP_CONFIG: join(folder, 'wrapup.yaml'),
      WRAPUP_ENCRYPTION_KEY: ENCRYPTION_KEY,
      WRAPUP_INDEX_KEY: INDEX_KEY,
    };
    const start = async (starting: Promise<Process>) => {
      const started = await starting;
      ends.push(() => started.stop());
      return started;
    };
    for (const source of SOURCES) {
      const limits = { daily: source === 'acme.main' ? 500 : 2_000 };
      const settings = { hubspot: { limits, search_lag: 0 }, salesforce: { limits, duplicate_rules: 'off' } };
      const sandbox = await start(
        startProcess('sandbox', { ...own, LOG_LEVEL: 'info', SANDBOX_SETTINGS: JSON.stringify(settings) }),
      );
      const url = `http://127.0.0.1:${sandbox.port}`;
      sandboxes[source] = url;
      const name = prefixOf(source);
      Object.assign(env, {
        ...{ [`${name}_SECRET`]: secretOf(source), [`${name}_TOKEN`]: `pat-na1-${name.toLowerCase()}` },
        ...{ [`${name}_HUBSPOT_BASE_URL`]: `${url}/hubspot`, [`${name}_SALESFORCE_BASE_URL`]: `${url}/salesforce` },
        ...{ [`${name}_SYNTHFLOW_BASE_URL`]: `${url}/synthflow`, [`${name}_CLIENT_SECRET`]: 'sandbox-consumer-secret' },
      });
    }
    // Revisions of bolt's calls are judged without asking Synthflow.
    Object.assign(env, { MAIN_API_KEY: 'any-key', ACME_API_KEY: 'any-key' });
    const keys = { encryption_keys: ENCRYPTION_KEY, index_key: INDEX_KEY };
    const store: Store = openStore({ url: redis.url, ...keys, role: 'worker', onError() {} });
    ends.push(() => store.close());
    await store.connected(20_000);
    const ingress = await start(startIngress({ ...env, LOG_LEVEL: 'info' }));
    await start(startProcess('worker', { ...env, LOG_LEVEL: 'info' }));
    const dashboard = await start(startProcess('dashboard', { ...env, LOG_LEVEL: 'info' }));
    return {
      store,
      dashboard: `http://127.0.0.1:${dashboard.port}`,
      sandboxes,
      secretOf,
      webhookOf: (source: DemoSource) => `http://127.0.0.1:${ingress.port}/webhooks/${source}/post-call`,
      close,

      /** Returns when every process knows that it is `at`: epoch ms, later than before. */
      async turnTo(at: number) {
        turn(at - Date.now());
        await pause(CLOCK_SEEN_MS);
      },

      /** Asks the control interface of a sandbox. */
      async control(source: DemoSource, method: string, path: string, body?: object): Promise<unknown> {
        const answer = await fetch(`${sandboxes[source]}/_sandbox/${path}`, {
          method,
          ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
        });
        const said = await answer.text();
        if (!answer.ok) throw new Error(`the sandbox of ${source} answered ${answer.status}: ${said}`);
        return said === '' ? undefined : JSON.parse(said);
      },

      /** Runs a command as an operator does. @returns what it printed */
      async wrapup(...args: string[]): Promise<string> {
        const all = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...COMPILE_CACHE, ...env };
        return (await run(process.execPath, [CLI, ...args], { env: all, timeout: 60_000 })).stdout;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
