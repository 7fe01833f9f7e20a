/** Wrapup's own processes, started as an operator would, for tests that watch and kill them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = resolve(import.meta.dirname, '../..');

/** Has a process start from what earlier ones compiled, as `npm start` and `npm run` do. */
export const COMPILE_CACHE = { NODE_COMPILE_CACHE: resolve(ROOT, 'node_modules/.cache/node') };

/** Variable that names the folder of the bundles, in the processes of the test runner. */
export const BUNDLES = 'WRAPUP_TEST_BUNDLES';

/** Path of the bundle of an app, or of its sources outside of the test runner. */
export function scriptOf(app: 'ingress' | 'worker' | 'dashboard' | 'sandbox' | 'cli'): string {
  const folder = process.env[BUNDLES];
  return folder === undefined ? `apps/${app}/src/main.ts` : join(folder, `${app}.mjs`);
}

export interface Process {
  /** Of the first `… listens` line. */
  readonly port: number;
  readonly pid: number;
  /** Log lines so far, parsed. */
  readonly lines: Record<string, unknown>[];
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Ends it as an orchestrator would; its exit code. */
  stop(): Promise<number | null>;
}

/**
 * Starts one and resolves when it listens. Rejects with its output when it ends before. Within the test runner it is the bundle,
 * as the image runs it: it starts in half the time of the sources.
 * @param checkout of Wrapup whose sources are run; by default this one
 */
export function startProcess(
  app: 'ingress' | 'worker' | 'dashboard' | 'sandbox',
  env: Record<string, string>,
  checkout?: string,
): Promise<Process> {
  const script = checkout === undefined ? scriptOf(app) : `apps/${app}/src/main.ts`;
  return startScript(script, { [`${app.toUpperCase()}_PORT`]: '0', ...env }, checkout);
}

/** Starts ingress and waits until it takes calls: it listens before Redis answers, and refuses with 503 until then. */
export async function startIngress(env: Record<string, string>): Promise<Process> {
  const ingress = await startProcess('ingress', env);
  const ready = () =>
    fetch(`http://127.0.0.1:${ingress.port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await ready())) await new Promise((resolve) => setTimeout(resolve, 20));
  return ingress;
}

/** As `startProcess`, for any script that says on a line of JSON at which `port` it `listens`. */
export async function startScript(script: string, env: Record<string, string>, checkout = ROOT): Promise<Process> {
  const child = spawn(process.execPath, [script], {
    cwd: checkout,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: Record<string, unknown>[] = [];
  const raw: string[] = [];
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const port = await new Promise<number>((listening, failed) => {
    const read = (line: string) => {
      raw.push(line);
      const parsed = parse(line);
      if (!parsed) return;
      lines.push(parsed);
      if (typeof parsed.port === 'number' && String(parsed.msg).includes('listens')) listening(parsed.port);
    };
    createInterface({ input: child.stdout }).on('line', read);
    createInterface({ input: child.stderr }).on('line', read);
    void exited.then(() => failed(new Error(`${script} ended before it listened:\n${raw.slice(-20).join('\n')}`)));
  });
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return (await exited)[0];
  };
  const stopOnExit = () => void (child as ChildProcess).kill('SIGKILL');
  process.once('exit', stopOnExit);
  void exited.then(() => process.off('exit', stopOnExit));
  return {
    port,
    pid: child.pid as number,
    lines,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  };
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
