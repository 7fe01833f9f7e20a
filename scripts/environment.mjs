/**
 * The environment of the processes: what is set already, then `.env`, then, in another terminal while `npm start` runs,
 * where that one's parts listen and the secrets that it made, then the sandbox's values for what is still not set. An
 * empty value in `.env` is as good as none: a variable that is to be empty is set so in the shell. The sandbox's values
 * come in groups, so that a token of a real account never meets the address of the sandbox, whenever it was written into
 * the file.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import util from 'node:util';
import { keepSecret, missingSecrets, readSecret, replacePrivate } from './secrets.mjs';
import { isAlive, ROOT } from './set-up.mjs';

/** What is kept between starts. `WRAPUP_STATE` puts it, and `WRAPUP_ENV_FILE` the file, elsewhere. */
export const STATE = process.env.WRAPUP_STATE || join(ROOT, '.wrapup');
/** The secrets that `npm start` makes, a file for each. */
export const SECRETS = join(STATE, 'secrets');
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

/**
 * Makes the secrets that nothing gives, once for all starts, and adds them. What is set to nothing in the shell stays so,
 * but for the webhook secret, without which no webhook would be taken.
 *
 * @returns {string[]} names of the variables whose values were made here, at this start or an earlier one
 */
export function addSecrets(env) {
  const names = missingSecrets((name) => {
    const isEmptied = env[name] === '' && name !== 'SYNTHFLOW_WEBHOOK_SECRET';
    return isEmptied || isGiven(env, name);
  });
  for (const name of names) env[name] = keepSecret(SECRETS, name);
  return names;
}

/** Whether the operator has given the variable, be it in a file or in a folder of secrets. */
export function isGiven(env, name) {
  const folders = (env.WRAPUP_SECRETS_DIR ?? '').split(':').filter(Boolean);
  return isSet(env, name) || folders.some((folder) => existsSync(join(folder, name)));
}

function isSet(env, name) {
  return Boolean(env[name] || env[`${name}_FILE`]);
}

/** What guards the webhook's address: for commands that check the configuration or send, also while nothing runs. */
const DOOR = ['SYNTHFLOW_WEBHOOK_SECRET', 'WEBHOOK_PATH_TOKEN'];

/**
 * Adds what an earlier `npm start` made of it. The keys of the store are left out: commands may be about another Redis.
 */
export function takeKept(env) {
  for (const name of missingSecrets((one) => env[one] !== undefined || isGiven(env, one))) {
    const value = DOOR.includes(name) ? readSecret(SECRETS, name) : undefined;
    if (value !== undefined) env[name] = value;
  }
}

/** Takes over what a running `npm start` noted, where nothing else is set. */
export function takeStarted(env, started) {
  for (const [name, value] of Object.entries(started.env)) env[name] ??= value;
  for (const name of started.secrets) {
    const value = isSet(env, name) ? undefined : readSecret(SECRETS, name);
    if (value !== undefined) env[name] ??= value;
  }
}

/** Values of the sandbox for what is not set, so that the example configuration works against it. */
export function fillIn(env) {
  const add = (name, value) => {
    if (!isSet(env, name)) env[name] = value;
  };
  // A token of a real account means that account.
  if (isSet(env, 'HUBSPOT_ACCESS_TOKEN')) return;
  add('HUBSPOT_BASE_URL', `${sandboxUrl(env)}/hubspot`);
  add('HUBSPOT_ACCESS_TOKEN', 'pat-sandbox');
  // For a connection to Salesforce, where the configuration has one: both CRMs are real, or none is.
  if (!isSet(env, 'SALESFORCE_CLIENT_ID')) {
    add('SALESFORCE_LOGIN_URL', `${sandboxUrl(env)}/salesforce`);
    add('SALESFORCE_CLIENT_ID', 'sandbox-consumer-key');
    add('SALESFORCE_CLIENT_SECRET', 'sandbox-consumer-secret');
  }
  if (!isSet(env, 'SYNTHFLOW_API_KEY')) {
    add('SYNTHFLOW_BASE_URL', `${sandboxUrl(env)}/synthflow`);
    add('SYNTHFLOW_API_KEY', 'sandbox');
    add('SYNTHFLOW_WORKSPACE_ID', 'sandbox-workspace');
  }
}

/** What stands in `.env` now, as a hash: whether a running `npm start` goes by the same. */
export function hashDotEnv() {
  return createHash('sha256').update(JSON.stringify(readDotEnv())).digest('hex');
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

/**
 * Where the parts of a running `npm start` listen, which secrets it made, its process id, and the hash of its `.env`;
 * undefined when none runs.
 */
export function readStarted() {
  try {
    const started = JSON.parse(readFileSync(STARTED, 'utf8'));
    return isAlive(started.pid) ? started : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Notes it for other terminals. It may hold secrets: readable by its owner only.
 *
 * @param {Record<string, string>} env what they cannot know by themselves
 * @param {string[]} secrets names of the variables that `addSecrets` added
 */
export function noteStarted(env, secrets) {
  mkdirSync(STATE, { recursive: true });
  replacePrivate(STARTED, JSON.stringify({ pid: process.pid, env, secrets, env_file: hashDotEnv() }, null, 2));
}

export function forgetStarted() {
  rmSync(STARTED, { force: true });
}
