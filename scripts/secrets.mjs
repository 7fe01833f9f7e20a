/**
 * The secrets of one installation: each made at random where none is given, kept in a file of its own that carries the
 * name of its variable, and never made again. They belong into the backup: what was encrypted with a lost key stays so.
 * Needs nothing but Node's own modules.
 */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** Random bytes of each variable that may be made here; written in hexadecimal digits. */
const SECRET_BYTES = {
  SYNTHFLOW_WEBHOOK_SECRET: 32,
  WEBHOOK_PATH_TOKEN: 16,
  DASHBOARD_PASSWORD: 16,
  WRAPUP_ENCRYPTION_KEY: 32,
  WRAPUP_INDEX_KEY: 32,
};
/** Of every other, such as the passwords of Redis. */
const OTHER_BYTES = 32;
/** For their owner only. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/**
 * Which of the secrets are to be made, as nothing else gives them. A path token is not made beside a webhook secret of
 * the operator's own: the address that was given to Synthflow stays as it is.
 *
 * @param {(name: string) => boolean} isGiven whether a variable is set already, or is to stay empty
 * @returns {string[]} names of variables
 */
export function missingSecrets(isGiven) {
  return Object.keys(SECRET_BYTES).filter((name) => {
    if (name === 'WEBHOOK_PATH_TOKEN' && isGiven('SYNTHFLOW_WEBHOOK_SECRET')) return false;
    return !isGiven(name);
  });
}

/**
 * The secret that is kept in a folder, made now if there is none. Two processes that ask at once get the same one.
 *
 * @param {string} folder made when missing, for its owner only
 * @param {string} name of the variable, and of the file
 * @throws {Error} when the file is there and empty: a new secret would not open what the old one closed
 */
export function keepSecret(folder, name) {
  makePrivateFolder(folder);
  const file = join(folder, name);
  const kept = readSecret(folder, name);
  if (kept !== undefined) return kept;
  const mine = `${file}.${process.pid}`;
  writePrivate(mine, randomBytes(SECRET_BYTES[name] ?? OTHER_BYTES).toString('hex'));
  try {
    linkSync(mine, file);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(mine, { force: true });
  }
  syncFolder(folder);
  return readSecret(folder, name);
}

/** The secret that is kept, or undefined. @throws {Error} when its file is empty */
export function readSecret(folder, name) {
  const file = join(folder, name);
  let text;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
  if (text === '')
    throw new Error(`${file} is empty: put the secret back from the backup, or remove the file for a new one.`);
  chmodSync(file, FILE_MODE);
  return text;
}

/**
 * Puts a file that only its owner may read in the place of what was there, whole or not at all, and has it on the disk.
 *
 * @param {number} [owner] id of the user who shall own it, and of the group
 */
export function replacePrivate(file, text, owner) {
  const mine = `${file}.${process.pid}`;
  writePrivate(mine, text);
  if (owner !== undefined) chownSync(mine, owner, owner);
  renameSync(mine, file);
}

function writePrivate(file, text) {
  rmSync(file, { force: true });
  const descriptor = openSync(file, 'wx', FILE_MODE);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Takes from everyone but the owner what a folder holds, at any depth. Links are left alone. */
export function makePrivateTree(folder) {
  makePrivateFolder(folder);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) makePrivateTree(path);
    else if (entry.isFile()) chmodSync(path, FILE_MODE);
  }
}

/** Makes a folder that only its owner may look into, or makes it so. */
export function makePrivateFolder(folder) {
  mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
  chmodSync(folder, FOLDER_MODE);
}

/** A new name is on the disk when its folder is; not every system lets a folder be opened. */
function syncFolder(folder) {
  try {
    const descriptor = openSync(folder, 'r');
    fsyncSync(descriptor);
    closeSync(descriptor);
  } catch {}
}
