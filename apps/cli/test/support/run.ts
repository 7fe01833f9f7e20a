import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import { COMPILE_CACHE, scriptOf } from '../../../../test/support/process.ts';
import type { Done, Order } from './warm.ts';

export const ROOT = resolve(import.meta.dirname, '../../../..');

export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Standard output as JSON. */
  json(): never;
}

/** The test file that has had its first run. */
let begun: string | undefined;
let warm: Promise<ChildProcess> | undefined;
let busy = false;

/**
 * Runs the command as a user would, in the repository's root. Nothing of this process's environment reaches it. The first
 * run of a test file and any beside another one is a process of its own, of the bundle that the image has; one with settings for
 * Node itself, of the sources, which these may be about; the others share one of the sources (`warm.ts`).
 */
export async function wrapup(args: string[], env: Record<string, string> = {}, stdin = ''): Promise<Run> {
  const whole = { PATH: process.env.PATH ?? '', ...COMPILE_CACHE, ...env };
  const file = expect.getState().testPath;
  const setsNode = Object.keys(env).some((name) => name.startsWith('NODE_'));
  const script = setsNode ? 'apps/cli/src/main.ts' : scriptOf('cli');
  const isAlone = setsNode || file !== begun || busy;
  begun = file;
  const { code, stdout, stderr } = await (isAlone
    ? runAlone(script, args, whole, stdin)
    : runWarm({ args, env: whole, stdin }));
  return { code, stdout, stderr, json: () => JSON.parse(stdout) as never };
}

async function runWarm(order: Order): Promise<Done> {
  busy = true;
  try {
    warm ??= start();
    const child = await warm;
    const over = new AbortController();
    const heard = (event: string) => once(child, event, { signal: over.signal });
    const answer = Promise.race([heard('message'), heard('exit').then(() => [])]);
    child.send(order);
    const [done] = (await answer) as [Done?];
    over.abort();
    if (!done) throw new Error(`wrapup ${order.args.join(' ')} ended the process that runs it`);
    return done;
  } finally {
    busy = false;
  }
}

async function start(): Promise<ChildProcess> {
  const child = fork(resolve(import.meta.dirname, 'warm.ts'), {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? '', ...COMPILE_CACHE },
    execArgv: [],
  });
  const end = () => void child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  await once(child, 'message');
  return child;
}

async function runAlone(script: string, args: string[], env: Record<string, string>, stdin: string) {
  const child = spawn(process.execPath, [script, ...args], {
    cwd: ROOT,
    env,
  });
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}
