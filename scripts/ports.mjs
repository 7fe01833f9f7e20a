/**
 * Hands out ports. Needs nothing but Node's own modules, so that it works before `npm ci` has run.
 *
 * A port that the system picks may be picked again as soon as its server ends, so a server that is killed and started
 * again could meet a stranger there. These are below those that systems give to servers and connections that ask for any,
 * and no process of this user is given one twice within the hour.
 */
import { closeSync, mkdirSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** Linux picks from 32768 on, others from 49152 on. */
const FIRST = 20_000;
const COUNT = 12_000;
const MAX_ATTEMPTS = 1_000;
const CLAIM_MS = 60 * 60_000;
const CLAIMS = join(tmpdir(), `wrapup-ports-${userInfo().uid}`);

/**
 * @returns {Promise<number>} a port that nothing listens on and that was given to no other caller within the hour
 * @throws {Error} when a thousand ports at random are all taken
 */
export async function freePort() {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (claim(port) && (await isFree(port))) return port;
  }
  throw new Error(
    `No port from ${FIRST} to ${FIRST + COUNT - 1} is free; ${CLAIMS} holds those given within the hour.`,
  );
}

/** Whether a server could listen on it, on loopback and on all interfaces. @param {number} port */
export async function isFree(port) {
  for (const host of ['0.0.0.0', '127.0.0.1']) {
    const free = await new Promise((resolve) => {
      const probe = createServer();
      probe.once('error', (error) => resolve(error.code !== 'EADDRINUSE' && error.code !== 'EACCES'));
      probe.listen(port, host, () => probe.close(() => resolve(true)));
    });
    if (!free) return false;
  }
  return true;
}

/** Takes it by creating a file, which only one process can. */
function claim(port) {
  const file = join(CLAIMS, String(port));
  mkdirSync(CLAIMS, { recursive: true, mode: 0o700 });
  try {
    const claimed = openSync(file, 'wx', 0o600);
    writeSync(claimed, `${process.pid}\n`);
    closeSync(claimed);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    // The next one to try it may have it.
    if (Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) > CLAIM_MS)
      rmSync(file, { force: true });
    return false;
  }
}
