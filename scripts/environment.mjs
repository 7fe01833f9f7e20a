/**
 * The environment of the processes: what is set already, then `.env`, then, in another terminal while `npm start`
 * runs, what that one filled in (where its Redis listens, demo secrets).
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import util from 'node:util';
import { isAlive, ROOT } from './set-up.mjs';

/** What is kept between starts. `WRAPUP_STATE` puts it, and `WRAPUP_ENV_FILE` the file, elsewhere. */
export const STATE = process.env.WRAPUP_STATE || join(ROOT, '.wrapup');
const ENV_FILE = process.env.WRAPUP_ENV_FILE || join(ROOT, '.env');
const STARTED = join(STATE, 'started.json');

/** Where the compose file's sandbox stands for its neighbours; on one machine that is this machine. */
const COMPOSE_SANDBOX = /^http:\/\/sandbox:8090(?=\/|$)/;
const DEFAULT_SANDBOX_PORT = '8090';

/** `process.env` completed by `.env`. An empty value in the file is no value. */
export function readEnvironment() {
  const env = { ...process.env };
  for (const [name, value] of Object.entries(readDotEnv())) {
    if (env[name] === undefined && value !== '') env[name] = value;
  }
  return env;
}

/** Address of the sandbox on this machine. */
export function sandboxUrl(env) {
  return `http://127.0.0.1:${env.SANDBOX_PORT || DEFAULT_SANDBOX_PORT}`;
}

/** Reads `http://sandbox:8090`, which means something between containers only, as the sandbox on this machine. */
export function findSandbox(env) {
  for (const [name, value] of Object.entries(env)) {
    if (/_(?:BASE|LOGIN)_URL$/.test(name)) env[name] = value.replace(COMPOSE_SANDBOX, sandboxUrl(env));
  }
}

/** By Node's own parser. Not imported by name: early versions of Node 20, which only pass here, have none. */
function readDotEnv() {
  try {
    return util.parseEnv(readFileSync(ENV_FILE, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return {};
    throw error;
  }
}

/** What a running `npm start` filled in, and its process id; undefined when none runs. */
export function readStarted() {
  try {
    const started = JSON.parse(readFileSync(STARTED, 'utf8'));
    return isAlive(started.pid) ? started : undefined;
  } catch {
    return undefined;
  }
}

/** Notes it for other terminals. It may hold secrets: readable by its owner only. */
export function noteStarted(env) {
  mkdirSync(STATE, { recursive: true });
  const file = `${STARTED}.${process.pid}`;
  writeFileSync(file, JSON.stringify({ pid: process.pid, env }, null, 2), { mode: 0o600 });
  renameSync(file, STARTED);
}

export function forgetStarted() {
  rmSync(STARTED, { force: true });
}
