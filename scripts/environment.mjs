/**
 * The environment of the processes: what is set already, then `.env`, then, in another terminal while `npm start`
 * runs, what that one filled in (where its Redis listens, demo secrets).
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { isAlive, ROOT } from './set-up.mjs';

export const STATE = join(ROOT, '.wrapup');
const STARTED = join(STATE, 'started.json');

/** Where the compose file's sandbox stands for its neighbours; on one machine that is this machine. */
const COMPOSE_SANDBOX = /^http:\/\/sandbox:8090(?=\/|$)/;
const DEFAULT_SANDBOX_PORT = '8090';

/** `process.env` completed by `.env`. An empty value in the file is no value. */
export function readEnvironment() {
  const env = { ...process.env };
  const fromFile = readDotEnv();
  for (const [name, value] of Object.entries(fromFile)) {
    if (env[name] === undefined && value !== '') env[name] = value;
  }
  const sandbox = `http://127.0.0.1:${env.SANDBOX_PORT || DEFAULT_SANDBOX_PORT}`;
  for (const [name, value] of Object.entries(fromFile)) {
    if (env[name] === value) env[name] = value.replace(COMPOSE_SANDBOX, sandbox);
  }
  return env;
}

function readDotEnv() {
  try {
    return parseEnv(readFileSync(join(ROOT, '.env'), 'utf8'));
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
