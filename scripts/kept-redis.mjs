/**
 * The Redis of `npm start`: its data stands under `.wrapup/redis`, for its owner only, every write is on the disk before
 * it is confirmed, and it is there again at the next start, whatever ended the last one. It asks for a password, as every
 * user of the machine can reach its port.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SECRETS, STATE } from './environment.mjs';
import { startRedisServer } from './local-redis.mjs';
import { keepSecret, makePrivateTree, replacePrivate } from './secrets.mjs';
import { isAlive } from './set-up.mjs';

const DATA = join(STATE, 'redis');
const NOTE = join(DATA, 'server.json');

/** A large append-only file takes its time to load, ms. */
const LOADING_TIMEOUT = 120_000;
/** For a server whose `npm start` was killed to write its last and go, ms. */
const LEAVING_TIMEOUT = 15_000;

/** @returns {ReturnType<typeof startRedisServer>} */
export async function startKeptRedis() {
  await seeOff();
  // An earlier version left what it wrote readable by all.
  makePrivateTree(DATA);
  const redis = await startRedisServer({
    dir: DATA,
    appendonly: true,
    password: keepSecret(SECRETS, 'REDIS_PASSWORD'),
    orphaned: 'SIGTERM',
    timeout: LOADING_TIMEOUT,
  });
  replacePrivate(NOTE, JSON.stringify({ pid: redis.pid, owner: process.pid }));
  redis.exited.then(() => rmSync(NOTE, { force: true }));
  return redis;
}

/** Two servers on the same files would ruin them: waits until the one of a killed `npm start` is gone. */
async function seeOff() {
  const note = readNote();
  if (!note || !isServer(note.pid)) return;
  if (isAlive(note.owner)) throw new Error(`npm start runs already (process ${note.owner}).`);
  process.kill(note.pid, 'SIGTERM');
  const deadline = Date.now() + LEAVING_TIMEOUT;
  while (isServer(note.pid)) {
    if (Date.now() > deadline) process.kill(note.pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function readNote() {
  try {
    return JSON.parse(readFileSync(NOTE, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Whether this is still our server, and not a stranger to whom the system gave its id since. */
function isServer(pid) {
  if (!isAlive(pid)) return false;
  try {
    return /(redis|valkey)-server/.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
  } catch {
    return process.platform !== 'linux';
  }
}
