import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { vi } from 'vitest';
import { COMPILE_CACHE } from '../../../../test/support/process.ts';

// Each run is a process of its own, and the machine may be busy with other tests.
vi.setConfig({ testTimeout: 240_000 });

export const ROOT = resolve(import.meta.dirname, '../../../..');

export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Standard output as JSON. */
  json(): never;
}

/** Runs the command as a user would, in the repository's root. Nothing of this process's environment reaches it. */
export async function wrapup(args: string[], env: Record<string, string> = {}, stdin = ''): Promise<Run> {
  const child = spawn(process.execPath, [resolve(ROOT, 'apps/cli/src/main.ts'), ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? '', ...COMPILE_CACHE, ...env },
    timeout: 120_000,
  });
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr, json: () => JSON.parse(stdout) as never };
}
