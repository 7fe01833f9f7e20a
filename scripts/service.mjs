import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { guardOrphan } from './guard-orphan.mjs';
import { eachLine, makeLineFormat } from './log-lines.mjs';
import { COMPILE_CACHE, pinnedNode, ROOT } from './set-up.mjs';

/** More than the longest drain deadline of a process, ms. */
const STOP_TIMEOUT = 60_000;

/**
 * Starts one process of Wrapup, its log lines shown on our stdout. It ends with us, however we end.
 *
 * @param {string} name folder below apps/
 * @returns {{name: string, exited: Promise<void>, stop(): Promise<boolean>, kill(): void}} `stop` tells whether it ended
 * as it should
 */
export function startService(name, { index, env }) {
  const child = spawn(pinnedNode(), [join(ROOT, 'apps', name, 'src', 'main.ts')], {
    cwd: ROOT,
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own process group: Ctrl-C comes to us alone, so that we can end them in order.
    detached: true,
  });
  const format = makeLineFormat(name, index, { colours: process.stdout.isTTY });
  for (const stream of [child.stdout, child.stderr]) {
    eachLine(stream, (line) => process.stdout.write(`${format(line)}\n`));
  }
  const guard = child.pid ? guardOrphan(child.pid, 'SIGTERM') : undefined;
  let code;
  const exited = new Promise((resolve) => {
    child.once('error', (error) => {
      process.stderr.write(`${name}: ${error.message}\n`);
      resolve();
    });
    // `close` and not `exit`: the last words are to be read first.
    child.once('close', (status) => {
      code = status;
      guard?.dismiss();
      resolve();
    });
  });
  return {
    name,
    exited,
    kill: () => child.kill('SIGKILL'),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return code === 0;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT);
      await exited;
      clearTimeout(timer);
      return code === 0;
    },
  };
}
