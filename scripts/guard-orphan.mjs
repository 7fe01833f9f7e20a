import { spawn } from 'node:child_process';

/**
 * Ends `pid` when this process is gone, also after a kill -9: a shell waits for the end of a pipe whose other end only
 * this process holds. Works where there is /bin/sh; elsewhere it does nothing.
 *
 * @param {number} pid
 * @param {'SIGKILL' | 'SIGTERM'} signal
 * @returns {{dismiss(): void}} to be dismissed when `pid` has ended, because ids are used again
 */
export function guardOrphan(pid, signal) {
  const script = 'read -r _; kill -s "$2" "$1"; kill -s CONT "$1"';
  const guard = spawn('/bin/sh', ['-c', script, 'sh', String(pid), signal.slice('SIG'.length)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Its own process group: what the terminal sends to ours must not end it first.
    detached: true,
  });
  guard.on('error', () => {});
  guard.stdin.on('error', () => {});
  guard.stdin.unref?.();
  guard.unref();
  return { dismiss: () => guard.kill('SIGKILL') };
}
